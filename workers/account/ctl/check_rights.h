/*
 * The part of posternd -nn that asks which rights the bot has: its roles at
 * large, in each team and in each channel, and what those grant.
 */
#ifndef ACCOUNT_CHECK_RIGHTS_H
#define ACCOUNT_CHECK_RIGHTS_H

struct account;
struct json_object;

/* GET /users/me has said this. slash: commands are to be registered. */
void rights_user(struct json_object *me, int slash);
/* Ask and tell, then call done once. */
void check_rights(struct account *, void (*done)(struct account *));

/* check.c: one line. state: "ok", "warn" or "fail". */
void check_row(struct account *, const char *what, const char *state,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

#endif
