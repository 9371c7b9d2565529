#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <event2/event.h>
#include <json-c/json.h>

#include "common/log.h"
#include "common/monotime.h"
#include "tests/mmsim/api.h"
#include "tests/mmsim/bench.h"
#include "tests/mmsim/http.h"
#include "tests/mmsim/model.h"
#include "tests/mmsim/model_script.h"
#include "tests/mmsim/sim.h"

/* One answer on its way. */
struct answer {
	struct req *r;
	struct event *timer;
	struct script *s;
	char *text;
	size_t len;
	size_t at;       /* bytes of text sent */
	int chunk;       /* chunks sent */
	int chunks;
	int64_t sent;    /* bytes of the stream */
	int stream;
	int tools_sent;
	int thought;     /* the reasoning was sent */
	long marker;     /* of the bench, -1: none */
};

static long ids;

/* Text of a message's content: a string, or the text parts of an array. */
static char *
content_text(struct json_object *m)
{
	struct json_object *c, *p;
	struct buf b = {0};
	size_t i, n;

	if (!json_object_object_get_ex(m, "content", &c))
		return xstrdup("");
	if (json_object_is_type(c, json_type_string))
		return xstrdup(json_object_get_string(c));
	if (!json_object_is_type(c, json_type_array))
		return xstrdup("");
	n = json_object_array_length(c);
	for (i = 0; i < n; i++) {
		p = json_object_array_get_idx(c, i);
		buf_str(&b, jstr(p, "text"));
	}
	return buf_steal(&b);
}

/* The last user message. */
static char *
last_user(struct json_object *o)
{
	struct json_object *list, *m;
	size_t n;

	if (!json_object_object_get_ex(o, "messages", &list) ||
	    !json_object_is_type(list, json_type_array))
		return xstrdup("");
	n = json_object_array_length(list);
	while (n-- > 0) {
		m = json_object_array_get_idx(list, n);
		if (!strcmp(jstr(m, "role"), "user"))
			return content_text(m);
	}
	return xstrdup("");
}

static char *
answer_text(const struct script *s, const char *asked, long marker)
{
	struct buf b = {0};

	if (s->reply != NULL) {
		buf_str(&b, s->reply);
		if (marker >= 0)
			bench_mark(&b, marker);
	} else {
		buf_str(&b, "echo: ");
		buf_str(&b, asked);
	}
	return buf_steal(&b);
}

static void
answer_free(struct answer *a)
{
	if (a->timer != NULL)
		event_free(a->timer);
	script_unref(a->s);
	free(a->text);
	free(a);
}

static void
answer_gone(struct req *r)
{
	struct answer *a = r->ctx;

	answer_free(a);
	http_hangup(r, HTTP_END_FIN);
}

static void
flushed(void *arg)
{
	bench_model_done((long)(intptr_t)arg);
}

/* 1: the stream was cut at its byte, the answer is gone. */
static int
stream_put(struct answer *a, const char *p, size_t n)
{
	struct script *s = a->s;

	if (s->cut_after >= 0 && a->sent + (int64_t)n > s->cut_after) {
		if (a->sent < s->cut_after)
			http_stream_write(a->r, p,
			    (size_t)(s->cut_after - a->sent));
		a->r->on_gone = NULL;
		http_stream_end(a->r, s->rst ? HTTP_END_RST : HTTP_END_FIN);
		answer_free(a);
		return 1;
	}
	a->sent += (int64_t)n;
	http_stream_write(a->r, p, n);
	return 0;
}

static void
chunk_head(struct buf *b, const struct answer *a)
{
	buf_fmt(b, "data: {\"id\":\"chatcmpl-%ld\",\"object\":"
	    "\"chat.completion.chunk\",\"created\":%lld,\"model\":\"sim\","
	    "\"choices\":[{\"index\":0,\"delta\":", ids,
	    (long long)time(NULL));
}

static void
put_tool_calls(struct buf *b, const char *calls)
{
	struct json_object *list = json_tokener_parse(calls), *c, *f;
	size_t i, n = json_object_array_length(list);

	buf_str(b, "{\"role\":\"assistant\",\"content\":null,"
	    "\"tool_calls\":[");
	for (i = 0; i < n; i++) {
		c = json_object_array_get_idx(list, i);
		json_object_object_get_ex(c, "function", &f);
		buf_fmt(b, "%s{\"index\":%zu,\"id\":\"%s\",\"type\":"
		    "\"function\",\"function\":{\"name\":", i ? "," : "", i,
		    *jstr(c, "id") ? jstr(c, "id") : "call_1");
		buf_jstr(b, jstr(f ? f : c, "name"));
		buf_str(b, ",\"arguments\":");
		buf_jstr(b, jstr(f ? f : c, "arguments"));
		buf_str(b, "}}");
	}
	buf_str(b, "]}");
	json_object_put(list);
}

