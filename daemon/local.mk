# daemon
noinst_LIBRARIES += libpostern_config.a
libpostern_config_a_SOURCES = \
	daemon/conf.h \
	daemon/config_access.c \
	daemon/config_account.c \
	daemon/config_account_check.c \
	daemon/config_accounts.c \
	daemon/config_agent.c \
	daemon/config_binding.c \
	daemon/config_callback.c \
	daemon/config_check.c \
	daemon/config_commands.c \
	daemon/config_endpoint.c \
	daemon/config_errors.c \
	daemon/config_exec.c \
	daemon/config_explain.c \
	daemon/config_gateway.c \
	daemon/config_json.c \
	daemon/config_keys.c daemon/config_keys.h \
	daemon/config_legacy.c \
	daemon/config_limits.c \
	daemon/config_load.c \
	daemon/config_lookup.c \
	daemon/config_private.h \
	daemon/config_probe.c \
	daemon/config_secret.c \
	daemon/config_secret_file.c \
	daemon/config_shared.c \
	daemon/config_system.c \
	daemon/config_tree.c daemon/config_tree.h \
	daemon/config_url.c \
	daemon/json5.c daemon/json5.h \
	daemon/json5_char.c daemon/json5_char.h \
	daemon/json5_lex.c daemon/json5_lex.h \
	daemon/json5_number.c
sbin_PROGRAMS += posternd
# All but main(), for the tests too.
noinst_LIBRARIES += libpostern_daemon.a
libpostern_daemon_a_SOURCES = \
	daemon/backoff.c daemon/backoff.h \
	daemon/ctlreq.c daemon/ctlreq.h \
	daemon/feed.c daemon/feed.h \
	daemon/links.c daemon/links.h \
	daemon/listeners.c daemon/listeners.h \
	daemon/logsink.c daemon/logsink.h \
	daemon/online.c daemon/online.h \
	daemon/proc.c daemon/proc.h \
	daemon/procmsg.c \
	daemon/reload.c daemon/reload.h \
	daemon/rootless.c daemon/rootless.h \
	daemon/rundir.c daemon/rundir.h \
	daemon/sdnotify.c daemon/sdnotify.h \
	daemon/spawn.c daemon/spawn.h \
	daemon/state.c daemon/state.h \
	daemon/supervisor.c daemon/supervisor.h \
	daemon/upgrade_look.c daemon/upgrade_look.h \
	daemon/upgrade.c daemon/upgrade.h \
	daemon/watch.c daemon/watch.h
libpostern_daemon_a_CPPFLAGS = $(AM_CPPFLAGS) -DPOSTERN_SBINDIR='"$(sbindir)"'
posternd_SOURCES = daemon/main.c
posternd_LDADD = libpostern_daemon.a libpostern_config.a $(COMMON_LIBS)
