/*
 * Where the lines of all processes end up: stderr in the foreground, else
 * syslog, stderr or a file as configured.
 */
#ifndef DAEMON_LOGSINK_H
#define DAEMON_LOGSINK_H

struct config;

/*
 * Switch to what the configuration says; cf is not kept. In the foreground
 * everything goes to stderr. A file that cannot be opened leaves the sink
 * as it was, with a line about it; -1 then.
 */
int logsink_setup(const struct config *cf, int foreground);
/* The same as far as it can fail, without switching: 0, or -1 and a line. */
int logsink_try(const struct config *cf, int foreground);
/* The file was moved away: open it again. */
void logsink_reopen(void);

#endif
