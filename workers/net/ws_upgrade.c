#include "config.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "workers/net/ws_upgrade.h"

int
ws_upgrade_accept(const char *key, char *accept)
{
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	unsigned char md[EVP_MAX_MD_SIZE];
	char text[WS_KEY_LEN + sizeof(guid)];
	unsigned int n;

	if (snprintf(text, sizeof(text), "%s%s", key, guid) !=
	    (int)sizeof(text) - 1)
		return -1;
	if (EVP_Digest(text, sizeof(text) - 1, md, &n, EVP_sha1(), NULL) != 1)
		return -1;
	EVP_EncodeBlock((unsigned char *)accept, md, 20);
	return 0;
}

struct line {
	const char *p;
	size_t len;
};

struct head {
	int upgrade;
	int connection;
	int accept;
	int extra;
};

/* -1: malformed, 0: not whole yet, 1: *line is set and *pos moved on. */
static int
next_line(const char *buf, size_t len, size_t *pos, struct line *line)
{
	const char *p = buf + *pos;
	const char *nl = memchr(p, '\n', len - *pos);
	size_t i;

	if (nl == NULL)
		return 0;
	if (nl == p || nl[-1] != '\r')
		return -1;
	line->p = p;
	line->len = nl - p - 1;
	for (i = 0; i < line->len; i++)
		if (((unsigned char)p[i] < 0x20 && p[i] != '\t') ||
		    p[i] == 0x7f)
			return -1;
	*pos += nl - p + 1;
	return 1;
}

/* "HTTP/1.1 101 Switching Protocols". 0 when it is no status line. */
static int
status_of(const struct line *l)
{
	int i, status = 0;

	if (l->len < 12 || memcmp(l->p, "HTTP/1.1 ", 9) != 0 ||
	    (l->len > 12 && l->p[12] != ' '))
		return 0;
	for (i = 9; i < 12; i++) {
		if (l->p[i] < '0' || l->p[i] > '9')
			return 0;
		status = status * 10 + l->p[i] - '0';
	}
	return status >= 100 ? status : 0;
}

static int
name_is(const struct line *l, size_t colon, const char *name)
{
	return strlen(name) == colon && strncasecmp(l->p, name, colon) == 0;
}

static int
value_is(const struct line *v, const char *text)
{
	return strlen(text) == v->len && strncasecmp(v->p, text, v->len) == 0;
}

/* A comma list that has the word. */
static int
list_has(struct line v, const char *word)
{
	struct line item;
	const char *comma;

	for (;;) {
		comma = memchr(v.p, ',', v.len);
		item.p = v.p;
		item.len = comma != NULL ? (size_t)(comma - v.p) : v.len;
		while (item.len > 0 && (*item.p == ' ' || *item.p == '\t'))
			item.p++, item.len--;
		while (item.len > 0 && (item.p[item.len - 1] == ' ' ||
					   item.p[item.len - 1] == '\t'))
			item.len--;
		if (value_is(&item, word))
			return 1;
		if (comma == NULL)
			return 0;
		v.len -= comma + 1 - v.p;
		v.p = comma + 1;
	}
}

static int64_t
seconds_of(const struct line *v)
{
	const char *errstr;
	char text[16];
	int64_t n;

	if (v->len >= sizeof(text))
		return -1;
	memcpy(text, v->p, v->len);
	text[v->len] = '\0';
	n = strtonum(text, 0, 86400, &errstr);
	return errstr == NULL ? n : -1;
}

static void
header_take(const struct line *l, size_t colon, struct line v,
    const char *accept, struct head *h, struct ws_answer *a)
{
	int64_t s;

	if (name_is(l, colon, "Upgrade"))
		h->upgrade = value_is(&v, "websocket") ? 1 : -1;
	else if (name_is(l, colon, "Connection")) {
		if (list_has(v, "upgrade"))
			h->connection = 1;
	} else if (name_is(l, colon, "Sec-WebSocket-Accept")) {
		/* Exactly once, and exactly this. */
		if (h->accept != 0 || v.len != WS_ACCEPT_LEN ||
		    memcmp(v.p, accept, WS_ACCEPT_LEN) != 0)
			h->accept = -1;
		else
			h->accept = 1;
	} else if (name_is(l, colon, "Sec-WebSocket-Extensions") ||
		   name_is(l, colon, "Sec-WebSocket-Protocol"))
		h->extra = 1;
	else if (name_is(l, colon, "Retry-After") ||
		 name_is(l, colon, "X-Ratelimit-Reset")) {
		if ((s = seconds_of(&v)) > a->retry_after)
			a->retry_after = s;
	}
}

static int
header_line(const struct line *l, const char *accept, struct head *h,
    struct ws_answer *a)
{
	const char *colon = memchr(l->p, ':', l->len);
	struct line v;
	size_t i, n;

	if (colon == NULL || colon == l->p)
		return -1;
	n = colon - l->p;
	for (i = 0; i < n; i++)
		if (!isalnum((unsigned char)l->p[i]) &&
		    strchr("!#$%&'*+-.^_`|~", l->p[i]) == NULL)
			return -1;
	v.p = colon + 1;
	v.len = l->len - n - 1;
	while (v.len > 0 && (*v.p == ' ' || *v.p == '\t'))
		v.p++, v.len--;
	while (v.len > 0 && (v.p[v.len - 1] == ' ' || v.p[v.len - 1] == '\t'))
		v.len--;
	header_take(l, n, v, accept, h, a);
	return 0;
}

static int
refuse(struct ws_answer *a, const char *why)
{
	a->why = why;
	return -1;
}

static int
verdict(const struct head *h, struct ws_answer *a)
{
	if (a->status != 101)
		return refuse(a, "the server did not switch protocols");
	if (h->upgrade != 1)
		return refuse(a, "no Upgrade: websocket in the answer");
	if (h->connection != 1)
		return refuse(a, "no Connection: Upgrade in the answer");
	if (h->accept != 1)
		return refuse(a, "wrong Sec-WebSocket-Accept");
	if (h->extra)
		return refuse(a, "an extension that nobody offered");
	return 1;
}

int
ws_upgrade_parse(
    const char *buf, size_t len, const char *accept, struct ws_answer *a)
{
	struct head h = {0, 0, 0, 0};
	struct line l;
	size_t pos = 0;
	int n = 0, rc;

	a->status = 0;
	a->head_len = 0;
	a->retry_after = -1;
	a->why = NULL;
	if (len > WS_HEAD_MAX)
		len = WS_HEAD_MAX;
	while ((rc = next_line(buf, len, &pos, &l)) == 1) {
		if (n == 0 && (a->status = status_of(&l)) == 0)
			return refuse(a, "the answer is not HTTP/1.1");
		if (l.len == 0) {
			a->head_len = pos;
			return verdict(&h, a);
		}
		if (n > 0 && header_line(&l, accept, &h, a) == -1)
			return refuse(a, "malformed header in the answer");
		if (++n > WS_HEADERS_MAX)
			return refuse(a, "too many headers in the answer");
	}
	if (rc == -1)
		return refuse(a, "malformed line in the answer");
	if (len == WS_HEAD_MAX)
		return refuse(a, "the answer's headers are too large");
	return 0;
}
