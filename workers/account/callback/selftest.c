#include "config.h"

#include <event2/event.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/add.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/monotime.h"
#include "common/secret.h"
#include "common/signed_context.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/callback/selftest.h"
#include "workers/net/net.h"

#define PROBES_MAX 2
#define FIRST_MS 300 /* the callback worker may still be starting */
#define DEADLINE_MS 10000
#define NONCE_LEN 32
#define AGAIN_MAX_MS 300000

struct probe {
	struct account *a;
	struct json_object *config;
	struct net_endpoint *ep;
	struct event *timer;
	char nonce[NONCE_LEN + 1];
	const char *state; /* "waiting", "reachable", "unreachable" */
	char error[256];
	int64_t at, wait_ms;
};

static struct probe probes[PROBES_MAX];
static size_t nprobes;
static int started;

static void
sign(const struct account *a, const char *key, const char *nonce,
    char token[SIGNED_HEX_SIZE])
{
	struct json_object *o = json_object_new_object();
	char secret[SIGNED_HEX_SIZE];

	json_object_object_add(o, key, json_object_new_string(nonce));
	signed_context_secret(
	    secret_bytes(a->token), secret_len(a->token), secret);
	if (signed_context_sign(secret, o, token) == -1)
		fatalx("signed_context_sign");
	explicit_bzero(secret, sizeof(secret));
	json_object_put(o);
}

static void
ended(struct probe *p, const char *state, const char *error)
{
	const char *what = api_str(p->config, "what");
	int changed = strcmp(p->state, state) != 0;
	int good = strcmp(state, "reachable") == 0;

	p->state = state;
	strlcpy(p->error, error, sizeof(p->error));
	p->at = walltime_ms();
	if (changed)
		log_event(good ? LOG_INFO : LOG_WARNING,
		    good ? "callback.reachable" : "callback.unreachable",
		    "account", p->a->id, "what", what, "url",
		    api_str(p->config, "url"), "error",
		    good ? NULL : p->error, NULL);
	if (good)
		return;
	p->wait_ms = p->wait_ms == 0 ? 1000 : p->wait_ms * 3;
	if (p->wait_ms > AGAIN_MAX_MS)
		p->wait_ms = AGAIN_MAX_MS;
	loop_timer(p->timer, p->wait_ms);
}

/* Only our own callback worker can have signed that. */
static int
is_ours(const struct probe *p, struct json_object *body)
{
	char want[SIGNED_HEX_SIZE];

	sign(p->a, "postern_answer", p->nonce, want);
	return strcmp(api_str(body, "token"), want) == 0;
}

static void
check(struct probe *p, const struct net_result *r, struct json_object *body)
{
	const char *route = api_str(body, "route");
	const char *want =
	    strcmp(api_str(p->config, "what"), "commands") == 0 ?
	    "command" : "action";
	char text[sizeof(p->error)];

	if (r->ending != NET_ANSWERED) {
		ended(p, "unreachable",
		    r->error == NULL ? "no answer" : r->error);
		return;
	}
	if (r->status != 200 || !is_ours(p, body)) {
		snprintf(text, sizeof(text),
		    "%d: somebody else answers there", r->status);
		ended(p, "unreachable", text);
	} else if (strcmp(route, want) != 0)
		/* A front end has changed the path. */
		ended(p, "unreachable", "it comes in under another path");
	else
		ended(p, "reachable", "");
}

static void
done(struct net_request *req, const struct net_result *r, void *arg)
{
	struct json_object *body = NULL;

	if (r->ending == NET_ANSWERED && !r->partial)
		body = json_tokener_parse(r->body);
	check(arg, r, body);
	json_object_put(body);
}

static void
on_timer(int fd, short what, void *arg)
{
	struct probe *p = arg;
	char token[SIGNED_HEX_SIZE], header[160];
	const char *headers[] = {header, NULL};
	unsigned char b[NONCE_LEN / 2];
	struct net_request_opts opts = {.method = "POST",
	    .path = api_str(p->config, "path"), .headers = headers,
	    .body = "", .deadline_ms = DEADLINE_MS, .max_body = 4096,
	    .no_auth = 1, .done = done, .arg = p};
	size_t i;

	arc4random_buf(b, sizeof(b));
	for (i = 0; i < sizeof(b); i++)
		snprintf(p->nonce + 2 * i, 3, "%02x", b[i]);
	sign(p->a, "postern_probe", p->nonce, token);
	snprintf(header, sizeof(header), "X-Postern-Probe: %s %s", p->nonce,
	    token);
	if (net_request_start(p->ep, &opts) == NULL)
		ended(p, "unreachable", "not an address that can be asked");
}

void
selftest_init(struct account *a, struct json_object *list)
{
	size_t i, n = list == NULL ? 0 : json_object_array_length(list);

	for (i = 0; i < n && i < PROBES_MAX; i++) {
		probes[i].a = a;
		probes[i].state = "waiting";
		probes[i].config =
		    json_object_get(json_object_array_get_idx(list, i));
	}
	nprobes = i;
}

void
selftest_start(struct account *a)
{
	struct json_object *tls = NULL;
	struct probe *p;

	if (started || a->token == NULL)
		return;
	started = 1;
	for (p = probes; p < probes + nprobes; p++) {
		json_object_object_get_ex(p->config, "tls", &tls);
		struct net_endpoint_opts opts = {.name = "callback",
		    .https = json_object_get_boolean(tls),
		    .host = api_str(p->config, "host"),
		    .port = (uint16_t)api_int(p->config, "port"),
		    .base = "", .cap = 1};

		p->ep = net_endpoint_new(
		    a->net, (int)api_int(p->config, "endpoint"), &opts);
		p->timer = evtimer_new(a->base, on_timer, p);
		if (p->timer == NULL)
			fatalx("evtimer_new");
		if (p->ep != NULL)
			loop_timer(p->timer, FIRST_MS);
		else
			p->state = "unreachable";
	}
}

struct json_object *
selftest_status(struct account *a)
{
	struct json_object *list = json_object_new_array(), *o;
	struct probe *p;

	for (p = probes; p < probes + nprobes; p++) {
		o = json_object_new_object();
		add_str(o, "what", api_str(p->config, "what"));
		add_str(o, "url", api_str(p->config, "url"));
		add_str(o, "state", p->state);
		if (p->error[0] != '\0')
			add_str(o, "error", p->error);
		if (p->at != 0)
			add_int(o, "at", p->at);
		json_object_array_add(list, o);
	}
	return list;
}
