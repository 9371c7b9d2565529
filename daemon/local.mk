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
	daemon/config_endpoint.c \
	daemon/config_errors.c \
	daemon/config_exec.c \
	daemon/config_explain.c \
	daemon/config_gateway.c \
	daemon/config_json.c \
	daemon/config_keys.c daemon/config_keys.h \
	daemon/config_legacy.c \
	daemon/config_load.c \
	daemon/config_lookup.c \
	daemon/config_private.h \
	daemon/config_secret.c \
	daemon/config_shared.c \
	daemon/config_system.c \
	daemon/config_tree.c daemon/config_tree.h \
	daemon/config_url.c \
	daemon/json5.c daemon/json5.h
