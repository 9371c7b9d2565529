/*
 * The operations of the store by the name of their frame, one table for
 * each kind of link. An operation runs inside a transaction that others
 * share: it either does all it says, or fails and is undone alone.
 */
#ifndef WORKERS_STORE_OP_H
#define WORKERS_STORE_OP_H

#include "workers/store/db.h"
#include "workers/store/peer.h"

struct chan_handler;
struct fields;
struct json_object;

/* A row that its account shall get after the commit, when it is there. */
struct op_push {
	char account[STORE_ID + 1]; /* "": nothing to push */
	int64_t seq;		    /* of the inbox, or 0 */
	int64_t n;		    /* of the outbox, or 0 */
	struct json_object *frames; /* array of frames for it, or NULL */
};

/* One run of an operation. */
struct op_call {
	struct db *db;
	struct peer *peer; /* NULL only for op_abandon */
	struct json_object *msg;
	int64_t now;		       /* wall clock, ms */
	const struct peer_list *peers; /* all, for what is claimed */
	int64_t n_ops;		       /* of this process, for stats */
	int64_t n_commits;
	int ends; /* a turn: rows may go beyond the account's share */
	/* What comes out of it. */
	struct json_object *reply; /* sent after the commit */
	int reply_fd;	   /* comes with it; 0: none. OP_READ only */
	const char *why;	   /* STORE_BAD: what is wrong, static */
	int64_t release;	   /* claim that ends with the commit */
	int load;		   /* stream the account's rows */
	int64_t first_at;
	struct op_push push;
	size_t bytes; /* about what it holds in memory */
};

#define OP_QUIET 0x1u  /* no reply; tried again when a commit fails */
#define OP_READ 0x2u   /* writes nothing: runs on committed rows */
#define OP_MEMORY 0x4u /* does not touch the database */

struct op {
	const char *type;
	unsigned flags;
	enum store_rc (*run)(struct op_call *);
};

/* NULL: not an operation of such a peer. */
const struct op *op_find(enum peer_kind, const char *type);
/* Handlers for chan_new(): every type of the kind goes to fn. */
const struct chan_handler *op_handlers(enum peer_kind,
    void (*fn)(struct chan *, struct json_object *, int, void *));

/* One more attempt for rows whose worker died: {account, seqs}. */
extern const struct op op_abandon;

/* Tables; they end with a NULL type. */
extern const struct op op_account[];
extern const struct op op_agent[];
extern const struct op op_control[];

/* op_turn.c: the end of a turn, and the outbox. */
enum store_rc op_turn_commit(struct op_call *);
enum store_rc op_turn_retry(struct op_call *);
enum store_rc op_turn_dead(struct op_call *);
enum store_rc op_outbox_put(struct op_call *);
enum store_rc op_outbox_done(struct op_call *);
enum store_rc op_outbox_dead(struct op_call *);

/* op_access.c: what an account asks about people, threads and loops. */
enum store_rc op_access_load(struct op_call *);
enum store_rc op_pairing_ask(struct op_call *);
enum store_rc op_pairing_notified(struct op_call *);
enum store_rc op_loop_reset(struct op_call *);

/* op_command.c: the slash commands of an account. */
enum store_rc op_command_list(struct op_call *);
enum store_rc op_command_set(struct op_call *);

/* op_cron.c: scheduled jobs. */
enum store_rc op_cron_load(struct op_call *);
enum store_rc op_cron_fire(struct op_call *);
enum store_rc op_cron_list(struct op_call *);
enum store_rc op_cron_add(struct op_call *);
enum store_rc op_cron_set(struct op_call *);
enum store_rc op_cron_rm(struct op_call *);

/* op_media.c: attachments. */
enum store_rc op_media_new(struct op_call *);
enum store_rc op_media_put(struct op_call *);
enum store_rc op_media_drop(struct op_call *);
enum store_rc op_media_get(struct op_call *);

/* op_pairing.c: requests and grants, for an operator. */
enum store_rc op_pairing_list(struct op_call *);
enum store_rc op_pairing_approve(struct op_call *);
enum store_rc op_pairing_revoke(struct op_call *);
enum store_rc op_pairing_import(struct op_call *);

/* One row of a turn; seq and lane are those of its inbox row. */
enum store_rc op_outbox_row(struct op_call *, struct json_object *row,
    int64_t seq, const char *lane);

