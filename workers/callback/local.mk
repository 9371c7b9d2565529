# workers/callback
# What needs no socket, for the tests and the fuzzer.
noinst_LIBRARIES += libpostern_callback.a
libpostern_callback_a_SOURCES = \
	workers/callback/form.c workers/callback/form.h \
	workers/callback/head.c workers/callback/head.h \
	workers/callback/inflight.c workers/callback/inflight.h \
	workers/callback/payload.c workers/callback/payload.h \
	workers/callback/proof.c workers/callback/proof.h \
	workers/callback/source.c workers/callback/source.h
libpostern_callback_a_CFLAGS = $(AM_CFLAGS) $(OPENSSL_CFLAGS)

pkglibexec_PROGRAMS += postern-callback
postern_callback_SOURCES = \
	workers/callback/action.c \
	workers/callback/callback.h \
	workers/callback/command.c \
	workers/callback/conn.c workers/callback/conn.h \
	workers/callback/gate.c workers/callback/gate.h \
	workers/callback/hook.c \
	workers/callback/main.c \
	workers/callback/peers.c \
	workers/callback/probe.c \
	workers/callback/refused.c \
	workers/callback/result.c workers/callback/result.h \
	workers/callback/route.c \
	workers/callback/tls.c workers/callback/tls.h
postern_callback_CFLAGS = $(AM_CFLAGS) $(LIBEVENT_OPENSSL_CFLAGS) \
	$(OPENSSL_CFLAGS)
postern_callback_LDADD = libpostern_callback.a $(SIGNED_LIBS) \
	$(LIBEVENT_OPENSSL_LIBS) $(OPENSSL_LIBS) $(WORKER_LIBS)
