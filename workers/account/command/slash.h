/*
 * Native slash commands: which there are, their registration with every
 * team of the bot, and the proof of a call.
 *
 * At every fresh connection, and every ten minutes, each team's commands
 * are compared with ours: what is missing is made, what drifted is updated,
 * what is somebody else's is left alone. The ids of what we made are in the
 * store, so that it is found again where listing is forbidden; they are
 * deleted when the worker stops. A trigger with a token in the
 * configuration is an administrator's and is not touched.
 *
 * A call is one when its token is that of the command of its team and
 * trigger, and the server, asked again, says the same; in any doubt it is
 * not.
 */
#ifndef ACCOUNT_SLASH_H
#define ACCOUNT_SLASH_H

struct account;
struct json_object;
struct slash;

/* Lives as long as the account. */
struct slash *slash_new(struct account *);
/* The account's configuration; borrowed. */
void slash_config(struct account *, struct json_object *config);
/* The token of a trigger that an administrator made: "[team/]trigger". */
void slash_manual(struct account *, const char *trigger, const char *token);
/* The bot is connected, or is in another team now. */
void slash_sync(struct account *);
/* As slash_stop(), but what we made stays for the next process. */
void slash_leave(struct account *);
/* No more calls; delete what we made, then call done. */
void slash_stop(struct account *, void (*done)(struct account *));
/* {commands: how many are there, problem?}; NULL when they are off. */
struct json_object *slash_status(const struct account *);

#endif
