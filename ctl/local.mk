# ctl
sbin_PROGRAMS += posternctl
noinst_LIBRARIES += libpostern_ctl.a
libpostern_ctl_a_SOURCES = \
	ctl/ask.c ctl/ask.h \
	ctl/client.c ctl/client.h \
	ctl/cmd_capabilities.c \
	ctl/cmd_channels.c \
	ctl/cmd_completion.c \
	ctl/cmd_cron.c \
	ctl/cmd_cron_jobs.c \
	ctl/cmd_daemon.c \
	ctl/cmd_directory.c \
	ctl/cmd_doctor.c \
	ctl/cmd_logs.c \
	ctl/cmd_message.c \
	ctl/cmd_pairing.c \
	ctl/cmd_reach.c \
	ctl/cmd_records.c \
	ctl/cmd_resolve.c \
	ctl/cmd_status.c \
	ctl/commands.h \
	ctl/config_edit.c ctl/config_edit.h \
	ctl/config_file.c ctl/config_file.h \
	ctl/cron_row.c ctl/cron_row.h \
	ctl/ctl.h \
	ctl/explain.c ctl/explain.h \
	ctl/doctor_config.c ctl/doctor_fix.c ctl/doctor_host.c \
	ctl/doctor.h \
	ctl/offline.c ctl/offline.h \
	ctl/output.c ctl/output.h \
	ctl/pairing_file.c ctl/pairing_file.h \
	ctl/parse.c ctl/parse_args.c ctl/parse.h \
	ctl/when.c ctl/when.h \
	ctl/report.c ctl/report.h \
	ctl/snapshot.c ctl/snapshot.h \
	daemon/rootless.c daemon/rootless.h
libpostern_ctl_a_CPPFLAGS = $(AM_CPPFLAGS) -DPOSTERN_SBINDIR='"$(sbindir)"'
if OPENCLAW_ALIAS
# The peer's name for it: the verbs are the same.
install-exec-hook:
	cd $(DESTDIR)$(sbindir) && ln -sf posternctl openclaw
uninstall-hook:
	rm -f $(DESTDIR)$(sbindir)/openclaw
endif
posternctl_SOURCES = ctl/main.c
posternctl_LDADD = libpostern_ctl.a libpostern_config.a $(COMMON_LIBS)
