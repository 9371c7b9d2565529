#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/strbuf.h"
#include "workers/account/gate.h"
#include "workers/account/history/context.h"
#include "workers/account/mention.h"
#include "workers/account/normalise.h"
#include "workers/account/pipeline.h"
#include "workers/account/route.h"

/* One call of decide(). */
struct step {
	const struct policy *p;
	const struct bot_identity *bot;
	const struct channel_info *channel;
	const struct facts *facts;
	struct inbound *in;
	struct verdict *v;
	const struct agent *agent;
	struct normal_text text;
	struct gate gate;
};

static int
drop(struct step *s, enum reason reason, const char *rule)
{
	s->v->kind = VERDICT_DROP;
	s->v->reason = reason;
	s->v->stage = reason_stage(reason);
	(void)strlcpy(s->v->rule, rule, sizeof(s->v->rule));
	return -1;
}

/* One more of what decided. */
static void __attribute__((format(printf, 2, 3)))
rule_add(struct step *s, const char *fmt, ...)
{
	char *rule = s->v->rule;
	size_t n = strlen(rule);
	va_list ap;

	if (n > 0)
		n = strlcat(rule, "; ", RULE_SIZE);
	if (n >= RULE_SIZE)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(rule + n, RULE_SIZE - n, fmt, ap);
	va_end(ap);
}

static int
is_message(const struct inbound *in)
{
	return in->kind == INBOUND_POST || in->kind == INBOUND_EDIT;
}

static int
has_surface(const struct inbound *in)
{
	return in->kind != INBOUND_HOOK && in->kind != INBOUND_CRON;
}

/* What the event could not know, from the channel. */
static void
fill_in(struct step *s)
{
	const struct channel_info *c = s->channel;
	struct inbound *in = s->in;

	in->surface = has_surface(in) ? surface_find(c, in) : SURFACE_UNKNOWN;
	s->v->surface = in->surface;
	if (c == NULL)
		return;
	if (in->channel_name[0] == '\0')
		inbound_set(&in->channel_name, c->name);
	if (in->channel_display[0] == '\0')
		inbound_set(&in->channel_display, c->display);
	if (in->team_id[0] == '\0' && mm_id_valid(c->team_id))
		memcpy(in->team_id, c->team_id, MM_ID_SIZE);
}

static int
check_post(struct step *s)
{
	const struct inbound *in = s->in;

	if (in->kind <= INBOUND_NONE || in->kind >= INBOUND_KIND_MAX)
		return drop(s, REASON_UNKNOWN_KIND, "kind");
	if (has_surface(in) && in->kind != INBOUND_SLASH &&
	    !mm_id_valid(in->post_id))
		return drop(s, REASON_NO_POST_ID, "id");
	if (in->delete_at != 0)
		return drop(s, REASON_DELETED, "delete_at");
	if (strncmp(in->type, "system_", 7) == 0)
		return drop(s, REASON_SYSTEM_POST, "type");
	if (!normalise_is_unseen(in->type))
		return drop(s, REASON_TYPED_POST, "type");
	return 0;
}

static int
check_own(struct step *s)
{
	const struct inbound *in = s->in;

	/* Hooks and schedules are nobody's, and do not wait for a server. */
	if (!has_surface(in))
		return 0;
	if (!mm_id_valid(s->bot->user_id))
		return drop(s, REASON_ACTOR_UNKNOWN, "the bot's own id");
	if (strcmp(in->actor_id, s->bot->user_id) != 0)
		return 0;
	return drop(s,
	    in->kind == INBOUND_REACTION ? REASON_OWN_REACTION :
					   REASON_OWN_POST,
	    "user_id");
}

static int
check_age(struct step *s)
{
	const struct inbound *in = s->in;
	int64_t at = in->kind == INBOUND_EDIT ? in->edit_at : in->create_at;

	if (in->kind == INBOUND_EDIT && in->edit_at == 0)
		return drop(s, REASON_NOT_AN_EDIT, "edit_at");
	if (s->facts == NULL || s->facts->resumed)
		return 0;
	if (s->facts->missed && (s->p->max_age_ms == 0 ||
		s->facts->now - at > s->p->max_age_ms))
		return drop(s, REASON_TOO_OLD, "gapFill.maxAgeMinutes");
	return 0;
}

static int
check_surface(struct step *s)
{
	if (has_surface(s->in) && s->in->surface == SURFACE_UNKNOWN)
		return drop(s, REASON_UNKNOWN_SURFACE, "channel type");
	return 0;
}

