# The agent: pure parts as a library of their own for tests and fuzzers.
noinst_LIBRARIES += libpostern_agent.a
libpostern_agent_a_SOURCES = \
	workers/agent/answer.c workers/agent/answer.h \
	workers/agent/attach.c workers/agent/attach.h \
	workers/agent/classify.c workers/agent/classify.h \
	workers/agent/delta.c workers/agent/delta.h \
	workers/agent/past.c workers/agent/past.h \
	workers/agent/prompt.c workers/agent/prompt.h \
	workers/agent/sse.c workers/agent/sse.h \
	workers/agent/stream.c workers/agent/stream.h \
	workers/agent/tool_schema.c workers/agent/tool_schema.h \
	workers/agent/toolcalls.c workers/agent/toolcalls.h

pkglibexec_PROGRAMS += postern-agent
postern_agent_SOURCES = \
	workers/agent/agent.h \
	workers/agent/call.c \
	workers/agent/echo.c \
	workers/agent/history.c workers/agent/history.h \
	workers/agent/main.c \
	workers/agent/media.c workers/agent/media.h \
	workers/agent/model.c workers/agent/model.h \
	workers/agent/tools.c workers/agent/tools.h \
	workers/agent/turns.c
postern_agent_CFLAGS = $(AM_CFLAGS) $(OPENSSL_CFLAGS)
postern_agent_LDADD = libpostern_agent.a $(NET_LIBS) $(WORKER_LIBS)
