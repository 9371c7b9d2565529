# tests/soak: "make soak" lets Postern run for a while under mixed traffic and
# faults, see soak.py; "make check" only sees that this still works.
TESTS += tests/soak/soak.test
EXTRA_DIST += tests/soak/soak.test tests/soak/soak.py tests/soak/people.py \
	tests/soak/ledger.py tests/soak/trouble.py tests/soak/watch.py

# make soak [SOAK=10m]: 90s, 10m, 72h
SOAK = 10m
.PHONY: soak
soak: all tests/mmsim/mmsim
	POSTERN_BUILD='$(abs_builddir)' python3 -B \
	    '$(srcdir)/tests/soak/soak.py' '$(SOAK)'
