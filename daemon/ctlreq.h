/*
 * What the control worker may ask of the supervisor: status, reload, stop,
 * verbose, check. It is the only worker that may ask for anything.
 */
#ifndef DAEMON_CTLREQ_H
#define DAEMON_CTLREQ_H

struct json_object;
struct proc;
struct supervisor;

/* Answer one "ctl" frame; msg is borrowed. */
void ctlreq_handle(struct proc *control, struct json_object *msg);
/*
 * The answer to a request that was kept; req is taken over. Nothing is sent
 * when the control worker that asked has gone.
 */
void ctlreq_answer_late(
    struct supervisor *, struct json_object *req, int ok, const char *text);

#endif
