/*
 * Changes of accounts in the text of a configuration file: comments, order
 * and spelling of all the rest stay as they are.
 *
 * Pure: text in, text out. A change is only given when the new text, read
 * again, differs from the old by that account and nothing else.
 */
#ifndef CTL_CONFIG_EDIT_H
#define CTL_CONFIG_EDIT_H

#include <stddef.h>

/* What an account gets; NULL is left out. */
struct edit_account {
	const char *id; /* normalised */
	const char *name, *token, *url;
};

enum edit_kind {
	EDIT_DISABLE, /* enabled: false */
	EDIT_DELETE   /* the member goes */
};

/*
 * The new text, the caller's to freezero(), or NULL with why filled with a
 * line for people. "default" goes into channels.mattermost itself as long
 * as there are no accounts; text may be "" for a file that is not there.
 */
char *edit_add(const char *text, const struct edit_account *, char *why,
    size_t len);
char *edit_remove(const char *text, const char *id, enum edit_kind,
    char *why, size_t len);
/* As it would stand in the file, without the token: the caller's. */
char *edit_show(const struct edit_account *);

#endif
