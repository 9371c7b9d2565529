# make check-valgrind [VALGRIND_TESTS="tests/unit/test_chan"]: the unit tests
# under memcheck; some ten minutes.
VALGRIND_TESTS = $(check_PROGRAMS)
EXTRA_DIST += tests/valgrind/run.sh tests/valgrind/libraries.supp

.PHONY: check-valgrind
check-valgrind: all $(check_PROGRAMS)
	srcdir='$(srcdir)' sh '$(srcdir)/tests/valgrind/run.sh' \
	    $(VALGRIND_TESTS)
