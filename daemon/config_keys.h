/*
 * Every key of the configuration: one table that drives what is accepted,
 * how accounts inherit, what stands in for an absent key, and what
 * "posternctl config explain" prints. postern.json5(5) has the same keys
 * and the same defaults; a test compares the two.
 *
 * A path is written with "*" for the members of a map and "[]" for those of
 * a list. accounts.* has the keys of channels.mattermost itself.
 */
#ifndef DAEMON_CONFIG_KEYS_H
#define DAEMON_CONFIG_KEYS_H

#include <stddef.h>
#include <stdio.h>

#include "common/proto.h"

/* What a value may be: any of these. */
#define KEY_BOOL 0x0001u
#define KEY_FALSE 0x0002u /* false, but not true */
#define KEY_INT 0x0004u	  /* whole number from min to max */
#define KEY_NUM 0x0008u	  /* number above min, up to max */
#define KEY_STR 0x0010u	  /* at most max bytes, 0: CONFIG_STR_MAX */
#define KEY_WORD 0x0020u /* one of words */
#define KEY_STRS 0x0040u /* list of at most max strings, 0: CONFIG_LIST_MAX */
#define KEY_IDS 0x0080u	 /* the same of strings and whole numbers */
#define KEY_OBJ 0x0100u	 /* its members are in the table */
#define KEY_MAP 0x0200u	 /* names of one's choice, "*" in the table */
#define KEY_LIST 0x0400u /* "[]" in the table */
#define KEY_SECRET 0x0800u
#define KEY_PROXY 0x1000u /* http://[user:password@]host:port */
#define KEY_ANY 0x2000u	  /* not looked into, told to nobody */
#define KEY_NULL 0x4000u

#define CONFIG_STR_MAX 1000  /* bytes; also of a string in a list */
#define CONFIG_LIST_MAX PROTO_LIST

/* flags */
#define KEY_ROOT 0x1u	/* not inside accounts.* */
#define KEY_LEGACY 0x2u /* an old spelling of the key in fallback */
#define KEY_OPEN 0x4u	/* shared with the peer: unknown keys are ignored */
#define KEY_MORE 0x8u	/* the peer has no max: more than it counts as it */

struct config_key {
	const char *path;
	const char *what;  /* one line */
	unsigned types;
	unsigned flags;
	const char *dflt;  /* JSON; NULL: absent stays absent */
	const char *words; /* of KEY_WORD, separated by spaces */
	double min, max;
	const char *fallback; /* path that stands in before dflt */
};

/* The table ends with a NULL path; the first row is the file itself, "". */
extern const struct config_key config_keys[];

/* Names of the peer that are known and mean nothing here. */
struct config_ignored {
	const char *path;  /* of the object */
	const char *names; /* separated by spaces */
};
extern const struct config_ignored config_ignored[];

/* config_lookup.c */

/* The row of a whole path ("a.*.b"), or NULL. Rows are static. */
const struct config_key *config_key_find(const char *path);
/* Members of an object in order of the table; NULL at the end. */
const struct config_key *config_key_first(const struct config_key *);
const struct config_key *config_key_next(const struct config_key *);
/* The member of that name (of a map: the row for its members), or NULL. */
const struct config_key *config_key_member(
    const struct config_key *, const char *name);
/* The row for the members of a list, or NULL. */
const struct config_key *config_key_item(const struct config_key *);
/* The last part of the path. */
const char *config_key_name(const struct config_key *);
/* 1 when the peer has that key there and it means nothing here. */
int config_key_ignored(const struct config_key *, const char *name);
/*
 * The member whose name is nearest to name: at most two edits away, one
 * when the name is short. NULL when none is.
 */
const char *config_key_nearest(const struct config_key *, const char *name);
/*
 * The next of words separated by spaces, in buf; *words is moved on. 0 at
 * the end. No word of the table is longer than CONFIG_WORD_MAX - 1.
 */
#define CONFIG_WORD_MAX 48
int config_word_next(const char **words, char *buf, size_t len);
/* The nearest of words separated by spaces, in buf, or NULL. */
const char *config_word_nearest(
    const char *words, const char *name, char *buf, size_t len);
/* "true or false", "one of \"a\", \"b\"", ... */
void config_key_type_text(const struct config_key *, char *buf, size_t len);

/*
 * Print what the table says about a key: type, default, where it may stand,
 * one line of description. key is a whole path (account ids, list indices
 * and map names as they are, or "*"), or its end ("dmPolicy"): then all
 * that fit are printed. 0, or -1 when there is none (a line on the stream
 * says so, with the nearest name).
 */
int config_keys_explain(const char *key, FILE *);

#endif
