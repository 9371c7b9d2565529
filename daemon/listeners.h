/*
 * The sockets of the callback worker, and that of the metrics. They are
 * bound here, by the supervisor, so that ports below 1024 work and a restart
 * of a worker, a reload or an upgrade refuses nobody: what comes meanwhile
 * waits in the backlog.
 *
 * Sockets that a service manager has passed (LISTEN_FDS) take the place of
 * all that the configuration says for the same purpose: one that is named
 * "metrics" is for the metrics, every other one for callbacks.
 */
#ifndef DAEMON_LISTENERS_H
#define DAEMON_LISTENERS_H

#include <stddef.h>

struct config;
struct supervisor;

enum listen_for { LISTEN_CALLBACK, LISTEN_METRICS, LISTEN_KINDS };

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
/* Did the last listeners_open() change any of these? */
int listeners_changed(enum listen_for);
size_t listeners_count(void);
/* Borrowed; -1 when socket i is for something else. */
int listeners_fd(size_t i, enum listen_for);
/*
 * For the program that takes our place: what socket i is called, without
 * white space. listeners_take() is its other end: fd becomes ours. -1 when
 * that is no listening socket, or the name none of ours.
 */
const char *listeners_name(size_t i);
int listeners_take(const char *name, int fd);
/* Close all, and remove the UNIX socket of ours. */
void listeners_close(void);

#endif
