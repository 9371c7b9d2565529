/*
 * What the store knows of a session before a turn, or a command, begins.
 */
#ifndef ACCOUNT_SESSINFO_H
#define ACCOUNT_SESSINFO_H

#include <stddef.h>
#include <stdint.h>

#include "workers/account/storelink.h"

struct account;
struct json_object;
struct row;

#define SESSINFO_NOTES 20 /* the store keeps no more */

struct sessinfo_note {
	int64_t n;
	int64_t at;
	const char *text;
};

/* Strings are borrowed from the reply. */
struct sessinfo {
	int known;   /* it has been used */
	int64_t gen; /* how often it was reset */
	int64_t messages, updated, turns, prompt, completion;
	const char *model;    /* set by people, "" */
	const char *thinking; /* set by people, "" */
	const char *used;     /* model as the server named it last, "" */
	struct sessinfo_note notes[SESSINFO_NOTES];
	size_t n_notes;
};

/* notes: the session whose notes to give, or "". */
void sessinfo_ask(struct account *, const char *session, const char *agent,
    const char *notes, store_fn, void *arg);
/* From the reply. -1: not of its shape. */
int sessinfo_read(struct json_object *reply, struct sessinfo *);

/*
 * The same without a request of its own: the store tells it in its answer to
 * the put of a row that begins at once, or to the commit of the row before.
 * sessinfo_ask_next() adds that to the commit, whoever waits: the put of the
 * next one is often under way, and answered first. sessinfo_told_next()
 * passes on what came back. reply is borrowed, and
 * may tell nothing. What was told is as good as asked for now for a moment,
 * and once: sessinfo_take() gives it to the caller, or NULL.
 */
void sessinfo_ask_next(const struct row *, struct json_object *commit);
void sessinfo_told(struct row *, struct json_object *reply);
void sessinfo_told_next(struct row *, struct json_object *reply);
struct json_object *sessinfo_take(struct row *);

#endif
