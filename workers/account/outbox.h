/*
 * The outbox: what is to be posted, edited or deleted, exactly once.
 *
 * A row is in the store before it comes here. It is done when the server
 * has answered. When a sending had no clear end, the row's key is looked
 * for in the channel before anything is sent again; the server itself
 * knows the key for 30 s (pending_post_id).
 */
#ifndef ACCOUNT_OUTBOX_H
#define ACCOUNT_OUTBOX_H

#include <stdint.h>

struct account;
struct json_object;
struct outbox;

#define OUTBOX_KEY_SIZE 65

/* Empty; lives as long as the account. */
struct outbox *outbox_new(struct account *);
/* A new key: unique for ever, 36 characters. */
void outbox_key(char *buf, int64_t seq, int n);

/*
 * The JSON of one row, as turn.commit and outbox.put carry it. op: "post"
 * (text, root), "edit" (post, text; becomes a new post, and the old one is
 * deleted, when it cannot be edited), "delete" (post), "sweep" (text: the
 * event whose previews are removed; props as sweep.h has them). Absent
 * strings are "". A member "files" may be added to a post: an array of ids
 * that media_out.h has made.
 */
struct json_object *outbox_item(const char *key, const char *op,
    const char *channel, const char *root, const char *post,
    const char *text);

/* Props of its post, consumed: {"attachments": [..]}. */
void outbox_item_props(struct json_object *item, struct json_object *props);

/* These are no answers to anybody: the bot takes no part where they go. */
void outbox_scheduled(struct json_object *items);

/* Delivered (post id, or "" when the answer did not tell) or given up. */
typedef void (*outbox_fn)(struct account *, const char *post,
    const char *failed, void *arg);

/*
 * The store has these items (borrowed, as above): deliver them in order.
 * They hold the lane (may be "") until done. fn, which may be NULL, is told
 * the end of the first.
 */
void outbox_add(struct account *, struct json_object *items,
    const char *lane, int64_t seq, outbox_fn, void *arg);
/* An outbox.row of the store. -1: not of its shape. Twice is fine. */
int outbox_restore(struct account *, struct json_object *row);
/* The server is there (again), or our identity: do not wait for timers. */
void outbox_kick(struct account *);
/* The store was restarted: what it may not have written. */
void outbox_retell(struct account *);
int outbox_pending(const struct account *);

#endif
