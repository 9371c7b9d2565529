/*
 * What the files of workers/net share. Nothing outside includes this.
 *
 * A request is PARKED, then ACTIVE (its handle is in a multi), then gone.
 * libcurl's callbacks only touch these tables and mark the endpoint dirty;
 * net_kick() starts the event that acts on it.
 */
#ifndef WORKERS_NET_INTERNAL_H
#define WORKERS_NET_INTERNAL_H

#include <sys/queue.h>

#include <curl/curl.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <openssl/ssl.h>

#include "common/monotime.h"
#include "workers/net/net.h"
#include "workers/net/ws.h"

struct chan;

/*
 * Multis make descriptors, so all are made before the jail: endpoints of
 * one origin must not share one (they would share its connections), and
 * websockets have their own, where no cap and no eviction reaches them.
 */
#define NET_MULTIS 4
#define NET_MULTI_WS (NET_MULTIS - 1)

#define NET_CAP_MAX 260	       /* an agent's parallel (256), and spare ones */
#define NET_DIALS 12	       /* on their way: the dialer takes 16 of a link */
#define NET_POOL_SPARE 2       /* descriptors kept when nothing waits */
#define NET_POOL_FRESH_MS 1000 /* closed sooner: it was no connection */
#define NET_STARTS 4	       /* handles added in one turn of the loop */
#define NET_TRIES 16	       /* starts of one request */
#define NET_DIAL_ROUNDS 3      /* failed rounds that end a request */
#define NET_BACKOFF_MS 100     /* after a failed round, doubling to ... */
#define NET_BACKOFF_MAX_MS 5000
#define NET_DIAL_WAIT_MS 60000	  /* for the dialer's answer, a backstop */
#define NET_IDLE_S 55L		  /* Mattermost closes after 60 s idle */
#define NET_HEAD_MAX (64u * 1024) /* bytes of an answer's headers */
/*
 * libcurl makes these anew for each transfer (16 and 64 KB, the latter for
 * every POST over TLS) and we overwrite what it frees: answers are small.
 */
#define NET_BUFFER 4096L
#define NET_UPLOAD_BUFFER 16384L /* the least it takes */
#define NET_ERROR_MAX 256

struct net_multi {
	struct net *net;
	CURLM *curl;
	struct event timer;
	long nconns; /* sum of the caps of its endpoints */
};

/* A descriptor that libcurl holds; to look at it before it is reused. */
struct net_conn {
	LIST_ENTRY(net_conn) entry;
	int fd;
	uint16_t port; /* local, 0 unknown */
};

struct net_pooled {
	struct net_endpoint *ep;
	struct event ev; /* readable: the peer has left */
	struct monotime since;
	int fd;
};

/* One "Authorization: Bearer" line, shared by the requests that use it. */
struct net_bearer {
	struct secret *line;
	int refs;
};

/* A dial on its way. Both pointers NULL: nobody wants it any more. */
struct net_dial {
	LIST_ENTRY(net_dial) entry;
	struct net *net;
	struct net_endpoint *ep;
	struct ws *ws;
	int round;
};

TAILQ_HEAD(net_requests, net_request);

struct net_endpoint {
	TAILQ_ENTRY(net_endpoint) entry;
	struct net *net;
	struct net_multi *multi;
	int id;
	int https;
	int cap;
	char *name;
	char *host;   /* as in a Host header: IPv6 in brackets */
	char *origin; /* "https://host:port" */
	char *base;
	char *authority; /* Host header: port left out when it is usual */
	char *proxy;
	struct secret *proxy_auth;
	char *pin;
	struct curl_slist *resolve;    /* what libcurl believes */
	struct curl_slist *connect_to; /* the same, for IPv6 addresses */
	struct net_bearer *bearer;

	struct net_requests parked;
	struct net_requests active;
	struct net_pooled *pool; /* cap of them */
	int npool;
	int idle;    /* connections believed reusable: a hint */
	int nactive; /* handles in the multi */
	int nstart;  /* of these, not known yet how they connect */
	int dialing;
	int turned_away; /* noticed inside libcurl, to be counted later */
	int dirty;

	struct event backoff;
	int backoff_ms;
	int in_backoff;
	int round;
	char error[NET_ERROR_MAX];
	int err; /* errno of that dial, or 0 */

	CURL *spare[NET_CAP];
	int nspare;
};

struct net {
	struct event_base *base;
	struct net_multi multis[NET_MULTIS];
	CURLSH *share;
	struct ca *ca;
	struct chan *dialer;
	struct event kick;
	struct event kick_later;
	struct timeval turn; /* of the loop, and the starts it has left */
	int budget;
	int in_curl; /* inside libcurl: no handle may be added or removed */
	TAILQ_HEAD(, net_endpoint) endpoints;
	LIST_HEAD(, net_conn) conns;
	LIST_HEAD(, net_dial) dials;
	struct net_requests zombies; /* cancelled, to be removed */
	TAILQ_HEAD(, ws) sockets;
	struct net_stats stats;
};

enum net_state { NET_PARKED, NET_ACTIVE, NET_ENDED };

struct net_request {
	TAILQ_ENTRY(net_request) entry;
	struct net_endpoint *ep;
	enum net_state state;
	CURL *easy;

