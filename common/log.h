/*
 * Logging: one event a line, with a stable event name and key=value pairs.
 *
 * A line goes to the sink: stderr before anything else is set, the
 * supervisor's channel in a worker, syslog or a file in the supervisor.
 * No message body and no secret is ever given to these functions.
 */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <sys/cdefs.h>
#include <stdarg.h>
#include <stddef.h>
#include <syslog.h>

#define LOG_LINE_MAX 1024

/* A number as a value of log_event(); lives to the end of the full block. */
#define LOG_NUM(n) log_num((char[24]){0}, (long long)(n))

typedef void (*log_sink_fn)(int prio, const char *line, void *arg);

/* role: short process title put before each line, borrowed for ever. */
void log_init(const char *role, int verbose);
/* Send finished lines to fn from now on; NULL restores stderr. */
void log_set_sink(log_sink_fn fn, void *arg);
void log_set_verbose(int verbose);
int log_get_verbose(void);
/* 1: lines are JSON objects; the sink puts time and level first. */
void log_set_json(int on);
int log_get_json(void);
/*
 * Hand a line that another process formatted to the sink, cleaned: that
 * process may be captured.
 */
void log_relay(int prio, const char *line);
/*
 * src as valid UTF-8 without control characters, cut to size bytes at the
 * end of a character, NUL included.
 */
void log_clean(char *dst, const char *src, size_t size);

/*
 * name: stable dotted event name ("account.connected"). Then pairs of
 * const char *key, const char *value, ended by NULL. A NULL value is left
 * out. Values are quoted when they must be; control characters and broken
 * UTF-8 become '?'; a line too long is cut and stays well formed.
 */
void log_event(int prio, const char *name, ...)
    __attribute__((sentinel));

void log_warn(const char *fmt, ...) /* adds strerror(errno) */
    __attribute__((format(printf, 1, 2)));
void log_warnx(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void fatal(const char *fmt, ...) /* adds strerror(errno), exits 1 */
    __attribute__((format(printf, 1, 2), noreturn));
void fatalx(const char *fmt, ...)
    __attribute__((format(printf, 1, 2), noreturn));

/* For LOG_NUM(): n into buf of 24 bytes, which it returns. */
const char *log_num(char *buf, long long n);
/* The time now, UTC as in RFC 3339 with ms: 25 bytes. */
void log_time(char *buf, size_t size);

#endif
