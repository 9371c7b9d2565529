/*
 * What was missed: after every start of the websocket that is no proven
 * resume, the posts behind each channel's mark are fetched by REST and go
 * the same way as live ones.
 *
 * One list of channels a team tells which have news (last_post_at); only
 * those are asked for posts, at most four requests at once. Marks move
 * again when the channel they belong to has been filled.
 */
#ifndef ACCOUNT_GAPFILL_H
#define ACCOUNT_GAPFILL_H

struct account;
struct channel;
struct gapfill;

/* Idle; lives as long as the account. */
struct gapfill *gapfill_new(struct account *);
/* Start over with all channels. */
void gapfill_start(struct account *);
/* A channel that is new to the bot; when connected. */
void gapfill_channel(struct account *, const char *channel_id);
/*
 * The connection is gone: forget what is under way, which is a hole that also
 * a resumed one must fill.
 */
void gapfill_stop(struct account *);
/* So is what else was forgotten with it. */
void gapfill_doubt(struct account *);
/* Nothing of the channel is missing: its mark and its live posts go on. */
void channel_opened(struct account *, struct channel *);
/* The last start has looked at every channel. */
int gapfill_complete(const struct account *);
/* Go on, after the store's queue was full. */
void gapfill_kick(struct account *);

#endif