	const char *method;
	char *path;
	char *header_text;	    /* all header lines, NUL between */
	struct curl_slist *headers; /* array of nheaders + 1 nodes */
	size_t nheaders;
	struct net_bearer *bearer; /* held while active */
	char *body;
	size_t body_len;
	int body_fd;
	char *around; /* with body_fd: head, then tail */
	size_t pre_len, tail_len;
	size_t body_off; /* of all three, sent */
	net_sent_fn sent;
	int64_t idle_ms;
	int64_t head_ms;
	size_t max_body;
	net_chunk_fn chunk;
	net_done_fn done;
	void *arg;
	struct event deadline;
	struct event silence;
	struct monotime since;

	unsigned body_keep : 1;
	unsigned arg_free : 1;
	unsigned idempotent : 1;
	unsigned no_auth : 1;
	unsigned has_body : 1;
	unsigned paused : 1; /* the user wants no chunks */
	unsigned held : 1;   /* libcurl holds the transfer for us */
	unsigned cancelled : 1;
	unsigned again : 1; /* its one repeat has been used */
	/* Of the current start only. */
	unsigned starting : 1;	/* neither open nor prereq was called yet */
	unsigned opened : 1;	/* has a new connection */
	unsigned reused : 1;	/* has one that was open */
	unsigned committed : 1; /* its first byte may have left */
	unsigned refused : 1;	/* there was no descriptor in the pool */
	unsigned guarded : 1;	/* libcurl wanted to repeat it */
	unsigned stale : 1;	/* looked at the connection: it was dead */
	unsigned head_done : 1; /* the empty line of the answer has come */
	unsigned too_large : 1;
	unsigned too_short : 1; /* the file of body_fd */
	int fd;
	int tries;
	int dial_fails;
	long status;
	size_t head_len;
	char *buf;
	size_t len, size;
	char curl_error[CURL_ERROR_SIZE];
};

/* net.c */
void net_kick(struct net *);
void net_kick_endpoint(struct net_endpoint *);
/* Run what is due in the multi, then finish what has ended. */
void net_multi_run(struct net_multi *, curl_socket_t, int what);

/* mem.c: libcurl's memory is overwritten before it is freed. */
CURLcode net_mem_init(void);

/* endpoint.c: what is fixed; machine.c: what moves */
void endpoint_free(struct net_endpoint *);
/* Starts handles within *budget. 1: more could start in the next turn. */
int endpoint_run(struct net_endpoint *, int *budget);
int endpoint_prereq(void *, char *, char *, int, int);
curl_socket_t endpoint_open(void *, curlsocktype, struct curl_sockaddr *);
void endpoint_started(struct net_request *);
void endpoint_bearer_free(struct net_bearer *);

/* dial.c */
/* The dialer's descriptor came, or its error did. */
void dial_link(struct net *, int fd);
void dial_unlink(struct net *);
int dial_send(struct net *, struct net_endpoint *, struct ws *);
void dial_forget_ws(struct net *, const struct ws *);
void endpoint_dialed(struct net_endpoint *, int fd);
/* counted: 0 when it says nothing about the endpoint. */
void endpoint_dial_failed(
    struct net_endpoint *, int round, int counted, const char *why);
/* A descriptor was closed by the peer before it was of any use. */
void endpoint_turned_away(struct net_endpoint *);
void ws_dialed(struct ws *, int fd);
void ws_dial_failed(struct ws *, const char *why);

/* pool.c */
void pool_put(struct net_endpoint *, int fd);
int pool_take(struct net_endpoint *); /* -1: none */
void pool_clear(struct net_endpoint *);
void conn_add(struct net *, int fd);
void conn_del(struct net *, int fd);
/* 0: a connection of this local port is dead or has unread bytes. */
int conn_look(struct net *, uint16_t port);

/* easy.c */
void easy_prepare(struct net_request *);
void easy_recycle(struct net_endpoint *, CURL *);
/* What differs for a CONNECT_ONLY handle of a websocket. */
CURL *easy_new_ws(struct net_endpoint *, struct ws *);

/* request.c */
void request_complete(struct net_request *, CURLcode);
/* Ends a parked or active request from outside libcurl. */
void request_end(struct net_request *, CURLcode, const char *error);
void request_reap(struct net *);
void request_resume(struct net_endpoint *);
void request_free(struct net_request *);
/* It goes on: its idle timer starts anew. */
void request_alive(struct net_request *);
size_t request_header_cb(char *, size_t, size_t, void *);
size_t request_write_cb(char *, size_t, size_t, void *);

/* body.c: a body that is read from a descriptor */
void body_file_set(struct net_request *, const struct net_request_opts *);
/* Bytes of the whole body, wherever it comes from. */
size_t body_size(const struct net_request *);
size_t request_read_cb(char *, size_t, size_t, void *);

/* connect.c: makes the linker take it, and with it our connect(). */
void net_connect_take(void);

/* result.c */
void result_make(
    struct net_result *, struct net_request *, CURLcode, char *, size_t);
/* "stage: words" for a transfer that ended with code before any answer. */
void result_words(CURL *, CURLcode, const char *curl_error, int opened,
    char *buf, size_t size);

/* ca.c */
struct ca *ca_new(void);
void ca_free(struct ca *);
int ca_load(struct ca *, int fd); /* see net_set_ca() */
X509_STORE *ca_store(struct ca *);

/* tls.c */
void tls_warm_up(void);
CURLcode tls_ctx_cb(CURL *, void *ctx, void *net);
extern const struct curl_blob tls_dummy_ca;
/* 0 when it is "sha256//" and 44 characters of base64. */
int tls_pin_check(const char *pin);

/* ws.c */
void ws_connected(struct ws *, CURLcode);
void ws_reap(struct net *);
void ws_start_all(struct net *);
void ws_free_all(struct net *);

#endif
