/*
 * Allowlists: who may speak. Entries match the user id; a name only when
 * the account says so (names can be changed by their owners); "*" matches
 * everyone; "accessGroup:NAME" stands for the members of a configured
 * group. An entry that nobody can read matches nobody.
 */
#ifndef ACCOUNT_ALLOW_H
#define ACCOUNT_ALLOW_H

#include <stddef.h>

struct json_object;
struct allow_list;

enum allow_match {
	ALLOW_NONE = 0,
	ALLOW_WILDCARD,
	ALLOW_ID,
	ALLOW_NAME,
	ALLOW_ACCESS_GROUP
};

/*
 * The normal form of an entry, a new string: blanks trimmed, one leading
 * "mattermost:" or "user:" and then one "@" taken off, lower case; "*" and
 * "accessGroup:NAME" stay. "" for an entry that is ignored.
 */
char *allow_normalise(const char *entry);

/*
 * entries: array of strings and numbers, or NULL for an empty list. groups:
 * the accessGroups object ({"type": "message.senders", "members": {"*":
 * [..], "mattermost": [..]}}), or NULL. Never NULL; anything badly typed
 * in either is left out, which denies.
 */
struct allow_list *allow_compile(
    struct json_object *entries, struct json_object *groups);
void allow_free(struct allow_list *);

/* 1 when there is no entry at all. */
int allow_empty(const struct allow_list *);
/* Entries that name an access group that is missing, or of another type. */
int allow_missing_group(const struct allow_list *);
int allow_unsupported_group(const struct allow_list *);

/* name may be NULL or ""; it is looked at only with by_name. */
enum allow_match allow_find(const struct allow_list *, const char *user_id,
    const char *name, int by_name);

/* Every entry that is no id, members of access groups included. */
void allow_names(const struct allow_list *,
    void (*fn)(const char *name, void *arg), void *arg);
/* In the place of that name, wherever it stands, the id. */
void allow_resolve(
    struct allow_list *, const char *name, const char *user_id);

/* Ids that come and go while running (the pairing store of an account). */
void allow_add(struct allow_list *, const char *entry);
void allow_remove(struct allow_list *, const char *entry);

#endif
