/*
 * What a preview shows of a text: no blanks around it, at most DRAFT_UNITS.
 */
#ifndef ACCOUNT_DRAFT_TEXT_H
#define ACCOUNT_DRAFT_TEXT_H

#include <stddef.h>

#define DRAFT_UNITS 4000 /* UTF-16 units, spec channel 5.2 */

/* A new string, cut with "..." at max units; NULL when it is only blank. */
char *draft_truncate(const char *text, size_t max);

#endif
