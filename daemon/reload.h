/*
 * From configuration to workers: the first plan, and every later one.
 *
 * A reload parses aside and keeps what runs on any error. Workers that
 * would be told the same again are left alone with all their connections;
 * the others are stopped and started with what is new.
 */
#ifndef DAEMON_RELOAD_H
#define DAEMON_RELOAD_H

#include <stddef.h>

struct config;
struct config_errors;
struct supervisor;

/*
 * Bring the list of workers and links in line with sup->config. old is the
 * configuration before, or NULL at the start, when nothing is started or
 * stopped here. Returns a summary for people, valid until the next call.
 */
const char *reload_plan(struct supervisor *, const struct config *old);

/*
 * Read the file and go over to it. 0, or -1 and everything is as it was.
 * text gets what there is to say to the one who asked. While an earlier
 * reload is under way it is only noted, and done once afterwards.
 */
int reload_now(struct supervisor *, char *text, size_t len);
/* By signal: the log has the outcome. */
void reload_request(struct supervisor *);
/* The callback worker has ended: those that were kept for it may, too. */
void reload_callback_gone(struct supervisor *);
/* The exchanged workers are up. */
void reload_done(struct supervisor *);
/* Put all that config_load() had to say into the log. */
void reload_log(const struct config_errors *);
/* Read the file and say what there is to say about it. 0 or -1. */
int reload_check(const char *path, char *text, size_t len);

#endif
