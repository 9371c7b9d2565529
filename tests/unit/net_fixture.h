/*
 * For the tests of workers/net: a scripted server whose connections run in
 * threads of their own, a dialer on the test's own loop, and certificates
 * made on the spot.
 */
#ifndef TESTS_UNIT_NET_FIXTURE_H
#define TESTS_UNIT_NET_FIXTURE_H

#include <event2/event.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "workers/net/net.h"
#include "workers/net/ws.h"

/* The server. */

struct server;

struct peer {
	struct server *srv;
	int fd;
	SSL *ssl;
	int nth;    /* of the server's connections, from 0 */
	int served; /* requests read on this connection */
	char method[16];
	char path[512];
	char head[16384];
	char *body;
	size_t body_len;
	char buf[65536]; /* read but not used */
	size_t buf_len;
};

/* Runs in a thread for each connection; the peer is closed after it. */
typedef void (*serve_fn)(struct peer *, void *arg);

struct server *server_new(serve_fn, void *arg, SSL_CTX *);
void server_free(struct server *);
uint16_t server_port(const struct server *);
int server_accepted(struct server *);
int server_open(struct server *);
/* Ends every connection from the server's side. */
void server_hang_up(struct server *);

/* 0 when the client has gone. */
int peer_request(struct peer *);
/* Head only; the body stays unread. */
int peer_head(struct peer *);
const char *peer_header(struct peer *, const char *name, char *, size_t);
void peer_write(struct peer *, const void *, size_t);
void peer_printf(struct peer *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void peer_answer(struct peer *, int status, const char *body);
size_t peer_read(struct peer *, void *, size_t);
void peer_reset(struct peer *); /* RST */
void peer_fin(struct peer *);	/* FIN, TLS without its goodbye */
/* TLS inside what is spoken already; takes the context. */
void peer_start_tls(struct peer *, SSL_CTX *);
/* 1: the client has closed or reset. */
int peer_gone(struct peer *);
int peer_ws_upgrade(struct peer *);
void peer_ws_accept(struct peer *, const char *key);
void peer_ws_frame(struct peer *, int first, int mask, const void *, size_t);
/* Opcode of the next frame, -1 at the end. Payload unmasked in body. */
int peer_ws_read(struct peer *);

/* The rest. */

enum {
	CERT_GOOD,
	CERT_OTHER_NAME,
	CERT_EXPIRED,
	CERT_UNKNOWN_CA,
	CERT_CHAIN, /* by an intermediate, which the server sends */
	CERT_SELF   /* self-signed, and in the bundle itself */
};

struct fixture {
	struct event_base *base;
	struct net *net;
	struct server *srv;
	struct chan *dialer; /* its side of the link */
	/* What the dialer does. */
	uint16_t dial_port;
	int dial_fail; /* so many dials fail, -1 all */
	int dial_busy; /* so many are refused by a cap */
	int dial_delay_ms;
	int dial_hole; /* never answer */
	int dial_dead; /* hand it over when the server has ended it */
	int dials, dial_open, dial_open_max;
	int late; /* answers under way */
};

/* net, dialer and server; ctx: the server's TLS or NULL. */
void fixture_up(struct fixture *, serve_fn, void *arg, SSL_CTX *);
void fixture_down(struct fixture *);
void fixture_dialer_restart(struct fixture *);
struct net_endpoint *fixture_endpoint(
    struct fixture *, int https, const struct net_endpoint_opts *more);
/* Runs the loop until *flag is at least n; fails the test after 20 s. */
void fixture_run(struct fixture *, const int *flag, int n);
void fixture_wait(struct fixture *, int ms);
/* Time that this thread has used, in ms. */
int64_t fixture_cpu_ms(void);

SSL_CTX *cert_server(int kind);
#define CERT_CAS 12	    /* certificates in the bundle */
int cert_ca_fd(void);	    /* a bundle with our CA, to read */
const char *cert_pin(void); /* of the good key */

struct call {
	int done;
	enum net_ending ending;
	int status;
	int partial;
	int retryable;
	char body[4096];
	size_t len;
	char type[64];
	char error[256];
	int64_t retry_after_ms;
	int64_t elapsed_ms;
	/* streams */
	int chunks;
	size_t chunk_bytes;
	int *counter; /* counts every end, when set */
};

void call_done(struct net_request *, const struct net_result *, void *);
void call_chunk(struct net_request *, const char *, size_t, void *);
struct net_request *call_start(struct net_endpoint *, struct call *,
    const char *method, const char *path, const char *body);

#endif
