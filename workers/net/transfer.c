#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/loop.h"
#include "workers/net/internal.h"

/* Called by libcurl while a request runs. */

void
request_alive(struct net_request *req)
{
	int64_t ms = req->head_done ? req->idle_ms : req->head_ms;

	if (ms > 0 && !req->paused)
		loop_timer(&req->silence, ms);
}

size_t
request_header_cb(char *line, size_t size, size_t n, void *arg)
{
	struct net_request *req = arg;

	if (req->cancelled)
		return 0;
	req->head_len += n;
	if (req->head_len > NET_HEAD_MAX)
		return 0;
	if (n >= 5 && memcmp(line, "HTTP/", 5) == 0)
		req->head_done = 0;
	else if (n > 0 && (line[0] == '\r' || line[0] == '\n')) {
		req->head_done = 1;
		curl_easy_getinfo(
		    req->easy, CURLINFO_RESPONSE_CODE, &req->status);
	}
	request_alive(req);
	return n;
}

static size_t
body_append(struct net_request *req, const char *data, size_t n)
{
	size_t size = req->size;
	char *p;

	if (n > req->max_body - req->len) {
		req->too_large = 1;
		return 0;
	}
	if (req->len + n + 1 > size) {
		if (size == 0)
			size = 1024;
		while (size < req->len + n + 1)
			size *= 2;
		if ((p = realloc(req->buf, size)) == NULL)
			fatal("realloc");
		req->buf = p;
		req->size = size;
	}
	memcpy(req->buf + req->len, data, n);
	req->len += n;
	req->buf[req->len] = '\0';
	return n;
}

size_t
request_write_cb(char *data, size_t size, size_t n, void *arg)
{
	struct net_request *req = arg;

	if (req->cancelled)
		return n == 0 ? 1 : 0;
	if (req->paused) {
		req->held = 1;
		return CURL_WRITEFUNC_PAUSE;
	}
	request_alive(req);
	if (req->chunk == NULL || req->status < 200 || req->status > 299)
		return body_append(req, data, n);
	if (n > 0)
		req->chunk(req, data, n, req->arg);
	return n;
}
