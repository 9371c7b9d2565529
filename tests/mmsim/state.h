/*
 * What the server knows: users, sessions, teams, channels, members, posts,
 * reactions, files. Objects are never freed before state_reset(); a removed
 * member is. No events are sent from here.
 */
#ifndef MMSIM_STATE_H
#define MMSIM_STATE_H

#include <sys/queue.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/mmsim/buf.h"
#include "tests/mmsim/hmap.h"

#define ID_LEN 26

struct wsrec;

struct user {
	char id[ID_LEN + 1];
	char *username;
	char *email;
	char *password;
	char *first_name;
	char *last_name;
	char *nickname;
	char *roles;
	char *bot_description;
	struct user *owner; /* of a bot */
	int is_bot;
	int is_admin;
	int64_t create_at;
	int64_t update_at;
	int64_t delete_at;
	int64_t last_activity;
	const char *status;   /* online, away, dnd, offline */
	int status_manual;
	struct hmap channels; /* channel id -> struct member */
	struct member **member; /* the same, in order of joining */
	size_t nmembers, capmembers;
	struct tmember **team;
	size_t nteams, capteams;
	LIST_HEAD(, wsrec) recs; /* websocket records, dead ones too */
};

struct session {
	char token[ID_LEN + 1];
	char id[ID_LEN + 1]; /* id of the personal access token */
	struct user *user;
	char *description;
	int is_pat;
	int disabled;
	int revoked;
};

struct team {
	char id[ID_LEN + 1];
	char invite_id[ID_LEN + 1];
	char *name;
	char *display_name;
	char *type;
	int64_t create_at;
	int64_t update_at;
	struct hmap channels; /* name -> struct channel */
	struct hmap members;  /* user id -> struct tmember */
	struct tmember **member;
	size_t nmembers, capmembers;
	struct channel **channel; /* in order of creation */
	size_t nchannels, capchannels;
};

struct tmember {
	struct team *team;
	struct user *user;
	int admin;
};

struct channel {
	char id[ID_LEN + 1];
	char type; /* O P D G */
	struct team *team; /* NULL for D and G */
	char *name;
	char *display_name;
	char *header;
	char *purpose;
	char creator_id[ID_LEN + 1];
	int64_t create_at;
	int64_t update_at;
	int64_t delete_at;
	int64_t last_post_at;
	int64_t msg_count;
	int64_t root_count;
	int64_t etag_at; /* last change of any post */
	struct member **member;
	size_t nmembers, capmembers;
	struct post **post; /* by create_at, deleted ones too */
	size_t nposts, capposts;
	struct tombstone *tomb;
	size_t ntombs, captombs;
};

struct member {
	struct user *user;
	struct channel *channel;
	int admin;
	int64_t last_viewed_at;
	int64_t last_update_at;
};

/* The trace of an edit: seen in lists by time only. */
struct tombstone {
	char id[ID_LEN + 1];
	struct post *post;
	int64_t at;
};

struct reaction {
	struct user *user;
	char *emoji;
	int64_t create_at;
	int64_t update_at;
	int64_t delete_at;
};

struct post {
	char id[ID_LEN + 1];
	struct user *user;
	struct channel *channel;
	struct post *root;
	size_t idx; /* in channel->post */
	uint64_t seq; /* of the server, from 1 */
	int64_t create_at;
	int64_t update_at;
	int64_t edit_at;
	int64_t delete_at;
	char *message;
	char *type;
	char *props;      /* JSON text as stored, integrations included */
	char *pending_id;
	char *hashtags;
	struct file **file;
	size_t nfiles;
	struct reaction *reaction;
	size_t nreactions, capreactions;
	struct post **reply; /* of a root, deleted ones too */
	size_t nreplies, capreplies;
	int64_t sent_reply_count; /* a client's value is echoed (5.37) */
	int live_replies;
	int pinned;
	int embeds;  /* has props.attachments */
	int actions; /* props hold integrations: strip on the way out */
};

struct file {
	char id[ID_LEN + 1];
	struct user *user;
	struct post *post;
	char *name;
	char *ext;
	const char *mime;
	int64_t create_at;
	char *data;
	size_t size;
	int width, height; /* of an image, else 0 */
};

struct state {
	struct hmap users;      /* id */
	struct hmap usernames;
	struct hmap emails;
	struct hmap sessions;   /* token */
	struct hmap tokens;     /* token id */
	struct hmap teams;      /* id */
	struct hmap teamnames;
	struct hmap channels;   /* id */
	struct hmap directs;    /* name of a D or G channel */
	struct hmap posts;      /* id */
	struct hmap files;      /* id */
	struct user **user;
	size_t nusers, capusers;
	struct post **post;     /* in order of creation */
	size_t nposts, capposts;
	struct team **team;
	size_t nteams, capteams;
	uint64_t post_seq;
	int64_t last_ms;
};

extern struct state st;

/* Empties everything and makes the admin (admin / admin-password). */
void state_reset(void);

/* 26 characters of z-base-32. */
void id_new(char id[ID_LEN + 1]);
int id_valid(const char *);
/* Wall clock in ms, strictly increasing on this server. */
int64_t tick_ms(void);

struct user *user_new(const char *name, const char *email, const char *pw);
/* Sessions. */
struct session *session_new(struct user *, int is_pat);
struct session *session_find(const char *token); /* NULL: not usable now */

struct team *team_new(const char *name, const char *display, const char *type);
struct tmember *team_member(const struct team *, const struct user *);
struct tmember *team_join(struct team *, struct user *);
void team_part(struct team *, struct user *);

/* Registered under its name in the team, or among the directs. */
struct channel *channel_new(struct team *, char type, const char *name,
    const char *display);
struct channel *channel_by_name(const struct team *, const char *name);
/* The direct channel of the two, made when it is not there. */
struct channel *channel_direct(struct user *, struct user *, int *made);
struct channel *channel_group(struct user **, size_t n, int *made);
struct member *channel_member(const struct channel *, const struct user *);
struct member *channel_join(struct channel *, struct user *);
void channel_part(struct channel *, struct user *);

/* A post with id and times, appended to its channel; strings are copied. */
struct post *post_new(struct channel *, struct user *, struct post *root,
    const char *message, const char *type, const char *props);
struct post *post_by_id(const char *);
struct reaction *post_reaction(struct post *, const struct user *,
    const char *emoji);

#endif
