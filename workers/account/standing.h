/*
 * How the bot stands in its threads and channels:
 *
 *  threads  where it has answered lately: there it is meant without being
 *           named. The store writes them with the end of
 *           an outbox row; here they are known from when it is sent.
 *  loops    how many turns in a row only bots have had: after BOT_TURNS_MAX
 *           (pipeline.h) the bot is silent until a person speaks or no bot
 *           has had a turn for an hour: a loop is fast, alerts that a
 *           machine posts are not. The store counts with inbox.put.
 *
 * Both are loaded from the store.
 */
#ifndef ACCOUNT_STANDING_H
#define ACCOUNT_STANDING_H

struct account;
struct json_object;

/* An answer is on its way there, now. */
void threads_note(struct account *, const char *channel, const char *root);
/* facts.participates of the pipeline; arg is the account. */
int threads_participates(void *arg, const char *channel, const char *root);

/* facts.bot_turns of the pipeline; arg is the account. */
int loops_turns(void *arg, const char *channel, const char *root);
/* A bot's post was accepted there; by -1: it had been counted before. */
void loops_count(
    struct account *, const char *channel, const char *root, int by);
/* A person has spoken there. */
void loops_human(struct account *, const char *channel, const char *root);

/* Both, from the store's "access". -1: not of its shape. */
int standing_load(struct account *, struct json_object *access);

#endif
