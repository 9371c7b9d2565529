/*
 * posternd -nn: what the server grants this account, asked for once and told
 * to the supervisor line by line. Nothing is written anywhere, neither in
 * the store nor at the server, and no websocket is opened.
 */
#ifndef ACCOUNT_CHECK_H
#define ACCOUNT_CHECK_H

struct account;
struct json_object;

/* The account's configuration, borrowed: what of it matters here. */
void check_config(struct account *, struct json_object *config);
/* There is a token of a command that an administrator made. */
void check_manual(void);
/* In the place of everything else that an account does. */
void check_start(struct account *);

#endif
