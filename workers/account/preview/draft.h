/*
 * One preview post, with one writer: this.
 *
 * The first text creates the post at once; later ones edit it at most every
 * 1200 ms, one request at a time, newest text only. Any failure is the end:
 * nothing more is sent. The post carries its event's id in props, so that one
 * that a crash left behind is found and removed.
 */
#ifndef ACCOUNT_DRAFT_H
#define ACCOUNT_DRAFT_H

#define DRAFT_THROTTLE_MS 1200 /* OpenClaw's */

struct account;
struct draft;

/*
 * changed is called after each answer of the server, never from inside a
 * call of this module. Strings are copied.
 */
typedef void (*draft_fn)(void *arg);
struct draft *draft_new(struct account *, const char *channel,
    const char *root, const char *event_id, draft_fn changed, void *arg);
/* NULL is fine. A post that exists stays. */
void draft_free(struct draft *);

/* Go on with this post of an earlier life; not after the first text went. */
void draft_adopt(struct draft *, const char *post);
/* While on, nothing is created: posts have an order. */
void draft_hold(struct draft *, int on);
/* The post is to say this: not blank, and not cut here. */
void draft_update(struct draft *, const char *text);
/* What was not sent yet is not sent any more. */
void draft_stop(struct draft *);
/* As draft_stop(); the request under way is given up. */
void draft_abort(struct draft *);

int draft_busy(const struct draft *); /* a request is under way */
/* Its post is still to come: there is, or will be, a request for it. */
int draft_coming(const struct draft *);
int draft_failed(const struct draft *);
/* The post that exists, or "". */
const char *draft_post(const struct draft *);
/*
 * It exists, and nothing of ours can change it any more but a new request:
 * the next edit is the last word.
 */
int draft_usable(const struct draft *);
/* A post may exist that draft_post() does not know of. */
int draft_unclear(const struct draft *);

#endif
