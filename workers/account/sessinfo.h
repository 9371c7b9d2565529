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

#endif
