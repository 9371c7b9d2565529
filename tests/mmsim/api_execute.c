#include "config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <json-c/json.h>

#include "common/monotime.h"
#include "tests/mmsim/command.h"
#include "tests/mmsim/outgoing.h"
#include "tests/mmsim/props.h"
#include "tests/mmsim/sim.h"

/* One run: where its answers go, now or by its response_url. */
struct run {
	char hook[ID_LEN + 1];
	char id[ID_LEN + 1]; /* trigger_id of the client's answer */
	char *trigger;
	struct user *user;
	struct channel *channel;
	struct post *root;
	int uses;
	int64_t until;
	struct req *r;
};

static struct hmap runs; /* hook id -> run */

void
execute_reset(void)
{
	struct run *run;
	size_t pos = 0;

	while ((run = hmap_next(&runs, &pos)) != NULL) {
		free(run->trigger);
		free(run);
	}
	hmap_free(&runs);
	memset(&runs, 0, sizeof(runs));
}

static void
put_form(struct buf *b, const char *key, const char *s)
{
	static const char plain[] = "-_.~";

	buf_fmt(b, "%s%s=", b->len ? "&" : "", key);
	for (; *s; s++) {
		if (isalnum((unsigned char)*s) || strchr(plain, *s))
			buf_add(b, s, 1);
		else if (*s == ' ')
			buf_str(b, "+");
		else
			buf_fmt(b, "%%%02X", (unsigned char)*s);
	}
}

/* Names after mark in text that exist, each once: names and their ids. */
static void
put_mentions(struct buf *b, const char *text, char mark, const struct team *t,
    const char *key, const char *key_ids)
{
	struct buf ids = {0};
	struct channel *c;
	struct user *u;
	const char *p;
	char name[80];
	size_t n;

	for (p = text; (p = strchr(p, mark)) != NULL;) {
		n = strspn(++p, "abcdefghijklmnopqrstuvwxyz0123456789._-");
		if (n == 0 || n >= sizeof(name))
			continue;
		memcpy(name, p, n);
		name[n] = '\0';
		u = mark == '@' ? hmap_get(&st.usernames, name) : NULL;
		c = mark == '~' ? channel_by_name(t, name) : NULL;
		if (u == NULL && c == NULL)
			continue;
		put_form(b, key, name);
		put_form(&ids, key_ids, u ? u->id : c->id);
	}
	if (ids.len > 0)
		buf_fmt(b, "&%s", ids.p);
	buf_free(&ids);
}

static void
put_request(struct buf *b, const struct run *run, const struct command *c,
    const char *text, const char *trigger_id)
{
	struct buf tmp = {0};

	put_form(b, "channel_id", run->channel->id);
	put_mentions(b, text, '~', c->team, "channel_mentions",
	    "channel_mentions_ids");
	put_form(b, "channel_name", run->channel->name);
	buf_fmt(&tmp, "/%s", run->trigger);
	put_form(b, "command", tmp.p);
	tmp.len = 0;
	buf_fmt(&tmp, "%s/hooks/commands/%s", sim.url, run->hook);
	put_form(b, "response_url", tmp.p);
	buf_free(&tmp);
	put_form(b, "team_domain", c->team->name);
	put_form(b, "team_id", c->team->id);
	put_form(b, "text", text);
	put_form(b, "token", c->token);
	put_form(b, "trigger_id", trigger_id);
	put_form(b, "user_id", run->user->id);
	put_mentions(b, text, '@', c->team, "user_mentions",
	    "user_mentions_ids");
	put_form(b, "user_name", run->user->username);
}

static void
failed(struct req *r, const char *what, const char *before,
    const char *trigger, const char *after)
{
	struct buf id = {0}, text = {0};

	buf_fmt(&id, "api.command.execute_command.%s.app_error", what);
	buf_fmt(&text, "%s'%s'%s", before, trigger, after);
	api_error(r, 500, id.p, text.p);
	buf_free(&id);
	buf_free(&text);
}

