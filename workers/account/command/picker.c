#include "config.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "common/add.h"
#include "common/log.h"
#include "common/monotime.h"
#include "common/strbuf.h"
#include "common/utf8.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/callback/buttons.h"
#include "workers/account/callback/callbacks.h"
#include "workers/account/callback/entry.h"
#include "workers/account/callback/interact.h"
#include "workers/account/command/picker.h"
#include "workers/account/lanes.h"
#include "workers/account/pipeline.h"
#include "workers/account/route.h"
#include "workers/account/sessinfo.h"
#include "workers/account/turn_end.h"

#define REF_MAX 320

/* What is shown: the providers, or one page of a provider's models. */
struct view {
	const char *provider; /* "": the list of them */
	const char *current;  /* "provider/model", "": not known */
	int64_t page;         /* from 1 */
};

static struct json_object *models; /* [{provider, id, name}], sorted */

static int
by_ref(const void *x, const void *y)
{
	struct json_object *a = *(struct json_object *const *)x;
	struct json_object *b = *(struct json_object *const *)y;
	int rc = strcmp(api_str(a, "provider"), api_str(b, "provider"));

	return rc != 0 ? rc : strcmp(api_str(a, "id"), api_str(b, "id"));
}

void
picker_config(struct account *a, struct json_object *config)
{
	struct json_object *list = NULL;

	json_object_object_get_ex(config, "pickerModels", &list);
	models = json_object_is_type(list, json_type_array)
		? json_object_get(list) : json_object_new_array();
	json_object_array_sort(models, by_ref);
}

static size_t
count_of(const char *provider)
{
	size_t i, n = 0;

	for (i = 0; i < json_object_array_length(models); i++)
		n += strcmp(api_str(json_object_array_get_idx(models, i),
			"provider"), provider) == 0;
	return n;
}

struct json_object *
picker_more(
    struct account *a, const char *name, const char *text, const char *user)
{
	struct json_object *o, *p;
	char *args;
	int opens;

	args = utf8_trim(text);
	/* One word names a provider; more is for the text command. */
	opens = (strcmp(name, "model") == 0 && *args == '\0') ||
	    (strcmp(name, "models") == 0 &&
		args[strcspn(args, " \t\r\n")] == '\0');
	if (!opens) {
		free(args);
		return NULL;
	}
	o = json_object_new_object();
	p = json_object_new_object();
	add_str(p, "owner", user);
	add_str(p, "provider", args);
	add_obj(o, "picker", p);
	free(args);
	return o;
}

/* Buttons */

struct render {
	struct buttons_opts o;
	struct json_object *actions;
	const char *owner;
	const char *current;
	char secret[SIGNED_HEX_SIZE];
};

static void
put_action(struct render *r, const char *kind, const char *action,
    const char *provider, int64_t page, const char *model, const char *name,
    int primary)
{
	struct json_object *ctx = json_object_new_object();
	unsigned char md[EVP_MAX_MD_SIZE];
	char id[32], state[1024];
	unsigned n = 0;

	add_bool(ctx, CTX_PICKER, 1);
	add_str(ctx, "action", action);
	add_str(ctx, "ownerUserId", r->owner);
	if (*provider != '\0')
		add_str(ctx, "provider", provider);
	if (page > 0)
		add_int(ctx, "page", page);
	if (*model != '\0')
		add_str(ctx, "model", model);
	else if (*r->current != '\0')
		add_str(ctx, "current", r->current);
	snprintf(state, sizeof(state), "%s %s %lld %s %s", action, provider,
	    (long long)page, model, r->owner);
	if (EVP_Digest(state, strlen(state), md, &n, EVP_sha256(), NULL) != 1)
		fatalx("EVP_Digest");
	snprintf(id, sizeof(id), "%s%02x%02x%02x%02x%02x%02x", kind, md[0],
	    md[1], md[2], md[3], md[4], md[5]);
	json_object_array_add(r->actions, buttons_action(&r->o, id, name,
		primary ? "primary" : "", ctx));
}

static void
put_providers(struct render *r, struct strbuf *b)
{
	const char *provider, *last = "";
	char name[200];
	size_t i;

	strbuf_puts(b, "\n\nSelect a provider:");
	for (i = 0; i < json_object_array_length(models) &&
	     json_object_array_length(r->actions) < BUTTONS_MAX / 2; i++) {
		provider = api_str(
		    json_object_array_get_idx(models, i), "provider");
		if (strcmp(provider, last) == 0)
			continue;
		last = provider;
		snprintf(name, sizeof(name), "%.64s (%zu)", provider,
		    count_of(provider));
		put_action(r, "mdlprov", "list", provider, 1, "", name, 0);
	}
}

