# The HTTP and websocket client that account and agent link. Only this
# library sees libcurl and wslay.
noinst_LIBRARIES += libpostern_net.a
libpostern_net_a_SOURCES = \
	workers/net/body.c \
	workers/net/ca.c \
	workers/net/connect.c \
	workers/net/dial.c \
	workers/net/easy.c \
	workers/net/endpoint.c \
	workers/net/internal.h \
	workers/net/machine.c \
	workers/net/mem.c \
	workers/net/net.c workers/net/net.h \
	workers/net/pool.c \
	workers/net/request.c \
	workers/net/result.c \
	workers/net/tls.c \
	workers/net/transfer.c \
	workers/net/url.c workers/net/url.h \
	workers/net/ws.c workers/net/ws.h \
	workers/net/ws_int.h \
	workers/net/ws_io.c \
	workers/net/ws_upgrade.c workers/net/ws_upgrade.h
libpostern_net_a_CFLAGS = $(AM_CFLAGS) $(CURL_CFLAGS) $(WSLAY_CFLAGS) \
	$(OPENSSL_CFLAGS)
NET_LIBS = libpostern_net.a $(CURL_LIBS) $(WSLAY_LIBS) $(OPENSSL_LIBS)
