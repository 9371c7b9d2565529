#include "config.h"

#include <string.h>

#include "common/monotime.h"
#include "tests/mmsim/events.h"
#include "tests/mmsim/render.h"
#include "tests/mmsim/sim.h"
#include "tests/mmsim/ws.h"

static void
put_bcast(struct buf *b, const struct bcast *to)
{
	buf_str(b, ",\"broadcast\":{\"omit_users\":");
	if (to->omit != NULL)
		buf_fmt(b, "{\"%s\":true}", to->omit->id);
	else
		buf_str(b, "null");
	buf_kstr(b, "user_id", to->user ? to->user->id : "");
	buf_kstr(b, "channel_id", to->channel ? to->channel->id : "");
	buf_kstr(b, "team_id", to->team ? to->team->id : "");
	buf_str(b, "}");
}

static struct wsevent *
event_make(const char *name, const char *data, const struct bcast *to)
{
	int minor = !strcmp(name, "typing") ||
	    !strcmp(name, "status_change") || !strcmp(name, "channel_viewed");
	struct buf b = {0};
	struct wsevent *ev;

	buf_str(&b, "{");
	buf_kstr(&b, "event", name);
	buf_str(&b, ",\"data\":");
	buf_str(&b, data);
	put_bcast(&b, to);
	ev = wsevent_new(b.p, b.len, minor);
	buf_free(&b);
	return ev;
}

static void
to_user(const struct user *u, struct wsevent *ev, const struct bcast *to)
{
	struct wsrec *r, *next;

	if (u == to->omit || (to->audience == TO_ADMINS && !u->is_admin) ||
	    (to->audience == TO_OTHERS && u->is_admin))
		return;
	for (r = LIST_FIRST(&u->recs); r != NULL; r = next) {
		next = LIST_NEXT(r, link);
		rec_send(r, ev);
	}
}

/* Over the members or over the connected, whichever are fewer. */
static void
to_channel(const struct channel *c, struct wsevent *ev, const struct bcast *to)
{
	struct wsrec *r, *next;
	size_t i;

	if (c->nmembers <= rec_count()) {
		for (i = 0; i < c->nmembers; i++)
			to_user(c->member[i]->user, ev, to);
		return;
	}
	for (r = rec_first(); r != NULL; r = next) {
		next = LIST_NEXT(r, all);
		if (r->listed && r == LIST_FIRST(&r->user->recs) &&
		    channel_member(c, r->user) != NULL)
			to_user(r->user, ev, to);
	}
}

void
event_publish(const char *name, const char *data, const struct bcast *to)
{
	struct wsevent *ev = event_make(name, data, to);
	size_t i;

	sim.events++;
	if (to->user != NULL)
		to_user(to->user, ev, to);
	else if (to->channel != NULL)
		to_channel(to->channel, ev, to);
	else if (to->team != NULL)
		for (i = 0; i < to->team->nmembers; i++)
			to_user(to->team->member[i]->user, ev, to);
	else
		for (i = 0; i < st.nusers; i++)
			to_user(st.user[i], ev, to);
	wsevent_unref(ev);
}

struct wsevent *
event_hello(const struct user *u, const char *connection_id)
{
	struct bcast to = {.user = u};
	struct buf b = {0};
	struct wsevent *ev;

	buf_str(&b, "{");
	buf_kstr(&b, "connection_id", connection_id);
	buf_kstr(&b, "server_version", sim.version_id);
	buf_str(&b, "}");
	ev = event_make("hello", b.p, &to);
	buf_free(&b);
	return ev;
}

static void
put_channel_name(struct buf *b, const struct post *p)
{
	const struct channel *c = p->channel;
	char type[2] = {c->type, '\0'};

	if (c->type == 'D') {
		buf_fmt(b, "\"channel_display_name\":\"@%s\"",
		    p->user->username);
	} else
		buf_kstr(b, "channel_display_name", c->display_name);
	buf_kstr(b, "channel_name", c->name);
	buf_kstr(b, "channel_type", type);
}

void
event_posted(const struct post *p, const char *mentions, int set_online)
{
	struct bcast to = {.channel = p->channel};
	struct buf b = {0}, post = {0};
	int image = 0;
	size_t i;

	for (i = 0; i < p->nfiles; i++)
		image |= !strncmp(p->file[i]->mime, "image/", 6);
	render_post(&post, p, RENDER_NEW);
	buf_str(&b, "{");
	put_channel_name(&b, p);
	if (image)
		buf_kstr(&b, "image", "true");
	if (mentions != NULL)
		buf_kstr(&b, "mentions", mentions);
	if (p->nfiles > 0)
		buf_kstr(&b, "otherFile", "true");
	buf_str(&b, ",\"post\":");
	buf_json(&b, post.p, post.len);
	if (!strncmp(p->type, "system_", 7))
		buf_kstr(&b, "sender_name", "System");
	else
		buf_fmt(&b, ",\"sender_name\":\"@%s\"", p->user->username);
	buf_kbool(&b, "set_online", set_online);
	buf_kstr(&b, "team_id", p->channel->team ? p->channel->team->id : "");
	buf_str(&b, "}");
	event_publish("posted", b.p, &to);
	buf_free(&b);
	buf_free(&post);
}

