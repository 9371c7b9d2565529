#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>

#include "common/log.h"
#include "common/monotime.h"
#include "tests/mmsim/http.h"
#include "tests/mmsim/state.h"

struct state st;

/* xorshift64*: ids need to be unlike, not unguessable. */
static uint64_t
rnd(void)
{
	static uint64_t s;

	if (s == 0)
		arc4random_buf(&s, sizeof(s));
	s ^= s >> 12;
	s ^= s << 25;
	s ^= s >> 27;
	return s * 0x2545f4914f6cdd1du;
}

void
id_new(char id[ID_LEN + 1])
{
	static const char set[] = "ybndrfg8ejkmcpqxot1uwisza345h769";
	uint64_t r = 0;
	int i;

	for (i = 0; i < ID_LEN; i++) {
		if (i % 12 == 0)
			r = rnd();
		id[i] = set[r & 31];
		r >>= 5;
	}
	id[ID_LEN] = '\0';
}

int
id_valid(const char *s)
{
	size_t i;

	for (i = 0; s[i] != '\0'; i++)
		if (!((s[i] >= 'a' && s[i] <= 'z') ||
			(s[i] >= '0' && s[i] <= '9')))
			return 0;
	return i == ID_LEN;
}

int64_t
tick_ms(void)
{
	int64_t now = walltime_ms() + http_clock_ms;

	if (now <= st.last_ms)
		now = st.last_ms + 1;
	st.last_ms = now;
	return now;
}

struct user *
user_new(const char *name, const char *email, const char *pw)
{
	struct user *u = xcalloc(1, sizeof(*u));

	id_new(u->id);
	u->username = xstrdup(name);
	u->email = xstrdup(email);
	u->password = xstrdup(pw);
	u->first_name = xstrdup("");
	u->last_name = xstrdup("");
	u->nickname = xstrdup("");
	u->bot_description = xstrdup("");
	u->roles = xstrdup("system_user");
	u->create_at = u->update_at = tick_ms();
	u->status = "offline";
	LIST_INIT(&u->recs);
	hmap_put(&st.users, u->id, u);
	hmap_put(&st.usernames, u->username, u);
	hmap_put(&st.emails, u->email, u);
	st.user = xgrow(st.user, &st.capusers, st.nusers + 1,
	    sizeof(*st.user));
	st.user[st.nusers++] = u;
	return u;
}

struct session *
session_new(struct user *u, int is_pat)
{
	struct session *s = xcalloc(1, sizeof(*s));

	id_new(s->token);
	id_new(s->id);
	s->user = u;
	s->is_pat = is_pat;
	s->description = xstrdup("");
	hmap_put(&st.sessions, s->token, s);
	hmap_put(&st.tokens, s->id, s);
	return s;
}

struct session *
session_find(const char *token)
{
	struct session *s = hmap_get(&st.sessions, token);

	if (s == NULL || s->disabled || s->revoked || s->user->delete_at)
		return NULL;
	return s;
}

struct team *
team_new(const char *name, const char *display, const char *type)
{
	struct team *t = xcalloc(1, sizeof(*t));

	id_new(t->id);
	id_new(t->invite_id);
	t->name = xstrdup(name);
	t->display_name = xstrdup(display);
	t->type = xstrdup(type);
	t->create_at = t->update_at = tick_ms();
	hmap_put(&st.teams, t->id, t);
	hmap_put(&st.teamnames, t->name, t);
	st.team = xgrow(st.team, &st.capteams, st.nteams + 1,
	    sizeof(*st.team));
	st.team[st.nteams++] = t;
	return t;
}

struct tmember *
team_member(const struct team *t, const struct user *u)
{
	return hmap_get(&t->members, u->id);
}

struct tmember *
team_join(struct team *t, struct user *u)
{
	struct tmember *m = team_member(t, u);

	if (m != NULL)
		return m;
	m = xcalloc(1, sizeof(*m));
	m->team = t;
	m->user = u;
	hmap_put(&t->members, u->id, m);
	t->member = xgrow(t->member, &t->capmembers, t->nmembers + 1,
	    sizeof(*t->member));
	t->member[t->nmembers++] = m;
	u->team = xgrow(u->team, &u->capteams, u->nteams + 1,
	    sizeof(*u->team));
	u->team[u->nteams++] = m;
	return m;
}

static void
array_remove(void **a, size_t *n, void *p)
{
	size_t i;

	for (i = 0; i < *n; i++) {
		if (a[i] != p)
			continue;
		memmove(a + i, a + i + 1, (*n - i - 1) * sizeof(*a));
		(*n)--;
		return;
	}
}

void
team_part(struct team *t, struct user *u)
{
	struct tmember *m = hmap_del(&t->members, u->id);

	if (m == NULL)
		return;
	array_remove((void **)t->member, &t->nmembers, m);
	array_remove((void **)u->team, &u->nteams, m);
	free(m);
}

struct channel *
channel_new(struct team *t, char type, const char *name, const char *display)
{
	struct channel *c = xcalloc(1, sizeof(*c));

	id_new(c->id);
	c->team = t;
	c->type = type;
	c->name = xstrdup(name);
	c->display_name = xstrdup(display);
	c->header = xstrdup("");
	c->purpose = xstrdup("");
	c->create_at = c->update_at = c->etag_at = tick_ms();
	hmap_put(&st.channels, c->id, c);
	if (t == NULL) {
		hmap_put(&st.directs, c->name, c);
		return c;
	}
	hmap_put(&t->channels, c->name, c);
	t->channel = xgrow(t->channel, &t->capchannels, t->nchannels + 1,
	    sizeof(*t->channel));
	t->channel[t->nchannels++] = c;
	return c;
}

