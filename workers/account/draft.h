/*
 * The preview post of a turn, with one writer: this.
 *
 * The first update creates the post at once; later ones edit it at most
 * every 1200 ms, one request at a time, newest text only. Any failure ends
 * the preview for the turn; the answer itself goes out all the same. The
 * post carries its event's id in props, so that one that a crash left
 * behind is found and removed.
 */
#ifndef ACCOUNT_DRAFT_H
#define ACCOUNT_DRAFT_H

#include <stdint.h>

#define DRAFT_THROTTLE_MS 1200 /* spec channel 5.2 */

struct account;
struct draft;

/*
 * since: server time of the post that is answered. recovered: an earlier
 * life of this worker may have left a preview: find it and go on with it.
 * Strings are copied.
 */
struct draft *draft_new(struct account *, const char *channel,
    const char *root, const char *event_id, int64_t since, int recovered);
/* Show this text (copied); cut to the preview's limit. */
void draft_update(struct draft *, const char *text);
/*
 * No more updates for now. fn is called when no request is under way, not
 * from inside this call.
 */
typedef void (*draft_fn)(void *arg);
void draft_finish(struct draft *, draft_fn, void *arg);
/* The post that exists, or "". Final once draft_finish() has called back. */
const char *draft_post(const struct draft *);
/* Forget it all; a post that exists stays. NULL is fine. */
void draft_free(struct draft *);

#endif
