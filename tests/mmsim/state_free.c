#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "tests/mmsim/state.h"

static void
user_free(struct user *u)
{
	size_t i;

	for (i = 0; i < u->nmembers; i++)
		free(u->member[i]);
	for (i = 0; i < u->nteams; i++)
		free(u->team[i]);
	free(u->member);
	free(u->team);
	hmap_free(&u->channels);
	free(u->username);
	free(u->email);
	free(u->password);
	free(u->first_name);
	free(u->last_name);
	free(u->nickname);
	free(u->roles);
	free(u->bot_description);
	free(u);
}

static void
channel_free(struct channel *c)
{
	free(c->name);
	free(c->display_name);
	free(c->header);
	free(c->purpose);
	free(c->member);
	free(c->post);
	free(c->tomb);
	free(c);
}

static void
team_free(struct team *t)
{
	free(t->name);
	free(t->display_name);
	free(t->type);
	hmap_free(&t->channels);
	hmap_free(&t->members);
	free(t->member);
	free(t->channel);
	free(t);
}

static void
post_free(struct post *p)
{
	size_t i;

	for (i = 0; i < p->nreactions; i++)
		free(p->reaction[i].emoji);
	free(p->reaction);
	free(p->reply);
	free(p->file);
	free(p->message);
	free(p->type);
	free(p->props);
	free(p->pending_id);
	free(p->hashtags);
	free(p);
}

static void
maps_free(void)
{
	hmap_free(&st.users);
	hmap_free(&st.usernames);
	hmap_free(&st.emails);
	hmap_free(&st.sessions);
	hmap_free(&st.tokens);
	hmap_free(&st.teams);
	hmap_free(&st.teamnames);
	hmap_free(&st.channels);
	hmap_free(&st.directs);
	hmap_free(&st.posts);
	hmap_free(&st.files);
}

static void
objects_free(void)
{
	struct session *s;
	struct file *f;
	void *p;
	size_t i, pos;

	for (i = 0; i < st.nposts; i++)
		post_free(st.post[i]);
	for (pos = 0; (p = hmap_next(&st.channels, &pos)) != NULL;)
		channel_free(p);
	for (i = 0; i < st.nteams; i++)
		team_free(st.team[i]);
	for (pos = 0; (s = hmap_next(&st.sessions, &pos)) != NULL;) {
		free(s->description);
		free(s);
	}
	for (pos = 0; (f = hmap_next(&st.files, &pos)) != NULL;) {
		free(f->name);
		free(f->ext);
		free(f->data);
		free(f);
	}
	for (i = 0; i < st.nusers; i++)
		user_free(st.user[i]);
}

void
state_reset(void)
{
	int64_t last = st.last_ms;
	struct user *admin;

	objects_free();
	maps_free();
	free(st.user);
	free(st.post);
	free(st.team);
	memset(&st, 0, sizeof(st));
	st.last_ms = last;
	admin = user_new("admin", "admin@example.com", "admin-password");
	admin->is_admin = 1;
	free(admin->roles);
	admin->roles = xstrdup("system_admin system_user");
}
