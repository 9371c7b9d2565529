# tests/bench: "make bench" measures, see bench.py; "make check" only sees
# that it still works.
BENCH_TOOLS = tests/bench/floor tests/bench/decide tests/bench/callbacks
check_PROGRAMS += $(BENCH_TOOLS)
tests_bench_floor_SOURCES = tests/bench/floor.c tests/bench/floor.h \
	tests/bench/floor_ws.c
tests_bench_floor_CFLAGS = $(AM_CFLAGS) $(CURL_CFLAGS)
tests_bench_floor_LDADD = $(COMMON_LIBS) $(CURL_LIBS)
tests_bench_decide_SOURCES = tests/bench/decide.c
tests_bench_decide_LDADD = libpostern_stages.a $(COMMON_LIBS)
tests_bench_callbacks_SOURCES = tests/bench/callbacks.c
tests_bench_callbacks_LDADD = libpostern_callback.a $(SIGNED_LIBS) \
	$(COMMON_LIBS) -lm
TESTS += tests/bench/bench.test
EXTRA_DIST += tests/bench/bench.test tests/bench/bench.py \
	tests/bench/proc.py tests/bench/stage.py \
	tests/bench/fig_callbacks.py tests/bench/fig_decide.py tests/bench/fig_latency.py \
	tests/bench/fig_flat.py tests/bench/fig_many.py tests/bench/fig_memory.py \
	tests/bench/fig_send.py \
	tests/bench/fig_start.py tests/bench/fig_status.py \
	tests/bench/fig_turns.py

# make bench [ACCOUNTS=10] [CHANNELS=40] [ROUNDS=100] [REPEAT=3] [MANY=200]
#     [FIGURES="turns latency"], or FIGURES=flat, two minutes of its own
ACCOUNTS = 10
CHANNELS = 40
ROUNDS = 100
REPEAT = 3
MANY = 200
FIGURES =
.PHONY: bench
bench: all $(BENCH_TOOLS)
	POSTERN_BUILD='$(abs_builddir)' python3 -B \
	    '$(srcdir)/tests/bench/bench.py' --accounts '$(ACCOUNTS)' \
	    --channels '$(CHANNELS)' --rounds '$(ROUNDS)' \
	    --repeat '$(REPEAT)' --many '$(MANY)' $(FIGURES)
