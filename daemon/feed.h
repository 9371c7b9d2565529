/*
 * What a worker is given before it starts: its part of the configuration,
 * its secrets and its descriptors. The only place where a secret leaves
 * the supervisor.
 */
#ifndef DAEMON_FEED_H
#define DAEMON_FEED_H

struct json_object;
struct proc;
struct supervisor;

/* Queue "init", "secret" and "fd" frames on its channel. */
void feed_worker(struct proc *);
/* The metrics sockets have changed: tell the control worker. */
void feed_metrics(struct supervisor *);
/*
 * To a callback worker that runs and is to go: what of its connections has
 * not shown a token yet is asked for the one in force, or gets nowhere.
 */
void feed_hook_token(struct proc *);
/* What a link tells its end about the peer, or NULL; a new reference. */
struct json_object *feed_link_opts(const struct proc *, const struct proc *);

#endif
