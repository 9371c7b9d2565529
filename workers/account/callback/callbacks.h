/*
 * The account's end of the link to the callback worker: slash commands,
 * buttons and hooks come in here, their proofs checked, and each leaves as
 * one answer over HTTP.
 *
 * Who handles a call keeps it until callback_reply(), which may be at once
 * or after REST and the store have answered; there is no hurry beyond the
 * callback worker's own deadline, after which the answer goes nowhere. HTTP
 * 200 means: what is to last is in the store.
 */
#ifndef ACCOUNT_CALLBACKS_H
#define ACCOUNT_CALLBACKS_H

#include <stdint.h>

struct account;
struct cb_call;
struct json_object;

/*
 * A (new) link; owns fd. Told: the commands, and the derived secret when the
 * bot is known, else with callbacks_identified().
 */
void callbacks_set(struct account *, int fd);
void callbacks_identified(struct account *);
/*
 * All slash commands that may be called: an array of {team, id, trigger,
 * token}, consumed. It takes the place of the set before at once, here and
 * there, also over links to come. NULL: none.
 */
void callbacks_commands(struct account *, struct json_object *commands);
/*
 * This process is about to end: what has been passed on is still handled,
 * and callers of later wait for the next process. Busy until the last of
 * them has its answer.
 */
void callbacks_leave(struct account *);
int callbacks_busy(const struct account *);

/* The message, borrowed until the reply. postern-frames(7) has members. */
struct json_object *callback_msg(const struct cb_call *);
/*
 * Answer and end the call: status of HTTP, and a body (consumed) or a text
 * or neither: then the callback worker has one for the status (401, 403,
 * 503). Once for each call.
 */
void callback_reply(struct cb_call *, int status, struct json_object *body,
    const char *text);

/* slash_in.c, action_in.c, hook_in.c: each ends in callback_reply(). */
void slash_in(struct account *, struct cb_call *);
void action_in(struct account *, struct cb_call *);
void hook_in(struct account *, struct cb_call *);

#endif
