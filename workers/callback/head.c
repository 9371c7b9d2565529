#include "config.h"

#include <string.h>
#include <strings.h>

#include "workers/callback/head.h"

#define BAD 400
#define TOO_LARGE 431
#define BAD_VERSION 505

/* A part of the text, not terminated. */
struct part {
	const char *p;
	size_t len;
};

size_t
head_length(const char *buf, size_t len)
{
	const char *end = memmem(buf, len, "\r\n\r\n", 4);

	return end == NULL ? 0 : (size_t)(end - buf) + 4;
}

static int
is_token(struct part t)
{
	size_t i;
	unsigned char c;

	for (i = 0; i < t.len; i++) {
		c = (unsigned char)t.p[i];
		if (c <= ' ' || c >= 0x7f ||
		    strchr("\"(),/:;<=>?@[\\]{}", c) != NULL)
			return 0;
	}
	return t.len > 0;
}

static int
is(struct part t, const char *name)
{
	return strlen(name) == t.len && strncasecmp(t.p, name, t.len) == 0;
}

static struct part
trim(struct part t)
{
	while (t.len > 0 && (*t.p == ' ' || *t.p == '\t')) {
		t.p++;
		t.len--;
	}
	while (t.len > 0 &&
	    (t.p[t.len - 1] == ' ' || t.p[t.len - 1] == '\t'))
		t.len--;
	return t;
}

static enum method
method_of(struct part t)
{
	/* Case counts in a method. */
	if (t.len == 4 && memcmp(t.p, "POST", 4) == 0)
		return METHOD_POST;
	if (t.len == 3 && memcmp(t.p, "GET", 3) == 0)
		return METHOD_GET;
	if (t.len == 4 && memcmp(t.p, "HEAD", 4) == 0)
		return METHOD_HEAD;
	return METHOD_OTHER;
}

static int
request_line(struct part line, struct head *h)
{
	const char *sp = memchr(line.p, ' ', line.len), *end;
	struct part method, target, version;
	size_t i;

	if (sp == NULL)
		return BAD;
	method = (struct part){line.p, (size_t)(sp - line.p)};
	target.p = sp + 1;
	end = memchr(target.p, ' ', line.len - method.len - 1);
	if (end == NULL || !is_token(method))
		return BAD;
	target.len = (size_t)(end - target.p);
	version.p = end + 1;
	version.len = line.len - method.len - target.len - 2;
	if (version.len != 8 || memcmp(version.p, "HTTP/", 5) != 0)
		return BAD;
	if (memcmp(version.p + 5, "1.", 2) != 0)
		return BAD_VERSION;
	if (version.p[7] != '0' && version.p[7] != '1')
		return BAD_VERSION;
	h->minor = version.p[7] - '0';
	h->keep_alive = h->minor == 1;
	h->method = method_of(method);
	if (target.len == 0 || *target.p != '/')
		return BAD;
	for (i = 0; i < target.len; i++)
		if ((unsigned char)target.p[i] <= ' ' ||
		    (unsigned char)target.p[i] >= 0x7f)
			return BAD;
	if ((sp = memchr(target.p, '?', target.len)) != NULL)
		target.len = (size_t)(sp - target.p);
	if (target.len >= sizeof(h->path))
		return TOO_LARGE;
	memcpy(h->path, target.p, target.len);
	return 0;
}

/* A value that may stand once only. */
static int
once(char *dst, struct part v)
{
	if (*dst != '\0')
		return BAD;
	if (v.len >= HEAD_VALUE)
		return TOO_LARGE;
	memcpy(dst, v.p, v.len);
	return 0;
}

/* A list that goes on in further lines. */
static int
more(char *dst, struct part v)
{
	size_t n = strlen(dst);

	if (n + 1 + v.len >= HEAD_VALUE)
		return TOO_LARGE;
	if (n > 0)
		dst[n++] = ',';
	memcpy(dst + n, v.p, v.len);
	return 0;
}

static int
length_read(struct head *h, struct part v, int *seen)
{
	int64_t n = 0;
	size_t i;

	if ((*seen)++ > 0 || v.len == 0 || v.len > 15)
		return BAD;
	for (i = 0; i < v.len; i++) {
		if (v.p[i] < '0' || v.p[i] > '9')
			return BAD;
		n = n * 10 + (v.p[i] - '0');
	}
	h->length = n;
	return 0;
}

static void
connection_read(struct head *h, struct part v)
{
	struct part t;
	const char *comma;

	for (;;) {
		comma = memchr(v.p, ',', v.len);
		t.p = v.p;
		t.len = comma == NULL ? v.len : (size_t)(comma - v.p);
		if (is(trim(t), "close"))
			h->keep_alive = 0;
		if (comma == NULL)
			return;
		v.len -= t.len + 1;
		v.p = comma + 1;
	}
}

static int
field(struct head *h, struct part name, struct part v, int *lengths)
{
	if (is(name, "Content-Length"))
		return length_read(h, v, lengths);
	if (is(name, "Transfer-Encoding"))
		h->encoded = 1;
	else if (is(name, "Connection"))
		connection_read(h, v);
	else if (is(name, "Expect"))
		h->expects = is(v, "100-continue");
	else if (is(name, "Content-Type"))
		return once(h->content_type, v);
	else if (is(name, "Authorization"))
		return once(h->authorization, v);
	else if (is(name, "X-OpenClaw-Token"))
		return once(h->token, v);
	else if (is(name, "X-Postern-Probe"))
		return once(h->probe, v);
	else if (is(name, "X-Forwarded-For")) {
		h->has_forwarded = 1;
		return more(h->forwarded, v);
	} else if (is(name, "X-Real-IP")) {
		h->has_real_ip = 1;
		return once(h->real_ip, v);
	}
	return 0;
}

static int
header_line(struct head *h, struct part line, int *lengths)
{
	const char *colon = memchr(line.p, ':', line.len);
	struct part name, v;
	size_t i;

	/* Also a folded line: its name would begin with a blank. */
	if (colon == NULL)
		return BAD;
	name = (struct part){line.p, (size_t)(colon - line.p)};
	if (!is_token(name))
		return BAD;
	v = trim((struct part){colon + 1, line.len - name.len - 1});
	for (i = 0; i < v.len; i++)
		if (((unsigned char)v.p[i] < ' ' && v.p[i] != '\t') ||
		    v.p[i] == 0x7f)
			return BAD;
	return field(h, name, v, lengths);
}

int
head_parse(const char *text, size_t len, struct head *h)
{
	const char *stop = text + len - 2, *end;
	int n = 0, lengths = 0, rc;
	struct part line;

	memset(h, 0, sizeof(*h));
	if (len < 4 || len > HEAD_MAX)
		return len > HEAD_MAX ? TOO_LARGE : BAD;
	for (line.p = text; line.p < stop; line.p = end + 2, n++) {
		end = memmem(line.p, (size_t)(stop - line.p) + 2, "\r\n", 2);
		if (end == NULL)
			return BAD;
		line.len = (size_t)(end - line.p);
		/* A lone CR or LF ends a line for some, and not for others. */
		if (memchr(line.p, '\n', line.len) != NULL ||
		    memchr(line.p, '\r', line.len) != NULL)
			return BAD;
		if (n > HEAD_FIELDS)
			return TOO_LARGE;
		rc = n == 0 ? request_line(line, h) :
			      header_line(h, line, &lengths);
		if (rc != 0)
			return rc;
	}
	/* Both lengths of one body: the classic of smuggling. */
	return h->encoded && lengths > 0 ? BAD : 0;
}
