/*
 * What is known well enough is decided, and goes into the inbox or is
 * dropped with its reason.
 */
#ifndef ACCOUNT_JUDGE_H
#define ACCOUNT_JUDGE_H

struct account;
struct inbound;
struct json_object;
struct verdict;

/* Decide, and do what was decided; consumed. missed: found by REST. */
void judge_inbound(struct account *, struct inbound *, int missed);
/*
 * It cannot be decided or kept now; consumed. It stays with the server's
 * posts: the connection begins anew, and its gap fill finds it again.
 */
void judge_failed(struct account *, struct inbound *, const char *err);
/* What the turn of an accepted inbound needs to know: the row's data. */
struct json_object *judge_data(
    struct account *, const struct inbound *, const struct verdict *);

#endif
