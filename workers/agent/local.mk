# The agent: pure parts as a library of their own for tests and fuzzers.
noinst_LIBRARIES += libpostern_agent.a
libpostern_agent_a_SOURCES = \
	workers/agent/answer.c workers/agent/answer.h \
	workers/agent/bytes.c workers/agent/bytes.h \
	workers/agent/classify.c workers/agent/classify.h \
	workers/agent/delta.c workers/agent/delta.h \
	workers/agent/prompt.c workers/agent/prompt.h \
	workers/agent/sse.c workers/agent/sse.h \
	workers/agent/stream.c workers/agent/stream.h \
	workers/agent/url.c workers/agent/url.h
