noinst_LIBRARIES += libpostern_common.a
libpostern_common_a_SOURCES = \
	common/chan.c common/chan.h common/chan_int.h \
	common/chan_in.c common/chan_out.c common/chan_wait.c \
	common/fields.c common/fields.h \
	common/log.c common/log.h \
	common/loop.c common/loop.h \
	common/monotime.h \
	common/privdrop.c common/privdrop.h \
	common/proto.c common/proto.h \
	common/sandbox.c common/sandbox.h \
	common/sandbox_landlock.c \
	common/sandbox_pledge.c \
	common/sandbox_seccomp.c \
	common/secret.c common/secret.h \
	common/tree.h
libpostern_common_a_CFLAGS = $(AM_CFLAGS) $(SECCOMP_CFLAGS)
