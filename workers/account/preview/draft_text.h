/*
 * The text of a preview: what of a growing answer is shown, and when.
 */
#ifndef ACCOUNT_DRAFT_TEXT_H
#define ACCOUNT_DRAFT_TEXT_H

#include <stddef.h>

#define DRAFT_UNITS 4000 /* UTF-16 units of a preview post */

/*
 * A new string: trimmed, and cut to max UTF-16 units with "..." at its end
 * when it is longer. NULL when it is only blank.
 */
char *draft_truncate(const char *text, size_t max);
/* 1 when next says more than shown: not the same, and not a start of it. */
int draft_text_grows(const char *shown, const char *next);
/*
 * A new string: a line about work under way. Without an emoji or another
 * mark in front it gets a bullet; longer than max UTF-16 units (0: no limit)
 * it is cut with an ellipsis.
 */
char *draft_text_line(const char *line, unsigned max);

#endif
