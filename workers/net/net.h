/*
 * The HTTP client of the jailed workers: asynchronous, on libcurl and
 * libevent, for a process that may not call socket, connect or open.
 *
 * Connections come from the dialer, by endpoint id. Every request ends in
 * exactly one of three ways (enum net_ending), and a request that is not
 * marked idempotent is never executed twice by this library: libcurl's own
 * repeat on a dead connection is barred. Nothing here ever blocks, except
 * net_set_ca(), which reads a file.
 *
 * Which callback may do what: any function of this header may be called
 * from any callback of it, and no callback runs inside a call of the user
 * (all come from the event loop).
 *
 * The library also defines connect(): libcurl 7.88 calls it on sockets that
 * are connected already; on such a socket it returns 0 and does nothing.
 */
#ifndef WORKERS_NET_NET_H
#define WORKERS_NET_NET_H

#include <stddef.h>
#include <stdint.h>

struct event_base;
struct net;
struct net_endpoint;
struct net_request;
struct net_result;
struct secret;

#define NET_CAP 6			/* connections of one endpoint */
#define NET_DEADLINE_MS 30000		/* a request from start to end */
#define NET_BODY_MAX (2u * 1024 * 1024) /* answer kept in memory */
#define NET_CONNECT_MS 10000 /* TLS and CONNECT on a new connection */

/*
 * Before the jail: initialises libcurl and OpenSSL and makes all the
 * descriptors that will be needed. Fatal on failure.
 */
struct net *net_new(struct event_base *);
/* Ends everything, without callbacks. Not from a callback. */
void net_free(struct net *);

/*
 * The link to the dialer; owns fd. May be called again when the dialer was
 * restarted. Without a link requests wait (their deadlines run).
 */
void net_set_dialer(struct net *, int fd);

/*
 * Trust the certificates of a PEM bundle, and no others; reads fd to its
 * end and closes it. The number of certificates, or -1 after a log line.
 * Only needed when there is an https endpoint. Fine inside the jail.
 */
int net_set_ca(struct net *, int fd);

struct net_endpoint_opts {
	const char *name; /* for errors and logs */
	int https;
	const char *host; /* name or address, IPv6 without brackets */
	uint16_t port;
	const char *base;	/* put before every path: "" or "/chat" */
	const char *proxy_host; /* HTTP CONNECT proxy, or NULL */
	uint16_t proxy_port;
	const struct secret *proxy_auth; /* "user:password", or NULL */
	const char *tls_pin; /* "sha256//BASE64" of the SPKI, or NULL */
	int cap;	     /* connections at once; 0 is NET_CAP */
};

/*
 * An origin that the configuration names. id: what the dialer calls it. All
 * of opts is copied. NULL after a log line when a value is not usable, or
 * when there are already three endpoints of this origin (they must not
 * share libcurl's connections). Lives as long as the net.
 *
 * A stream holds a connection for its whole life: give streams an endpoint
 * of their own, or a cap that counts them.
 */
struct net_endpoint *net_endpoint_new(
    struct net *, int id, const struct net_endpoint_opts *);
/*
 * "Authorization: Bearer ..." for every request and websocket of the
 * endpoint from now on. The secret is copied into locked memory, once.
 * NULL: none. 0, or -1 when it has characters that no header may have.
 */
int net_endpoint_set_bearer(struct net_endpoint *, const struct secret *);
/*
 * Have n connections ready, TLS done, by n GETs of path side by side; their
 * answers are thrown away. Servers drop idle connections (Mattermost after
 * 60 s), and this library closes them before (55 s).
 */
void net_endpoint_warm(struct net_endpoint *, int n, const char *path);
/* The last dial or TLS error in words, "" when the last attempt worked. */
const char *net_endpoint_error(const struct net_endpoint *);
/* Of that dial error, 0 when it has none. */
int net_endpoint_errno(const struct net_endpoint *);

enum net_ending {
	NET_NOT_SENT, /* nothing of the request left: safe to repeat */
	NET_MAYBE,    /* may have been executed: look before repeating */
	NET_ANSWERED  /* the server answered: status is set */
};

#define NET_RETRY_MAX (60 * 60 * 1000)

