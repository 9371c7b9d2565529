/*
 * A strict and bounded reader of JSON5 (spec.json5.org).
 *
 * It takes what the specification takes, and refuses beyond it: text that
 * is not UTF-8, a NUL in a string, escapes that leave half a surrogate pair,
 * nesting deeper than JSON5_DEPTH, and more than JSON5_VALUES values. Names
 * without quotes may hold any letter outside of ASCII, judged by block, not
 * by character. Duplicate names are kept as they stand: see cval_duplicates().
 */
#ifndef DAEMON_JSON5_H
#define DAEMON_JSON5_H

#include <stddef.h>

#include "daemon/config_tree.h"

#define JSON5_DEPTH 64
#define JSON5_SIZE (4u * 1024 * 1024) /* bytes of one file */
#define JSON5_VALUES 200000

struct json5_error {
	int line, column; /* from 1; a column is a character */
	int top; /* it is outside of any object and array */
	char text[160];
};

/*
 * The tree of len bytes of text, or NULL with err filled. text need not end
 * with a NUL and is not changed; the tree is the caller's, cval_free().
 */
struct cval *json5_parse(
    const char *text, size_t len, struct json5_error *err);

#endif
