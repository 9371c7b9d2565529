/*
 * The store at work: the database, its peers and what is done by the clock.
 *
 * A database that cannot be opened, or that fails, is reported, and opened
 * again with growing pauses; until then requests get err "io".
 */
#ifndef WORKERS_STORE_SERVICE_H
#define WORKERS_STORE_SERVICE_H

#include "workers/store/store.h"

#define STORE_FILE "postern.db" /* in the working directory */

struct event_base;
struct json_object;
struct service;

/* state: "open", "full", "backoff"; reason and detail may be NULL. */
typedef void (*service_report_fn)(
    void *arg, const char *state, const char *reason, const char *detail);

/* A link has ended; kind and id as service_link() had them. */
typedef void (*service_broken_fn)(
    void *arg, const char *kind, const char *id, const char *why);

/* Not started: opens nothing. path: borrowed. */
struct service *service_new(
    struct event_base *, const char *path, service_report_fn, void *arg);
/* Without one nobody hears of it. The arg is that of service_new(). */
void service_on_broken(struct service *, service_broken_fn);
/* Days that done rows, dead letters and decisions are kept. */
void service_set_retention(struct service *, int days);
/* Open the database and serve; links may come before and after. */
void service_start(struct service *);
/*
 * A link; fd now belongs to the service. One of the same kind and id is
 * replaced. -1 when kind, id or opts are not acceptable; fd is closed.
 */
int service_link(struct service *, const char *kind, const char *id,
    struct json_object *opts, int fd);
/* That peer is gone for good. */
void service_unlink(struct service *, const char *kind, const char *id);
/* Commit what waits, send the answers, close the database. */
void service_stop(struct service *);
/* Without that: as if the process had died. */
void service_free(struct service *);

#endif
