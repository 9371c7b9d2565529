/*
 * The REST calls of the account worker.
 *
 * Paths are below /api/v4. Every call ends in one callback, from the event
 * loop; the answer's body is parsed when it is whole and is JSON.
 */
#ifndef ACCOUNT_API_H
#define ACCOUNT_API_H

#include <stddef.h>

#include "workers/net/net.h"

struct account;
struct json_object;

/* body: borrowed, NULL when there is none that can be trusted. */
typedef void (*api_fn)(struct account *, const struct net_result *,
    struct json_object *body, void *arg);

/*
 * The status of a refusal that Mattermost has not written: something in
 * between has, which knows nothing of what was asked for. It counts as one
 * of a server in trouble; the log has what it was.
 */
#define API_STRANGER 599

#define API_LARGE (16u * 1024 * 1024) /* bytes of a long list */

/* path: "/users/me"; copied. Returns NULL when it is not usable. */
struct net_request *api_get(
    struct account *, const char *path, api_fn, void *arg);
/* The same, with an answer of up to API_LARGE bytes. */
struct net_request *api_get_large(
    struct account *, const char *path, api_fn, void *arg);
/* body is consumed and may be NULL. */
struct net_request *api_send(struct account *, const char *method,
    const char *path, struct json_object *body, api_fn, void *arg);

/* As api_send(), given up after so many ms. */
struct net_request *api_send_within(struct account *, const char *method,
    const char *path, struct json_object *body, int64_t deadline_ms, api_fn,
    void *arg);

/* 1 when the answer has this status and a whole body. */
int api_ok(const struct net_result *, struct json_object *body, int status);
/*
 * One line for people: "403 api.context.permissions.app_error: words" or
 * "connect: Connection refused". Never a secret.
 */
const char *api_error(const struct net_result *, struct json_object *body,
    char *buf, size_t size);
/* The string member, "" when absent or of another type. Borrowed. */
const char *api_str(struct json_object *, const char *key);
/* The integer member, 0 when absent or of another type. */
int64_t api_int(struct json_object *, const char *key);

/* Copy into a buffer of fixed size. Must fit: fatal if not. */
#define ID_COPY(dst, src) api_copy((dst), (src), sizeof(dst))
void api_copy(char *dst, const char *src, size_t size);

#endif
