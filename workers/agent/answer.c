#include "config.h"

#include <string.h>

#include "workers/agent/answer.h"

#define LEAD_MAX 1024 /* white space before a tag: more is just text */

static const char *const tags[] = {"think", "thinking"};
#define NTAGS (sizeof(tags) / sizeof(tags[0]))

void
answer_init(struct answer *a, size_t max)
{
	memset(a, 0, sizeof(*a));
	a->max = max;
}

void
answer_free(struct answer *a)
{
	strbuf_free(&a->text);
	strbuf_free(&a->lead);
}

static size_t
escaped_byte(unsigned char c)
{
	if (c == '"' || c == '\\' || c == '/')
		return 2;
	return c < 0x20 ? 6 : 1;
}

size_t
answer_escaped(const char *p, size_t len)
{
	size_t i, n = 0;

	for (i = 0; i < len; i++)
		n += escaped_byte((unsigned char)p[i]);
	return n;
}

size_t
answer_prefix(const char *p, size_t len, size_t max)
{
	if (len <= max)
		return len;
	while (max > 0 && ((unsigned char)p[max] & 0xc0) == 0x80)
		max--;
	return max;
}

/* Bytes that a character with this first byte has; 0: none starts so. */
static size_t
utf8_want(unsigned char c)
{
	if (c < 0x80)
		return 1;
	if (c >= 0xc2 && c <= 0xdf)
		return 2;
	if (c >= 0xe0 && c <= 0xef)
		return 3;
	return c >= 0xf0 && c <= 0xf4 ? 4 : 0;
}

/* Whether c may be the second byte after first (Unicode, table 3-7). */
static int
utf8_second(unsigned char first, unsigned char c)
{
	unsigned char lo = 0x80, hi = 0xbf;

	if (first == 0xe0)
		lo = 0xa0;
	else if (first == 0xed)
		hi = 0x9f;
	else if (first == 0xf0)
		lo = 0x90;
	else if (first == 0xf4)
		hi = 0x8f;
	return c >= lo && c <= hi;
}

static unsigned
put_char(struct answer *a, const char *p, size_t len)
{
	size_t cost = answer_escaped(p, len);

	if (a->full || a->escaped + cost > a->max) {
		a->full = 1;
		return ANSWER_FULL;
	}
	a->escaped += cost;
	strbuf_add(&a->text, p, len);
	return ANSWER_GREW;
}

static unsigned
put_broken(struct answer *a)
{
	a->npart = 0;
	return put_char(a, "\xef\xbf\xbd", 3);
}

static unsigned
put_byte(struct answer *a, unsigned char c)
{
	unsigned r = 0;
	int fits;

	if (a->npart > 0) {
		fits = a->npart == 1 ? utf8_second(a->part[0], c)
				     : (c & 0xc0) == 0x80;
		if (!fits)
			r |= put_broken(a);
	}
	if (a->npart == 0) {
		if (c == '\0')
			return r;
		if (utf8_want(c) == 0)
			return r | put_broken(a);
	}
	a->part[a->npart++] = c;
	if (a->npart < utf8_want(a->part[0]))
		return r;
	r |= put_char(a, (const char *)a->part, a->npart);
	a->npart = 0;
	return r;
}

/* Bytes at the front that cost one each and need no look at the next. */
static size_t
plain_run(const char *p, size_t len)
{
	unsigned char c;
	size_t i;

	for (i = 0; i < len; i++) {
		c = (unsigned char)p[i];
		if (c >= 0x80 || escaped_byte(c) != 1)
			break;
	}
	return i;
}

static unsigned
put_bytes(struct answer *a, const char *p, size_t len)
{
	unsigned r = 0;
	size_t n;

	while (len > 0 && !a->full) {
		n = a->npart > 0 ? 0 : plain_run(p, len);
		if (n > a->max - a->escaped)
			n = a->max - a->escaped;
		if (n > 0) {
			strbuf_add(&a->text, p, n);
			a->escaped += n;
			r |= ANSWER_GREW;
		} else {
			n = 1;
			r |= put_byte(a, (unsigned char)*p);
		}
		p += n;
		len -= n;
	}
	return a->full ? r | ANSWER_FULL : r;
}

static int
is_white(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/*
 * What p, of len bytes, is to "<tag>": 1 all of it, 0 the beginning of
 * it, -1 something else.
 */
static int
match_open(const char *p, size_t len, const char *tag)
{
	size_t n = strlen(tag);
	char full[16] = "<";

	memcpy(full + 1, tag, n);
	full[n + 1] = '>';
	if (len > n + 2 || memcmp(p, full, len) != 0)
		return -1;
	return len == n + 2;
}

static unsigned
leave_lead(struct answer *a, size_t white)
{
	size_t from = a->drop_white ? white : 0;
	unsigned r;

	a->state = ANSWER_BODY;
	r = put_bytes(a, strbuf_str(&a->lead) + from, a->lead.len - from);
	strbuf_free(&a->lead);
	return r;
}

static unsigned
add_lead(struct answer *a, char c)
{
	size_t white = 0, i;
	int m, maybe = 0;

	strbuf_add(&a->lead, &c, 1);
	while (white < a->lead.len && is_white(a->lead.s[white]))
		white++;
	for (i = 0; i < NTAGS; i++) {
		m = match_open(a->lead.s + white, a->lead.len - white, tags[i]);
		if (m == 1) {
			a->state = ANSWER_INSIDE;
			a->tag = tags[i];
			a->matched = 0;
			strbuf_reset(&a->lead, LEAD_MAX);
			return ANSWER_THINK;
		}
		maybe |= m == 0;
	}
	if (maybe && a->lead.len < LEAD_MAX)
		return 0;
	return leave_lead(a, white);
}

static unsigned
add_inside(struct answer *a, char c)
{
	size_t n = strlen(a->tag);
	char want;

	if (a->matched < 2)
		want = "</"[a->matched];
	else
		want = a->matched < n + 2 ? a->tag[a->matched - 2] : '>';
	if (c != want) {
		a->matched = c == '<';
		return ANSWER_THINK;
	}
	if (++a->matched == n + 3) {
		a->state = ANSWER_LEAD;
		a->drop_white = 1;
	}
	return ANSWER_THINK;
}

unsigned
answer_add(struct answer *a, const char *p, size_t len)
{
	unsigned r = 0;

	while (len > 0 && !a->full) {
		if (a->state == ANSWER_BODY)
			return r | put_bytes(a, p, len);
		if (a->state == ANSWER_LEAD)
			r |= add_lead(a, *p);
		else
			r |= add_inside(a, *p);
		p++;
		len--;
	}
	return a->full ? r | ANSWER_FULL : r;
}

unsigned
answer_end(struct answer *a)
{
	unsigned r = 0;
	size_t white = 0;

	if (a->state == ANSWER_LEAD) {
		while (white < a->lead.len && is_white(a->lead.s[white]))
			white++;
		r |= leave_lead(a, white);
	}
	if (a->npart > 0)
		r |= put_broken(a);
	return r;
}
