/*
 * Text of people inside the block of context: a JSON string with its quotes,
 * in which nothing can end the block or look like one of our markers. Beside
 * what JSON wants, backtick, DEL and the brackets of the markers are escaped.
 */
#ifndef ACCOUNT_QUOTE_H
#define ACCOUNT_QUOTE_H

#include <stddef.h>

struct strbuf;

/* All of str. */
void quote_json(struct strbuf *, const char *str);
/* At most max bytes of str, cut at a character, with "..." behind a cut. */
void quote_json_max(struct strbuf *, const char *str, size_t max);

#endif
