/*
 * Parsing of HTTP/1.1 request heads and bodies for http.c.
 */
#ifndef MMSIM_HTTP_PARSE_H
#define MMSIM_HTTP_PARSE_H

#include <stddef.h>
#include <stdint.h>

struct evbuffer;
struct req;

struct body_reader {
	struct evbuffer *buf;
	int64_t left;  /* of the body or of the chunk */
	int chunked;
	int state;
};

/* Cuts r->head into method, path, query and headers. -1: not HTTP. */
int head_parse(struct req *, const char **why);
/* Reads what the headers say about the body. -1: nonsense. */
int body_reader_init(struct body_reader *, struct req *);
int body_reader_wants_continue(const struct body_reader *,
    const struct req *);
/* The body will not be read: it counts as complete and empty. */
void body_reader_skip(struct body_reader *);
/* 1: complete, 0: more is needed, -1: malformed or too large. */
int body_reader_feed(struct body_reader *, struct evbuffer *in);
/* The body, NUL-terminated, owned by the caller. */
char *body_reader_take(struct body_reader *, size_t *len);
void body_reader_free(struct body_reader *);

#endif
