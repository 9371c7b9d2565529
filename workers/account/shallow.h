/*
 * JSON of a server, in which anybody's post may stand: a post's props may
 * nest as deep as its author likes, and must not make a page unreadable in
 * which the posts of others are.
 */
#ifndef ACCOUNT_SHALLOW_H
#define ACCOUNT_SHALLOW_H

#include <stddef.h>

struct json_object;
struct json_tokener;

/*
 * json_tokener_parse_ex() with a tokener of that depth, but what is nested
 * deeper is read as 0. NULL: not JSON; the tokener says why.
 */
struct json_object *shallow_parse(
    struct json_tokener *, int depth, const char *bytes, size_t len);

#endif
