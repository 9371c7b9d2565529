/*
 * The way in of what somebody waits for: slash commands and clicks. As with
 * messages, what is not known of channel and actor is asked first, then the
 * one decision is made, and what is accepted is in the store before anybody
 * hears of it.
 */
#ifndef ACCOUNT_ENTRY_H
#define ACCOUNT_ENTRY_H

struct account;
struct inbound;
struct json_object;
struct verdict;

enum entry_end {
	ENTRY_STORED, /* it is in the inbox, its turn comes */
	ENTRY_TWICE,  /* it was there before */
	ENTRY_DENIED, /* v says why; code: of a pairing, or NULL */
	ENTRY_FAILED  /* the store did not take it: nothing happened */
};

/* v and in are borrowed for the call. */
typedef void (*entry_fn)(struct account *, enum entry_end,
    const struct inbound *in, const struct verdict *v, const char *code,
    void *arg);

/* Only the decision: ENTRY_STORED says that it is allowed. */
void entry_allow(struct account *, struct inbound *in, entry_fn, void *arg);

/*
 * Takes over in, and one reference of more (may be NULL): members for the
 * row's data beside those of a message. One callback.
 */
void entry_start(struct account *, struct inbound *in,
    struct json_object *more, entry_fn, void *arg);
/*
 * The store's answer to an inbox.put. 1: the event is to be answered, and
 * waits in its lane now; 0: somebody has done so. data: of the row, borrowed.
 */
int entry_stored(struct account *, struct json_object *reply,
    const struct inbound *, const struct verdict *, struct json_object *data);

#endif
