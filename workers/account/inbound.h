/*
 * One inbound happening, whatever way it came: the only thing that reaches
 * a decision. Built by decode.c from the network, by action_in.c, slash_in.c
 * and hook_in.c from what the callback worker hands over, by jobs_fire.c from
 * the clock; each checks every member. All zero means: nothing known, which
 * every stage treats as a reason to drop.
 */
#ifndef ACCOUNT_INBOUND_H
#define ACCOUNT_INBOUND_H

#include <stddef.h>
#include <stdint.h>

#include "common/proto.h"

#define MM_ID_LEN 26          /* ids are 26 of [a-z0-9]: Mattermost 5.37 */
#define MM_ID_SIZE (MM_ID_LEN + 1)
#define MM_FILES_MAX 10       /* per post: Mattermost 5.37 */
#define MM_TEXT_MAX 65535     /* bytes of a post: 16383 runes of 4 bytes */
#define MM_NAME_MAX 256       /* bytes of user and channel names we keep */
#define ACCOUNT_ID_SIZE 65    /* account and agent ids: 64 characters */
#define EVENT_ID_SIZE (PROTO_EVENT + 1)
#define MENTIONS_MAX 100

enum inbound_kind {
	INBOUND_NONE = 0,
	INBOUND_POST,
	INBOUND_EDIT,
	INBOUND_REACTION,
	INBOUND_BUTTON,
	INBOUND_SLASH,
	INBOUND_HOOK, /* authenticated by the callback worker */
	INBOUND_CRON, /* configured on this host */
	INBOUND_KIND_MAX
};

enum surface {
	SURFACE_UNKNOWN = 0, /* denied everywhere */
	SURFACE_DIRECT,
	SURFACE_GROUP, /* private channel or group message */
	SURFACE_CHANNEL,
	SURFACE_MAX
};

enum tri {
	TRI_UNKNOWN = 0,
	TRI_NO,
	TRI_YES
};

/* Strings are never NULL in an inbound of inbound_new(). */
struct inbound {
	enum inbound_kind kind;
	enum surface surface;       /* set by decide() */
	enum tri actor_is_bot;
	char account[ACCOUNT_ID_SIZE];
	char event_id[EVENT_ID_SIZE]; /* with kind and account: its identity */
	char actor_id[MM_ID_SIZE];
	char *actor_name;           /* without the '@'; "" when unknown */
	char channel_id[MM_ID_SIZE];
	char channel_type;          /* D G P O as the event says it, or 0 */
	char *channel_name;
	char *channel_display;
	char team_id[MM_ID_SIZE];
	char post_id[MM_ID_SIZE];
	char root_id[MM_ID_SIZE];   /* "" for a top-level post */
	int64_t create_at;          /* ms since the epoch, server's clock */
	int64_t edit_at;            /* 0: never edited */
	int64_t delete_at;
	char *text;                 /* as written; slash: "/name args" */
	char *type;                 /* "" for an ordinary post */
	char *pending_post_id;
	char file_ids[MM_FILES_MAX][MM_ID_SIZE];
	size_t n_files;
	char (*mentions)[MM_ID_SIZE]; /* as the server counted them */
	size_t n_mentions;
	int from_bot;               /* props.from_bot */
	int from_webhook;           /* props.from_webhook */
	char *emoji;                /* reaction */
	int removed;                /* reaction: taken back */
	char *action_id;            /* button */
	char *action_name;          /* button: its label */
	char *action_value;         /* button: its value, "" when none */
	int picker;                 /* button: of the model picker */
	char *agent;                /* hook, cron: wanted agent, or "" */
	char *session;              /* hook, cron: wanted session, or "" */
	int control_command;        /* set by decide(): 3.8 of the commands */
};

/* 1 when s is 26 characters of [a-z0-9]. NULL is not. */
int mm_id_valid(const char *s);

/* Static text, as the inbox has it. */
const char *inbound_kind_name(enum inbound_kind);
const char *surface_name(enum surface);
/* By that name; unknown for any other. */
enum surface surface_from(const char *name);

/* All members "", 0 or unknown. The caller's; free() takes NULL. */
struct inbound *inbound_new(enum inbound_kind);
void inbound_free(struct inbound *);
/* Replace an owned string of an inbound; NULL counts as "". */
void inbound_set(char **member, const char *value);

/* The identity of kind and content, when nobody set one: event_id. */
void inbound_make_event_id(struct inbound *);

/*
 * What tells two deliveries of one happening from two happenings: an edit
 * has the identity of its post in the inbox, but each edit is another one.
 */
void inbound_seen_key(const struct inbound *, char out[EVENT_ID_SIZE]);

#endif
