# The side of OpenBSD, on other systems.
if !OS_OPENBSD
TESTS += tests/openbsd/compile.test
endif
EXTRA_DIST += tests/openbsd/compile.test tests/openbsd/standin.h \
	tests/openbsd/test_pledge.c
EXTRA_DIST += etc/openbsd/port
