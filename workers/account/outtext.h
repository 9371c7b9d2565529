/*
 * An answer on its way out: what is kept to ourselves, and how the rest
 * looks as posts. Pure: no I/O.
 */
#ifndef ACCOUNT_OUTTEXT_H
#define ACCOUNT_OUTTEXT_H

#include <stddef.h>

#include "workers/account/inbound.h"
#include "workers/account/text/tables.h"

struct json_object;

struct out_agent {
	char id[ACCOUNT_ID_SIZE];
	char *name;  /* of its identity, else its label, or NULL */
	char *model; /* provider/model, or NULL */
};

struct out_cfg {
	size_t limit; /* UTF-16 units of one post */
	int newline;  /* chunkMode */
	enum table_mode tables;
	char *prefix; /* responsePrefix as configured, or NULL */
	struct out_agent *agents;
	size_t n_agents;
};

/*
 * From an account's configuration: textChunkLimit, streaming.chunkMode,
 * markdown.tables, responsePrefix, agents[] {id name label model}. What is missing
 * has its default. NULL, or a static text: what has the wrong type.
 */
const char *out_cfg_read(struct out_cfg *, struct json_object *config);
void out_cfg_clear(struct out_cfg *);

/*
 * A new string, "" for none: the prefix of this agent's answers. "auto" is
 * the agent's name in brackets. {identityName}, {model}, {modelFull} and
 * {provider} are filled in; a name that is unknown, or has no value, stays.
 */
char *out_prefix(const struct out_cfg *, const char *agent);

/* 1 when this answer is not posted: blank, NO_REPLY, or reasoning. */
int out_silent(const char *text);
/* 1 when this beginning may still become one that is not posted. */
int out_hold(const char *text);

/*
 * A new string: trimmed, tables converted, the prefix (may be "") put before
 * it unless it is there already. "" for a blank text.
 */
char *out_render(const struct out_cfg *, const char *text, const char *prefix);
/* Rendered text as posts; chunk_free() them. */
char **out_chunks(const struct out_cfg *, const char *rendered, size_t *n);

#endif
