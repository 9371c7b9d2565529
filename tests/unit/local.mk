# tests/unit
include tests/unit/stages.mk
check_PROGRAMS += tests/unit/test_sse
TESTS += tests/unit/test_sse
tests_unit_test_sse_SOURCES = tests/unit/test_sse.c
tests_unit_test_sse_LDADD = libpostern_agent.a $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_prompt
TESTS += tests/unit/test_prompt
tests_unit_test_prompt_SOURCES = tests/unit/test_prompt.c
tests_unit_test_prompt_LDADD = libpostern_agent.a $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_past
TESTS += tests/unit/test_past
tests_unit_test_past_SOURCES = tests/unit/test_past.c
tests_unit_test_past_LDADD = libpostern_agent.a $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_toolcalls
TESTS += tests/unit/test_toolcalls
tests_unit_test_toolcalls_SOURCES = tests/unit/test_toolcalls.c
tests_unit_test_toolcalls_LDADD = libpostern_agent.a $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_agent_answer
TESTS += tests/unit/test_agent_answer
tests_unit_test_agent_answer_SOURCES = tests/unit/test_agent_answer.c
tests_unit_test_agent_answer_LDADD = libpostern_agent.a libpostern_net.a \
	$(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_agent_stream
TESTS += tests/unit/test_agent_stream
tests_unit_test_agent_stream_SOURCES = tests/unit/test_agent_stream.c
tests_unit_test_agent_stream_LDADD = libpostern_agent.a $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_agent_classify
TESTS += tests/unit/test_agent_classify
tests_unit_test_agent_classify_SOURCES = tests/unit/test_agent_classify.c
tests_unit_test_agent_classify_LDADD = libpostern_agent.a $(UNIT_LIBS)
STORE_TEST = tests/unit/test_store_util.c tests/unit/test_store_util.h
STORE_CLIENT = tests/unit/test_store_client.c tests/unit/test_store_client.h
STORE_RIG = tests/unit/test_store_rig.c tests/unit/test_store_rig.h
STORE_TEST_LIBS = libpostern_store.a $(UNIT_LIBS) $(SQLITE_LIBS)
check_PROGRAMS += tests/unit/test_store_access
TESTS += tests/unit/test_store_access
tests_unit_test_store_access_SOURCES = tests/unit/test_store_access.c \
	$(STORE_TEST)
tests_unit_test_store_access_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)
tests_unit_test_store_access_LDADD = $(STORE_TEST_LIBS)
check_PROGRAMS += tests/unit/test_store_ops
TESTS += tests/unit/test_store_ops
tests_unit_test_store_ops_SOURCES = tests/unit/test_store_ops.c $(STORE_TEST)
tests_unit_test_store_ops_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)
tests_unit_test_store_ops_LDADD = $(STORE_TEST_LIBS)
check_PROGRAMS += tests/unit/test_store_query
TESTS += tests/unit/test_store_query
tests_unit_test_store_query_SOURCES = tests/unit/test_store_query.c $(STORE_TEST)
tests_unit_test_store_query_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)
tests_unit_test_store_query_LDADD = $(STORE_TEST_LIBS)
check_PROGRAMS += tests/unit/test_store_prune
TESTS += tests/unit/test_store_prune
tests_unit_test_store_prune_SOURCES = tests/unit/test_store_prune.c $(STORE_TEST)
tests_unit_test_store_prune_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)
tests_unit_test_store_prune_LDADD = $(STORE_TEST_LIBS)
check_PROGRAMS += tests/unit/test_store_quota
TESTS += tests/unit/test_store_quota
tests_unit_test_store_quota_SOURCES = tests/unit/test_store_quota.c $(STORE_TEST)
tests_unit_test_store_quota_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)
tests_unit_test_store_quota_LDADD = $(STORE_TEST_LIBS)
check_PROGRAMS += tests/unit/test_store_file
TESTS += tests/unit/test_store_file
tests_unit_test_store_file_SOURCES = tests/unit/test_store_file.c $(STORE_TEST)
tests_unit_test_store_file_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)
tests_unit_test_store_file_LDADD = $(STORE_TEST_LIBS)
check_PROGRAMS += tests/unit/test_store_transcript
TESTS += tests/unit/test_store_transcript
tests_unit_test_store_transcript_SOURCES = tests/unit/test_store_transcript.c \
	$(STORE_TEST)
tests_unit_test_store_transcript_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)
tests_unit_test_store_transcript_LDADD = $(STORE_TEST_LIBS)
check_PROGRAMS += tests/unit/test_store_tool
TESTS += tests/unit/test_store_tool
tests_unit_test_store_tool_SOURCES = tests/unit/test_store_tool.c $(STORE_TEST)
tests_unit_test_store_tool_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)
tests_unit_test_store_tool_LDADD = $(STORE_TEST_LIBS)
check_PROGRAMS += tests/unit/test_store_media
TESTS += tests/unit/test_store_media
tests_unit_test_store_media_SOURCES = tests/unit/test_store_media.c \
	$(STORE_TEST) $(STORE_CLIENT) $(STORE_RIG)
