/*
 * Comparing what a caller shows with what we know, without telling by time
 * how much of it was right: both sides go through HMAC-SHA256 under a key of
 * this process alone, and 32 bytes are compared in constant time. So the
 * worker keeps no slash token and no hook token as such.
 */
#ifndef CALLBACK_PROOF_H
#define CALLBACK_PROOF_H

#include <stddef.h>
#include <stdint.h>

struct json_object;

struct proof {
	unsigned char b[32];
	int set; /* nothing equals a proof that is not */
};

/* Once, before any other; the jail allows getrandom(). */
void proof_init(void);
/* An empty text makes a proof that equals nothing. */
void proof_make(struct proof *, const char *text, size_t len);
/* Time depends on neither. */
int proof_equal(const struct proof *, const struct proof *);
/* A number to tell keys apart, never 0. */
uint64_t proof_number(const struct proof *);

/*
 * The one JSON object that a body is, and nothing else; NULL when it is
 * not. Numbers are kept as signed_context.h wants them.
 */
struct json_object *proof_body(const char *text, size_t len);

#endif
