/*
 * From what the server sends to what we know: websocket frames and REST
 * post objects, strictly checked, into struct event and struct inbound.
 *
 * Members that are not known are ignored (servers grow); members that are
 * used must have their type, ids must be ids, text must be UTF-8 without
 * NUL. What fails is an event of type EVENT_BAD with a reason, never a
 * half-filled one. Shapes: Mattermost 5.37 to 11, events as measured.
 */
#ifndef ACCOUNT_DECODE_H
#define ACCOUNT_DECODE_H

#include <stddef.h>
#include <stdint.h>

#include "workers/account/inbound.h"
#include "workers/account/reason.h"

struct json_object;

#define DECODE_DEPTH 32               /* JSON nesting taken from a server */
#define DECODE_MAX (4u * 1024 * 1024) /* bytes of one websocket message */

enum event_type {
	EVENT_BAD = 0,
	EVENT_HELLO,          /* connection_id, server_version */
	EVENT_REPLY,          /* seq_reply, ok, error_id */
	EVENT_POSTED,         /* in, post */
	EVENT_EDITED,         /* in, post */
	EVENT_DELETED,        /* post_id, channel_id */
	EVENT_REACTION_ADDED, /* in */
	EVENT_REACTION_REMOVED,
	EVENT_DIRECT_ADDED,   /* channel_id, user_id: the teammate */
	EVENT_GROUP_ADDED,    /* channel_id */
	EVENT_CHANNEL_CREATED, /* channel_id, team_id */
	EVENT_CHANNEL_UPDATED, /* channel_id; also converted and restored */
	EVENT_CHANNEL_DELETED, /* channel_id */
	EVENT_USER_ADDED,     /* channel_id, user_id, team_id */
	EVENT_USER_REMOVED,   /* channel_id, user_id: both shapes */
	EVENT_ADDED_TO_TEAM,  /* team_id, user_id */
	EVENT_LEAVE_TEAM,     /* team_id, user_id */
	EVENT_TEAM_ROLE,      /* user_id: what he may do in a team */
	EVENT_USER_UPDATED,   /* user_id, username, is_bot, update_at */
	EVENT_STATUS,
	EVENT_TYPING,
	EVENT_OTHER           /* known to be of no use, or not known */
};

struct event {
	enum event_type type;
	enum reason reason;       /* EVENT_BAD: why */
	enum inbound_kind kind;   /* also of a bad one; NONE: no inbound */
	int64_t seq;              /* -1 when the frame has none */
	char name[64];            /* the server's name for it, for counting */
	char channel_id[MM_ID_SIZE];
	char team_id[MM_ID_SIZE];
	char user_id[MM_ID_SIZE];
	char post_id[MM_ID_SIZE];
	char connection_id[MM_ID_SIZE]; /* "" on servers without resume */
	char server_version[128];
	int64_t seq_reply;
	int ok;
	char error_id[128];       /* its text may hold the token: not kept */
	char username[MM_NAME_MAX + 1];
	enum tri is_bot;
	int64_t update_at;
	struct inbound *in;       /* owned; steal it by setting it to NULL */
	struct json_object *post; /* owned: the post object as sent */
};

/*
 * One websocket text message. account goes into the inbound. Always fills
 * *ev, which event_clear() empties; returns its type.
 */
enum event_type decode_message(
    const char *bytes, size_t len, const char *account, struct event *ev);
void event_clear(struct event *);

/*
 * A post object of REST, or the post of an event. NULL with *why set when it
 * is not one. Without an event the actor's name and the channel's type stay
 * unknown. kind is INBOUND_POST or INBOUND_EDIT. actor_is_bot is known for a
 * post of a bot, and for one that never changed (update_at is create_at);
 * else the caller asks the server who the actor is.
 */
struct inbound *decode_post(struct json_object *post, enum inbound_kind kind,
    const char *account, enum reason *why);

/*
 * A reaction object of an event or of a post's metadata; channel as far as it
 * is known. Never NULL; *why is REASON_OK when it is a whole one. Whether it
 * was taken back, and then its event id, is for the caller to set.
 */
struct inbound *decode_reaction(struct json_object *, const char *account,
    const char *channel, enum reason *why);

/* Its own id and its channel's, "" for what is not one. */
void decode_post_ids(struct json_object *post, char id[MM_ID_SIZE],
    char channel[MM_ID_SIZE]);

/*
 * An object or array of the network: size, depth and UTF-8 checked, nothing
 * behind it. NULL when it is not.
 */
struct json_object *decode_json(const char *bytes, size_t len);

#endif
