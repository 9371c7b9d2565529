/*
 * The one way in: what the websocket or the gap fill found is decoded,
 * recognised when it came before, decided, and put into the inbox; what is
 * dropped is recorded with its reason, in batches.
 */
#ifndef ACCOUNT_INTAKE_H
#define ACCOUNT_INTAKE_H

struct account;
struct channel;
struct event;
struct intake;
struct json_object;

struct intake *intake_new(struct account *);
/* The bot's own id and name are known now. */
void intake_identity(struct account *);
/* An event of the websocket; may take over ev->in. */
void intake_event(struct account *, struct event *ev);
/* A post found by REST. */
void intake_post(struct account *, struct json_object *post);
/* The channel has no hole any more: what was held for that goes on. */
void intake_open(struct account *, struct channel *);
/* Write the recorded drops now. */
void intake_flush(struct account *);

#endif
