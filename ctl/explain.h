/*
 * What was decided about a post, and what became of it, in one sentence.
 */
#ifndef CTL_EXPLAIN_H
#define CTL_EXPLAIN_H

struct json_object;

/* row: of the answer to "explain". The caller frees the sentence. */
char *explain_sentence(struct json_object *row);

#endif
