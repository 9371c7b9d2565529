/*
 * What the message verbs print: sentences for people, and for programs the
 * JSON that scripts for the peer know.
 */
#ifndef CTL_REPORT_H
#define CTL_REPORT_H

struct answer;
struct invocation;
struct json_object;

/* {action, channel, dryRun, handledBy}, the caller's. */
struct json_object *report_new(
    const struct invocation *, const char *action);
/* ok, error and what has been posted all the same. */
void report_failure(struct json_object *, const struct answer *);
/* The end of a send, good or bad: stdout, and stderr when it is bad. */
void report_send(
    const struct invocation *, const char *to, const struct answer *);
/* A line on stderr, with --verbose. */
void report_verbose(const struct invocation *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * cmd_message.c: what --message says: standard input for "-". "" when it
 * was not given; NULL after a complaint. Good until the next call.
 */
const char *message_text(const struct invocation *);

#endif
