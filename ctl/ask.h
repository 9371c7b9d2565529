/*
 * Asking the daemon the way most verbs do it.
 */
#ifndef CTL_ASK_H
#define CTL_ASK_H

#include <stddef.h>

struct answer;
struct client_file;
struct invocation;
struct json_object;

/*
 * args is consumed and may be NULL. 0 with an answer that said yes, which
 * client_free() ends; -1 when there was none or it said no, and why was
 * told on stderr (with --json, the answer's data goes to stdout, too).
 */
int ask_daemon(const struct invocation *, const char *verb,
    struct json_object *args, int wait_ms, struct answer *);
/* With files, whose descriptors are consumed. */
int ask_with_files(const struct invocation *, const char *verb,
    struct json_object *args, const struct client_file *, size_t n,
    int wait_ms, struct answer *);
/*
 * As ask_with_files(), but a no is the caller's to tell: 0 with any answer,
 * -1 when there was none.
 */
int ask_anyway(const struct invocation *, const char *verb,
    struct json_object *args, const struct client_file *, size_t n,
    int wait_ms, struct answer *);
/* A line for people on stderr, red on a terminal. */
void ask_complain(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));
/* The same and, with --json, an object that says so on stdout. */
void ask_fail(const struct invocation *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Members for args. A NULL value is left out. */
void ask_str(struct json_object *, const char *key, const char *value);

#endif
