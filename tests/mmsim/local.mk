# tests/mmsim
noinst_PROGRAMS += tests/mmsim/mmsim
tests_mmsim_mmsim_SOURCES = \
	tests/mmsim/api.c tests/mmsim/api.h \
	tests/mmsim/api_actions.c \
	tests/mmsim/api_bots.c \
	tests/mmsim/api_channels.c \
	tests/mmsim/api_commands.c \
	tests/mmsim/api_execute.c \
	tests/mmsim/api_files.c \
	tests/mmsim/api_list.c \
	tests/mmsim/api_members.c \
	tests/mmsim/api_posts.c \
	tests/mmsim/api_system.c \
	tests/mmsim/api_teams.c \
	tests/mmsim/api_users.c \
	tests/mmsim/bench.c tests/mmsim/bench.h \
	tests/mmsim/buf.c tests/mmsim/buf.h \
	tests/mmsim/command.h \
	tests/mmsim/control.c tests/mmsim/control.h \
	tests/mmsim/events.c tests/mmsim/events.h \
	tests/mmsim/fault.c tests/mmsim/fault.h \
	tests/mmsim/fault_ws.c tests/mmsim/fault_ws.h \
	tests/mmsim/hmap.c tests/mmsim/hmap.h \
	tests/mmsim/http.c tests/mmsim/http.h \
	tests/mmsim/http_parse.c tests/mmsim/http_parse.h \
	tests/mmsim/main.c \
	tests/mmsim/mentions.c \
	tests/mmsim/model.c tests/mmsim/model.h \
	tests/mmsim/model_script.c tests/mmsim/model_script.h \
	tests/mmsim/multipart.c tests/mmsim/multipart.h \
	tests/mmsim/outgoing.c tests/mmsim/outgoing.h \
	tests/mmsim/pending.c tests/mmsim/pending.h \
	tests/mmsim/post_edit.c tests/mmsim/post_edit.h \
	tests/mmsim/props.c tests/mmsim/props.h \
	tests/mmsim/render.c tests/mmsim/render.h \
	tests/mmsim/respond.c \
	tests/mmsim/resume.c \
	tests/mmsim/sim.h \
	tests/mmsim/state.c tests/mmsim/state.h \
	tests/mmsim/state_free.c \
	tests/mmsim/ws.c tests/mmsim/ws.h \
	tests/mmsim/ws_action.c \
	tests/mmsim/ws_frame.c
# common/log.c only: the simulator must stand apart from what it tests.
tests_mmsim_mmsim_SOURCES += common/log.c common/log.h
tests_mmsim_mmsim_CFLAGS = $(AM_CFLAGS) $(LIBEVENT_OPENSSL_CFLAGS) \
	$(OPENSSL_CFLAGS)
tests_mmsim_mmsim_LDADD = $(LIBEVENT_OPENSSL_LIBS) $(LIBEVENT_LIBS) \
	$(OPENSSL_LIBS) $(JSONC_LIBS) $(LIBBSD_LIBS) -lm
TESTS += tests/mmsim/wire.test
EXTRA_DIST += tests/mmsim/wire.test tests/mmsim/README.md \
	tests/mmsim/conftest.py tests/mmsim/integration.py \
	tests/mmsim/simctl.py \
	tests/mmsim/test_faults.py \
	tests/mmsim/test_wire.py tests/mmsim/test_wire_callbacks.py \
	tests/mmsim/test_wire_events.py \
	tests/mmsim/test_wire_list.py tests/mmsim/test_wire_resume.py \
	tests/mmsim/test_wire_ws.py tests/mmsim/wirecmp.py \
	tests/mmsim/wiresetup.py tests/mmsim/wsclient.py \
	tests/mmsim/wire/callbacks.json \
	tests/mmsim/wire/events.json tests/mmsim/wire/pending.json \
	tests/mmsim/wire/rest.json tests/mmsim/wire/ws.json
