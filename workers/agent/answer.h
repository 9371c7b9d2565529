/*
 * The text of one answer as it grows: what may be shown and posted.
 *
 * Pure: no I/O. Bytes go in as the server sends them; out comes valid
 * UTF-8 without NUL, without a leading <think>…</think> part, and never
 * over the bound. The bound counts the text as JSON writes it, because
 * frames have to carry it.
 */
#ifndef WORKERS_AGENT_ANSWER_H
#define WORKERS_AGENT_ANSWER_H

#include <stddef.h>

#include "common/strbuf.h"

#define ANSWER_GREW 0x1u  /* there is more text */
#define ANSWER_THINK 0x2u /* some of it was thinking */
#define ANSWER_FULL 0x4u  /* the bound was reached: the rest is dropped */

enum answer_state { ANSWER_LEAD, ANSWER_INSIDE, ANSWER_BODY };

struct answer {
	struct strbuf text;
	size_t max;     /* bytes of text as JSON */
	size_t escaped; /* of them used */
	enum answer_state state;
	struct strbuf lead; /* white space and what may become a tag */
	int drop_white;     /* a thinking part went before */
	const char *tag;    /* name of the open one */
	size_t matched;     /* bytes of its closing tag seen */
	unsigned char part[4]; /* a character of which more must come */
	size_t npart;
	int full;
};

/* max: bytes of the text as JSON. What comes beyond it is left out. */
void answer_init(struct answer *, size_t max);
void answer_free(struct answer *);
/* A bit set of what these bytes brought about. */
unsigned answer_add(struct answer *, const char *p, size_t len);
/* Nothing more comes: a tag or character left open counts as text. */
unsigned answer_end(struct answer *);

/* Bytes that a string takes inside the quotes of a JSON text, at most. */
size_t answer_escaped(const char *p, size_t len);
/* The longest prefix of at most max bytes that ends between characters. */
size_t answer_prefix(const char *p, size_t len, size_t max);

#endif
