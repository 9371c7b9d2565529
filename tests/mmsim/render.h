/*
 * The JSON of the server's objects, byte for byte in the order of 5.37.
 */
#ifndef MMSIM_RENDER_H
#define MMSIM_RENDER_H

#include "tests/mmsim/state.h"

enum render {
	RENDER_NEW,    /* create, edit, events: replies count their thread */
	RENDER_STORED, /* lists and GET: reply_count of the row, 0 */
	RENDER_BARE,   /* the second answer to a pending_post_id */
};

/* self: with notify_props and the rest that only the user himself sees. */
void render_user(struct buf *, const struct user *, int self);
void render_team(struct buf *, const struct team *);
void render_tmember(struct buf *, const struct tmember *);
void render_channel(struct buf *, const struct channel *);
void render_member(struct buf *, const struct member *);
void render_post(struct buf *, const struct post *, enum render);
void render_tombstone(struct buf *, const struct tombstone *);
void render_reaction(struct buf *, const struct post *,
    const struct reaction *);
void render_file(struct buf *, const struct file *);
void render_bot(struct buf *, const struct user *);
void render_status(struct buf *, const struct user *);

#endif
