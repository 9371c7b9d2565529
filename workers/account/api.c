#include "config.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/text.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/shallow.h"

#define JSON_DEPTH 32
#define PATH_SIZE 512

struct api_call {
	struct account *a;
	api_fn fn;
	void *arg;
};

static struct json_object *
body_parse(const struct net_result *r)
{
	struct json_tokener *tok;
	struct json_object *obj;

	if (r->ending != NET_ANSWERED || r->partial || r->len < 2)
		return NULL;
	if (strncmp(r->content_type, "application/json", 16) != 0)
		return NULL;
	if (!text_valid(r->body, r->len))
		return NULL;
	if ((tok = json_tokener_new_ex(JSON_DEPTH)) == NULL)
		fatalx("out of memory");
	obj = shallow_parse(tok, JSON_DEPTH, r->body, r->len);
	json_tokener_free(tok);
	return obj;
}

/* Each refusal of Mattermost says by an id what it is. */
static int
of_stranger(const struct net_result *r, struct json_object *body)
{
	return r->ending == NET_ANSWERED && r->status >= 400 &&
	    r->status < 500 && r->status != 401 && r->status != 408 &&
	    r->status != 429 && *api_str(body, "id") == '\0';
}

static void
call_done(struct net_request *req, const struct net_result *r, void *arg)
{
	struct api_call *call = arg;
	struct json_object *body = body_parse(r);
	struct net_result own = *r;

	if (of_stranger(r, body)) {
		log_event(LOG_WARNING, "api.stranger", "account", call->a->id,
		    "status", LOG_NUM(r->status), NULL);
		own.status = API_STRANGER;
		own.retryable = 1;
	}
	call->fn(call->a, &own, body, call->arg);
	json_object_put(body);
	free(call);
}

static struct net_request *
call_start(struct account *a, struct net_request_opts *o, const char *path,
    api_fn fn, void *arg)
{
	static const char *const json_header[] = {
	    "Content-Type: application/json", NULL};
	struct net_request *req;
	struct api_call *call;
	char full[PATH_SIZE];

	if ((size_t)snprintf(full, sizeof(full), "/api/v4%s", path) >=
	    sizeof(full))
		return NULL;
	if ((call = malloc(sizeof(*call))) == NULL)
		fatal("malloc");
	*call = (struct api_call){a, fn, arg};
	o->path = full;
	o->headers = o->body == NULL ? NULL : json_header;
	o->done = call_done;
	o->arg = call;
	o->arg_free = 1;
	if ((req = net_request_start(a->ep, o)) == NULL)
		free(call);
	return req;
}

struct net_request *
api_get(struct account *a, const char *path, api_fn fn, void *arg)
{
	struct net_request_opts o = {.method = "GET", .idempotent = 1};

	return call_start(a, &o, path, fn, arg);
}

struct net_request *
api_get_large(struct account *a, const char *path, api_fn fn, void *arg)
{
	struct net_request_opts o = {
	    .method = "GET", .idempotent = 1, .max_body = API_LARGE};

	return call_start(a, &o, path, fn, arg);
}

struct net_request *
api_send(struct account *a, const char *method, const char *path,
    struct json_object *body, api_fn fn, void *arg)
{
	return api_send_within(a, method, path, body, 0, fn, arg);
}

struct net_request *
api_send_within(struct account *a, const char *method, const char *path,
    struct json_object *body, int64_t deadline_ms, api_fn fn, void *arg)
{
	struct net_request_opts o = {
	    .method = method, .deadline_ms = deadline_ms};
	struct net_request *req;

	if (body != NULL)
		o.body = json_object_to_json_string_length(body,
		    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE,
		    &o.body_len);
	req = call_start(a, &o, path, fn, arg);
	json_object_put(body);
	return req;
}

int
api_ok(const struct net_result *r, struct json_object *body, int status)
{
	return r->ending == NET_ANSWERED && r->status == status &&
	    !r->partial && body != NULL;
}

const char *
api_error(const struct net_result *r, struct json_object *body, char *buf,
    size_t size)
{
	const char *id, *message;

	if (r->ending != NET_ANSWERED) {
		snprintf(buf, size, "%s", r->error != NULL ? r->error :
		    "no answer");
		return buf;
	}
	if (r->status == API_STRANGER) {
		snprintf(buf, size, "refused by something that is no "
		    "Mattermost server");
		return buf;
	}
	if (r->partial || (r->status / 100 == 2 && body == NULL)) {
		snprintf(buf, size, "%d, but the answer is %s", r->status,
		    r->partial ? "cut short or too large" : "no JSON");
		return buf;
	}
	id = api_str(body, "id");
	message = api_str(body, "message");
	snprintf(buf, size, "%d%s%.80s%s%.160s", r->status,
	    *id != '\0' ? " " : "", id, *message != '\0' ? ": " : "", message);
	return buf;
}

const char *
api_str(struct json_object *obj, const char *key)
{
	struct json_object *v = NULL;

	if (!json_object_is_type(obj, json_type_object) ||
	    !json_object_object_get_ex(obj, key, &v) ||
	    !json_object_is_type(v, json_type_string))
		return "";
	return json_object_get_string(v);
}

int64_t
api_int(struct json_object *obj, const char *key)
{
	struct json_object *v = NULL;

	if (!json_object_is_type(obj, json_type_object) ||
	    !json_object_object_get_ex(obj, key, &v) ||
	    !json_object_is_type(v, json_type_int))
		return 0;
	return json_object_get_int64(v);
}

void
api_copy(char *dst, const char *src, size_t size)
{
	if (strlcpy(dst, src, size) >= size)
		fatalx("a value of %zu bytes does not fit %zu", strlen(src),
		    size);
}