/* The label and, where it says something else, the value. */
static int
click_text(char **text, const struct inbound *in, const char *who)
{
	const char *name = in->action_name[0] != '\0' ? in->action_name :
							in->action_id;
	int same = in->action_value[0] == '\0' ||
	    strcmp(in->action_value, name) == 0;

	return asprintf(text,
	    "[Button click: user @%s selected \"%s\"%s%s%s]", who, name,
	    same ? "" : " (value: \"", same ? "" : in->action_value,
	    same ? "" : "\")");
}

/* A text of our own for what has none. */
static char *
made_text(const struct inbound *in)
{
	const char *who =
	    in->actor_name[0] != '\0' ? in->actor_name : in->actor_id;
	char *text;
	int rc;

	if (in->kind == INBOUND_REACTION)
		rc = asprintf(&text,
		    "Mattermost reaction %s: :%s: by %s%s on post %s in "
		    "channel %s", in->removed ? "removed" : "added", in->emoji,
		    who == in->actor_name ? "@" : "", who, in->post_id,
		    in->channel_id);
	else
		rc = click_text(&text, in, who);
	if (rc == -1)
		fatal("asprintf");
	return text;
}

static void
read_text(struct step *s)
{
	struct inbound *in = s->in;
	const char *body = in->text;

	if (in->kind == INBOUND_REACTION || in->kind == INBOUND_BUTTON) {
		s->text.agent = made_text(in);
		inbound_set(&s->text.command, "");
		return;
	}
	if (is_message(in) && in->surface != SURFACE_DIRECT)
		s->gate.onchar = gate_onchar(s->p, in->text, &body);
	normalise_text(is_message(in) ? s->bot->username : "", in->text, body,
	    &s->text);
	if (s->p->text_commands || in->kind == INBOUND_SLASH)
		in->control_command =
		    command_parse(s->text.command, &s->v->command);
}

static int
check_policy(struct step *s)
{
	struct decision d = authorise(s->p, s->in);

	s->v->command_authorised = d.command_authorised;
	if (d.kind == DECISION_ALLOW) {
		rule_add(s, "%s", d.rule);
		return 0;
	}
	drop(s, d.reason, d.rule);
	if (d.kind == DECISION_PAIR) {
		s->v->kind = VERDICT_PAIR;
		return -1;
	}
	/* Strangers in a channel may be read, not answered. */
	s->v->history = is_message(s->in) &&
	    d.reason == REASON_NOT_IN_ALLOWLIST &&
	    s->in->surface != SURFACE_DIRECT &&
	    s->p->visibility == VISIBLE_ALL;
	return -1;
}

static void
find_agent(struct step *s)
{
	const struct inbound *in = s->in;

	if (!has_surface(in) && in->agent[0] != '\0')
		s->agent = route_find_agent(s->p, in->agent);
	else
		s->agent = route_agent(s->p, in->surface,
		    in->surface == SURFACE_DIRECT ? in->actor_id :
						    in->channel_id,
		    in->team_id);
}

int
inbound_of_bot(const struct inbound *in)
{
	return in->from_bot || in->from_webhook || in->actor_is_bot != TRI_NO;
}

void
inbound_root(
    const struct policy *p, const struct inbound *in, char out[MM_ID_SIZE])
{
	/* Slash commands and reactions belong to the conversation itself. */
	if (is_message(in) || in->kind == INBOUND_BUTTON)
		lane_root(lane_reply_mode(p, in->surface), in->surface,
		    in->post_id, in->root_id, out);
	else
		out[0] = '\0';
}

static int
participates(const struct step *s)
{
	const struct facts *f = s->facts;

	return f != NULL && f->participates != NULL &&
	    s->p->thread_participation && s->v->root[0] != '\0' &&
	    f->participates(f->arg, s->in->channel_id, s->v->root);
}

/* An edit is answered for the mention it adds, and nothing else. */
static int
check_edit(struct step *s, int applied)
{
	if (s->in->kind != INBOUND_EDIT)
		return 0;
	if (applied && (s->gate.mentioned || s->gate.onchar))
		return 0;
	return drop(s, REASON_EDIT_NO_MENTION, "edits need a new mention");
}

/* What says that a mention is required here, or is not. */
static const char *
mention_source(const struct step *s, char *buf, size_t size)
{
	enum tri said = s->facts != NULL ? s->facts->mention : TRI_UNKNOWN;

	if (said == TRI_UNKNOWN || s->in->surface == SURFACE_DIRECT)
		gate_source(s->p, s->in->surface, s->in->channel_id, buf,
		    size);
	else
		(void)snprintf(buf, size, "/activation %s",
		    said == TRI_YES ? "mention" : "always");
	return buf;
}