/* The next piece of text, at a boundary of characters. */
static size_t
piece(const struct answer *a)
{
	size_t end = a->len * (size_t)(a->chunk + 1) / (size_t)a->chunks;

	if (a->chunk + 1 >= a->chunks)
		end = a->len;
	while (end < a->len && ((unsigned char)a->text[end] & 0xc0) == 0x80)
		end++;
	return end > a->at ? end - a->at : 0;
}

static void
stream_finish(struct answer *a)
{
	struct buf b = {0};
	int cut;

	chunk_head(&b, a);
	buf_fmt(&b, "{},\"finish_reason\":\"%s\"}]}\n\n",
	    a->s->tool_calls ? "tool_calls" : "stop");
	if (!a->s->no_done)
		buf_str(&b, "data: [DONE]\n\n");
	cut = stream_put(a, b.p, b.len);
	buf_free(&b);
	if (cut)
		return;
	if (a->marker >= 0)
		http_on_flushed(a->r, flushed, (void *)(intptr_t)a->marker);
	a->r->on_gone = NULL;
	http_stream_end(a->r, HTTP_END_KEEP);
	answer_free(a);
}

/* The calls are next: at once, or behind the text when there is one. */
static int
wants_calls(const struct answer *a)
{
	return a->s->tool_calls != NULL && !a->tools_sent &&
	    (a->s->reply == NULL || a->chunk >= a->chunks);
}

/* One chunk. 1: the answer is gone. */
static int
stream_step(struct answer *a)
{
	struct buf b = {0};
	size_t n;
	int cut;

	if (a->s->garbage != NULL && a->chunk == 1) {
		cut = stream_put(a, a->s->garbage, strlen(a->s->garbage));
		if (cut)
			return 1;
	}
	chunk_head(&b, a);
	if (wants_calls(a)) {
		put_tool_calls(&b, a->s->tool_calls);
		a->tools_sent = 1;
		a->chunk = a->chunks;
	} else {
		n = piece(a);
		buf_str(&b, a->chunk == 0 ? "{\"role\":\"assistant\","
					    "\"content\":"
					  : "{\"content\":");
		buf_json(&b, a->text + a->at, n);
		buf_str(&b, "}");
		a->at += n;
		a->chunk++;
	}
	buf_str(&b, ",\"finish_reason\":null}]}\n\n");
	cut = stream_put(a, b.p, b.len);
	buf_free(&b);
	return cut;
}

/* The reasoning, as one chunk before the others. 1: the answer is gone. */
static int
stream_think(struct answer *a)
{
	struct buf b = {0};
	int cut;

	a->thought = 1;
	chunk_head(&b, a);
	buf_str(&b, "{\"role\":\"assistant\",\"content\":null,"
	    "\"reasoning_content\":");
	buf_jstr(&b, a->s->reasoning);
	buf_str(&b, "},\"finish_reason\":null}]}\n\n");
	cut = stream_put(a, b.p, b.len);
	buf_free(&b);
	return cut;
}

static void
stream_cb(evutil_socket_t fd, short what, void *arg)
{
	struct answer *a = arg;
	struct timeval tv;
	int wait;

	if (a->s->reasoning != NULL && !a->thought) {
		if (stream_think(a))
			return;
		if (a->s->chunk_delay_ms > 0) {
			tv = ms_timeval(a->s->chunk_delay_ms);
			evtimer_add(a->timer, &tv);
			return;
		}
	}
	while (a->chunk < a->chunks || wants_calls(a)) {
		if (stream_step(a))
			return;
		wait = a->chunk < a->chunks || wants_calls(a)
			? a->s->chunk_delay_ms : 0;
		if (a->chunk == 1)
			wait += a->s->silent_ms;
		if (wait > 0) {
			tv = ms_timeval(wait);
			evtimer_add(a->timer, &tv);
			return;
		}
	}
	stream_finish(a);
}