tests_unit_test_store_media_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)
tests_unit_test_store_media_LDADD = $(STORE_TEST_LIBS)
check_PROGRAMS += tests/unit/test_media_type
TESTS += tests/unit/test_media_type
tests_unit_test_media_type_SOURCES = tests/unit/test_media_type.c
tests_unit_test_media_type_LDADD = libpostern_stages.a $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_store_service
TESTS += tests/unit/test_store_service
tests_unit_test_store_service_SOURCES = tests/unit/test_store_service.c \
	$(STORE_TEST) $(STORE_CLIENT) $(STORE_RIG)
tests_unit_test_store_service_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)
tests_unit_test_store_service_LDADD = $(STORE_TEST_LIBS)
check_PROGRAMS += tests/unit/test_store_operator
TESTS += tests/unit/test_store_operator
tests_unit_test_store_operator_SOURCES = tests/unit/test_store_operator.c \
	$(STORE_TEST) $(STORE_CLIENT) $(STORE_RIG)
tests_unit_test_store_operator_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)
tests_unit_test_store_operator_LDADD = $(STORE_TEST_LIBS)
check_PROGRAMS += tests/unit/test_store_worker
TESTS += tests/unit/test_store_worker
tests_unit_test_store_worker_SOURCES = tests/unit/test_store_worker.c \
	tests/unit/net_proc.c tests/unit/net_proc.h \
	$(STORE_TEST) $(STORE_CLIENT)
tests_unit_test_store_worker_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)
tests_unit_test_store_worker_LDADD = $(STORE_TEST_LIBS)
noinst_LIBRARIES += libpostern_nettest.a
libpostern_nettest_a_SOURCES = tests/unit/net_fixture.h tests/unit/slow.h \
	tests/unit/net_fixture.c tests/unit/net_server.c \
	tests/unit/net_certs.c
