/*
 * What the configuration file alone says, when no daemon runs.
 */
#ifndef CTL_OFFLINE_H
#define CTL_OFFLINE_H

struct invocation;
struct json_object;

/*
 * The accounts as "status" has them, as far as that is known; the caller's.
 * NULL when the file cannot be read or is wrong. References to secrets are
 * followed, as posternd -n does.
 */
struct json_object *offline_accounts(const struct invocation *);

#endif
