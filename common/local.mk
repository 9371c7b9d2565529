noinst_LIBRARIES += libpostern_common.a
libpostern_common_a_SOURCES = \
	common/add.c common/add.h \
	common/chan.c common/chan.h common/chan_int.h \
	common/chan_in.c common/chan_out.c common/chan_wait.c \
	common/cron.c common/cron.h \
	common/fields.c common/fields.h \
	common/grow.c common/grow.h \
	common/log.c common/log.h \
	common/loop.c common/loop.h \
	common/monotime.h \
	common/pattern.c common/pattern.h common/pattern_impl.h \
	common/pattern_parse.c common/pattern_run.c \
	common/privdrop.c common/privdrop.h \
	common/proto.c common/proto.h \
	common/reason.c common/reason.h \
	common/sandbox.c common/sandbox.h \
	common/sandbox_caps.c \
	common/sandbox_fstat.c \
	common/sandbox_landlock.c \
	common/sandbox_pledge.c \
	common/sandbox_seccomp.c \
	common/schema.h \
	common/secret.c common/secret.h \
	common/strbuf.c common/strbuf.h \
	common/text.c common/text.h \
	common/tree.h \
	common/unicode.c common/unicode.h common/unicode_tables.h \
	common/utf8.c common/utf8.h \
	common/zone.c common/zone.h \
	common/zonefile.c common/zonefile.h
EXTRA_DIST += common/unicode_gen.py
# Apart, for it needs libcrypto, which the supervisor does not.
noinst_LIBRARIES += libpostern_signed.a
libpostern_signed_a_SOURCES = \
	common/signed_collate.c common/signed_collate.h \
	common/signed_context.c common/signed_context.h
libpostern_signed_a_CFLAGS = $(AM_CFLAGS) $(OPENSSL_CFLAGS)
SIGNED_LIBS = libpostern_signed.a $(OPENSSL_LIBS) -lm
libpostern_common_a_CFLAGS = $(AM_CFLAGS) $(SECCOMP_CFLAGS)