/* {"attachments": ..} as it is stored, from a response, or NULL. */
static struct json_object *
response_props(struct json_object *resp)
{
	struct json_object *props = json_object_new_object(), *v;
	char *text;

	if (json_object_object_get_ex(resp, "props", &v) &&
	    json_object_is_type(v, json_type_object)) {
		json_object_object_foreach(v, key, val)
			json_object_object_add(props, key,
			    json_object_get(val));
	}
	json_object_object_add(props, "from_webhook",
	    json_object_new_string("true"));
	if (json_object_object_get_ex(resp, "attachments", &v) &&
	    json_object_is_type(v, json_type_array))
		json_object_object_add(props, "attachments",
		    json_object_get(v));
	text = props_store(props, -1);
	json_object_put(props);
	props = json_tokener_parse(text);
	free(text);
	return props;
}

/* The integrations of an ephemeral post become cookies. */
static void
make_cookies(struct json_object *props, struct channel *c)
{
	struct json_object *atts, *acts, *a, *in;
	size_t i, j;
	char *cookie;

	if (!json_object_object_get_ex(props, "attachments", &atts))
		return;
	for (i = 0; i < json_object_array_length(atts); i++) {
		if (!json_object_object_get_ex(
			json_object_array_get_idx(atts, i), "actions", &acts))
			continue;
		for (j = 0; j < json_object_array_length(acts); j++) {
			a = json_object_array_get_idx(acts, j);
			if (!json_object_object_get_ex(a, "integration", &in))
				continue;
			cookie = action_cookie(c, in);
			json_object_object_add(a, "cookie",
			    json_object_new_string(cookie));
			json_object_object_del(a, "integration");
			free(cookie);
		}
	}
}

static char *
props_text(struct json_object *props)
{
	struct buf b = {0};

	buf_value(&b, props);
	return buf_steal(&b);
}

static int
type_allowed(const char *type)
{
	return *type == '\0' || !strncmp(type, "custom_", 7) ||
	    !strcmp(type, "me") || !strcmp(type, "slack_attachment");
}

/*
 * One response: its post or its ephemeral message. props are given back for
 * the client's answer. 0: the post cannot be made.
 */
static int
respond(struct run *run, struct json_object *resp, struct json_object **propsp)
{
	struct json_object *props = response_props(resp), *v;
	const char *type = jstr(resp, "response_type");
	const char *ptype = jstr(resp, "type");
	struct channel *c = run->channel, *other;
	char *text, *said;
	int atts = json_object_object_get_ex(props, "attachments", &v);
	int ok = 1, raw;

	*propsp = props;
	raw = json_object_object_get_ex(resp, "skip_slack_parsing", &v) &&
	    json_object_get_boolean(v);
	said = slack_mentions(jstr(resp, "text"));
	text = raw ? xstrdup(jstr(resp, "text")) : slack_links(said);
	free(said);
	other = hmap_get(&st.channels, jstr(resp, "channel_id"));
	if (other != NULL && channel_member(other, run->user) != NULL)
		c = other;
	if (!strcmp(type, "in_channel") && (*text != '\0' || atts)) {
		ok = type_allowed(ptype) &&
		    utf8_runes(text) <= (size_t)sim.max_post_size;
		if (ok)
			post_publish(c, run->user, c == run->channel
				? run->root : NULL, text,
			    atts ? "slack_attachment" : ptype,
			    props_text(props), NULL, 1);
	} else if ((*type == '\0' || !strcmp(type, "ephemeral")) &&
	    (*text != '\0' || atts)) {
		make_cookies(props, c);
		said = props_text(props);
		ephemeral_send(run->user, c, run->root ? run->root->id : "",
		    text, said);
		free(said);
	}
	free(text);
	return ok;
}

/* A CommandResponse as the client sees it, all keys there. */
static void
render_response(struct buf *b, struct json_object *resp, const char *trigger,
    struct json_object *props)
{
	struct json_object *v = NULL, *x;
	char *said = slack_mentions(jstr(resp, "text"));
	size_t i;

