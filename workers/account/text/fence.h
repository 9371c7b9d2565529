/*
 * Fenced code blocks of Markdown (CommonMark 0.31, 4.5): where they are.
 */
#ifndef ACCOUNT_FENCE_H
#define ACCOUNT_FENCE_H

#include <stddef.h>

struct fence {
	size_t start;    /* of the opening line */
	size_t end;      /* of the closing line, before its newline */
	size_t line_len; /* opening line, without its newline */
	size_t mark_len; /* indentation and marker of the opening line */
	size_t indent;
};

struct fences {
	struct fence *list; /* in order */
	size_t n;
};

/* A block without an end goes on to the end of the text. */
void fences_find(const char *text, size_t len, struct fences *);
/* The fence that at is inside of, its first character not being inside. */
const struct fence *fences_at(const struct fences *, size_t at);
void fences_free(struct fences *);

/*
 * Bytes of indentation (at most 3 spaces) and marker when the line opens or
 * closes a fence, else 0. *indent: the spaces among them.
 */
size_t fence_marker(const char *line, size_t len, size_t *indent);
/* 1 when the line ends the fence that open (a line) began. */
int fence_closes(
    const char *open, size_t open_len, const char *line, size_t len);

#endif
