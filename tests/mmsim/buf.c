#include "config.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "common/log.h"
#include "tests/mmsim/buf.h"

#define REPLACEMENT "\xef\xbf\xbd"

void *
xmalloc(size_t n)
{
	void *p = malloc(n ? n : 1);

	if (p == NULL)
		fatal("malloc");
	return p;
}

void *
xcalloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);

	if (p == NULL)
		fatal("calloc");
	return p;
}

void *
xrealloc(void *old, size_t n)
{
	void *p = realloc(old, n ? n : 1);

	if (p == NULL)
		fatal("realloc");
	return p;
}

char *
xstrdup(const char *s)
{
	char *p = strdup(s);

	if (p == NULL)
		fatal("strdup");
	return p;
}

void *
xgrow(void *p, size_t *cap, size_t n, size_t size)
{
	size_t want = *cap ? *cap : 4;

	if (n <= *cap)
		return p;
	while (want < n)
		want *= 2;
	p = reallocarray(p, want, size);
	if (p == NULL)
		fatal("reallocarray");
	*cap = want;
	return p;
}

static void
buf_room(struct buf *b, size_t n)
{
	size_t want = b->cap ? b->cap : 256;

	if (b->len + n + 1 <= b->cap)
		return;
	while (want < b->len + n + 1)
		want *= 2;
	b->p = xrealloc(b->p, want);
	b->cap = want;
}

void
buf_add(struct buf *b, const void *p, size_t n)
{
	buf_room(b, n);
	memcpy(b->p + b->len, p, n);
	b->len += n;
	b->p[b->len] = '\0';
}

void
buf_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void
buf_num(struct buf *b, int64_t n)
{
	char tmp[24], *p = tmp + sizeof(tmp);
	uint64_t u = n < 0 ? -(uint64_t)n : (uint64_t)n;

	do {
		*--p = '0' + (char)(u % 10);
		u /= 10;
	} while (u);
	if (n < 0)
		*--p = '-';
	buf_add(b, p, (size_t)(tmp + sizeof(tmp) - p));
}

