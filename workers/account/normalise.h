/*
 * The text that an agent is given.
 */
#ifndef ACCOUNT_NORMALISE_H
#define ACCOUNT_NORMALISE_H

#include <stddef.h>

struct normal_text {
	char *agent;   /* what the agent reads */
	char *command; /* mentions stripped, trimmed, a prefix still there */
	int empty;     /* nothing visible is left: drop, unless files came */
};

/* 1 when there is nothing but controls, format characters, marks, blanks. */
int normalise_is_unseen(const char *text);

/*
 * body: raw, or what is left of it after a trigger prefix. A post that is one
 * bare mention and nothing else keeps it as its text; mentions alone, or
 * with invisible characters only, are empty.
 */
void normalise_text(const char *username, const char *raw, const char *body,
    struct normal_text *out);
void normal_text_free(struct normal_text *);

#endif
