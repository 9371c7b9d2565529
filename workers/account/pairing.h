/*
 * Pairing: a stranger's direct message makes a request with a code, an
 * operator approves it, and from then on the stranger may talk.
 *
 * Requests and grants live in the store; the grants of this account are in
 * its policy as well. Whoever is told something is told through the
 * outbox, so a crash neither loses nor repeats it.
 */
#ifndef ACCOUNT_PAIRING_H
#define ACCOUNT_PAIRING_H

struct account;
struct inbound;
struct json_object;

enum pairing_end {
	PAIRING_ASKED,   /* a new request, its code is given */
	PAIRING_WAITS,   /* an earlier one waits; its code is given */
	PAIRING_LET_IN,  /* was approved meanwhile: decide again */
	PAIRING_TOO_MANY,
	PAIRING_NO_STORE /* nothing was kept: the event must come again */
};

typedef void (*pairing_fn)(struct account *, enum pairing_end,
    const char *code, void *arg);

/*
 * What VERDICT_PAIR asks for. With post, the code is sent to the inbound's
 * channel, once for each request; a slash command answers for itself. fn is
 * called when the store has it; in is borrowed for this call only.
 */
void pairing_start(struct account *, const struct inbound *, int post,
    pairing_fn, void *arg);

/* All grants, in the place of those known: [{user, notify}]. */
void pairing_replace(struct account *, struct json_object *grants);
/* A grant.row of the store. -1: not of its shape. */
int pairing_row(struct account *, struct json_object *row);

#endif