static void
put_models(struct render *r, const struct view *v, struct strbuf *b)
{
	int64_t n = (int64_t)count_of(v->provider), k = 0, page = v->page;
	int64_t pages = (n + PICKER_PAGE - 1) / PICKER_PAGE;
	char ref[REF_MAX], name[BUTTON_NAME_MAX];
	struct json_object *o;
	size_t i;

	page = page < 1 ? 1 : page > pages ? pages : page;
	snprintf(name, sizeof(name), "\n\nModels (%.64s) - %lld available",
	    v->provider, (long long)n);
	strbuf_puts(b, name);
	snprintf(name, sizeof(name), "\nPage %lld/%lld", (long long)page,
	    (long long)pages);
	strbuf_puts(b, name);
	for (i = 0; i < json_object_array_length(models); i++) {
		o = json_object_array_get_idx(models, i);
		if (strcmp(api_str(o, "provider"), v->provider) != 0 ||
		    k++ / PICKER_PAGE != page - 1)
			continue;
		snprintf(ref, sizeof(ref), "%s/%s", v->provider,
		    api_str(o, "id"));
		snprintf(name, sizeof(name), "%.100s%s", api_str(o, "id"),
		    strcmp(ref, v->current) == 0 ? " [current]" : "");
		put_action(r, "mdlsel", "select", v->provider, page,
		    api_str(o, "id"), name, strcmp(ref, v->current) == 0);
	}
	if (page > 1)
		put_action(r, "mdllist", "list", v->provider, page - 1, "",
		    "Prev", 0);
	if (page < pages)
		put_action(r, "mdllist", "list", v->provider, page + 1, "",
		    "Next", 0);
	put_action(r, "mdlback", "back", "", 0, "", "Back to providers", 0);
}

/* The text of a view; *props is NULL when there is nothing to click. */
static char *
render(struct account *a, const char *channel, const char *owner,
    const struct view *v, struct json_object **props)
{
	struct render r = {.owner = owner, .current = v->current,
	    .actions = json_object_new_array()};
	struct json_object *att, *list;
	struct strbuf b = STRBUF_INIT;

	r.o = (struct buttons_opts){.secret = r.secret, .url = interact_url(a),
	    .channel = channel,
	    .expires = walltime_ms() / 1000 + BUTTONS_LIFE_S};
	(void)interact_secret(a, r.secret);
	strbuf_puts(&b, "Current: ");
	strbuf_puts(&b, *v->current != '\0' ? v->current : "default");
	if (json_object_array_length(models) == 0)
		strbuf_puts(&b, "\n\nNo models available.");
	else if (*v->provider == '\0')
		put_providers(&r, &b);
	else if (count_of(v->provider) == 0) {
		strbuf_puts(&b, "\n\nUnknown provider: ");
		strbuf_puts(&b, v->provider);
	} else
		put_models(&r, v, &b);
	strbuf_puts(&b, "\n\n`/oc_model provider/model` takes one by name.");
	explicit_bzero(r.secret, sizeof(r.secret));
	*props = json_object_new_object();
	list = json_object_new_array();
	add_obj(*props, "attachments", list);
	if (json_object_array_length(r.actions) == 0) {
		json_object_put(r.actions);
		return strbuf_take(&b);
	}
	att = json_object_new_object();
	add_str(att, "text", "");
	add_obj(att, "actions", r.actions);
	json_object_array_add(list, att);
	return strbuf_take(&b);
}

int
picker_wants(struct json_object *data)
{
	return json_object_object_get_ex(data, "picker", NULL);
}

/* What the conversation uses: chosen there, or the agent's own. */
static void
current_ref(struct account *a, const struct turn *t, const char *chosen,
    char *ref, size_t size)
{
	const struct agent *g = route_find_agent(a->policy, t->agent);

	ref[0] = '\0';
	if (g != NULL && *g->model != '\0')
		(void)snprintf(ref, size, "%s/%s", g->provider,
		    *chosen != '\0' ? chosen : g->model);
}

static void
turn_show(struct account *a, struct turn *t, struct json_object *session)
{
	struct view v = {"", "", 1};
	struct json_object *p = NULL;
	struct sessinfo info;
	char ref[REF_MAX], *text;

	if (session == NULL || sessinfo_read(session, &info) == -1)
		info.model = "";
	json_object_object_get_ex(t->row->data, "picker", &p);
	current_ref(a, t, info.model, ref, sizeof(ref));
	v.provider = api_str(p, "provider");
	v.current = ref;
	text = render(a, t->row->channel, api_str(p, "owner"), &v, &t->props);
	t->command = 1;
	turn_answer(t, text, json_object_new_array());
	free(text);
}

static void
opened(struct account *a, struct json_object *reply, const char *err,
    void *arg)
{
	int64_t *id = arg;
	struct turn *t = lanes_turn(a, *id);

	free(id);
	if (t != NULL && !t->ending)
		turn_show(a, t, err == NULL ? reply : NULL);
}

int
picker_turn(struct account *a, struct turn *t)
{
	struct json_object *told;
	int64_t *id;

	if (!picker_wants(t->row->data) || a->token == NULL)
		return 0;
	if ((told = sessinfo_take(t->row)) != NULL) {
		turn_show(a, t, told);
		json_object_put(told);
		return 1;
	}
	if ((id = malloc(sizeof(*id))) == NULL)
		fatal("malloc");
	*id = t->id;
	sessinfo_ask(
	    a, api_str(t->row->data, "session"), t->agent, "", opened, id);
	return 1;
}

