/*
 * The head of an HTTP request, and only what a callback may look like: a
 * strict reading of RFC 9112 that refuses what two programs could read in
 * two ways. Pure.
 */
#ifndef CALLBACK_HEAD_H
#define CALLBACK_HEAD_H

#include <stddef.h>
#include <stdint.h>

#define HEAD_MAX 8192    /* bytes with the empty line */
#define HEAD_FIELDS 64   /* header lines */
#define HEAD_VALUE 1024  /* bytes of a value that we look at */
#define HEAD_PATH 512

enum method { METHOD_OTHER, METHOD_GET, METHOD_HEAD, METHOD_POST };

struct head {
	enum method method;
	char path[HEAD_PATH]; /* as written: nothing is decoded, no query */
	int minor; /* of HTTP/1 */
	int keep_alive;
	int expects;    /* wants to hear "100 Continue" first */
	int encoded;    /* a Transfer-Encoding: its end cannot be told */
	int64_t length; /* Content-Length, 0 when absent */
	/* "" when absent; has_* where that is not the same. */
	char content_type[HEAD_VALUE];
	char authorization[HEAD_VALUE];
	char token[HEAD_VALUE];     /* x-openclaw-token */
	char probe[HEAD_VALUE];     /* x-postern-probe */
	char forwarded[HEAD_VALUE]; /* all X-Forwarded-For, in order */
	char real_ip[HEAD_VALUE];
	int has_forwarded, has_real_ip;
};

/* Bytes up to and with the empty line, 0 when it is not there yet. */
size_t head_length(const char *buf, size_t len);
/*
 * Read a whole head. 0, or the status to answer with before closing: 400,
 * 431 or 505. What was read is overwritten by nobody: text has secrets.
 */
int head_parse(const char *text, size_t len, struct head *);

#endif
