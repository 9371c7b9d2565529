/*
 * "... is typing" while a turn runs.
 */
#ifndef ACCOUNT_TYPING_H
#define ACCOUNT_TYPING_H

#include <stdint.h>

#define TYPING_AFTER_MS 150 /* an answer that quick needs no sign */
#define TYPING_EVERY_MS 3000 /* OpenClaw's */
#define TYPING_MAX_MS 60000
#define TYPING_FAILURES 2 /* in a row, then no more in this turn */

struct account;
struct json_object;
struct row;
struct typing;

/* What a turn does; each starts the sign from its mode on. */
enum typing_when { TYPING_INSTANT, TYPING_THINKING, TYPING_MESSAGE,
	TYPING_NEVER };

struct typing_cfg {
	enum typing_when mode;
	int64_t every_ms; /* 0: not repeated */
};

/* From "typing" {mode, intervalSeconds}; what is missing has its default. */
void typing_cfg_read(struct typing_cfg *, struct json_object *);

/* Shows nothing yet; row is borrowed until typing_free(). */
struct typing *typing_new(struct account *, const struct row *);
void typing_free(struct typing *); /* NULL is fine */
/* This has begun: the model was asked, thinks, writes. */
void typing_begin(struct typing *, enum typing_when);
void typing_stop(struct typing *);

#endif
