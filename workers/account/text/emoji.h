/*
 * From what people and models call an emoji to the server's name for it.
 */
#ifndef ACCOUNT_EMOJI_H
#define ACCOUNT_EMOJI_H

/*
 * A new string: colons at both ends taken off; the usual characters by
 * their short names, with skin tone where the server has one; anything else
 * unchanged. NULL when nothing is left. emoji may be NULL.
 */
char *emoji_name(const char *emoji);
/* 1 when the server takes it: 1 to 64 of [a-z A-Z 0-9 _ + -]. */
int emoji_name_valid(const char *name);

#endif
