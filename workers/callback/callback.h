/*
 * The callback worker: takes HTTP requests on sockets that the supervisor
 * bound, checks all that can be checked without asking anybody, and hands
 * what is proved to the account it is for. It runs nothing itself, holds no
 * bot token, opens no file and no connection.
 *
 * A request passes: gate (may it connect?) -> conn (head, then body, under
 * one deadline) -> route -> command, action or hook (the proof) -> peers
 * (the account decides) -> conn (its answer).
 */
#ifndef CALLBACK_CALLBACK_H
#define CALLBACK_CALLBACK_H

#include <sys/queue.h>

#include <stddef.h>
#include <stdint.h>

#include "common/monotime.h"
#include "workers/callback/head.h"
#include "workers/callback/proof.h"
#include "workers/callback/result.h"
#include "workers/callback/source.h"

#define CB_BODY_MAX 65536     /* bytes, as OpenClaw */
#define CB_REQUEST_MS 5000    /* a whole request */
#define CB_ACCOUNT_MS 10000   /* an account answers; the server gives 30 s */
#define CB_HOLD_MS 4500       /* an account that is exchanged is back */
#define CB_LOOK_MS 50	      /* whether it is */
#define CB_HOOK_FAILURES 20   /* wrong tokens of one address a minute */

struct chan;
struct conn;
struct event_base;
struct gate;
struct inflight;
struct json_object;
struct ssl_ctx_st;
struct worker;

/* A slash command that its server may call. */
struct command {
	char *team, *id, *trigger;
	struct proof token;
};

struct peer {
	TAILQ_ENTRY(peer) entry;
	struct callback *cb;
	char *id;
	int buttons, commands; /* what it is called for */
	char *action_path;
	char *command_path[2]; /* as configured, and of its public address */
	struct nets allowed;   /* of buttons */
	struct chan *chan;     /* NULL: its worker is down */
	/* Link lost or about to be: callers wait a moment for the next. */
	int settling;
	struct monotime since; /* that */
	int leaving;           /* it has said goodbye over the link */
	/* Of the present link. */
	char key[65];          /* "" until told */
	struct command *cmds;
	size_t ncmds;
	int64_t gen;
};

TAILQ_HEAD(peer_list, peer);

enum route_kind {
	ROUTE_NONE,
	ROUTE_HEALTH,
	ROUTE_COMMAND,
	ROUTE_ACTION,
	ROUTE_HOOK_AGENT,
	ROUTE_HOOK_WAKE
};

struct callback {
	struct worker *worker;
	struct event_base *base;
	struct peer_list peers;
	struct nets trusted;
	int real_ip;
	int hooks;
	int hook_sessions;  /* a hook may name its session */
	char *hook_path[2]; /* agent, wake */
	char *default_account;
	struct proof hook_token;
	struct gate *gate;
	struct inflight *inflight;
	int tls;            /* connections begin with a handshake */
	struct ssl_ctx_st *ssl;
	struct chan *ctl;
	int waiting;        /* requests that accounts have */
	int held;           /* requests that wait for an account to be back */
	int stopping;
};

/* An answer that never changes. type NULL: text/plain. */
struct fixed {
	int status;
	const char *type;
	const char *body;
	const char *header; /* one more line with its end, or NULL */
};

extern const char type_json[], type_json_utf8[];

/* conn.c */

/* Answer now. close: whatever is still sent is not read. */
void conn_answer(struct conn *, enum result, const struct fixed *, int close);
/* With what an account said; fallbacks are for what it left out. */
void conn_answer_body(struct conn *, enum result, int status,
    const char *type, const char *body, size_t len);
/* Wait for an account: not idle, not to be closed for room. */
void conn_waits(struct conn *);
struct callback *conn_owner(const struct conn *);
const struct head *conn_head(const struct conn *);
/* The client's address: -1 when it cannot be told. */
int conn_client(const struct conn *, struct addr *);
enum route_kind conn_route(const struct conn *);
/* The account of an action; NULL for other routes. */
struct peer *conn_peer(const struct conn *);
/* The post that the request says it is about, when it is an id; or NULL. */
void conn_about(struct conn *, const char *post);
const char *conn_post(const struct conn *);
/* The key of inflight.h that is held, given back when proved or over. */
void conn_hold(struct conn *, uint64_t key);

/* refused.c */

/*
 * Log what is about to be answered with an error by this worker itself: the
 * account, which has records, will not hear of it. A few lines a minute.
 */
void refused_tell(const struct conn *, enum result, int status);

/* route.c */

/* *peer: the account of an action, else NULL. */
enum route_kind route_find(
    const struct callback *, const char *path, struct peer **);

/* command.c, action.c, hook.c: before the body; 1 when answered. */
int command_head(struct conn *);
int action_head(struct conn *);
int hook_head(struct conn *);
/* What a body that is too large, slow or of no known end is answered. */
const struct fixed *command_error(int status);
const struct fixed *action_error(int status);
const struct fixed *hook_error(int status);
/* The head shows the token of a command that an account has told of. */
int command_is_known(struct conn *);
/* With the body, that has a NUL behind it. Each answers, now or later. */
void command_body(struct conn *, const char *body, size_t len);
void action_body(struct conn *, const char *body, size_t len);
void hook_body(struct conn *, const char *body, size_t len);

/* probe.c: our own test of the public address; 1 when answered. */
int probe_head(struct conn *);

/* peers.c */

/*
 * Accounts by id. add: one of the configuration; find: NULL for any other.
 * A (new) link owns fd, closed at once for an id that was not added.
 */
struct peer *peers_add(struct callback *, const char *id);
struct peer *peers_find(const struct callback *, const char *id);
void peers_link(struct callback *, const char *id, int fd);
void peers_unlink(struct callback *, const char *id);
/*
 * A call for an account: msg is consumed. The connection waits and is
 * answered with what the account says, as JSON of that type, or with
 * otherwise(status) when it says nothing but a status, 503 for no answer.
 */
void peers_call(struct conn *, struct peer *, struct json_object *msg,
    const char *type, const struct fixed *(*otherwise)(int status));
/*
 * Wait before looking at a request of this kind, for this account or, NULL,
 * for whichever it may be: its worker is being exchanged and has yet to tell
 * what a proof of it looks like. At most CB_HOLD_MS. A hook needs no proof
 * of an account's: it waits in peers_call(), for its own account alone.
 */
int peers_settling(struct callback *, enum route_kind, struct peer *);
void peers_control(struct callback *, int fd);

#endif
