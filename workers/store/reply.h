/*
 * Sending an answer to a peer, with an eye on its queue: a peer that does
 * not read its answers is not read either.
 */
#ifndef WORKERS_STORE_REPLY_H
#define WORKERS_STORE_REPLY_H

#include "workers/store/peer.h"

struct json_object;

/* Consumes msg. A peer without a channel gets nothing. */
void reply_send(struct peer *, struct json_object *msg);
/* With a descriptor, which is consumed, too. */
void reply_send_fd(struct peer *, struct json_object *msg, int fd);
/* err {id, code, text}; id is borrowed. */
void reply_err(
    struct peer *, struct json_object *id, enum store_rc, const char *text);

#endif