struct channel *
channel_by_name(const struct team *t, const char *name)
{
	char low[128];
	size_t i;

	for (i = 0; name[i] != '\0' && i < sizeof(low) - 1; i++)
		low[i] = name[i] >= 'A' && name[i] <= 'Z' ? name[i] + 32
							  : name[i];
	low[i] = '\0';
	return hmap_get(&t->channels, low);
}

struct channel *
channel_direct(struct user *a, struct user *b, int *made)
{
	char name[2 * ID_LEN + 3];
	struct channel *c;
	int swap = strcmp(a->id, b->id) > 0;

	snprintf(name, sizeof(name), "%s__%s", swap ? b->id : a->id,
	    swap ? a->id : b->id);
	c = hmap_get(&st.directs, name);
	*made = c == NULL;
	if (c != NULL)
		return c;
	c = channel_new(NULL, 'D', name, "");
	memcpy(c->creator_id, a->id, sizeof(c->creator_id));
	channel_join(c, a);
	if (a != b)
		channel_join(c, b);
	return c;
}

static int
by_id(const void *a, const void *b)
{
	return strcmp((*(struct user *const *)a)->id,
	    (*(struct user *const *)b)->id);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp((*(struct user *const *)a)->username,
	    (*(struct user *const *)b)->username);
}

struct channel *
channel_group(struct user **u, size_t n, int *made)
{
	unsigned char md[SHA_DIGEST_LENGTH];
	struct buf b = {0};
	struct channel *c;
	char name[41];
	size_t i;

	qsort(u, n, sizeof(*u), by_id);
	for (i = 0; i < n; i++)
		buf_str(&b, u[i]->id);
	SHA1((unsigned char *)b.p, b.len, md);
	buf_free(&b);
	for (i = 0; i < sizeof(md); i++)
		snprintf(name + 2 * i, 3, "%02x", md[i]);
	c = hmap_get(&st.directs, name);
	*made = c == NULL;
	if (c != NULL)
		return c;
	qsort(u, n, sizeof(*u), by_name);
	for (i = 0; i < n; i++)
		buf_fmt(&b, "%s%s", i ? ", " : "", u[i]->username);
	c = channel_new(NULL, 'G', name, b.p);
	buf_free(&b);
	for (i = 0; i < n; i++)
		channel_join(c, u[i]);
	return c;
}

struct member *
channel_member(const struct channel *c, const struct user *u)
{
	return hmap_get(&u->channels, c->id);
}

struct member *
channel_join(struct channel *c, struct user *u)
{
	struct member *m = channel_member(c, u);

	if (m != NULL)
		return m;
	m = xcalloc(1, sizeof(*m));
	m->user = u;
	m->channel = c;
	m->last_update_at = tick_ms();
	hmap_put(&u->channels, c->id, m);
	c->member = xgrow(c->member, &c->capmembers, c->nmembers + 1,
	    sizeof(*c->member));
	c->member[c->nmembers++] = m;
	u->member = xgrow(u->member, &u->capmembers, u->nmembers + 1,
	    sizeof(*u->member));
	u->member[u->nmembers++] = m;
	return m;
}

void
channel_part(struct channel *c, struct user *u)
{
	struct member *m = hmap_del(&u->channels, c->id);

	if (m == NULL)
		return;
	array_remove((void **)c->member, &c->nmembers, m);
	array_remove((void **)u->member, &u->nmembers, m);
	free(m);
}

/* Those do not count as messages of the channel (5.37). */
static int
is_join_leave(const char *type)
{
	static const char *const types[] = {"system_join_channel",
	    "system_leave_channel", "system_add_to_channel",
	    "system_remove_from_channel", "system_join_team",
	    "system_leave_team", "system_add_to_team",
	    "system_remove_from_team"};
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcmp(types[i], type))
			return 1;
	return 0;
}

struct post *
post_new(struct channel *c, struct user *u, struct post *root,
    const char *message, const char *type, const char *props)
{
	struct post *p = xcalloc(1, sizeof(*p));

	id_new(p->id);
	p->user = u;
	p->channel = c;
	p->root = root;
	p->message = xstrdup(message);
	p->type = xstrdup(type);
	p->props = xstrdup(props);
	p->create_at = p->update_at = tick_ms();
	p->idx = c->nposts;
	p->seq = ++st.post_seq;
	c->post = xgrow(c->post, &c->capposts, c->nposts + 1,
	    sizeof(*c->post));
	c->post[c->nposts++] = p;
	c->etag_at = p->create_at;
	c->last_post_at = p->create_at;
	if (!is_join_leave(type)) {
		c->msg_count++;
		c->root_count += root == NULL;
	}
	st.post = xgrow(st.post, &st.capposts, st.nposts + 1,
	    sizeof(*st.post));
	st.post[st.nposts++] = p;
	hmap_put(&st.posts, p->id, p);
	if (root != NULL) {
		root->reply = xgrow(root->reply, &root->capreplies,
		    root->nreplies + 1, sizeof(*root->reply));
		root->reply[root->nreplies++] = p;
		root->live_replies++;
		root->update_at = p->create_at;
	}
	return p;
}

struct post *
post_by_id(const char *id)
{
	return hmap_get(&st.posts, id);
}

struct reaction *
post_reaction(struct post *p, const struct user *u, const char *emoji)
{
	size_t i;

	for (i = 0; i < p->nreactions; i++)
		if (p->reaction[i].user == u &&
		    !strcmp(p->reaction[i].emoji, emoji))
			return &p->reaction[i];
	return NULL;
}
