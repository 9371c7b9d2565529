/*
 * One request of an operator under way in the account, and its answer.
 */
#ifndef ACCOUNT_CTL_OP_H
#define ACCOUNT_CTL_OP_H

struct account;
struct chan;
struct json_object;

struct ctl_op {
	struct account *a;
	struct chan *c; /* who asked; compared, the link may go */
	struct json_object *req;
};

/* req: borrowed; its id is kept for the answer. */
void ctl_op_begin(struct ctl_op *, struct account *, struct chan *,
    struct json_object *req);
/* A "data" to fill and to give to ctl_op_answer(). */
struct json_object *ctl_op_data(const struct ctl_op *);
/* msg is consumed. What the op holds is released; the op is its owner's. */
void ctl_op_answer(struct ctl_op *, struct json_object *msg);
void ctl_op_err(struct ctl_op *, const char *code, const char *text);
/* Which account is not connected, and why not. Good until the next call. */
const char *ctl_offline(const struct account *);

/* ctl_send.c, ctl_act.c, directory.c: handlers of the control link */
void ctl_on_send(struct chan *, struct json_object *, int fd, void *arg);
void ctl_on_react(struct chan *, struct json_object *, int fd, void *arg);
void ctl_on_read(struct chan *, struct json_object *, int fd, void *arg);
void ctl_on_probe(struct chan *, struct json_object *, int fd, void *arg);
void ctl_on_directory(struct chan *, struct json_object *, int fd, void *arg);

#endif
