/*
 * The REST API: routing, sessions, errors, answers. The handlers are in
 * api_users.c, api_bots.c, api_teams.c, api_channels.c, api_members.c,
 * api_posts.c, post_edit.c, api_list.c, api_files.c, api_commands.c,
 * api_execute.c, api_actions.c and api_system.c.
 */
#ifndef MMSIM_API_H
#define MMSIM_API_H

#include "tests/mmsim/http.h"
#include "tests/mmsim/state.h"

typedef void (*api_fn)(struct req *);

enum { API_AUTH = 0, API_OPEN = 1, API_ADMIN = 2 };

struct route {
	const char *method;
	const char *pattern; /* {id}: a [A-Za-z0-9]+ segment, {name}: more */
	api_fn fn;
	int flags;
};

void api_init(void);
/* The http_handler of the main port. */
void api_handle(struct req *, void *);
/* A fault rule was applied (or there was none): run the handler. */
void api_dispatch(struct req *);
/* An upload that announces more than the limit is refused unread. */
int upload_early(const struct req *);

/* The session of the request's token, NULL without a usable one. */
struct session *api_session(const struct req *);

/* Standard headers of an API answer into r->extra. */
void api_headers(struct req *);
void api_etag(struct req *, const char *);
/* Answers; all of them end the request. */
void api_json(struct req *, int status, struct buf *); /* frees the buf */
void api_ok(struct req *);                              /* {"status":"OK"} */
void api_error(struct req *, int status, const char *id, const char *text);
void api_error_body(const struct req *, struct buf *, const char *id,
    const char *text, int status);
void api_bad_body(struct req *, const char *name);
void api_bad_url(struct req *, const char *name);
void api_forbidden(struct req *);
void api_not_found(struct req *); /* no such route */

/*
 * The object a path variable or id names. They answer the request and
 * return NULL when there is none or it may not be seen.
 */
struct user *api_user_arg(struct req *, const char *arg);
struct team *api_team_arg(struct req *, const char *arg);
/* Channel of which the caller is a member (or admin). */
struct channel *api_channel_arg(struct req *, const char *arg);

/* Member strings of a JSON object; "" when absent or of another type. */
const char *jstr(struct json_object *, const char *key);
int64_t query_num(const struct req *, const char *key, int64_t dflt);

extern const struct route routes_users[], routes_teams[], routes_channels[],
    routes_members[],
    routes_posts[], routes_list[], routes_files[], routes_system[],
    routes_bots[];

/*
 * The effects of posting, shared by REST, system messages and the bench.
 * json: the sent post, or NULL.
 */
struct post *post_publish(struct channel *, struct user *, struct post *root,
    const char *message, const char *type, char *props,
    struct json_object *json, int set_online);
/* A system message, with the props text taken. */
void post_system(struct channel *, struct user *, const char *type,
    char *props, const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* mentions.c: JSON array text of the ids, or NULL. */
char *mentions_of(const struct post *, const char *added_id);
/* Tell the author of people he mentioned who are not in the channel. */
void mentions_outside(const struct post *);

/* Joining and leaving with all their messages and events. */
void join_channel(struct channel *, struct user *, struct user *by);
void leave_channel(struct channel *, struct user *, struct user *by);
/* Props text of a message about u: {"username":..}, from_bot for bots. */
char *member_props(const struct user *u);
void join_team(struct team *, struct user *, struct user *by);
void leave_team(struct team *, struct user *, struct user *by);

#endif
