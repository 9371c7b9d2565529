#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <json-c/json.h>

#include "tests/mmsim/api.h"
#include "tests/mmsim/fault_ws.h"
#include "tests/mmsim/http.h"
#include "tests/mmsim/model.h"
#include "tests/mmsim/model_script.h"

#define RECORD_MAX 2000
#define RECORD_BODY_MAX (256 << 10)

struct record {
	char *headers;
	char *body;
	int authorized;
	int64_t t_us;
	char path[64];
};

static TAILQ_HEAD(, script) queue = TAILQ_HEAD_INITIALIZER(queue);
static struct script *base;
static struct record ring[RECORD_MAX];
static size_t ring_n;

void
script_unref(struct script *s)
{
	if (s == NULL || --s->refs > 0)
		return;
	free(s->reply);
	free(s->match);
	free(s->reasoning);
	free(s->tool_calls);
	free(s->garbage);
	free(s->error);
	free(s);
}

static struct script *
script_new(void)
{
	struct script *s = xcalloc(1, sizeof(*s));

	s->refs = 1;
	s->chunks = 4;
	s->cut_after = -1;
	return s;
}

void
model_reset(void)
{
	struct script *s;
	size_t i;

	while ((s = TAILQ_FIRST(&queue)) != NULL) {
		TAILQ_REMOVE(&queue, s, link);
		script_unref(s);
	}
	script_unref(base);
	base = script_new();
	for (i = 0; i < RECORD_MAX; i++) {
		free(ring[i].headers);
		free(ring[i].body);
	}
	memset(ring, 0, sizeof(ring));
	ring_n = 0;
}

static char *
opt(struct json_object *o, const char *key)
{
	return *jstr(o, key) ? xstrdup(jstr(o, key)) : NULL;
}

static char *
garbage_of(struct json_object *o)
{
	struct json_object *v;

	if (!json_object_object_get_ex(o, "garbage", &v))
		return NULL;
	if (json_object_is_type(v, json_type_string))
		return xstrdup(json_object_get_string(v));
	return json_object_get_boolean(v) ? xstrdup("data: {\"choices\":[{\n\n")
					  : NULL;
}

const char *
model_script(struct json_object *o)
{
	struct script *s = script_new();
	struct json_object *v;
	const char *cut = jstr(o, "cut");

	if (*cut && strcmp(cut, "fin") != 0 && strcmp(cut, "rst") != 0) {
		script_unref(s);
		return "cut: fin or rst";
	}
	if (json_object_object_get_ex(o, "reply", &v) &&
	    !fault_num(o, "echo", 0))
		s->reply = xstrdup(json_object_get_string(v));
	s->match = opt(o, "match");
	s->reasoning = opt(o, "reasoning");
	s->garbage = garbage_of(o);
	s->error = opt(o, "error");
	if (json_object_object_get_ex(o, "tool_calls", &v) &&
	    json_object_is_type(v, json_type_array))
		s->tool_calls = xstrdup(json_object_to_json_string_ext(v,
		    JSON_C_TO_STRING_PLAIN));
	s->chunks = fault_num(o, "chunks", 4);
	s->chunk_delay_ms = fault_num(o, "chunk_delay_ms", 0);
	s->first_delay_ms = fault_num(o, "first_delay_ms", 0);
	s->silent_ms = fault_num(o, "silent_ms", 0);
	s->status = fault_num(o, "status", 0);
	s->retry_after = fault_num(o, "retry_after", 0);
	s->times = fault_num(o, "times", 0);
	s->no_done = fault_num(o, "no_done", 0);
	s->cut_after = fault_num(o, "cut_after", *cut ? 0 : -1);
	s->rst = !strcmp(cut, "rst");
	if (s->chunks < 1)
		s->chunks = 1;
	if (s->times > 0) {
		TAILQ_INSERT_TAIL(&queue, s, link);
		return NULL;
	}
	script_unref(base);
	base = s;
	return NULL;
}

struct script *
script_take(const struct req *r)
{
	struct script *s;

	TAILQ_FOREACH(s, &queue, link)
		if (s->match == NULL || strstr(r->body, s->match) != NULL)
			break;
	if (s == NULL) {
		base->refs++;
		return base;
	}
	s->refs++;
	if (--s->times == 0) {
		TAILQ_REMOVE(&queue, s, link);
		script_unref(s);
	}
	return s;
}

void
model_record(const struct req *r)
{
	struct record *c = &ring[ring_n++ % RECORD_MAX];
	const char *auth = req_header(r, "Authorization");
	struct buf b = {0};
	size_t i;

	free(c->headers);
	free(c->body);
	buf_str(&b, "{");
	for (i = 0; i < r->nhdr; i++)
		if (strcasecmp(r->hdr[i].name, "Authorization") != 0)
			buf_kstr(&b, r->hdr[i].name, r->hdr[i].value);
	buf_str(&b, "}");
	c->headers = buf_steal(&b);
	c->body = r->body_len <= RECORD_BODY_MAX ? xstrdup(r->body) : NULL;
	c->authorized = auth != NULL && !strncmp(auth, "Bearer ", 7) &&
	    auth[7] != '\0';
	c->t_us = now_us();
	snprintf(c->path, sizeof(c->path), "%s", r->path);
}

void
model_requests(struct buf *b)
{
	size_t n = ring_n < RECORD_MAX ? ring_n : RECORD_MAX, i;
	struct json_object *o;

	buf_str(b, "[");
	for (i = ring_n - n; i < ring_n; i++) {
		struct record *c = &ring[i % RECORD_MAX];

		buf_str(b, b->len > 1 ? ",{" : "{");
		buf_kstr(b, "path", c->path);
		buf_kbool(b, "authorized", c->authorized);
		buf_knum(b, "t_us", c->t_us);
		buf_fmt(b, ",\"headers\":%s,\"body\":", c->headers);
		o = c->body ? json_tokener_parse(c->body) : NULL;
		buf_value(b, o);
		json_object_put(o);
		buf_str(b, "}");
	}
	buf_str(b, "]");
}
