# tests
TESTS += tests/check_tree.sh
EXTRA_DIST += tests/check_tree.sh tests/check_tree.py
TESTS += tests/man.test tests/events.test
EXTRA_DIST += tests/man.test tests/events.test tests/events.py
EXTRA_DIST += tests/demo.py tests/e2e
dist-hook:
	find '$(distdir)' -name __pycache__ -type d -exec rm -rf {} +
