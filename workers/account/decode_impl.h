/*
 * Members of what a server sent, for decode.c and decode_post.c: each has
 * its type or counts as absent; o may be NULL or no object.
 */
#ifndef ACCOUNT_DECODE_IMPL_H
#define ACCOUNT_DECODE_IMPL_H

#include <json-c/json.h>
#include <stddef.h>
#include <stdint.h>

#include "workers/account/inbound.h"

/* NULL when it is absent or of another type. */
struct json_object *decode_member(
    struct json_object *o, const char *key, enum json_type);
/* "" when absent, of another type, or with a NUL inside. */
const char *decode_text(struct json_object *o, const char *key);
/* 0 when absent or negative. */
int64_t decode_number(struct json_object *o, const char *key);
/* Copies an id; -1 when there is something that is none. */
int decode_id(struct json_object *o, const char *key, char out[MM_ID_SIZE]);
/* inbound_set() with at most max bytes, cut at a character. */
void decode_short(char **to, const char *s, size_t max);

#endif
