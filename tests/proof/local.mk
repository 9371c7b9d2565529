# make proof [FULL=1] [ROWS="P1 P9"]: what SECURITY.md promises, row by row.
TESTS += tests/proof/proof.test
EXTRA_DIST += tests/proof/proof.test tests/proof/proof.py tests/proof/table \
	tests/proof/test_comparisons.py
FULL =
ROWS =
.PHONY: proof
proof: all $(check_PROGRAMS)
	POSTERN_BUILD='$(abs_builddir)' python3 -B \
	    '$(srcdir)/tests/proof/proof.py' $(FULL:1=--full) $(ROWS)
