#include "config.h"

#include <stdio.h>
#include <string.h>

#include "workers/agent/delta.h"
#include "workers/agent/stream.h"

static int on_event(void *, const char *, const char *, size_t);

void
stream_init(struct stream *s, size_t answer_max)
{
	memset(s, 0, sizeof(*s));
	sse_init(&s->sse, STREAM_EVENT_MAX, on_event, s);
	answer_init(&s->answer, answer_max);
	s->prompt_tokens = s->completion_tokens = -1;
}

void
stream_free(struct stream *s)
{
	sse_free(&s->sse);
	strbuf_free(&s->json);
	answer_free(&s->answer);
	toolcalls_free(&s->tools);
}

static void
fail(struct stream *s, const char *code, const char *detail)
{
	if (s->failed)
		return;
	classify_own(&s->verdict, code, detail);
	s->failed = 1;
	s->flags |= STREAM_FAILED;
}

static void
thinks(struct stream *s)
{
	if (!s->thinking)
		s->flags |= STREAM_THINKING;
	s->thinking = 1;
}

static void
apply(struct stream *s, unsigned what)
{
	if (what & ANSWER_THINK)
		thinks(s);
	if (what & ANSWER_GREW) {
		s->flags |= STREAM_TEXT;
		s->thinking = 0;
	}
	if (what & ANSWER_FULL) {
		s->done = 1;
		s->flags |= STREAM_DONE;
	}
}

/* Names go into frames and logs: one line of ASCII. */
static void
copy_name(char *dst, size_t size, const char *src)
{
	size_t i;

	for (i = 0; i < size - 1 && src[i] != '\0'; i++)
		dst[i] = src[i] > ' ' && src[i] < 0x7f ? src[i] : '?';
	dst[i] = '\0';
}

static void
take_tools(struct stream *s, const struct delta *d)
{
	struct delta_tool t;
	size_t i;

	for (i = 0; i < delta_ntools(d); i++) {
		delta_tool(d, i, &t);
		toolcalls_add(&s->tools, &t);
	}
}

static void
take_delta(struct stream *s, const struct delta *d)
{
	if (d->is_error) {
		classify_error(&s->verdict, d);
		s->failed = 1;
		s->flags |= STREAM_FAILED;
		return;
	}
	s->chunks++;
	if (d->model != NULL && s->model[0] == '\0')
		copy_name(s->model, sizeof(s->model), d->model);
	if (d->prompt_tokens >= 0)
		s->prompt_tokens = d->prompt_tokens;
	if (d->completion_tokens >= 0)
		s->completion_tokens = d->completion_tokens;
	if (d->reasoning != NULL)
		thinks(s);
	if (d->content != NULL)
		apply(s, answer_add(&s->answer, d->content, d->content_len));
	take_tools(s, d);
	if (d->finish != NULL) {
		s->finished = 1;
		s->flags |= STREAM_FINISH;
	}
}

static int
too_much_garbage(struct stream *s)
{
	if (s->garbage + sse_garbage(&s->sse) <= STREAM_GARBAGE_MAX)
		return 0;
	fail(s, "protocol", "the answer is no stream of completions");
	return 1;
}

static int
on_event(void *arg, const char *name, const char *data, size_t len)
{
	struct stream *s = arg;
	struct delta d;

	if (too_much_garbage(s))
		return 1;
	if (len == 6 && memcmp(data, "[DONE]", 6) == 0) {
		s->done = 1;
		s->flags |= STREAM_DONE;
		return 1;
	}
	if (delta_parse(&d, data, len) == 0)
		take_delta(s, &d);
	else
		s->garbage++;
	delta_free(&d);
	return too_much_garbage(s) || s->done || s->failed;
}

static int
is_white(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/*
 * White space before the first other byte means nothing. An event stream
 * never begins with a brace, a JSON object always does.
 */
static size_t
find_kind(struct stream *s, const char *p, size_t len)
{
	size_t white = 0;

	while (white < len && is_white(p[white]))
		white++;
	if (white < len)
		s->kind = p[white] == '{' ? STREAM_JSON : STREAM_SSE;
	return white;
}

unsigned
stream_feed(struct stream *s, const char *p, size_t len)
{
	size_t white;

	s->flags = 0;
	if (s->done || s->failed)
		return 0;
	if (s->kind == STREAM_UNKNOWN) {
		white = find_kind(s, p, len);
		p += white;
		len -= white;
	}
	if (s->kind == STREAM_JSON) {
		if (s->json.len + len > STREAM_EVENT_MAX)
			fail(s, "protocol", "the answer is too large");
		else
			strbuf_add(&s->json, p, len);
		return s->flags;
	}
	if (sse_feed(&s->sse, p, len) == SSE_TOOBIG)
		fail(s, "protocol", "an event is too large");
	if (!s->done && !s->failed)
		(void)too_much_garbage(s);
	return s->flags;
}

static void
end_json(struct stream *s, const char *why)
{
	struct delta d;

	if (delta_parse(&d, s->json.s, s->json.len) == -1) {
		if (why != NULL)
			fail(s, "cut", why);
		else
			fail(s, "protocol", "the answer is no JSON");
	} else {
		take_delta(s, &d);
		s->done = !s->failed;
	}
	delta_free(&d);
	strbuf_free(&s->json);
}

int
stream_close(struct stream *s)
{
	char detail[128];

	if (s->failed)
		return -1;
	answer_end(&s->answer);
	if (s->tools.n == 0 || s->offered || s->answer.text.len > 0)
		return 0;
	snprintf(detail, sizeof(detail),
	    "the model asked for the tool %s, which it was not offered",
	    s->tools.v[0].name[0] == '\0' ? "?" : s->tools.v[0].name);
	fail(s, "protocol", detail);
	return -1;
}

int
stream_wants_tools(const struct stream *s)
{
	return s->offered && s->tools.n > 0 && !s->answer.full;
}

int
stream_end(struct stream *s, const char *why)
{
	s->flags = 0;
	if (s->kind == STREAM_JSON && !s->failed)
		end_json(s, why);
	else if (!s->done && !s->failed)
		(void)sse_end(&s->sse);
	if (s->failed || s->done || s->finished)
		return stream_close(s);
	if (why != NULL)
		fail(s, s->chunks > 0 ? "cut" : "network", why);
	else if (s->chunks > 0)
		fail(s, "cut", "the stream ended without a finish");
	else
		fail(s, "protocol", "the answer has no completion");
	return -1;
}