/* op_tool.c: what the tools of a turn send. */
enum store_rc op_tool_put(struct op_call *);

/* op_admin.c: what changes something for an operator. */
enum store_rc op_dead_retry(struct op_call *);
enum store_rc op_session_list(struct op_call *);
enum store_rc op_session_show(struct op_call *);
enum store_rc op_session_reset(struct op_call *);

/* op_session_meta.c: what an account asks about a session. */
enum store_rc op_session_open(struct op_call *);
/*
 * Adds to the reply what session.open would tell; nothing when it would
 * refuse. Of a row: of the "session", "agent" and "notes" of its data.
 */
void op_session_tell(struct op_call *, const char *session, const char *agent,
    const char *notes);
void op_session_tell_row(struct op_call *, struct json_object *data);
/*
 * The members of turn.commit and turn.dead that are about sessions, gates
 * and other rows; all of them are optional.
 */
struct op_extra {
	const char *outcome;	   /* of the rows that end with this one */
	struct json_object *seqs;  /* array, or NULL */
	struct json_object *meta;  /* {model, thinking}, or NULL */
	struct json_object *usage; /* {prompt, completion, model}, or NULL */
	struct json_object *gate;  /* {channel, mode}, or NULL */
	struct json_object *notes; /* {session, upto}, or NULL */
	const char *parent;	   /* whose words a new session begins with */
};
/* Takes the members; what is wrong shows in fields_end(). */
void op_extra_take(struct op_extra *, struct fields *);
/* len bytes more in the session, which is not forgotten for them. */
struct session;
enum store_rc op_session_more(
    struct op_call *, const struct session *, int64_t len);
/* Does them. session, agent: of the turn, may be "". */
enum store_rc op_extra_run(struct op_call *, const struct op_extra *,
    const char *session, const char *agent);

/* op_note.c */
enum store_rc op_note_put(struct op_call *);
enum store_rc op_note_list(
    struct op_call *, const char *session, struct json_object *list);
enum store_rc op_note_shown(
    struct op_call *, const char *session, int64_t upto);
/* op_access.c: {"channel", "mode"} of all gates of the account. */
enum store_rc op_gate_list(struct op_call *);

/* Rows of an outbox array that belong to no turn. */
enum store_rc op_outbox_rows(struct op_call *, struct json_object *rows);

/* The newest messages of a session that fit in max bytes, in order. */
enum store_rc op_messages(struct op_call *, const char *session, int64_t max,
    struct json_object **list);

/* op_account.c: an event and its data, put once, and the answer to that. */
struct inbox_row;
struct op_put {
	int64_t seq;
	int dup;  /* it was there */
	int open; /* and is, or is now, to be answered */
};
enum store_rc op_put_event(struct op_call *, struct inbox_row *,
    struct json_object *data, struct op_put *);
enum store_rc op_put_reply(struct op_call *, const struct op_put *);

/*
 * The rows of a query: rc and s are of the db_rows() that has just begun. An
 * object for each row, filled by the function, goes into list, which stays
 * the caller's. STORE_OK at their end.
 */
typedef void (*op_row_fn)(struct json_object *, sqlite3_stmt *);
enum store_rc op_rows(struct op_call *, enum store_rc rc, sqlite3_stmt *s,
    op_row_fn, struct json_object *list);
/*
 * Answers {"t": type, key: list} when rc is STORE_OK; takes list, of which
 * only the first rows that fit in a frame are sent.
 */
enum store_rc op_reply_list(struct op_call *, const char *type, const char *key,
    struct json_object *list, enum store_rc rc);
/* Answers {key: false, "why": why} to posternctl. */
enum store_rc op_reply_no(struct op_call *, const char *key, const char *why);
/* No answer after all: frees c->reply. */
void op_reply_drop(struct op_call *);

/* fields_opt_str(), with "" for what is not there. */
const char *op_opt_str(struct fields *, const char *key, size_t max);
/* A copy, cut at the start of a UTF-8 sequence when it is too long. */
void op_cut(char *dst, const char *src, size_t size);
/* A value that is JSON text already; it is copied. */
struct json_object *op_raw(const char *text, size_t len);
/* JSON text in the form in which frames are written; borrowed from obj. */
const char *op_text(struct json_object *obj, size_t *len);
/* STORE_BAD with the reason why; fields_error() text is fine. */
enum store_rc op_bad(struct op_call *, const char *why);

#endif