/* Clicks */

struct taking {
	struct account *a;
	char post[MM_ID_SIZE];
	char channel[MM_ID_SIZE];
	char owner[MM_ID_SIZE];
	char provider[128];
	char ref[REF_MAX];
	int64_t page;
};

static void
edited(struct account *a, const struct net_result *r,
    struct json_object *body, void *arg)
{
	char why[256];

	if (!api_ok(r, body, 200))
		log_event(LOG_WARNING, "picker.failed", "account", a->id,
		    "error", api_error(r, body, why, sizeof(why)), NULL);
}

static void
show(struct account *a, const char *post, const char *channel,
    const char *owner, const struct view *v)
{
	struct json_object *msg = json_object_new_object(), *props;
	char path[64], *text;

	text = render(a, channel, owner, v, &props);
	add_str(props, "from_bot", "true");
	add_str(msg, "message", text);
	add_obj(msg, "props", props);
	snprintf(path, sizeof(path), "/posts/%s/patch", post);
	api_send(a, "PUT", path, msg, edited, NULL);
	free(text);
}

static void
taken(struct account *a, enum entry_end end, const struct inbound *in,
    const struct verdict *v, const char *code, void *arg)
{
	struct taking *k = arg;
	struct view view = {k->provider, k->ref, k->page};

	if (end == ENTRY_STORED || end == ENTRY_TWICE)
		show(a, k->post, k->channel, k->owner, &view);
	free(k);
}

/* "/model REF" of the person who clicked, in the conversation it is in. */
static void
take(struct account *a, struct inbound *click, const char *provider,
    const char *model, int64_t page)
{
	struct inbound *in = inbound_new(INBOUND_SLASH);
	struct taking *k;
	char *line;

	if ((k = calloc(1, sizeof(*k))) == NULL ||
	    asprintf(&line, "/model %s/%s", provider, model) == -1)
		fatal("calloc");
	k->a = a;
	k->page = page;
	ID_COPY(k->post, click->post_id);
	ID_COPY(k->channel, click->channel_id);
	ID_COPY(k->owner, click->actor_id);
	(void)strlcpy(k->provider, provider, sizeof(k->provider));
	(void)snprintf(k->ref, sizeof(k->ref), "%s/%s", provider, model);
	(void)strlcpy(in->account, a->id, sizeof(in->account));
	ID_COPY(in->actor_id, click->actor_id);
	ID_COPY(in->channel_id, click->channel_id);
	inbound_set(&in->actor_name, click->actor_name);
	inbound_set(&in->text, line);
	in->create_at = walltime_ms();
	/* Another choice is another event, also back to an earlier one. */
	(void)snprintf(in->event_id, sizeof(in->event_id), "%s:select:%lld",
	    click->post_id, (long long)in->create_at);
	free(line);
	entry_start(a, in, NULL, taken, k);
}

static void
say(struct cb_call *call, const char *text)
{
	struct json_object *o = json_object_new_object();

	if (text != NULL)
		add_str(o, "ephemeral_text", text);
	callback_reply(call, 200, o, NULL);
}

static int
is_there(const char *provider, const char *model)
{
	struct json_object *o;
	size_t i;

	for (i = 0; i < json_object_array_length(models); i++) {
		o = json_object_array_get_idx(models, i);
		if (strcmp(api_str(o, "provider"), provider) == 0 &&
		    strcmp(api_str(o, "id"), model) == 0)
			return 1;
	}
	return 0;
}

void
picker_click(struct account *a, struct cb_call *call, struct inbound *in,
    struct json_object *post)
{
	struct json_object *ctx = NULL;
	struct view v = {"", "", 1};
	const char *action, *provider, *model;
	char text[REF_MAX + 64];

	json_object_object_get_ex(callback_msg(call), "context", &ctx);
	json_object_get(ctx); /* the reply ends the call */
	action = api_str(ctx, "action");
	provider = api_str(ctx, "provider");
	model = api_str(ctx, "model");
	if (strcmp(api_str(ctx, "ownerUserId"), in->actor_id) != 0)
		say(call, "Only the person who opened this picker can use it.");
	else if (strcmp(action, "select") == 0 &&
	    !is_there(provider, model)) {
		snprintf(text, sizeof(text),
		    "That model is no longer available: %.100s/%.200s",
		    provider, model);
		say(call, text);
	} else if (strcmp(action, "select") == 0) {
		say(call, NULL);
		take(a, in, provider, model, api_int(ctx, "page"));
	} else {
		v.provider = strcmp(action, "list") == 0 ? provider : "";
		v.page = api_int(ctx, "page");
		v.current = api_str(ctx, "current");
		say(call, NULL);
		show(a, in->post_id, in->channel_id, in->actor_id, &v);
	}
	json_object_put(ctx);
	inbound_free(in);
}