/* How it came through the gate. */
static void
rule_gate(struct step *s, int applied, int named)
{
	const struct gate *g = &s->gate;
	char buf[80];

	if (s->in->surface == SURFACE_DIRECT)
		return;
	rule_add(s, "%s%s", mention_source(s, buf, sizeof(buf)),
	    !applied	    ? "" :
		named	    ? ", the bot is mentioned" :
		g->mentioned ? ", a mention pattern of the agent fits" :
		g->onchar   ? ", a prefix of oncharPrefixes" :
		g->command  ? ", a control command of somebody who may" :
		g->implicit ? ", in a thread where the bot takes part" :
			      "");
}

static int
check_gate(struct step *s)
{
	struct inbound *in = s->in;
	int applied, named;
	char buf[80];

	if (!is_message(in)) {
		s->v->was_mentioned = in->kind == INBOUND_BUTTON ||
		    in->kind == INBOUND_SLASH;
		s->v->addressed = in->kind != INBOUND_REACTION;
		return 0;
	}
	applied = gate_applied(s->p, in->surface, in->channel_id);
	if (s->facts != NULL && s->facts->mention != TRI_UNKNOWN &&
	    in->surface != SURFACE_DIRECT)
		applied = s->facts->mention == TRI_YES;
	named = mention_find(s->bot->username, in->text);
	s->gate.mentioned = named ||
	    (s->agent != NULL && gate_patterns(s->p, in->channel_id) &&
		mention_by_pattern(s->agent, in->text));
	s->gate.command = in->control_command && s->v->command_authorised;
	if (applied && gate_check(1, &s->gate) != REASON_OK)
		s->gate.implicit = participates(s);
	s->v->was_mentioned = s->gate.mentioned;
	s->v->addressed = in->surface == SURFACE_DIRECT ||
	    gate_check(1, &s->gate) == REASON_OK;
	if (s->facts != NULL && s->facts->resumed)
		return 0;
	if (check_edit(s, applied) != 0)
		return -1;
	if (gate_check(applied, &s->gate) != REASON_OK) {
		s->v->history = 1;
		return drop(s, REASON_NO_MENTION,
		    mention_source(s, buf, sizeof(buf)));
	}
	rule_gate(s, applied, named);
	return 0;
}

static int
check_text(struct step *s)
{
	if (s->text.empty && s->in->n_files == 0)
		return drop(s, REASON_EMPTY_TEXT, "text");
	s->v->text = s->text.agent;
	s->v->raw = s->text.command;
	s->text.agent = s->text.command = NULL;
	if (s->text.empty)
		s->v->text[0] = '\0';
	return 0;
}

static enum command_id
directive_command(const struct directives *d)
{
	if (d->n > 0)
		return d->v[0].id;
	if (d->shortcuts & SHORTCUT_STATUS)
		return COMMAND_STATUS;
	if (d->shortcuts & SHORTCUT_WHOAMI)
		return COMMAND_WHOAMI;
	return d->shortcuts & SHORTCUT_HELP ? COMMAND_HELP : COMMAND_COMMANDS;
}

/* Settings within the text are not for the agent to read. */
static void
take_directives(struct step *s)
{
	struct verdict *v = s->v;
	struct directives d;
	char *rest;

	if (!v->command_authorised || !s->p->text_commands ||
	    !is_message(s->in) || v->command.spoken)
		return;
	rest = directives_take(v->text, &d);
	if ((d.n == 0 && d.shortcuts == 0) || (v->command.id != COMMAND_NONE &&
		(d.n == 0 || v->command.id != d.v[0].id))) {
		free(rest);
		return;
	}
	v->directives = d;
	if (normalise_is_unseen(rest) && s->in->n_files == 0) {
		v->command.id = directive_command(&d);
		free(rest);
		return;
	}
	memset(&v->command, 0, sizeof(v->command));
	free(v->text);
	v->text = rest;
}

/* What history needs to know of a message that is not answered. */
static void
fill_history(struct step *s)
{
	struct verdict *v = s->v;
	const struct inbound *in = s->in;

	find_agent(s);
	if (in->kind != INBOUND_POST || s->agent == NULL ||
	    (s->text.empty && in->n_files == 0)) {
		v->history = 0;
		return;
	}
	inbound_root(s->p, in, v->root);
	(void)strlcpy(v->agent, s->agent->id, sizeof(v->agent));
	session_keys(s->p, v->agent, in->surface, in->actor_id, in->channel_id,
	    v->root, &v->session);
	v->text = s->text.agent;
	s->text.agent = NULL;
	if (s->text.empty)
		v->text[0] = '\0';
}

