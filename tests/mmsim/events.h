/*
 * Events: who gets them and what they look like (Mattermost 5.37). The JSON
 * of an event is built once and shared by all its sockets.
 */
#ifndef MMSIM_EVENTS_H
#define MMSIM_EVENTS_H

#include "tests/mmsim/state.h"

struct wsevent;

enum audience { TO_ALL, TO_ADMINS, TO_OTHERS };

/* channel, user or team; none: everyone. user and channel: the user. */
struct bcast {
	const struct channel *channel;
	const struct user *user;
	const struct team *team;
	const struct user *omit;
	enum audience audience;
};

/* data: the object's JSON text, keys sorted. */
void event_publish(const char *name, const char *data, const struct bcast *);
struct wsevent *event_hello(const struct user *, const char *connection_id);

/* mentions: JSON array text, or NULL when nobody was mentioned. */
void event_posted(const struct post *, const char *mentions, int set_online);
void event_post(const char *name, const struct post *,
    const struct user *deleted_by);
void event_reaction(const char *name, const struct post *,
    const struct reaction *);
void event_typing(const struct channel *, const struct user *,
    const char *parent);
void event_user_updated(const struct user *);
void event_user_added(const struct channel *, const struct user *);
void event_user_removed(const struct channel *, struct user *,
    const struct user *remover);
void event_channel_viewed(const struct channel *, const struct user *);

/* Sets the status and tells the user's own sockets when it changed. */
void status_set(struct user *, const char *status, int manual);

#endif
