/*
 * The shared entry of all workers.
 *
 * worker_main() runs prepare(), drops privileges, enters the jail, and only
 * then reads from descriptor 3, the channel to the supervisor: init,
 * secrets, descriptors and links, then start. The supervisor's pings and
 * the log are answered here; the role sees only its own part.
 */
#ifndef WORKERS_WORKER_H
#define WORKERS_WORKER_H

#include <stddef.h>

#include "common/chan.h"
#include "common/sandbox.h"

struct event_base;
struct json_object;
struct worker;

/* Any callback but init may be NULL; then its message is fatal. */
struct worker_role {
	const char *title; /* "account": process title, log prefix */
	enum sandbox_role sandbox;
	/* Outside the jail: library initialisation. No input yet. */
	void (*prepare)(struct worker *);
	/* The role's configuration, borrowed. */
	void (*init)(struct worker *, struct json_object *config);
	/* value is overwritten after the call: copy into secret.h memory. */
	void (*secret)(struct worker *, const char *name, const char *value);
	/* A descriptor with a meaning ("ca", "listen"); the role owns it. */
	void (*fd)(struct worker *, const char *name, int fd);
	/*
	 * One end of a link. kind: "dial", "store", "turn", "control";
	 * peer: the account or agent at the other end, "" when there is
	 * only one. A second link of the same kind and peer replaces the
	 * first (the peer was restarted). opts is borrowed, may be NULL.
	 */
	void (*link)(struct worker *, const char *kind, const char *peer,
	    struct json_object *opts, int fd);
	/* That peer is gone for good. */
	void (*unlink)(struct worker *, const char *kind, const char *peer);
	/* All of the above has come: run. */
	void (*start)(struct worker *);
	/* Finish what is under way, then worker_exit(); 5 s at most. */
	void (*stop)(struct worker *);
};

/* Does not return before the worker ends. The exit status of main(). */
int worker_main(int argc, char *argv[], const struct worker_role *);

/* The loop of the process. */
struct event_base *worker_base(struct worker *);
/* The account or agent id of this worker, "" for a single one. */
const char *worker_name(struct worker *);
/* Free for the role. */
void worker_set_state(struct worker *, void *state);
void *worker_state(struct worker *);

/* Tell the supervisor that the role is up (all roles, once, after start). */
void worker_ready(struct worker *);
/*
 * The role's health, for status, metrics and the service manager. state: a
 * word ("connected", "connecting", "backoff", "parked", "stopping"),
 * reason: a short text or NULL, detail: a short text or NULL (for an
 * account the bot's user name). Never a secret.
 */
void worker_report(struct worker *, const char *state, const char *reason,
    const char *detail);
/*
 * 1: started by posternd -nn, to ask and tell and nothing else. An account
 * then says what it finds line by line, and that this was all. state: "ok",
 * "warn" or "fail".
 */
int worker_is_check(const struct worker *);
void worker_check(struct worker *, const char *what, const char *state,
    const char *detail);
void worker_check_end(struct worker *);
/*
 * A link (kind and peer as link() had them) has ended, as chan's on_close
 * says why: the supervisor hears of it when that was a broken promise.
 */
void worker_broken(struct worker *, const char *kind, const char *peer,
    const char *why);
/* Control only: a "ctl" request to the supervisor; consumes msg. */
int worker_ctl(struct worker *, struct json_object *msg, int64_t ms,
    chan_reply_fn, void *);
/* In stop(): another process takes this one's place, with the same part. */
int worker_again(const struct worker *);
/* Leave the loop; worker_main() then returns 0. */
void worker_exit(struct worker *);

#endif