/* A session of its own, or the one that was asked for, of its agent. */
static void
own_session(struct step *s)
{
	struct session_keys *k = &s->v->session;
	const struct inbound *in = s->in;
	char prefix[ACCOUNT_ID_SIZE + 8];

	session_keys(s->p, s->agent->id, SURFACE_DIRECT, "", "", "", k);
	(void)snprintf(prefix, sizeof(prefix), "agent:%s:", s->agent->id);
	if (in->session[0] == '\0')
		(void)snprintf(k->base, sizeof(k->base), "%s%s:%.160s", prefix,
		    inbound_kind_name(in->kind), in->event_id);
	else if (strncmp(in->session, prefix, strlen(prefix)) == 0)
		(void)strlcpy(k->base, in->session, sizeof(k->base));
	else
		(void)snprintf(k->base, sizeof(k->base), "%s%.250s", prefix,
		    in->session);
	(void)strlcpy(k->key, k->base, sizeof(k->key));
	lane_key(s->p->account, inbound_kind_name(in->kind), k->key,
	    s->v->lane);
}

static int
check_route(struct step *s)
{
	const struct inbound *in = s->in;
	struct verdict *v = s->v;

	if (s->agent == NULL)
		return drop(s, REASON_NO_AGENT, "bindings");
	(void)strlcpy(v->agent, s->agent->id, sizeof(v->agent));
	if (!has_surface(in)) {
		own_session(s);
		return 0;
	}
	session_keys(s->p, v->agent, in->surface, in->actor_id, in->channel_id,
	    v->root, &v->session);
	lane_key(s->p->account, in->channel_id, v->root, v->lane);
	return 0;
}

/* Two bots that talk to each other would never end. */
static int
check_loop(struct step *s)
{
	const struct facts *f = s->facts;
	const struct inbound *in = s->in;

	if (f == NULL || f->bot_turns == NULL || f->resumed ||
	    !is_message(in) || !inbound_of_bot(in) ||
	    f->bot_turns(f->arg, in->channel_id, s->v->root) < BOT_TURNS_MAX)
		return 0;
	return drop(s, REASON_BOT_LOOP, "10 turns of bots alone");
}

static void
accept(struct step *s)
{
	struct verdict *v = s->v;
	enum tri mentioned = v->was_mentioned ? TRI_YES : TRI_NO;

	v->kind = VERDICT_ACCEPT;
	v->reason = REASON_OK;
	v->stage = STAGE_TURN;
	v->runs = s->in->kind != INBOUND_REACTION;
	if (s->in->kind == INBOUND_EDIT)
		rule_add(s, "an edit added the mention");
	rule_add(s, "agent %s", v->agent);
	if (s->facts != NULL && s->facts->missed)
		rule_add(s, "missed while away, found by the gap fill");
	if (s->in->surface == SURFACE_DIRECT)
		mentioned = TRI_UNKNOWN;
	v->context = has_surface(s->in) ?
	    context_build(s->in, v->root, mentioned, s->p->zone) : strdup("");
	if (v->context == NULL)
		fatal("strdup");
}

void
decide(const struct policy *p, const struct bot_identity *bot,
    const struct channel_info *channel, const struct facts *facts,
    struct inbound *in, struct verdict *v)
{
	struct step s = {.p = p, .bot = bot, .channel = channel,
	    .facts = facts, .in = in, .v = v};

	memset(v, 0, sizeof(*v));
	in->control_command = 0;
	fill_in(&s);
	if (check_post(&s) != 0 || check_own(&s) != 0 || check_age(&s) != 0 ||
	    check_surface(&s) != 0)
		return;
	read_text(&s);
	if (check_policy(&s) == 0) {
		find_agent(&s);
		inbound_root(p, in, v->root);
		if (check_gate(&s) == 0 && check_text(&s) == 0 &&
		    check_route(&s) == 0 && check_loop(&s) == 0) {
			take_directives(&s);
			accept(&s);
		}
	}
	if (v->history)
		fill_history(&s);
	normal_text_free(&s.text);
	if (v->kind != VERDICT_ACCEPT)
		memset(&v->command, 0, sizeof(v->command));
}

void
verdict_clear(struct verdict *v)
{
	free(v->text);
	free(v->raw);
	free(v->context);
	memset(v, 0, sizeof(*v));
}
