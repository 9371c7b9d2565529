/*
 * Buttons of this account: where its clicks go and what signs them.
 */
#ifndef ACCOUNT_INTERACT_H
#define ACCOUNT_INTERACT_H

#include "common/signed_context.h"

struct account;
struct json_object;

/* The account's configuration; borrowed. */
void interact_config(struct account *, struct json_object *config);
/* Where clicks go. Borrowed. */
const char *interact_url(const struct account *);
/* The derived secret; overwrite it afterwards. -1: there is no token. */
int interact_secret(const struct account *, char secret[SIGNED_HEX_SIZE]);

/*
 * The props of a message with these buttons and this presentation (either
 * may be NULL) for that channel, text (may be NULL) standing above them:
 * {"attachments": [..]}, the caller's. NULL with *why NULL: nothing to click;
 * else *why is a text for people.
 */
struct json_object *interact_props(const struct account *, const char *channel,
    struct json_object *buttons, struct json_object *presentation,
    const char *text, const char **why);

/* context with its _token, for a script; consumed. NULL: *why. */
struct json_object *interact_sign(const struct account *,
    struct json_object *context, const char **why);

#endif
