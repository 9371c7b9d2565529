#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "workers/net/internal.h"

/*
 * A body that is read from a file while it is sent, so that its size does
 * not matter to us. Nothing of it is kept: the file is read by offset, and
 * from its beginning again when a connection died before the first byte.
 */

void
body_file_set(struct net_request *req, const struct net_request_opts *o)
{
	req->body_fd = o->body_fd;
	req->body_keep = o->body_keep != 0;
	req->body_len = o->body_len;
	req->pre_len = o->head_len;
	req->tail_len = o->tail_len;
	req->sent = o->sent;
	req->idempotent = 0; /* it may be long: one sending is enough */
	if ((req->around = malloc(o->head_len + o->tail_len + 1)) == NULL)
		fatal("malloc");
	if (o->head_len > 0)
		memcpy(req->around, o->head, o->head_len);
	if (o->tail_len > 0)
		memcpy(req->around + o->head_len, o->tail, o->tail_len);
}

size_t
body_size(const struct net_request *req)
{
	return req->pre_len + req->body_len + req->tail_len;
}

/* Bytes of the file at this offset of it; 0: it has no more, or fails. */
static size_t
file_read(struct net_request *req, char *buf, size_t max, size_t off)
{
	ssize_t n;

	if (max > req->body_len - off)
		max = req->body_len - off;
	do {
		n = pread(req->body_fd, buf, max, (off_t)off);
	} while (n == -1 && errno == EINTR);
	return n > 0 ? (size_t)n : 0;
}

size_t
request_read_cb(char *buf, size_t size, size_t n, void *arg)
{
	struct net_request *req = arg;
	size_t max = size * n, off = req->body_off, got;

	if (req->cancelled || req->body_fd == -1)
		return CURL_READFUNC_ABORT;
	if (off < req->pre_len) {
		got = req->pre_len - off < max ? req->pre_len - off : max;
		memcpy(buf, req->around + off, got);
	} else if (off - req->pre_len < req->body_len) {
		got = file_read(req, buf, max, off - req->pre_len);
		if (got == 0) {
			req->too_short = 1;
			return CURL_READFUNC_ABORT;
		}
	} else {
		off -= req->body_len;
		got = req->pre_len + req->tail_len - off;
		got = got < max ? got : max;
		memcpy(buf, req->around + off, got);
	}
	req->body_off += got;
	request_alive(req);
	if (req->sent != NULL && req->body_off > req->pre_len)
		req->sent(req, req->body_off - req->pre_len < req->body_len ?
			req->body_off - req->pre_len : req->body_len,
		    req->arg);
	return got;
}