libpostern_nettest_a_CFLAGS = $(AM_CFLAGS) $(OPENSSL_CFLAGS)
NETTEST_LIBS = libpostern_nettest.a $(NET_LIBS) $(UNIT_LIBS) -lpthread
check_PROGRAMS += tests/unit/test_net
TESTS += tests/unit/test_net
tests_unit_test_net_SOURCES = tests/unit/test_net.c
tests_unit_test_net_LDADD = $(NETTEST_LIBS)
WS_RIG = tests/unit/ws_rig.c tests/unit/ws_rig.h
check_PROGRAMS += tests/unit/test_net_ws
TESTS += tests/unit/test_net_ws
tests_unit_test_net_ws_SOURCES = tests/unit/test_net_ws.c $(WS_RIG)
tests_unit_test_net_ws_LDADD = $(NETTEST_LIBS)
check_PROGRAMS += tests/unit/test_net_ws_slow
TESTS += tests/unit/test_net_ws_slow
tests_unit_test_net_ws_slow_SOURCES = tests/unit/test_net_ws_slow.c $(WS_RIG)
tests_unit_test_net_ws_slow_LDADD = $(NETTEST_LIBS)
check_PROGRAMS += tests/unit/test_supervisor
TESTS += tests/unit/test_supervisor
tests_unit_test_supervisor_SOURCES = tests/unit/test_supervisor.c
tests_unit_test_supervisor_LDADD = libpostern_daemon.a libpostern_config.a \
	$(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_pairing_file
TESTS += tests/unit/test_pairing_file
tests_unit_test_pairing_file_SOURCES = tests/unit/test_pairing_file.c
tests_unit_test_pairing_file_LDADD = libpostern_ctl.a libpostern_config.a \
	$(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_config_edit
TESTS += tests/unit/test_config_edit
tests_unit_test_config_edit_SOURCES = tests/unit/test_config_edit.c
tests_unit_test_config_edit_LDADD = libpostern_ctl.a libpostern_config.a \
	$(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_ctl_explain
TESTS += tests/unit/test_ctl_explain
tests_unit_test_ctl_explain_SOURCES = tests/unit/test_ctl_explain.c
tests_unit_test_ctl_explain_LDADD = libpostern_ctl.a libpostern_config.a \
	$(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_ctl_parse
TESTS += tests/unit/test_ctl_parse
tests_unit_test_ctl_parse_SOURCES = tests/unit/test_ctl_parse.c
tests_unit_test_ctl_parse_LDADD = libpostern_ctl.a libpostern_config.a \
	$(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_chan
TESTS += tests/unit/test_chan
tests_unit_test_chan_SOURCES = tests/unit/test_chan.c tests/unit/chan_help.h
tests_unit_test_chan_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_chan_flow
TESTS += tests/unit/test_chan_flow
tests_unit_test_chan_flow_SOURCES = tests/unit/test_chan_flow.c \
	tests/unit/chan_help.h
tests_unit_test_chan_flow_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_chan_life
TESTS += tests/unit/test_chan_life
tests_unit_test_chan_life_SOURCES = tests/unit/test_chan_life.c \
	tests/unit/chan_help.h
tests_unit_test_chan_life_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=free
tests_unit_test_chan_life_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_json5
TESTS += tests/unit/test_json5
tests_unit_test_json5_SOURCES = tests/unit/test_json5.c
tests_unit_test_json5_CPPFLAGS = $(AM_CPPFLAGS) -DSRCDIR='"$(abs_top_srcdir)"'
tests_unit_test_json5_LDADD = libpostern_config.a $(UNIT_LIBS) -lm
CONFIG_TEST = tests/unit/test_config_util.c tests/unit/test_config_util.h
CONFIG_TEST_CPPFLAGS = $(AM_CPPFLAGS) -DSRCDIR='"$(abs_top_srcdir)"'
check_PROGRAMS += tests/unit/test_config_keys
TESTS += tests/unit/test_config_keys
tests_unit_test_config_keys_SOURCES = tests/unit/test_config_keys.c \
	$(CONFIG_TEST)
tests_unit_test_config_keys_CPPFLAGS = $(CONFIG_TEST_CPPFLAGS)
tests_unit_test_config_keys_LDADD = libpostern_config.a $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_net_dial
TESTS += tests/unit/test_net_dial
tests_unit_test_net_dial_SOURCES = tests/unit/test_net_dial.c
tests_unit_test_net_dial_LDADD = $(NETTEST_LIBS)
check_PROGRAMS += tests/unit/test_net_tls
TESTS += tests/unit/test_net_tls
tests_unit_test_net_tls_SOURCES = tests/unit/test_net_tls.c
tests_unit_test_net_tls_LDADD = $(NETTEST_LIBS)
check_PROGRAMS += tests/unit/test_net_once
TESTS += tests/unit/test_net_once
tests_unit_test_net_once_SOURCES = tests/unit/test_net_once.c
tests_unit_test_net_once_LDADD = $(NETTEST_LIBS)
check_PROGRAMS += tests/unit/test_config
TESTS += tests/unit/test_config
tests_unit_test_config_SOURCES = tests/unit/test_config.c $(CONFIG_TEST)
tests_unit_test_config_CPPFLAGS = $(CONFIG_TEST_CPPFLAGS)
tests_unit_test_config_LDADD = libpostern_config.a $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_fields
TESTS += tests/unit/test_fields
tests_unit_test_fields_SOURCES = tests/unit/test_fields.c
tests_unit_test_fields_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_log
TESTS += tests/unit/test_log
tests_unit_test_log_SOURCES = tests/unit/test_log.c
tests_unit_test_log_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_proto
TESTS += tests/unit/test_proto
tests_unit_test_proto_SOURCES = tests/unit/test_proto.c
tests_unit_test_proto_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_secret
TESTS += tests/unit/test_secret
tests_unit_test_secret_SOURCES = tests/unit/test_secret.c
tests_unit_test_secret_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_privdrop
TESTS += tests/unit/test_privdrop
tests_unit_test_privdrop_SOURCES = tests/unit/test_privdrop.c
tests_unit_test_privdrop_LDADD = $(UNIT_LIBS)
AGENT_RIG = tests/unit/agent_rig.c tests/unit/agent_rig.h \
	tests/unit/agent_rig_server.c
check_PROGRAMS += tests/unit/test_agent_worker
TESTS += tests/unit/test_agent_worker
tests_unit_test_agent_worker_SOURCES = tests/unit/test_agent_worker.c \
	$(AGENT_RIG)
tests_unit_test_agent_worker_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_agent_volume
TESTS += tests/unit/test_agent_volume
tests_unit_test_agent_volume_SOURCES = tests/unit/test_agent_volume.c \
	$(AGENT_RIG)
tests_unit_test_agent_volume_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_agent_faults
TESTS += tests/unit/test_agent_faults
tests_unit_test_agent_faults_SOURCES = tests/unit/test_agent_faults.c \
	$(AGENT_RIG)
tests_unit_test_agent_faults_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_agent_tools
TESTS += tests/unit/test_agent_tools
tests_unit_test_agent_tools_SOURCES = tests/unit/test_agent_tools.c \
	$(AGENT_RIG)
tests_unit_test_agent_tools_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_net_stream
TESTS += tests/unit/test_net_stream
tests_unit_test_net_stream_SOURCES = tests/unit/test_net_stream.c
tests_unit_test_net_stream_LDADD = $(NETTEST_LIBS)
check_PROGRAMS += tests/unit/test_dialer
TESTS += tests/unit/test_dialer
tests_unit_test_dialer_SOURCES = tests/unit/test_dialer.c \
	tests/unit/net_proc.c tests/unit/net_proc.h
tests_unit_test_dialer_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/net_jailed
tests_unit_net_jailed_SOURCES = tests/unit/net_jailed.c
tests_unit_net_jailed_LDADD = $(NET_LIBS) $(WORKER_LIBS)
check_PROGRAMS += tests/unit/test_net_jail
TESTS += tests/unit/test_net_jail
tests_unit_test_net_jail_SOURCES = tests/unit/test_net_jail.c \
	tests/unit/net_proc.c tests/unit/net_proc.h
tests_unit_test_net_jail_LDADD = $(NETTEST_LIBS)
check_PROGRAMS += tests/unit/test_links
TESTS += tests/unit/test_links
tests_unit_test_links_SOURCES = tests/unit/test_links.c
tests_unit_test_links_LDADD = libpostern_daemon.a libpostern_config.a \
	$(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_config_secret
TESTS += tests/unit/test_config_secret
tests_unit_test_config_secret_SOURCES = tests/unit/test_config_secret.c \
	$(CONFIG_TEST)
tests_unit_test_config_secret_CPPFLAGS = $(CONFIG_TEST_CPPFLAGS)
tests_unit_test_config_secret_LDADD = libpostern_config.a $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_config_overrides
TESTS += tests/unit/test_config_overrides
tests_unit_test_config_overrides_SOURCES = \
	tests/unit/test_config_overrides.c \
	tests/unit/test_config_util.c tests/unit/test_config_util.h
tests_unit_test_config_overrides_CPPFLAGS = $(CONFIG_TEST_CPPFLAGS)
tests_unit_test_config_overrides_LDADD = libpostern_config.a $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_config_agents
TESTS += tests/unit/test_config_agents
tests_unit_test_config_agents_SOURCES = tests/unit/test_config_agents.c \
	$(CONFIG_TEST)
tests_unit_test_config_agents_CPPFLAGS = $(CONFIG_TEST_CPPFLAGS)
tests_unit_test_config_agents_LDADD = libpostern_config.a $(UNIT_LIBS)
EXTRA_DIST += tests/vectors/openclaw.json
check_PROGRAMS += tests/unit/test_config_errors
TESTS += tests/unit/test_config_errors
tests_unit_test_config_errors_SOURCES = tests/unit/test_config_errors.c \
	$(CONFIG_TEST)
tests_unit_test_config_errors_CPPFLAGS = $(CONFIG_TEST_CPPFLAGS)
tests_unit_test_config_errors_LDADD = libpostern_config.a $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_config_mistakes
TESTS += tests/unit/test_config_mistakes
tests_unit_test_config_mistakes_SOURCES = \
	tests/unit/test_config_mistakes.c $(CONFIG_TEST)
tests_unit_test_config_mistakes_CPPFLAGS = $(CONFIG_TEST_CPPFLAGS)
tests_unit_test_config_mistakes_LDADD = libpostern_config.a $(UNIT_LIBS)
MANUAL_TEST = tests/unit/manual.c tests/unit/manual.h
check_PROGRAMS += tests/unit/test_frames_page
TESTS += tests/unit/test_frames_page
tests_unit_test_frames_page_SOURCES = tests/unit/test_frames_page.c \
	$(MANUAL_TEST)
tests_unit_test_frames_page_CPPFLAGS = $(AM_CPPFLAGS) \
	-DSRCDIR='"$(abs_top_srcdir)"'
tests_unit_test_frames_page_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_usage_pages
TESTS += tests/unit/test_usage_pages
tests_unit_test_usage_pages_SOURCES = tests/unit/test_usage_pages.c \
	$(MANUAL_TEST)
tests_unit_test_usage_pages_CPPFLAGS = $(AM_CPPFLAGS) \
	-DSRCDIR='"$(abs_top_srcdir)"'
tests_unit_test_usage_pages_LDADD = libpostern_ctl.a libpostern_config.a \
	$(UNIT_LIBS)
check_PROGRAMS += tests/unit/test_store_session
TESTS += tests/unit/test_store_session
tests_unit_test_store_session_SOURCES = tests/unit/test_store_session.c \
	$(STORE_TEST)
tests_unit_test_store_session_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)
tests_unit_test_store_session_LDADD = $(STORE_TEST_LIBS)
check_PROGRAMS += tests/unit/test_grow
TESTS += tests/unit/test_grow
tests_unit_test_grow_SOURCES = tests/unit/test_grow.c
tests_unit_test_grow_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test_cron
TESTS += tests/unit/test_cron
tests_unit_test_cron_SOURCES = tests/unit/test_cron.c
tests_unit_test_cron_LDADD = $(UNIT_LIBS)
