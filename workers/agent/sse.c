#include "config.h"

#include <string.h>

#include "workers/agent/sse.h"

#define KEEP 16384 /* bytes of buffer kept from one event to the next */

void
sse_init(struct sse *s, size_t max, sse_event_fn fn, void *arg)
{
	memset(s, 0, sizeof(*s));
	s->max = max;
	s->fn = fn;
	s->arg = arg;
}

void
sse_free(struct sse *s)
{
	strbuf_free(&s->line);
	strbuf_free(&s->data);
}

static void
dispatch(struct sse *s)
{
	size_t len = s->data.len;

	if (s->has_data) {
		/* Each line added its '\n'; the last one is not content. */
		s->data.s[--len] = '\0';
		if (s->fn(s->arg, s->name[0] == '\0' ? "message" : s->name,
			s->data.s, len) != 0)
			s->stopped = SSE_STOPPED;
	}
	strbuf_reset(&s->data, KEEP);
	s->has_data = 0;
	s->name[0] = '\0';
}

static int
is_field(const char *line, size_t len, const char *name)
{
	return len == strlen(name) && memcmp(line, name, len) == 0;
}

static void
take_name(struct sse *s, const char *value, size_t len)
{
	if (len >= sizeof(s->name))
		len = sizeof(s->name) - 1;
	memcpy(s->name, value, len);
	s->name[len] = '\0';
}

static void
take_data(struct sse *s, const char *value, size_t len)
{
	if (s->data.len + len + 1 > s->max) {
		s->stopped = SSE_TOOBIG;
		return;
	}
	strbuf_add(&s->data, value, len);
	strbuf_add(&s->data, "\n", 1);
	s->has_data = 1;
}

static void
take_field(struct sse *s, const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len), *value = "";
	size_t nlen = len, vlen = 0;

	if (colon == line)
		return; /* a comment: servers keep the line alive with it */
	if (colon != NULL) {
		nlen = (size_t)(colon - line);
		value = colon + 1;
		vlen = len - nlen - 1;
		if (vlen > 0 && value[0] == ' ') {
			value++;
			vlen--;
		}
	}
	if (is_field(line, nlen, "data"))
		take_data(s, value, vlen);
	else if (is_field(line, nlen, "event"))
		take_name(s, value, vlen);
	else if (!is_field(line, nlen, "id") && !is_field(line, nlen, "retry"))
		s->garbage++;
}

static void
take_line(struct sse *s, const char *line, size_t len)
{
	if (!s->begun) {
		s->begun = 1;
		if (len >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0) {
			line += 3;
			len -= 3;
		}
	}
	if (len == 0)
		dispatch(s);
	else
		take_field(s, line, len);
}

/* p holds the rest of the line that s->line has the beginning of. */
static void
finish_line(struct sse *s, const char *p, size_t len)
{
	if (s->line.len == 0) {
		take_line(s, p, len);
		return;
	}
	strbuf_add(&s->line, p, len);
	take_line(s, s->line.s, s->line.len);
	strbuf_reset(&s->line, KEEP);
}

static size_t
line_length(const char *p, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (p[i] == '\n' || p[i] == '\r')
			break;
	return i;
}

enum sse_status
sse_feed(struct sse *s, const char *p, size_t len)
{
	size_t n;

	while (len > 0 && !s->stopped) {
		if (s->after_cr && *p == '\n') {
			p++;
			len--;
			s->after_cr = 0;
			continue;
		}
		s->after_cr = 0;
		n = line_length(p, len);
		if (s->line.len + n > s->max) {
			s->stopped = SSE_TOOBIG;
			break;
		}
		if (n == len) {
			strbuf_add(&s->line, p, n);
			break;
		}
		s->after_cr = p[n] == '\r';
		finish_line(s, p, n);
		p += n + 1;
		len -= n + 1;
	}
	return s->stopped;
}

enum sse_status
sse_end(struct sse *s)
{
	if (!s->stopped && s->line.len > 0)
		finish_line(s, "", 0);
	if (!s->stopped)
		dispatch(s);
	return s->stopped;
}

unsigned
sse_garbage(const struct sse *s)
{
	return s->garbage;
}
