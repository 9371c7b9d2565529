#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <event2/buffer.h>
#include <json-c/json.h>

#include "common/log.h"
#include "tests/mmsim/http.h"
#include "tests/mmsim/http_parse.h"

enum { CHUNK_SIZE, CHUNK_DATA, CHUNK_CRLF, CHUNK_TRAILER };

static char *
next_line(char **p)
{
	char *line = *p, *end = strstr(line, "\r\n");

	if (end == NULL)
		return NULL;
	*end = '\0';
	*p = end + 2;
	return line;
}

static int
header_add(struct req *r, char *line)
{
	char *colon = strchr(line, ':'), *v, *end;

	if (colon == NULL || colon == line || r->nhdr == HTTP_HEADERS_MAX)
		return -1;
	*colon = '\0';
	v = colon + 1 + strspn(colon + 1, " \t");
	end = v + strlen(v);
	while (end > v && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = '\0';
	r->hdr[r->nhdr++] = (struct http_header){line, v};
	return 0;
}

static int
request_line(struct req *r, char *line)
{
	char *sp = strchr(line, ' '), *sp2, *q;

	if (sp == NULL || (sp2 = strchr(sp + 1, ' ')) == NULL)
		return -1;
	*sp = *sp2 = '\0';
	r->method = line;
	r->path = sp + 1;
	if (!strcmp(sp2 + 1, "HTTP/1.0"))
		r->http10 = 1;
	else if (strcmp(sp2 + 1, "HTTP/1.1") != 0)
		return -1;
	if (r->path[0] != '/')
		return -1;
	q = strchr(r->path, '?');
	if (q != NULL)
		*q++ = '\0';
	else
		q = r->path + strlen(r->path);
	r->query = q;
	return 0;
}

int
head_parse(struct req *r, const char **why)
{
	char *p = r->head, *line = next_line(&p);
	const char *conn;

	if (line == NULL || request_line(r, line) == -1)
		return -1;
	while ((line = next_line(&p)) != NULL && *line != '\0')
		if (header_add(r, line) == -1)
			return -1;
	conn = req_header(r, "Connection");
	r->keep = !r->http10;
	if (conn != NULL && !strcasecmp(conn, "close"))
		r->keep = 0;
	if (!r->http10 && req_header(r, "Host") == NULL) {
		*why = "missing required Host header";
		return -1;
	}
	return 0;
}

int
body_reader_init(struct body_reader *b, struct req *r)
{
	const char *te = req_header(r, "Transfer-Encoding");
	const char *cl = req_header(r, "Content-Length");
	char *end;

	memset(b, 0, sizeof(*b));
	r->body_announced = -1;
	if (te != NULL) {
		if (strcasecmp(te, "chunked") != 0 || cl != NULL)
			return -1;
		b->chunked = 1;
	} else if (cl != NULL) {
		b->left = strtoll(cl, &end, 10);
		if (*cl < '0' || *cl > '9' || *end != '\0')
			return -1;
		r->body_announced = b->left;
	}
	b->buf = evbuffer_new();
	if (b->buf == NULL)
		fatalx("evbuffer_new");
	return 0;
}

int
body_reader_wants_continue(const struct body_reader *b, const struct req *r)
{
	const char *e = req_header(r, "Expect");

	return e != NULL && !strcasecmp(e, "100-continue") &&
	    (b->chunked || b->left > 0);
}

void
body_reader_skip(struct body_reader *b)
{
	b->left = 0;
}

static int
feed_data(struct body_reader *b, struct evbuffer *in)
{
	int n;

	if (b->left > 0) {
		n = evbuffer_remove_buffer(in, b->buf, (size_t)b->left);
		if (n > 0)
			b->left -= n;
	}
	if (evbuffer_get_length(b->buf) > HTTP_BODY_MAX)
		return -1;
	return b->left == 0;
}

static int
feed_chunk_size(struct body_reader *b, const char *line)
{
	char *end;

	b->left = strtoll(line, &end, 16);
	if (end == line || b->left < 0 || b->left > HTTP_BODY_MAX ||
	    (*end != '\0' && *end != ';' && *end != ' '))
		return -1;
	b->state = b->left > 0 ? CHUNK_DATA : CHUNK_TRAILER;
	return 0;
}

int
body_reader_feed(struct body_reader *b, struct evbuffer *in)
{
	char *line;
	int n, done = 0;

	if (!b->chunked)
		return feed_data(b, in);
	while (!done) {
		if (b->state == CHUNK_DATA) {
			if ((n = feed_data(b, in)) != 1)
				return n;
			b->state = CHUNK_CRLF;
		}
		line = evbuffer_readln(in, NULL, EVBUFFER_EOL_CRLF_STRICT);
		if (line == NULL)
			return evbuffer_get_length(in) > 4096 ? -1 : 0;
		n = 0;
		if (b->state == CHUNK_SIZE)
			n = feed_chunk_size(b, line);
		else if (b->state == CHUNK_CRLF) {
			n = *line == '\0' ? 0 : -1;
			b->state = CHUNK_SIZE;
		} else
			done = *line == '\0';
		free(line);
		if (n == -1)
			return -1;
	}
	return 1;
}

char *
body_reader_take(struct body_reader *b, size_t *len)
{
	char *p;

	*len = evbuffer_get_length(b->buf);
	p = xmalloc(*len + 1);
	evbuffer_remove(b->buf, p, *len);
	p[*len] = '\0';
	body_reader_free(b);
	return p;
}

void
body_reader_free(struct body_reader *b)
{
	if (b->buf != NULL)
		evbuffer_free(b->buf);
	b->buf = NULL;
}

const char *
req_header(const struct req *r, const char *name)
{
	size_t i;

	for (i = 0; i < r->nhdr; i++)
		if (!strcasecmp(r->hdr[i].name, name))
			return r->hdr[i].value;
	return NULL;
}

static int
hexval(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	    : c >= 'a' && c <= 'f'    ? c - 'a' + 10
	    : c >= 'A' && c <= 'F'    ? c - 'A' + 10
				      : -1;
}

const char *
req_query(const struct req *r, const char *key)
{
	static char val[1024];
	size_t klen = strlen(key), n = 0;
	const char *p = r->query;

	while (*p && !(!strncmp(p, key, klen) && p[klen] == '=')) {
		p += strcspn(p, "&");
		p += *p == '&';
	}
	if (!*p)
		return NULL;
	for (p += klen + 1; *p && *p != '&' && n < sizeof(val) - 1; p++) {
		if (*p == '%' && hexval(p[1]) >= 0 && hexval(p[2]) >= 0) {
			val[n++] = (char)(hexval(p[1]) << 4 | hexval(p[2]));
			p += 2;
		} else
			val[n++] = *p == '+' ? ' ' : *p;
	}
	val[n] = '\0';
	return val;
}

struct json_object *
req_json(const struct req *r)
{
	struct json_tokener *tok = json_tokener_new_ex(128);
	struct json_object *o;

	if (tok == NULL)
		fatalx("json_tokener_new");
	o = json_tokener_parse_ex(tok, r->body, (int)r->body_len + 1);
	if (json_tokener_get_error(tok) != json_tokener_success) {
		json_object_put(o);
		o = NULL;
	}
	json_tokener_free(tok);
	return o;
}

int64_t
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t http_clock_ms;

const char *
http_date(void)
{
	static char text[64];
	static time_t made;
	time_t t = time(NULL) + (time_t)(http_clock_ms / 1000);
	struct tm tm;

	if (t != made) {
		gmtime_r(&t, &tm);
		strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm);
		made = t;
	}
	return text;
}

const char *
http_status_text(int status)
{
	static const struct {
		int status;
		const char *text;
	} t[] = {{200, "OK"}, {201, "Created"}, {204, "No Content"},
	    {206, "Partial Content"}, {301, "Moved Permanently"},
	    {302, "Found"}, {304, "Not Modified"},
	    {307, "Temporary Redirect"}, {308, "Permanent Redirect"},
	    {400, "Bad Request"}, {401, "Unauthorized"}, {403, "Forbidden"},
	    {404, "Not Found"}, {408, "Request Timeout"},
	    {413, "Request Entity Too Large"},
	    {416, "Requested Range Not Satisfiable"},
	    {429, "Too Many Requests"}, {500, "Internal Server Error"},
	    {501, "Not Implemented"}, {502, "Bad Gateway"},
	    {503, "Service Unavailable"}, {504, "Gateway Timeout"}};
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		if (t[i].status == status)
			return t[i].text;
	return "Status";
}
