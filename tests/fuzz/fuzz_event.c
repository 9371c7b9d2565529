#include "config.h"

#include <json-c/json.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "workers/account/decode.h"
#include "workers/account/echo.h"
#include "workers/account/pipeline.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define N_POLICIES 4

static const char open_config[] =
    "{\"account\":\"a\",\"groupPolicy\":\"open\",\"dmPolicy\":\"open\","
    "\"allowFrom\":[\"*\"],\"allowBots\":true,\"requireMention\":false,"
    "\"replyToMode\":\"all\"}";
static const char onchar_config[] =
    "{\"account\":\"a\",\"groupPolicy\":\"open\",\"chatmode\":\"onchar\","
    "\"dangerouslyAllowNameMatching\":true,\"allowFrom\":[\"wuser0\"],"
    "\"agents\":[{\"id\":\"m\",\"mentionPatterns\":[\"(a+)+$\",\"\\\\bm\"]}],"
    "\"replyToModeByChatType\":{\"direct\":\"all\"}}";
static const char closed_config[] =
    "{\"account\":\"a\",\"dmPolicy\":\"disabled\",\"groupPolicy\":"
    "\"disabled\"}";

static const char *const configs[N_POLICIES] = {
    "{\"account\":\"a\"}", open_config, onchar_config, closed_config,
};

static const struct policy *
policy_number(unsigned n)
{
	static struct policy *policies[N_POLICIES];
	struct json_object *o;
	const char *why;

	n %= N_POLICIES;
	if (policies[n] == NULL) {
		o = json_tokener_parse(configs[n]);
		policies[n] = policy_compile(o, &why);
		json_object_put(o);
		if (policies[n] == NULL)
			abort();
	}
	return policies[n];
}

/* What a verdict promises, whatever came in. */
static void
check_verdict(const struct policy *p, const struct inbound *in,
    const struct verdict *v)
{
	if (v->rule[0] == '\0' || v->reason == REASON_NONE ||
	    (v->kind == VERDICT_ACCEPT) != (v->reason == REASON_OK))
		abort();
	if (v->kind != VERDICT_ACCEPT)
		return;
	if (v->text == NULL || v->raw == NULL || v->context == NULL ||
	    v->agent[0] == '\0' || v->session.key[0] == '\0' ||
	    v->lane[0] == '\0' || v->surface == SURFACE_UNKNOWN)
		abort();
	if (p->group_policy == GROUPS_DISABLED &&
	    p->dm_policy == DM_DISABLED)
		abort();
	if (strlen(v->context) > 8192 || strlen(v->text) > MM_TEXT_MAX + 512)
		abort();
	if ((in->from_bot || in->from_webhook) && !p->allow_bots)
		abort();
}

/* What stands where an id does is one, or nothing. */
static void
check_ids(const struct inbound *in)
{
	const char *const ids[] = {in->actor_id, in->channel_id, in->team_id,
	    in->post_id, in->root_id};
	size_t i;

	for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		if (*ids[i] != '\0' && !mm_id_valid(ids[i]))
			abort();
	for (i = 0; i < in->n_files; i++)
		if (!mm_id_valid(in->file_ids[i]))
			abort();
	for (i = 0; i < in->n_mentions; i++)
		if (!mm_id_valid(in->mentions[i]))
			abort();
}

/* The decoder takes the last of such members, the echo the first. */
static int
says_twice(const char *bytes, size_t len)
{
	static const char *const members[] = {"\"event\":", "\"data\":",
	    "\"post\":", "\"seq\":", "\\\"id\\\":", "\\\"create_at\\\":",
	    "\\\"edit_at\\\":", "\\\"delete_at\\\":", "\\\"user_id\\\":",
	    "\\\"channel_id\\\":", "\\\"root_id\\\":", "\\\"type\\\":"};
	const char *at;
	size_t i, n;

	for (i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		n = strlen(members[i]);
		at = memmem(bytes, len, members[i], n);
		if (at != NULL && memmem(at + n,
			len - (size_t)(at + n - bytes), members[i], n) != NULL)
			return 1;
	}
	return 0;
}

/* Whoever takes it for an echo knows no more, and nothing else, than it says. */
static void
check_echo(const char *bytes, size_t len, const char *bot_id,
    const struct event *ev)
{
	const struct inbound *a, *b = ev->in;
	struct event echo;

	if (echo_read(bytes, len, "a", bot_id, &echo)) {
		a = echo.in;
		if (ev->type != EVENT_BAD && !says_twice(bytes, len) &&
		    (ev->type != echo.type ||
			ev->seq != echo.seq || ev->kind != echo.kind ||
			strcmp(a->actor_id, bot_id) != 0 ||
			strcmp(a->actor_id, b->actor_id) != 0 ||
			strcmp(a->event_id, b->event_id) != 0 ||
			strcmp(a->channel_id, b->channel_id) != 0 ||
			strcmp(a->root_id, b->root_id) != 0 ||
			a->create_at != b->create_at ||
			a->edit_at != b->edit_at || b->delete_at != 0 ||
			*b->type != '\0'))
			abort();
	} else if (echo.in != NULL)
		abort();
	event_clear(&echo);
}

/* The first byte chooses policy and circumstances, the rest is a frame. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct bot_identity bot = {
	    "y3pweijc5t88jb4jgfekr4tfmc", "wbot0"};
	const struct policy *p;
	struct facts facts = {.now = 1795341160956};
	struct event ev;
	struct verdict v;

	if (size == 0)
		return 0;
	p = policy_number(data[0]);
	facts.missed = data[0] & 0x10;
	facts.resumed = data[0] & 0x20;
	decode_message((const char *)data + 1, size - 1, "a", &ev);
	if (ev.type == EVENT_BAD && (ev.in != NULL || ev.reason == REASON_NONE))
		abort();
	check_echo((const char *)data + 1, size - 1, bot.user_id, &ev);
	if (ev.in != NULL) {
		if (data[0] & 0x40 && ev.in->actor_is_bot == TRI_UNKNOWN)
			ev.in->actor_is_bot = TRI_NO;
		check_ids(ev.in);
		decide(p, &bot, NULL, &facts, ev.in, &v);
		check_verdict(p, ev.in, &v);
		verdict_clear(&v);
	}
	event_clear(&ev);
	return 0;
}
