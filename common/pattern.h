/*
 * Mention patterns: regular expressions from the configuration, run over
 * text that strangers write. The time to search is at most (length of the
 * text) x (length of the pattern), whatever either looks like: patterns
 * become a small non-deterministic automaton whose states are followed
 * side by side, so there is nothing to backtrack.
 *
 * The syntax is the common part of ECMAScript's: characters, . [...] \d \w
 * \s \D \W \S, (...) (?:...), |, * + ? {m} {m,} {m,n} and their lazy forms,
 * ^ $ \b \B, \xHH \uHHHH \u{H} and escaped punctuation. Refused: look-around,
 * back references, named groups, \p. Matching ignores case, and invisible
 * format characters (zero-width, bidirectional) in text and pattern are as
 * if they were not there. \b and \w know all letters of Unicode.
 */
#ifndef COMMON_PATTERN_H
#define COMMON_PATTERN_H

#include <stddef.h>

#define PATTERN_MAX 512 /* bytes of source */

struct pattern;

/* NULL when it cannot be had; *why is then a static text. */
struct pattern *pattern_compile(const char *source, const char **why);
/*
 * The words of a name, as a whole word, blanks in it standing for any run of
 * blanks, with or without an '@'. NULL when the name is blank or too long.
 */
struct pattern *pattern_of_name(const char *name);
/* Exactly this text (an emoji), anywhere. NULL when blank or too long. */
struct pattern *pattern_of_literal(const char *literal);
void pattern_free(struct pattern *);

/* 1 when it matches anywhere in the text. */
int pattern_search(const struct pattern *, const char *text, size_t len);

#endif
