/*
 * The model picker: a message with buttons that /oc_model alone and
 * /oc_models bring, in which the person who asked, and nobody else, goes
 * from providers to models and takes one.
 *
 * Its state is in the signed contexts of its buttons; taking a model is the
 * text command "/model REF" of that person.
 */
#ifndef ACCOUNT_PICKER_H
#define ACCOUNT_PICKER_H

struct account;
struct cb_call;
struct inbound;
struct json_object;
struct turn;

#define PICKER_PAGE 8 /* models of a page: the peer's */

/* The models to choose from: [{provider, id, name}]. Borrowed. */
void picker_config(struct account *, struct json_object *config);

/*
 * What the row of this command needs for the picker: {"picker": {...}}, or
 * NULL when it opens none.
 */
struct json_object *picker_more(struct account *, const char *name,
    const char *text, const char *user);
/* 1 when a row with this data is the picker's: no agent is needed. */
int picker_wants(struct json_object *data);
/* 1: the turn of this row is the picker's, and it has begun. */
int picker_turn(struct account *, struct turn *);

/*
 * A click on one of its buttons, verified and authorised: answered. Takes
 * over in. The post is the one that was clicked.
 */
void picker_click(struct account *, struct cb_call *, struct inbound *in,
    struct json_object *post);

#endif
