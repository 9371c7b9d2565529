/*
 * Health: what the command line, the metrics and the service manager are
 * told about a worker. One state machine per worker; for an account it is
 * the health of the account.
 *
 * A worker's own word counts only while its process runs: what the
 * supervisor sees (started, died, being stopped) always wins.
 */
#ifndef DAEMON_STATE_H
#define DAEMON_STATE_H

#include "common/monotime.h"

enum health_state {
	HEALTH_STARTING,   /* process started, not ready yet */
	HEALTH_UP,         /* ready; a role without a connection of its own */
	HEALTH_CONNECTING,
	HEALTH_CONNECTED,
	HEALTH_BACKOFF,    /* lost its server, waits to try again */
	HEALTH_PARKED,     /* gave up until the configuration changes */
	HEALTH_FULL,       /* the store: no room on its disk */
	HEALTH_DOWN,       /* no process; waits to be started again */
	HEALTH_STOPPING,
	HEALTH_MAX
};

enum health_event {
	HEALTH_EV_SPAWN,
	HEALTH_EV_READY,
	HEALTH_EV_DEATH,
	HEALTH_EV_STOP
};

#define HEALTH_TEXT 160

/* How many are in which state; kept up to date by the machines in it. */
struct health_count {
	unsigned total;
	unsigned in[HEALTH_MAX];
};

struct health {
	enum health_state state;
	struct monotime since;
	char reason[HEALTH_TEXT];     /* of the present state, or "" */
	char detail[HEALTH_TEXT];     /* an account's bot user, or "" */
	char last_error[HEALTH_TEXT]; /* why it last was not well, or "" */
	int64_t last_error_at;        /* wall clock, ms; 0 never */
	int64_t connected_at;         /* the same */
	int64_t disconnected_at;      /* the same */
	char disconnected[HEALTH_TEXT]; /* why it was, or "" */
	struct health_count *count;   /* borrowed, may be NULL */
};

/* Starting; counted in count, which is borrowed and may be NULL. */
void health_init(struct health *, struct health_count *);
/* Leave the count: the worker is gone for good. */
void health_fini(struct health *);
/* reason may be NULL. Returns 1 when the state changed. */
int health_event(struct health *, enum health_event, const char *reason);
/*
 * What the worker said of itself. 1 changed, 0 not (or not its turn to
 * speak), -1 when the word is none that a worker may use.
 */
int health_report(struct health *, const char *state, const char *reason,
    const char *detail);

/* Static text, the word of status and metrics. */
const char *health_name(enum health_state);
/* "3/4 accounts connected" */
void health_summary(const struct health_count *, char *buf, size_t len);

#endif
