# Fuzz targets. A target X is three lines at the end of this file:
#   FUZZ_TARGETS += tests/fuzz/fuzz_X
#   tests_fuzz_fuzz_X_SOURCES = tests/fuzz/fuzz_X.c ...
#   tests_fuzz_fuzz_X_LDADD = ... $(FUZZ_LIBS)
# and its seed inputs in tests/fuzz/corpus/X/. The source file defines only
# LLVMFuzzerTestOneInput() (and, if need be, LLVMFuzzerInitialize()).
#
# "make check" runs every corpus, and mutations of it, through every target
# with any compiler. "make fuzz" is the real thing; it wants
#   CC=clang ./configure --enable-fuzzers --enable-sanitizers
#   make fuzz FUZZ_SECONDS=600
FUZZ_TARGETS =
FUZZ_SECONDS = 60
check_PROGRAMS += $(FUZZ_TARGETS)
TESTS += tests/fuzz/corpora.sh
EXTRA_DIST += tests/fuzz/corpora.sh tests/fuzz/fuzz.sh tests/fuzz/corpus

noinst_LIBRARIES += libpostern_fuzzmain.a
libpostern_fuzzmain_a_SOURCES = tests/fuzz/driver.c
if FUZZERS
FUZZ_LIBS = $(FUZZ_ENGINE) $(COMMON_LIBS)
else
FUZZ_LIBS = libpostern_fuzzmain.a $(COMMON_LIBS)
endif

.PHONY: fuzz
fuzz: $(FUZZ_TARGETS)
	srcdir='$(srcdir)' sh '$(srcdir)/tests/fuzz/fuzz.sh' \
	    '$(FUZZ_SECONDS)' $(FUZZ_TARGETS)

FUZZ_TARGETS += tests/fuzz/fuzz_frame
tests_fuzz_fuzz_frame_SOURCES = tests/fuzz/fuzz_frame.c
tests_fuzz_fuzz_frame_LDADD = $(FUZZ_LIBS)

FUZZ_TARGETS += tests/fuzz/fuzz_sse
tests_fuzz_fuzz_sse_SOURCES = tests/fuzz/fuzz_sse.c
tests_fuzz_fuzz_sse_LDADD = libpostern_agent.a $(FUZZ_LIBS)

FUZZ_TARGETS += tests/fuzz/fuzz_event
tests_fuzz_fuzz_event_SOURCES = tests/fuzz/fuzz_event.c
tests_fuzz_fuzz_event_LDADD = libpostern_stages.a $(FUZZ_LIBS)

FUZZ_TARGETS += tests/fuzz/fuzz_json5
tests_fuzz_fuzz_json5_SOURCES = tests/fuzz/fuzz_json5.c
tests_fuzz_fuzz_json5_LDADD = libpostern_config.a $(FUZZ_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_ws
tests_fuzz_fuzz_ws_SOURCES = tests/fuzz/fuzz_ws.c
tests_fuzz_fuzz_ws_CFLAGS = $(AM_CFLAGS) $(CURL_CFLAGS) $(WSLAY_CFLAGS) \
	$(OPENSSL_CFLAGS)
tests_fuzz_fuzz_ws_LDADD = $(NET_LIBS) $(FUZZ_LIBS)

FUZZ_TARGETS += tests/fuzz/fuzz_text
tests_fuzz_fuzz_text_SOURCES = tests/fuzz/fuzz_text.c
tests_fuzz_fuzz_text_LDADD = libpostern_stages.a $(FUZZ_LIBS)

FUZZ_TARGETS += tests/fuzz/fuzz_callback
tests_fuzz_fuzz_callback_SOURCES = tests/fuzz/fuzz_callback.c
tests_fuzz_fuzz_callback_LDADD = libpostern_callback.a $(SIGNED_LIBS) \
	$(FUZZ_LIBS)

FUZZ_TARGETS += tests/fuzz/fuzz_tool
tests_fuzz_fuzz_tool_SOURCES = tests/fuzz/fuzz_tool.c
tests_fuzz_fuzz_tool_LDADD = libpostern_stages.a $(SIGNED_LIBS) $(FUZZ_LIBS)

FUZZ_TARGETS += tests/fuzz/fuzz_rest
tests_fuzz_fuzz_rest_SOURCES = tests/fuzz/fuzz_rest.c \
	workers/account/tool/act_react.c workers/account/tool/act_read.c \
	workers/account/api.c workers/account/channels.c \
	workers/account/ctl/check_rights.c workers/account/ctl/directory.c \
	workers/account/gap/gap_page.c workers/account/gap/gap_posts.c \
	workers/account/gap/gapfill.c \
	workers/account/lookup.c \
	workers/account/gap/reacted.c \
	workers/account/names.c workers/account/resolve.c \
	workers/account/command/slash.c workers/account/callback/slash_check.c \
	workers/account/command/slash_reg.c workers/account/users.c
tests_fuzz_fuzz_rest_CFLAGS = $(AM_CFLAGS) $(OPENSSL_CFLAGS)
tests_fuzz_fuzz_rest_LDADD = libpostern_stages.a $(OPENSSL_LIBS) $(FUZZ_LIBS)

FUZZ_TARGETS += tests/fuzz/fuzz_when
tests_fuzz_fuzz_when_SOURCES = tests/fuzz/fuzz_when.c
tests_fuzz_fuzz_when_LDADD = $(FUZZ_LIBS)