void
buf_fmt(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		fatalx("vsnprintf");
	buf_room(b, (size_t)n);
	va_start(ap, fmt);
	vsnprintf(b->p + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
}

void
buf_free(struct buf *b)
{
	free(b->p);
	memset(b, 0, sizeof(*b));
}

char *
buf_steal(struct buf *b)
{
	char *p;

	buf_room(b, 0);
	b->p[b->len] = '\0';
	p = b->p;
	memset(b, 0, sizeof(*b));
	return p;
}

/* Length of the valid sequence at p, 0 when there is none (RFC 3629). */
static size_t
utf8_len(const unsigned char *p, size_t n)
{
	size_t need, i;
	uint32_t cp;

	if (p[0] < 0x80)
		return 1;
	need = p[0] >= 0xf0 && p[0] < 0xf5 ? 4
	    : p[0] >= 0xe0 && p[0] < 0xf0  ? 3
	    : p[0] >= 0xc2 && p[0] < 0xe0  ? 2
					   : 0;
	if (need == 0 || need > n)
		return 0;
	cp = p[0] & (0xffu >> (need + 1));
	for (i = 1; i < need; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		cp = cp << 6 | (p[i] & 0x3f);
	}
	if ((need == 3 && cp < 0x800) || (need == 4 && cp < 0x10000) ||
	    cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
		return 0;
	return need;
}

char *
utf8_clean(const char *s, size_t len)
{
	struct buf b = {0};
	size_t i = 0, n, run = 0;

	while (i < len) {
		n = utf8_len((const unsigned char *)s + i, len - i);
		if (n > 0) {
			i += n;
			continue;
		}
		buf_add(&b, s + run, i - run);
		buf_str(&b, REPLACEMENT);
		run = ++i;
	}
	buf_add(&b, s + run, len - run);
	return buf_steal(&b);
}

size_t
utf8_runes(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

/* Escape of the byte, or NULL when it stands for itself. */
static const char *
json_escape(unsigned char c, char tmp[8])
{
	switch (c) {
	case '"':
		return "\\\"";
	case '\\':
		return "\\\\";
	case '\n':
		return "\\n";
	case '\r':
		return "\\r";
	case '\t':
		return "\\t";
	case '<':
	case '>':
	case '&':
		break;
	default:
		if (c >= 0x20)
			return NULL;
	}
	snprintf(tmp, 8, "\\u%04x", c);
	return tmp;
}

void
buf_json(struct buf *b, const char *s, size_t len)
{
	const unsigned char *p = (const unsigned char *)s;
	const char *esc;
	char tmp[8];
	size_t i = 0, n, run = 0;

	buf_room(b, len + 2);
	buf_add(b, "\"", 1);
	while (i < len) {
		n = 1;
		if (p[i] < 0x80)
			esc = json_escape(p[i], tmp);
		else if ((n = utf8_len(p + i, len - i)) == 0) {
			esc = "\\ufffd";
			n = 1;
		} else if (n == 3 && p[i] == 0xe2 && p[i + 1] == 0x80 &&
		    (p[i + 2] | 1) == 0xa9)
			esc = p[i + 2] == 0xa8 ? "\\u2028" : "\\u2029";
		else
			esc = NULL;
		if (esc != NULL) {
			buf_add(b, s + run, i - run);
			buf_str(b, esc);
			run = i + n;
		}
		i += n;
	}
	buf_add(b, s + run, len - run);
	buf_add(b, "\"", 1);
}

void
buf_jstr(struct buf *b, const char *s)
{
	buf_json(b, s, strlen(s));
}

static void
buf_key(struct buf *b, const char *key)
{
	char last = b->len ? b->p[b->len - 1] : '{';

	if (last != '{' && last != '[')
		buf_add(b, ",", 1);
	buf_add(b, "\"", 1);
	buf_str(b, key);
	buf_add(b, "\":", 2);
}

void
buf_kstr(struct buf *b, const char *key, const char *value)
{
	buf_key(b, key);
	buf_jstr(b, value);
}

void
buf_knum(struct buf *b, const char *key, int64_t n)
{
	buf_key(b, key);
	buf_num(b, n);
}

void
buf_kbool(struct buf *b, const char *key, int on)
{
	buf_key(b, key);
	buf_str(b, on ? "true" : "false");
}

static int
key_cmp(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void
buf_object(struct buf *b, struct json_object *o)
{
	struct json_object_iterator it = json_object_iter_begin(o);
	struct json_object_iterator end = json_object_iter_end(o);
	size_t n = (size_t)json_object_object_length(o), i = 0;
	const char **keys = xcalloc(n, sizeof(*keys));

	for (; !json_object_iter_equal(&it, &end) && i < n;
	    json_object_iter_next(&it))
		keys[i++] = json_object_iter_peek_name(&it);
	qsort(keys, n, sizeof(*keys), key_cmp);
	buf_add(b, "{", 1);
	for (i = 0; i < n; i++) {
		if (i > 0)
			buf_add(b, ",", 1);
		buf_jstr(b, keys[i]);
		buf_add(b, ":", 1);
		buf_value(b, json_object_object_get(o, keys[i]));
	}
	buf_add(b, "}", 1);
	free(keys);
}

static void
buf_double(struct buf *b, double d)
{
	char tmp[400];
	int prec;

	if (!isfinite(d)) {
		buf_str(b, "null");
		return;
	}
	if (d == floor(d) && fabs(d) < 1e21) {
		buf_fmt(b, "%.0f", d);
		return;
	}
	for (prec = 15; prec <= 17; prec++) {
		snprintf(tmp, sizeof(tmp), "%.*g", prec, d);
		if (strtod(tmp, NULL) == d)
			break;
	}
	buf_str(b, tmp);
}

void
buf_value(struct buf *b, struct json_object *o)
{
	size_t i, n;

	switch (json_object_get_type(o)) {
	case json_type_null:
		buf_str(b, "null");
		break;
	case json_type_boolean:
		buf_str(b, json_object_get_boolean(o) ? "true" : "false");
		break;
	case json_type_double:
	case json_type_int:
		buf_double(b, json_object_get_double(o));
		break;
	case json_type_string:
		buf_json(b, json_object_get_string(o),
		    (size_t)json_object_get_string_len(o));
		break;
	case json_type_array:
		n = json_object_array_length(o);
		buf_add(b, "[", 1);
		for (i = 0; i < n; i++) {
			if (i > 0)
				buf_add(b, ",", 1);
			buf_value(b, json_object_array_get_idx(o, i));
		}
		buf_add(b, "]", 1);
		break;
	case json_type_object:
		buf_object(b, o);
		break;
	}
}
