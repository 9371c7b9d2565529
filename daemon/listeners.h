/*
 * The sockets of the callback worker. They are bound here, by the
 * supervisor, so that ports below 1024 work and a restart of the worker, or
 * a reload, refuses nobody: what comes meanwhile waits in the backlog.
 *
 * Sockets that a service manager has passed (LISTEN_FDS) take the place of
 * all that the configuration says.
 */
#ifndef DAEMON_LISTENERS_H
#define DAEMON_LISTENERS_H

#include <stddef.h>

struct config;
struct supervisor;

/*
 * How many descriptors from 3 on the service manager has passed. Asked
 * before they could be closed; the environment is cleared.
 */
int listeners_inherited(void);
/*
 * Bring the sockets in line with a configuration; those that stay are not
 * touched. -1, and why for people, when one cannot be bound: then all is as
 * it was before.
 */
int listeners_open(
    struct supervisor *, const struct config *, char *why, size_t len);
/* Did the last listeners_open() change any? */
int listeners_changed(void);
size_t listeners_count(void);
/* Borrowed. */
int listeners_fd(size_t i);
/* Close all, and remove the UNIX socket of ours. */
void listeners_close(void);

#endif
