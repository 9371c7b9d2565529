#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "common/monotime.h"
#include "tests/mmsim/api.h"
#include "tests/mmsim/events.h"

#define NAME_MAX_LEN 64

struct found {
	struct user *user[64];
	size_t n;
	int channel; /* @channel or @all */
	int here;
};

static int
name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

static void
found_add(struct found *f, struct user *u)
{
	size_t i;

	for (i = 0; i < f->n; i++)
		if (f->user[i] == u)
			return;
	if (f->n < sizeof(f->user) / sizeof(f->user[0]))
		f->user[f->n++] = u;
}

/* name: lower case. 1 when it means someone. */
static int
resolve(struct found *f, const char *name)
{
	struct user *u;

	if (!strcmp(name, "channel") || !strcmp(name, "all"))
		return f->channel = 1;
	if (!strcmp(name, "here"))
		return f->here = 1;
	u = hmap_get(&st.usernames, name);
	if (u == NULL)
		return 0;
	found_add(f, u);
	return 1;
}

/* After "@": the longest known name, trailing punctuation taken off. */
static const char *
mention(struct found *f, const char *p)
{
	char name[NAME_MAX_LEN + 1];
	size_t n = 0;

	while (name_char(p[n]) && n < NAME_MAX_LEN) {
		name[n] = p[n] >= 'A' && p[n] <= 'Z' ? p[n] + 32 : p[n];
		n++;
	}
	p += n;
	for (; n > 0; n--) {
		name[n] = '\0';
		if (resolve(f, name) || !strchr("._-", name[n - 1]))
			break;
	}
	return p;
}

/* The end of the code that starts at p with n backticks, or p + n. */
static const char *
skip_code(const char *p)
{
	size_t n = strspn(p, "`"), run;
	const char *q = p + n;

	while ((q = strchr(q, '`')) != NULL) {
		run = strspn(q, "`");
		if (run == n)
			return q + run;
		q += run;
	}
	return p + n;
}

static void
scan(struct found *f, const char *text)
{
	const char *p = text;

	while (*p) {
		if (*p == '`') {
			p = skip_code(p);
		} else if (*p == '@' && (p == text || !name_char(p[-1]))) {
			p = mention(f, p + 1);
		} else
			p++;
	}
}

static void
put_id(struct buf *b, const char *id)
{
	if (strstr(b->p, id) == NULL)
		buf_fmt(b, "%s\"%s\"", b->len > 1 ? "," : "", id);
}

static void
put_members(struct buf *b, const struct post *p, int online_only)
{
	const struct channel *c = p->channel;
	struct user *u;
	size_t i;

	for (i = 0; i < c->nmembers; i++) {
		u = c->member[i]->user;
		if (u != p->user && !u->delete_at &&
		    (!online_only || !strcmp(u->status, "online")))
			put_id(b, u->id);
	}
}

char *
mentions_of(const struct post *p, const char *added_id)
{
	struct channel *c = p->channel;
	struct found f = {0};
	struct buf b = {0};
	size_t i;

	if (added_id == NULL && c->type != 'D' &&
	    strchr(p->message, '@') == NULL)
		return NULL;
	buf_str(&b, "[");
	if (added_id != NULL)
		put_id(&b, added_id);
	if (c->type == 'D') {
		put_members(&b, p, 0);
	} else {
		scan(&f, p->message);
		for (i = 0; i < f.n; i++)
			if (f.user[i] != p->user && !f.user[i]->delete_at &&
			    channel_member(c, f.user[i]) != NULL)
				put_id(&b, f.user[i]->id);
		if (f.channel || f.here)
			put_members(&b, p, !f.channel);
	}
	buf_str(&b, "]");
	if (b.len == 2)
		buf_free(&b);
	return b.p;
}

static void
ephemeral(const struct post *p, const char *ids, const char *names,
    const char *text)
{
	struct bcast to = {.channel = p->channel, .user = p->user};
	struct buf b = {0}, d = {0};
	char id[ID_LEN + 1];

	id_new(id);
	buf_fmt(&b, "{\"id\":\"%s\",\"create_at\":%lld,\"update_at\":0,"
	    "\"edit_at\":0,\"delete_at\":0,\"is_pinned\":false,"
	    "\"user_id\":\"\",\"channel_id\":\"%s\"", id,
	    (long long)walltime_ms(), p->channel->id);
	buf_kstr(&b, "root_id", p->root ? p->root->id : "");
	buf_kstr(&b, "parent_id", p->root ? p->root->id : "");
	buf_kstr(&b, "original_id", "");
	buf_kstr(&b, "message", text);
	buf_fmt(&b, ",\"type\":\"system_ephemeral\",\"props\":{"
	    "\"add_channel_member\":{\"not_in_channel_user_ids\":[%s],"
	    "\"not_in_channel_usernames\":[%s],\"not_in_groups_user_ids\":[],"
	    "\"not_in_groups_usernames\":[],\"post_id\":\"%s\","
	    "\"user_ids\":[%s],\"usernames\":[%s]}},\"hashtags\":\"\","
	    "\"pending_post_id\":\"\",\"reply_count\":0,\"last_reply_at\":0,"
	    "\"participants\":null,\"metadata\":{}}",
	    ids, names, id, ids, names);
	buf_str(&d, "{\"post\":");
	buf_json(&d, b.p, b.len);
	buf_str(&d, "}");
	event_publish("ephemeral_message", d.p, &to);
	buf_free(&b);
	buf_free(&d);
}

void
mentions_outside(const struct post *p)
{
	struct channel *c = p->channel;
	struct found f = {0};
	struct buf ids = {0}, names = {0}, text = {0};
	size_t i, n = 0;

	if (c->team == NULL || p->user->is_bot ||
	    strchr(p->message, '@') == NULL)
		return;
	scan(&f, p->message);
	for (i = 0; i < f.n; i++) {
		if (f.user[i]->is_bot || f.user[i]->delete_at ||
		    channel_member(c, f.user[i]) != NULL ||
		    team_member(c->team, f.user[i]) == NULL)
			continue;
		buf_fmt(&ids, "%s\"%s\"", n ? "," : "", f.user[i]->id);
		buf_fmt(&names, "%s\"%s\"", n ? "," : "",
		    f.user[i]->username);
		buf_fmt(&text, "%s@%s", n ? ", " : "", f.user[i]->username);
		n++;
	}
	if (n == 0)
		return;
	buf_str(&text, " did not get notified by this mention because they "
	    "are not in the channel.");
	ephemeral(p, ids.p, names.p, text.p);
	buf_free(&ids);
	buf_free(&names);
	buf_free(&text);
}
