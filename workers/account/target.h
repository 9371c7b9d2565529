/*
 * Where a message is to go, as people write it: "channel:ID", "#name",
 * "user:ID", "@name", an id alone, a channel's name alone.
 */
#ifndef ACCOUNT_TARGET_H
#define ACCOUNT_TARGET_H

enum target_kind {
	TARGET_BAD = 0,
	TARGET_CHANNEL_ID,
	TARGET_CHANNEL_NAME,
	TARGET_USER_ID,
	TARGET_USER_NAME
};

struct target {
	enum target_kind kind;
	char *value;       /* id or name; NULL when bad */
	const char *error; /* static text for people; NULL when good */
	/*
	 * An id without a prefix: it may be a user's, which then wins; kind
	 * is TARGET_CHANNEL_ID.
	 */
	int bare_id;
};

/* Fills all of the target, also a bad one; clear() frees what is in it. */
void target_parse(const char *text, struct target *);
void target_clear(struct target *);
/*
 * As the message tool writes it, a new string: "channel:..", "user:..",
 * "@name"; NULL when the text has to be looked up in the directory, or is
 * no target.
 */
char *target_normalise(const char *text);
/* 1 for a person: "@name", "user:..". */
int target_is_user(const char *text);

#endif
