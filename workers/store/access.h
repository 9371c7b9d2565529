/*
 * Who may talk to an account beside its configuration: pairing requests
 * and grants. And what the mention gate and the loop breaker remember: the
 * threads in which the bot has answered, and how often only bots have
 * spoken somewhere.
 *
 * Times are wall clock milliseconds. Nothing here begins a transaction.
 */
#ifndef WORKERS_STORE_ACCESS_H
#define WORKERS_STORE_ACCESS_H

#include "workers/store/db.h"

#define PAIRING_CODE 8		       /* symbols: the peer's */
#define PAIRING_LIFE_MS (3600 * 1000)  /* of a request, the peer's */
#define PAIRING_PENDING 3	       /* requests of an account, the peer's */
#define GRANTS_KEEP 10000	       /* of an account: one frame holds them */
#define THREADS_KEEP 1000	       /* of an account: the peer's */
#define THREAD_LIFE_MS (7LL * 24 * 3600 * 1000) /* since the last answer */
#define LOOP_LIFE_MS (3600 * 1000) /* since the last turn of a bot */
#define LOOPS_KEEP 1000		       /* of an account, in one frame */

struct pairing {
	const char *account;
	const char *user;
	const char *code;
	const char *name;    /* for people to read, or "" */
	const char *channel; /* the direct channel, or "" */
	int again;	     /* this event has been here: it asks for nothing */
};

/* What became of a request. */
enum pairing_state {
	PAIRING_NEW,	 /* it is there now, with the code given */
	PAIRING_KNOWN,	 /* it was there before; only its last sight moved */
	PAIRING_GRANTED, /* the user has access already */
	PAIRING_FULL,	 /* too many others wait */
	PAIRING_TAKEN	 /* somebody else has that code: take another */
};

/* 8 of the 32 symbols: A-Z and 2-9 without I and O. */
int pairing_code_valid(const char *);
/* A user id: 26 of a-z and 0-9. */
int pairing_user_valid(const char *);

/*
 * Ask for access. A repetition with the same code is PAIRING_NEW again, so
 * that a request whose answer was lost can be sent once more. code gets the
 * one that is valid, or "".
 */
enum store_rc pairing_ask(struct db *, const struct pairing *, int64_t now,
    enum pairing_state *, char code[PAIRING_CODE + 1]);

/* notify: the direct channel where the user is to be told, or "". */
enum store_rc grant_add(struct db *, const char *account, const char *user,
    const char *name, const char *notify, int64_t now);
/* STORE_NONE: there was none. */
enum store_rc grant_delete(
    struct db *, const char *account, const char *user);

/* The bot has answered in that thread. The newest THREADS_KEEP are kept. */
enum store_rc thread_note(struct db *, const char *account,
    const char *channel, const char *root, int64_t at);

/* One more turn for a bot there; the first after LOOP_LIFE_MS is one. */
enum store_rc loop_count(struct db *, const char *account,
    const char *channel, const char *root, int64_t now);
/* A person has spoken there. */
enum store_rc loop_reset(struct db *, const char *account,
    const char *channel, const char *root);

#endif
