/*
 * Signed contexts of interactive buttons: who made a button that comes back
 * is proved by an HMAC inside its context, and by nothing else.
 *
 *	secret = hex(HMAC-SHA256("openclaw-mattermost-interactions", token))
 *	_token = hex(HMAC-SHA256(secret as text, canonical JSON))
 *
 * The canonical JSON is the context without its member _token: compact, keys
 * sorted at every level, numbers as JavaScript writes them. There are two
 * orders of keys (bytes, as Python's sort_keys; and the English collation
 * that the peer sorts by, integers first) and two spellings of text (UTF-8,
 * and Python's \u escapes). What we make is in byte order and UTF-8; all
 * four are accepted, for a script may have made the button.
 *
 * Objects are json-c's as its tokener made them: parse with
 * signed_context_parse(), which keeps integers beyond 64 bits.
 */
#ifndef COMMON_SIGNED_CONTEXT_H
#define COMMON_SIGNED_CONTEXT_H

#include <stddef.h>

struct json_object;

#define SIGNED_HEX_SIZE 65 /* 64 digits and a NUL */
#define SIGNED_DEPTH 32    /* levels of a context; deeper is not signed */

#define SIGNED_COLLATED 0x1u /* keys in the peer's order, not by bytes */
#define SIGNED_ASCII 0x2u    /* beyond ASCII as \uxxxx */

/* What is derived from a bot token. The result is a secret itself. */
void signed_context_secret(
    const char *token, size_t len, char secret[SIGNED_HEX_SIZE]);

/*
 * The text that is signed, without a member _token at the top; free() it.
 * NULL when it is too deep.
 */
char *signed_context_text(
    struct json_object *context, unsigned flags, size_t *len);

/* Our own signature. -1: too deep. */
int signed_context_sign(const char *secret, struct json_object *context,
    char token[SIGNED_HEX_SIZE]);

/*
 * 1 when token (any string) signs context in one of the four ways. The
 * comparison takes the same time wherever they differ.
 */
int signed_context_verify(
    const char *secret, struct json_object *context, const char *token);

/* The first JSON value of a text, or NULL; json_object_put() it. */
struct json_object *signed_context_parse(const char *text, size_t len);

#endif
