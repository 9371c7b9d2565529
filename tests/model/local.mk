# The model of tests/model: "make check" looks at all that can go wrong once,
# "make model" at more, in some minutes and 5 GB.
EXTRA_DIST += tests/model/once.pml tests/model/model.test
TESTS += tests/model/model.test
.PHONY: model
model:
	srcdir=$(srcdir) MODEL="-DCRASHES=2" $(top_srcdir)/tests/model/model.test
