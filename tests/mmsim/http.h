/*
 * HTTP/1.1 server over bufferevents: keep-alive, pipelining, Content-Length
 * and chunked bodies, Expect: 100-continue, TLS, streamed answers, upgrade,
 * and the rude endings (FIN, RST, truncated) that the fault injection needs.
 *
 * One request of a connection is handled at a time; the answer may come
 * later. A request lives until it was answered, also when its client left.
 */
#ifndef MMSIM_HTTP_H
#define MMSIM_HTTP_H

#include <stddef.h>
#include <stdint.h>

#include "tests/mmsim/buf.h"

#define HTTP_HEAD_MAX 65536
#define HTTP_BODY_MAX (110 << 20)
#define HTTP_IDLE_S 60   /* Mattermost 5.37 closes idle keep-alive then */
#define HTTP_HEADERS_MAX 64
#define HTTP_ARGS_MAX 4
#define HTTP_CHUNK_FROM 2048 /* longer bodies come chunked, as from Go */

struct bufferevent;
struct event_base;
struct http_conn;
struct http_server;
struct json_object;
struct ssl_ctx_st;

struct http_header {
	char *name;
	char *value;
};

enum http_end { HTTP_END_KEEP, HTTP_END_FIN, HTTP_END_RST };

struct req {
	struct http_conn *conn; /* NULL once the client is gone */
	char *method;
	char *path;  /* without the query */
	char *query; /* raw, "" when there is none */
	struct http_header hdr[HTTP_HEADERS_MAX];
	size_t nhdr;
	char *body; /* NUL-terminated after body_len bytes */
	size_t body_len;
	int64_t body_announced; /* Content-Length, -1 when chunked or none */
	int http10;
	int early;
	int keep;
	int64_t t0_us;

	/* Set by the layers above. */
	const char *arg[HTTP_ARGS_MAX]; /* path variables */
	struct session *sess;
	struct user *user;
	int sized; /* Content-Length even when the body is long */
	const char *route;
	struct buf extra; /* further response headers, each with CRLF */
	struct rest_rule *fault;
	int status;
	void *ctx;
	void (*on_gone)(struct req *); /* the client left before the end */
	void (*on_done)(const struct req *); /* just before it is freed */

	char *segs; /* the path cut at its slashes */
	char *head;
	int streaming;
};

/* Called with each complete request; must reply, now or later. */
typedef void (*http_handler)(struct req *, void *arg);
/*
 * Called with the head of a request that has a body: 1 hands it to the
 * handler without its body (r->early is set), the answer ends with RST.
 */
typedef int (*http_early)(const struct req *);

/*
 * Listen on fd-less host:port (port 0: any). ssl may be NULL. NULL with
 * errno set when the address cannot be had.
 */
struct http_server *http_listen(struct event_base *, const char *host,
    int port, struct ssl_ctx_st *ssl, http_handler, void *arg);
void http_set_early(struct http_server *, http_early);
int http_port(const struct http_server *);
/* Close or reopen the listener: connections are refused while it is off. */
void http_refuse(struct http_server *, int on);
/* Close every connection (upgraded ones are not among them). */
void http_drop_all(struct http_server *, int rst);
size_t http_conn_count(const struct http_server *);

/* NULL when absent; names compare without case. */
const char *req_header(const struct req *, const char *name);
/* Decoded value of a query key in a static buffer, or NULL. */
const char *req_query(const struct req *, const char *key);
/* The body as JSON (first value only, as Go's decoder), or NULL. */
struct json_object *req_json(const struct req *);

/* Answer; frees the request. ctype NULL: no Content-Type. */
void http_reply(struct req *, int status, const char *ctype, const void *body,
    size_t len);
/* As http_reply, but only send bytes of the body, then end. */
void http_reply_cut(struct req *, int status, const char *ctype,
    const void *body, size_t len, size_t send, enum http_end);
/* End the connection without an answer; frees the request. */
void http_hangup(struct req *, enum http_end);

void http_stream_begin(struct req *, int status, const char *ctype);
void http_stream_write(struct req *, const void *, size_t);
/* Bytes as they are, outside of the chunked coding. */
void http_stream_raw(struct req *, const void *, size_t);
/* FIN or RST: the last chunk is not written. */
void http_stream_end(struct req *, enum http_end);
/* fn is called once when all that was written left for the kernel. */
void http_on_flushed(struct req *, void (*fn)(void *), void *arg);

/*
 * Take the transport over; frees the request. Bytes that came after the
 * head are still in the input buffer. The caller owns the bufferevent.
 */
struct bufferevent *http_upgrade(struct req *);
void bev_close(struct bufferevent *, enum http_end);

int64_t now_us(void); /* CLOCK_MONOTONIC */
const char *http_status_text(int status);
/* "Sun, 22 Nov 2026 09:54:17 GMT", static, made once a second. */
/* Added to the clock of this machine in all that the server says, in ms. */
extern int64_t http_clock_ms;
const char *http_date(void);

#endif
