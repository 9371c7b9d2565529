# tests
TESTS += tests/check_tree.sh
EXTRA_DIST += tests/check_tree.sh tests/check_tree.py
TESTS += tests/man.test tests/events.test
EXTRA_DIST += tests/man.test tests/events.test tests/events.py
EXTRA_DIST += tests/demo.py tests/e2e

# make check-kill [KILLS=200] [MESSAGES=10000]: some minutes of kill -9
KILLS = 200
MESSAGES = 10000
.PHONY: check-kill
check-kill: all tests/mmsim/mmsim
	cd '$(srcdir)/tests' && POSTERN_BUILD='$(abs_builddir)' \
	    POSTERN_TEST_KILLS='$(KILLS)' \
	    POSTERN_TEST_KILL_MESSAGES='$(MESSAGES)' python3 -B -m pytest -q -s \
	    -p no:cacheprovider e2e/test_kill.py -k random_kills

# make check-quiet [QUIET=60]: so many minutes in which nothing may happen
QUIET = 60
.PHONY: check-quiet
check-quiet: all tests/mmsim/mmsim
	cd '$(srcdir)/tests' && POSTERN_BUILD='$(abs_builddir)' \
	    POSTERN_TEST_QUIET='$(QUIET)' python3 -B -m pytest -q \
	    -p no:cacheprovider e2e/test_liveness.py -k quiet_workspace

dist-hook:
	find '$(distdir)' -name __pycache__ -type d -exec rm -rf {} +
