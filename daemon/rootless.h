/*
 * Where a daemon that was not started as root keeps its things, unless the
 * configuration says otherwise. posternctl looks in the same place.
 */
#ifndef DAEMON_ROOTLESS_H
#define DAEMON_ROOTLESS_H

#include <stddef.h>

/* $XDG_RUNTIME_DIR/postern, else /tmp/postern-UID. 0, or -1: too long. */
int rootless_run_dir(char *buf, size_t len);
/*
 * $XDG_STATE_HOME/postern, else ~/.local/state/postern. 0, or -1 when it is
 * too long or there is no home.
 */
int rootless_store_dir(char *buf, size_t len);

#endif
