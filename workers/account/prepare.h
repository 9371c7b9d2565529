/*
 * Before a turn: what its session is set to, what was said and what
 * happened since the last one; and what of that its end has to tell the
 * store. All of it hangs on the turn, which stays simple.
 */
#ifndef ACCOUNT_PREPARE_H
#define ACCOUNT_PREPARE_H

struct json_object;
struct prepared;
struct turn;

enum prepare_end {
	PREPARE_ANSWERED,
	PREPARE_STOPPED,
	PREPARE_DENIED,
	PREPARE_DEAD
};

/* turn_prepared() is called once, now or later, unless it is freed before. */
void prepare_start(struct turn *);
void prepare_free(struct prepared *);

/* What the agent is asked with. */
const char *prepare_context(const struct prepared *);
/* A new reference. */
struct json_object *prepare_options(const struct prepared *);

/* Tokens and model of the answer; both borrowed, may be NULL. */
void prepare_usage(
    struct prepared *, struct json_object *usage, const char *model);
/* The rows of the answer, with what goes before it; takes over items. */
struct json_object *prepare_items(struct turn *, struct json_object *items);
/* Add what the store is to keep to the end of the turn. NULL is fine. */
void prepare_commit(struct turn *, struct json_object *msg, enum prepare_end);
/* It is kept. */
void prepare_kept(struct turn *, enum prepare_end);

#endif
