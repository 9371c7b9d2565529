/*
 * Before an upgrade: the program that lies at our place now is started with
 * -n, and told what it would get. Both ends of that are here.
 */
#ifndef DAEMON_UPGRADE_LOOK_H
#define DAEMON_UPGRADE_LOOK_H

#include <sys/types.h>

struct supervisor;

/* It is started, and listened to: its pid, or -1 with errno. */
pid_t upgrade_look(struct supervisor *);
/*
 * It has ended with this status of waitpid(2). NULL: it is content; else
 * what it said, or how it ended, for people. Ours until the next look.
 */
const char *upgrade_look_end(int status);

/*
 * For a program started with -n: NULL, or it is asked whether it could take
 * over now, and this is the pid file whose lock it would be left.
 */
const char *upgrade_would_leave(void);
/* Fatal when the database that it would be left is of a later release. */
void upgrade_check_schema(void);

#endif
