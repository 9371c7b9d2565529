/*
 * Watching the workers: reaping the dead, pinging the living, and telling
 * the service manager's watchdog only what is true.
 */
#ifndef DAEMON_WATCH_H
#define DAEMON_WATCH_H

#include <stdint.h>

#define WATCH_PING_MS 20000     /* between two pings of one worker */
#define WATCH_LATE_MS 10000     /* no answer: the watchdog is not told */
#define WATCH_DEADLINE_MS 30000 /* no answer: the worker is ended */

struct proc;
struct supervisor;

/* After the first workers were started. */
void watch_start(struct supervisor *);
/* Ask one for a sign of life, unless it owes us one. */
void watch_ping(struct proc *);
/* SIGCHLD has come. */
void watch_reap(struct supervisor *);
/* Between two rounds: a third of the watchdog's time, or WATCH_PING_MS. */
int64_t watch_interval(int64_t watchdog_ms);

#endif
