/*
 * The one way in: what the websocket or the gap fill found is decoded,
 * recognised when it came before, decided, and put into the inbox; what is
 * dropped is recorded with its reason, in batches.
 */
#ifndef ACCOUNT_INTAKE_H
#define ACCOUNT_INTAKE_H

struct account;
struct bot_identity;
struct channel;
struct event;
struct inbound;
struct intake;
struct json_object;

/* Lives as long as the account. */
struct intake *intake_new(struct account *);
/* The bot's own id and name are known now. */
void intake_identity(struct account *);
/* An event of the websocket; may take over ev->in. */
void intake_event(struct account *, struct event *ev);
/* A post found by REST. */
void intake_post(struct account *, struct json_object *post);
/* A reaction that is a whole one; consumed. missed: found by REST. */
void intake_reaction(struct account *, struct inbound *, int missed);
/* The channel has no hole any more: what was held for that goes on. */
void intake_open(struct account *, struct channel *);
/* Who the bot is, for decide(). */
const struct bot_identity *intake_bot(const struct account *);
/* It was decided about in an earlier life: it will count as seen. */
void intake_known(struct account *, const char *post_id);
/* 1: the store has not answered all puts. */
int intake_putting(const struct account *);
/* Write the recorded drops now. */
void intake_flush(struct account *);

#endif
