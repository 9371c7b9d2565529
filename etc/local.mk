# etc
posternsysconfdir = $(sysconfdir)/postern
dist_posternsysconf_DATA = etc/postern.json5.example

# What service managers and their friends want to know; installed below the
# data directory, for packages to put where their system looks.
SUBST_PATHS = $(SED) -e 's|@sbindir[@]|$(sbindir)|g' \
	-e 's|@posternrundir[@]|$(runstatedir)/postern|g' \
	-e 's|@posternstatedir[@]|$(localstatedir)/lib/postern|g' \
	-e 's|@libexecdir[@]|$(pkglibexecdir)|g' \
	-e 's|@sysconfdir[@]|$(sysconfdir)|g'
ETC_MADE = etc/systemd/postern.service etc/systemd/postern.tmpfiles \
	etc/apparmor/postern
$(ETC_MADE): Makefile
	@$(MKDIR_P) etc/systemd etc/apparmor
	$(AM_V_GEN)$(SUBST_PATHS) $(top_srcdir)/$@.in >$@
etc/systemd/postern.service: etc/systemd/postern.service.in
etc/systemd/postern.tmpfiles: etc/systemd/postern.tmpfiles.in
etc/apparmor/postern: etc/apparmor/postern.in
CLEANFILES += $(ETC_MADE)
systemddir = $(pkgdatadir)/systemd
nodist_systemd_DATA = etc/systemd/postern.service etc/systemd/postern.tmpfiles
apparmordir = $(pkgdatadir)/apparmor
nodist_apparmor_DATA = etc/apparmor/postern
dist_systemd_DATA = etc/systemd/postern.sysusers etc/systemd/postern.socket
EXTRA_DIST += etc/apparmor/postern.in
EXTRA_DIST += etc/systemd/postern.service.in etc/systemd/postern.tmpfiles.in
dist_pkgdata_DATA = etc/postern.logrotate etc/openbsd/postern.rc \
	etc/grafana/postern.json etc/prometheus/postern.rules.yml

# From the same tables as the program's own help; a cross build has none.
COMPLETIONS = etc/completions/posternctl etc/completions/_posternctl
CLEANFILES += $(COMPLETIONS)
etc/completions/posternctl: posternctl$(EXEEXT)
	@$(MKDIR_P) etc/completions
	$(AM_V_GEN)./posternctl completion bash >$@
etc/completions/_posternctl: posternctl$(EXEEXT)
	@$(MKDIR_P) etc/completions
	$(AM_V_GEN)./posternctl completion zsh >$@
if ! CROSS_COMPILING
bashcompletiondir = $(datadir)/bash-completion/completions
nodist_bashcompletion_DATA = etc/completions/posternctl
zshcompletiondir = $(datadir)/zsh/vendor-completions
nodist_zshcompletion_DATA = etc/completions/_posternctl
endif
