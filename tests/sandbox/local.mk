# The sandbox probe: forbidden and needed acts in each role's real jail.
check_PROGRAMS += tests/sandbox/probe
TESTS += tests/sandbox/probe
tests_sandbox_probe_SOURCES = tests/sandbox/probe.c tests/sandbox/probe.h \
	tests/sandbox/forbidden.c tests/sandbox/needed.c
tests_sandbox_probe_LDADD = $(COMMON_LIBS) $(LIBEVENT_EXTRA_LIBS) \
	$(CRYPTO_LIBS) $(SQLITE_LIBS) -lpthread