void
event_post(const char *name, const struct post *p,
    const struct user *deleted_by)
{
	struct bcast to = {.channel = p->channel,
	    .audience = deleted_by ? TO_OTHERS : TO_ALL};
	struct buf b = {0}, post = {0};

	render_post(&post, p, RENDER_NEW);
	buf_str(&b, "{\"post\":");
	buf_json(&b, post.p, post.len);
	buf_str(&b, "}");
	event_publish(name, b.p, &to);
	if (deleted_by != NULL) {
		b.len = 0;
		buf_str(&b, "{");
		buf_kstr(&b, "delete_by", deleted_by->id);
		buf_str(&b, ",\"post\":");
		buf_json(&b, post.p, post.len);
		buf_str(&b, "}");
		to.audience = TO_ADMINS;
		event_publish(name, b.p, &to);
	}
	buf_free(&b);
	buf_free(&post);
}

void
event_reaction(const char *name, const struct post *p,
    const struct reaction *x)
{
	struct bcast to = {.channel = p->channel};
	struct buf b = {0}, r = {0};

	render_reaction(&r, p, x);
	buf_str(&b, "{\"reaction\":");
	buf_json(&b, r.p, r.len);
	buf_str(&b, "}");
	event_publish(name, b.p, &to);
	buf_free(&b);
	buf_free(&r);
}

void
event_typing(const struct channel *c, const struct user *u, const char *parent)
{
	struct bcast to = {.channel = c, .omit = u};
	struct buf b = {0};

	buf_str(&b, "{");
	buf_kstr(&b, "parent_id", parent);
	buf_kstr(&b, "user_id", u->id);
	buf_str(&b, "}");
	event_publish("typing", b.p, &to);
	buf_free(&b);
}

void
event_user_updated(const struct user *u)
{
	struct bcast to = {0};
	struct buf b = {0};

	buf_str(&b, "{\"user\":");
	render_user(&b, u, 0);
	buf_str(&b, "}");
	event_publish("user_updated", b.p, &to);
	buf_free(&b);
}

void
event_user_added(const struct channel *c, const struct user *u)
{
	struct bcast to = {.channel = c};
	struct buf b = {0};

	buf_str(&b, "{");
	buf_kstr(&b, "team_id", c->team ? c->team->id : "");
	buf_kstr(&b, "user_id", u->id);
	buf_str(&b, "}");
	event_publish("user_added", b.p, &to);
	buf_free(&b);
}

void
event_user_removed(const struct channel *c, struct user *u,
    const struct user *remover)
{
	struct bcast to = {.channel = c};
	struct buf b = {0};

	buf_str(&b, "{");
	buf_kstr(&b, "remover_id", remover->id);
	buf_kstr(&b, "user_id", u->id);
	buf_str(&b, "}");
	event_publish("user_removed", b.p, &to);
	b.len = 0;
	buf_str(&b, "{");
	buf_kstr(&b, "channel_id", c->id);
	buf_kstr(&b, "remover_id", remover->id);
	buf_str(&b, "}");
	to = (struct bcast){.user = u};
	event_publish("user_removed", b.p, &to);
	buf_free(&b);
}

void
event_channel_viewed(const struct channel *c, const struct user *u)
{
	struct bcast to = {.user = u};
	struct buf b = {0};

	buf_str(&b, "{");
	buf_kstr(&b, "channel_id", c->id);
	buf_str(&b, "}");
	event_publish("channel_viewed", b.p, &to);
	buf_free(&b);
}

void
status_set(struct user *u, const char *status, int manual)
{
	struct bcast to = {.user = u};
	struct buf b = {0};
	int changed = strcmp(u->status, status) != 0;

	if (u->status_manual && !manual && strcmp(status, "offline") != 0)
		return;
	u->status = status;
	u->status_manual = manual;
	u->last_activity = walltime_ms();
	if (!changed && !manual)
		return;
	buf_str(&b, "{");
	buf_kstr(&b, "status", status);
	buf_kstr(&b, "user_id", u->id);
	buf_str(&b, "}");
	event_publish("status_change", b.p, &to);
	buf_free(&b);
}