static void
reply_whole(struct answer *a)
{
	struct buf b = {0};

	buf_fmt(&b, "{\"id\":\"chatcmpl-%ld\",\"object\":\"chat.completion\","
	    "\"created\":%lld,\"model\":\"sim\",\"choices\":[{\"index\":0,"
	    "\"message\":", ids, (long long)time(NULL));
	if (a->s->tool_calls != NULL) {
		put_tool_calls(&b, a->s->tool_calls);
	} else {
		buf_str(&b, "{\"role\":\"assistant\",\"content\":");
		buf_json(&b, a->text, a->len);
		buf_str(&b, "}");
	}
	buf_fmt(&b, ",\"finish_reason\":\"%s\"}],\"usage\":{\"prompt_tokens\""
	    ":1,\"completion_tokens\":1,\"total_tokens\":2}}",
	    a->s->tool_calls ? "tool_calls" : "stop");
	if (a->marker >= 0)
		http_on_flushed(a->r, flushed, (void *)(intptr_t)a->marker);
	a->r->on_gone = NULL;
	if (a->s->garbage != NULL)
		http_reply(a->r, 200, "application/json", a->s->garbage,
		    strlen(a->s->garbage));
	else if (a->s->cut_after >= 0)
		http_reply_cut(a->r, 200, "application/json", b.p, b.len,
		    (size_t)a->s->cut_after,
		    a->s->rst ? HTTP_END_RST : HTTP_END_FIN);
	else
		http_reply(a->r, 200, "application/json", b.p, b.len);
	buf_free(&b);
	answer_free(a);
}

static void
reply_error(struct answer *a)
{
	struct buf b = {0};

	if (a->s->retry_after > 0)
		buf_fmt(&a->r->extra, "Retry-After: %d\r\n",
		    a->s->retry_after);
	buf_str(&b, "{\"error\":{\"message\":");
	buf_jstr(&b, a->s->error ? a->s->error : "scripted error");
	buf_str(&b, ",\"type\":\"scripted\",\"code\":null}}");
	a->r->on_gone = NULL;
	http_reply(a->r, a->s->status, "application/json", b.p, b.len);
	buf_free(&b);
	answer_free(a);
}

static void
start_cb(evutil_socket_t fd, short what, void *arg)
{
	struct answer *a = arg;

	ids++;
	if (a->s->status != 0 && a->s->status != 200) {
		reply_error(a);
	} else if (!a->stream) {
		reply_whole(a);
	} else {
		event_free(a->timer);
		a->timer = evtimer_new(sim.base, stream_cb, a);
		buf_str(&a->r->extra, "Cache-Control: no-cache\r\n");
		http_stream_begin(a->r, 200, "text/event-stream");
		stream_cb(-1, 0, a);
	}
}

static void
completions(struct req *r)
{
	struct json_object *o = req_json(r), *v;
	struct answer *a = xcalloc(1, sizeof(*a));
	struct timeval tv;
	char *asked;

	asked = last_user(o);
	a->marker = bench_model_request(asked);
	a->r = r;
	a->s = script_take(r);
	a->stream = json_object_object_get_ex(o, "stream", &v) &&
	    json_object_get_boolean(v);
	a->text = answer_text(a->s, asked, a->marker);
	a->len = strlen(a->text);
	a->chunks = a->s->chunks;
	free(asked);
	json_object_put(o);
	r->ctx = a;
	r->on_gone = answer_gone;
	a->timer = evtimer_new(sim.base, start_cb, a);
	if (a->s->first_delay_ms == 0) {
		start_cb(-1, 0, a);
		return;
	}
	tv = ms_timeval(a->s->first_delay_ms);
	evtimer_add(a->timer, &tv);
}

void
model_handle(struct req *r, void *arg)
{
	static const char models[] = "{\"object\":\"list\",\"data\":[{\"id\":"
	    "\"sim\",\"object\":\"model\",\"owned_by\":\"mmsim\"}]}";

	if (!strcmp(r->method, "POST") &&
	    !strcmp(r->path, "/v1/chat/completions")) {
		model_record(r);
		completions(r);
	} else if (!strcmp(r->method, "GET") && !strcmp(r->path, "/v1/models"))
		http_reply(r, 200, "application/json", models,
		    sizeof(models) - 1);
	else
		http_reply(r, 404, "application/json",
		    "{\"error\":{\"message\":\"no route\"}}", 32);
}