struct net_result {
	enum net_ending ending;
	int status; /* HTTP status; 0 unless NET_ANSWERED */
	/*
	 * NET_ANSWERED only: the answer was cut short, was larger than
	 * max_body, had neither length nor chunking, or is an empty body
	 * of type JSON. The status can be trusted, the body cannot.
	 */
	int partial;
	/* Trying again later may help (429, 5xx, network); see ending. */
	int retryable;
	const char *body; /* with a NUL behind it; "" when streamed */
	size_t len;
	const char *content_type;   /* "" when absent */
	/* -1 absent; at most NET_RETRY_MAX, whatever was asked for. */
	int64_t retry_after_ms;	    /* Retry-After, seconds or a date */
	int64_t ratelimit_reset_ms; /* X-Ratelimit-Reset */
	/* NULL, or the stage and what went wrong: "connect: ...". */
	const char *error;
	int64_t elapsed_ms; /* from net_request_start() */
	struct net_request *req;
};

/* The last value of a header of the answer, or NULL. In the callback only. */
const char *net_result_header(const struct net_result *, const char *name);
/* Its Date, ms since the epoch; -1 absent. In the callback only. */
int64_t net_result_date(const struct net_result *);

/*
 * Once for each request that was not cancelled. The result, and the request
 * itself, are gone when this returns.
 */
typedef void (*net_done_fn)(
    struct net_request *, const struct net_result *, void *arg);
/*
 * A piece of a 2xx answer, as it comes. Answers with another status are
 * not streamed but kept for net_result.body.
 */
typedef void (*net_chunk_fn)(
    struct net_request *, const char *data, size_t len, void *arg);

typedef void (*net_sent_fn)(struct net_request *, size_t sent, void *arg);

struct net_request_opts {
	const char *method; /* static: GET, HEAD, POST, PUT, PATCH, DELETE */
	const char *path;   /* begins with '/', query included; copied */
	/* "Name: value", ends with NULL; copied. May be NULL. */
	const char *const *headers;
	/* Copied, unless body_take: then malloc()ed memory to free(). */
	const char *body;
	size_t body_len;
	int body_take;
	/*
	 * Instead of body: the first body_len bytes of a plain file, read as
	 * they are sent; owned, unless body_keep. One that turns out to be shorter ends the
	 * request. head and tail, if any, go before and behind; copied.
	 */
	int body_fd;	     /* 0: none (never a descriptor of a worker) */
	int body_keep;	     /* not closed, and must stay until the end */
	const char *head, *tail;
	size_t head_len, tail_len;
	/* Told as body_fd is sent: bytes of it so far. May be NULL. */
	net_sent_fn sent;
	int64_t deadline_ms; /* 0: NET_DEADLINE_MS, -1: none */
	/*
	 * Time without progress that ends it, paused time left out: while
	 * body_fd is sent and an answer comes. 0: none.
	 */
	int64_t idle_ms;
	int64_t head_ms; /* the same until the answer's headers; 0: idle_ms */
	size_t max_body; /* bytes of an answer; 0: NET_BODY_MAX */
	/* May be repeated by this library. GET and HEAD always are. */
	int idempotent;
	int no_auth;	    /* leave the endpoint's bearer out */
	net_chunk_fn chunk; /* NULL: the body comes with the result */
	net_done_fn done;
	void *arg;
	int arg_free; /* free(arg) when it is cancelled; done() keeps it */
};

/*
 * Starts a request. NULL, after a log line and with nothing called, only
 * when opts are not usable: a header or path with a control character, an
 * unknown method.
 */
struct net_request *net_request_start(
    struct net_endpoint *, const struct net_request_opts *);
/*
 * Gone at once, without a callback. NET_NOT_SENT when nothing of it had
 * left, else NET_MAYBE.
 */
enum net_ending net_request_cancel(struct net_request *);
/*
 * on: no more chunks soon (one may still come), the server is held back by
 * TCP. Its deadline goes on, its idle timer stops.
 */
void net_request_pause(struct net_request *, int on);

struct net_stats {
	uint64_t requests; /* started */
	uint64_t answered, maybe, not_sent;
	uint64_t dials, dial_errors;
	uint64_t reused;   /* requests on a connection that was open */
	uint64_t repeated; /* started again by this library, safely */
};

/* Counts since net_new(); borrowed, and going on. */
const struct net_stats *net_stats(const struct net *);

#endif