	buf_str(b, "{");
	buf_kstr(b, "response_type", jstr(resp, "response_type"));
	json_object_object_get_ex(resp, "skip_slack_parsing", &v);
	buf_kstr(b, "text", json_object_get_boolean(v) ? jstr(resp, "text")
						       : said);
	buf_kstr(b, "username", jstr(resp, "username"));
	buf_kstr(b, "channel_id", jstr(resp, "channel_id"));
	buf_kstr(b, "icon_url", jstr(resp, "icon_url"));
	buf_kstr(b, "type", jstr(resp, "type"));
	buf_str(b, ",\"props\":");
	buf_value(b, json_object_object_get(resp, "props"));
	buf_kstr(b, "goto_location", jstr(resp, "goto_location"));
	buf_kstr(b, "trigger_id", trigger);
	buf_kbool(b, "skip_slack_parsing", json_object_get_boolean(v));
	buf_str(b, ",\"attachments\":");
	if (props != NULL && json_object_object_get_ex(props, "attachments", &x))
		buf_str(b, json_object_to_json_string_ext(x,
		    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	else
		buf_str(b, "null");
	buf_str(b, ",\"extra_responses\":");
	x = json_object_object_get(resp, "extra_responses");
	if (json_object_is_type(x, json_type_array)) {
		for (i = 0; i < json_object_array_length(x); i++) {
			buf_str(b, i ? "," : "[");
			render_response(b, json_object_array_get_idx(x, i), "",
			    NULL);
		}
		buf_str(b, "]");
	} else
		buf_str(b, "null");
	buf_str(b, "}");
	free(said);
}

static int
is_json(const char *ctype)
{
	return ctype != NULL && !strncasecmp(ctype, "application/json", 16) &&
	    (ctype[16] == '\0' || strchr("; ", ctype[16]) != NULL);
}

/* The response in a body of that type; -1 when it is not one. */
static int
response_parse(const char *ctype, const char *body, size_t len,
    struct json_object **o)
{
	*o = NULL;
	if (is_json(ctype)) {
		if (len == 0 || json_first(body, len, o) == -1)
			return -1;
		if (*o == NULL)
			*o = json_object_new_object();
		return json_object_is_type(*o, json_type_object) ? 0 : -1;
	}
	*o = json_object_new_object();
	json_object_object_add(*o, "text",
	    json_object_new_string_len(body, (int)len));
	return 0;
}

/* All of a response: itself and the further ones. 0: not possible. */
static int
respond_all(struct run *run, struct json_object *resp,
    struct json_object **props)
{
	struct json_object *x, *more;
	size_t i;

	if (!respond(run, resp, props))
		return 0;
	x = json_object_object_get(resp, "extra_responses");
	for (i = 0; json_object_is_type(x, json_type_array) &&
	     i < json_object_array_length(x); i++) {
		respond(run, json_object_array_get_idx(x, i), &more);
		json_object_put(more);
	}
	return 1;
}

static void
executed(const struct outgoing_reply *a, void *arg)
{
	struct json_object *o = NULL, *props = NULL;
	struct run *run = arg;
	struct req *r = run->r;
	struct buf b = {0};

	run->r = NULL;
	if (a->status != 0 && a->status != 200) {
		buf_fmt(&b, " returned response %s.", a->line);
		failed(r, "failed_resp", "Command with a trigger of ",
		    run->trigger, b.p);
		buf_free(&b);
	} else if (a->status == 0 ||
	    response_parse(a->ctype, a->body, a->len, &o) == -1)
		failed(r, "failed", "Command with a trigger of ",
		    run->trigger, " failed.");
	else if (!respond_all(run, o, &props))
		failed(r, "create_post_failed", "Command ", run->trigger,
		    " failed to post response. Please contact your System "
		    "Administrator.");
	else {
		render_response(&b, o, run->id, props);
		api_json(r, 200, &b);
	}
	json_object_put(o);
	json_object_put(props);
}

static void
run_start(struct req *r, struct command *c, struct channel *ch,
    struct post *root, const char *text)
{
	struct run *run = xcalloc(1, sizeof(*run));
	struct buf form = {0}, url = {0};
	char *trigger;

	id_new(run->hook);
	run->trigger = xstrdup(c->trigger);
	run->user = r->user;
	run->channel = ch;
	run->root = root;
	run->r = r;
	run->until = walltime_ms() + RESPONSE_URL_S * 1000;
	hmap_put(&runs, run->hook, run);
	trigger = trigger_new(r->user, run->id);
	put_request(&form, run, c, text, trigger);
	free(trigger);
	if (*c->method == 'G') {
		buf_fmt(&url, "%s%c%s", c->url, strchr(c->url, '?') ? '&' : '?',
		    form.p);
		outgoing_call("GET", url.p, NULL, c->token, NULL, 0, executed,
		    run);
		buf_free(&url);
	} else
		outgoing_call("POST", c->url,
		    "application/x-www-form-urlencoded", c->token, form.p,
		    form.len, executed, run);
	buf_free(&form);
}

/* The team in which the channel's commands are looked up. */
static struct team *
team_of(struct req *r, struct json_object *o, struct channel *c)
{
	struct team *t = c->team;

	if (t == NULL) {
		t = hmap_get(&st.teams, jstr(o, "team_id"));
		if (t != NULL && team_member(t, r->user) == NULL)
			t = NULL;
	}
	if (t == NULL)
		api_forbidden(r);
	return t;
}

void
command_execute(struct req *r)
{
	struct json_object *o = req_json(r);
	const char *line = jstr(o, "command"), *root;
	struct channel *ch = hmap_get(&st.channels, jstr(o, "channel_id"));
	struct command *c = NULL;
	struct team *t;
	struct buf trig = {0}, text = {0};
	size_t i, n = strcspn(line, " \t\r\n\v\f");

	if (o == NULL || line[0] != '/' || line[1] == '\0')
		api_bad_body(r, "command");
	else if (ch == NULL || channel_member(ch, r->user) == NULL)
		api_forbidden(r);
	else if ((t = team_of(r, o, ch)) != NULL) {
		buf_str(&trig, "");
		for (i = 1; i < n; i++) {
			char low = (char)tolower((unsigned char)line[i]);

			buf_add(&trig, &low, 1);
		}
		c = trig.p ? command_find(t, trig.p) : NULL;
		root = *jstr(o, "root_id") ? jstr(o, "root_id")
					   : jstr(o, "parent_id");
		if (c != NULL)
			run_start(r, c, ch, post_by_id(root),
			    line[n] ? line + n + 1 : "");
		else {
			buf_fmt(&text, "Command with a trigger of '%s' not "
			    "found. To send a message beginning with \"/\", "
			    "try adding an empty space at the beginning of "
			    "the message.", trig.p ? trig.p : "");
			api_error(r, 404, "api.command.execute_command."
			    "not_found.app_error", text.p);
		}
	}
	buf_free(&trig);
	buf_free(&text);
	json_object_put(o);
}

void
command_webhook(struct req *r)
{
	struct run *run = hmap_get(&runs, r->arg[0]);
	struct json_object *o = NULL, *props = NULL;

	if (run == NULL || run->until < walltime_ms())
		api_error(r, 404, "app.command_webhook.get.missing",
		    "Unable to get the webhook.");
	else if (run->uses >= RESPONSE_URL_USES)
		api_error(r, 400, "app.command_webhook.try_use.invalid",
		    "Invalid webhook.");
	else if (response_parse(req_header(r, "Content-Type"), r->body,
		r->body_len, &o) == -1)
		api_error(r, 400, "web.command_webhook.parse.app_error",
		    "Unable to parse incoming data.");
	else {
		run->uses++;
		respond_all(run, o, &props);
		r->status = 200;
		http_reply(r, 200, "text/plain", "ok", 2);
	}
	json_object_put(o);
	json_object_put(props);
}
