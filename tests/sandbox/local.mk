# The sandbox probe: forbidden and needed acts in each role's real jail.
check_PROGRAMS += tests/sandbox/probe
TESTS += tests/sandbox/probe
tests_sandbox_probe_SOURCES = tests/sandbox/probe.c tests/sandbox/probe.h \
	tests/sandbox/forbidden_net.c tests/sandbox/forbidden.c \
	tests/sandbox/needed.c tests/sandbox/capture.c
tests_sandbox_probe_LDADD = $(COMMON_LIBS) $(LIBEVENT_EXTRA_LIBS) \
	$(CRYPTO_LIBS) $(SQLITE_LIBS) -lpthread
# For the worker that runs where the sandbox does nothing.
check_PROGRAMS += tests/sandbox/void_filter
tests_sandbox_void_filter_SOURCES = tests/sandbox/void_filter.c
tests_sandbox_void_filter_LDADD = $(SECCOMP_LIBS)
# A wall clock that jumps, for e2e/test_clock.py.
check_PROGRAMS += tests/sandbox/jump.so
tests_sandbox_jump_so_SOURCES = tests/sandbox/jump.c
tests_sandbox_jump_so_CFLAGS = -fPIC
tests_sandbox_jump_so_LDFLAGS = -shared
tests_sandbox_jump_so_LDADD = -ldl
