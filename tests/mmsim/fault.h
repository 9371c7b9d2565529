/*
 * Fault injection: rules for REST answers, misbehaviour of websockets, rate
 * limit, restarts. README.md documents the control requests.
 */
#ifndef MMSIM_FAULT_H
#define MMSIM_FAULT_H

#include <stddef.h>

struct json_object;
struct req;
struct user;

#define FAULT_REORDER_TEXT 1 /* events swapped, numbers in order */
#define FAULT_REORDER_SEQ 2  /* events and numbers swapped on the wire */

/* 1: the request was answered (429). */
int fault_limited(struct req *);
/* 1: a rule took the request over. */
int fault_before(struct req *);
/* The last step of every REST answer: a rule may change or end it. */
void fault_reply(struct req *, int status, const char *ctype,
    const void *body, size_t len);

int fault_ws_double(const struct user *);
int fault_ws_reorder(const struct user *);
int fault_ws_resume_bug(void);

/* POST /_sim/fault. NULL or the text of an error. */
const char *fault_set(struct json_object *);
void fault_clear(void);

#endif
