/*
 * Another program under the same process id: workers end in good order, the
 * sockets stay open, and posternd executes what now lies at its place. Who
 * calls meanwhile waits in the backlog; what happens meanwhile is found by
 * the gap fill.
 */
#ifndef DAEMON_UPGRADE_H
#define DAEMON_UPGRADE_H

#include <stddef.h>

struct json_object;
struct supervisor;

/*
 * Let the new program look at the configuration, and go over to it when it
 * is content. req is the control worker's request, which is answered then.
 * -1, and why, when it cannot even begin.
 */
int upgrade_start(
    struct supervisor *, struct json_object *req, char *why, size_t len);
/* The program that looked has ended. */
void upgrade_checked(struct supervisor *, int status);
/* All workers are gone. Returns only when it failed, and all goes on. */
void upgrade_go(struct supervisor *);

/* How many descriptors from 3 on our predecessor has left us. */
int upgrade_inherited(void);
/*
 * Take what is ours of them: the sockets, and the lock when it is of this
 * file. 1 when there was a predecessor; sup->lock_fd and sup->listen_fd are
 * -1 when they have still to be made.
 */
int upgrade_take(struct supervisor *, const char *lock_path);

#endif
