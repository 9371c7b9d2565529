/*
 * What a model thinks aloud is never posted.
 */
#ifndef ACCOUNT_REASONING_H
#define ACCOUNT_REASONING_H

/*
 * 1 when a reply must not be posted: flagged says that its maker marked it,
 * or it starts, after quote marks, with "Reasoning:" or with "Thinking",
 * dots and an opening underscore.
 */
int reasoning_suppressed(const char *text, int flagged);
/* 1 when more text may make this beginning one of those. */
int reasoning_possible(const char *text);

#endif
