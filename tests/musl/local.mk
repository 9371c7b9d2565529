# make check-musl: does it compile with another C library? Needs musl-gcc.
EXTRA_DIST += tests/musl/compile.sh

.PHONY: check-musl
check-musl:
	srcdir='$(srcdir)' CC='$(CC)' sh '$(srcdir)/tests/musl/compile.sh' || \
	    test $$? -eq 77
