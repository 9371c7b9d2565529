/*
 * Telling the service manager, sd_notify(3)'s protocol: datagrams to the
 * AF_UNIX socket named by NOTIFY_SOCKET. Without one all of this is quiet.
 */
#ifndef DAEMON_SDNOTIFY_H
#define DAEMON_SDNOTIFY_H

#include <stdint.h>

/* Takes NOTIFY_SOCKET and WATCHDOG_USEC out of the environment. */
void sdnotify_init(void);
/* Milliseconds within which WATCHDOG=1 is expected; 0: it is not. */
int64_t sdnotify_watchdog_ms(void);
/* One datagram; never blocks, a failure is not worth a word. */
void sdnotify(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* RELOADING=1 with the time that the protocol wants beside it. */
void sdnotify_reloading(void);
/* Put back into the environment what was taken from it. */
void sdnotify_hand_on(void);

#endif
