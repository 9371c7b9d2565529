/*
 * An answer that is posted block by block while it grows: which of it is
 * finished, and what of a text a post has already said. Pure: no I/O.
 */
#ifndef ACCOUNT_BLOCK_H
#define ACCOUNT_BLOCK_H

#include <stddef.h>

/*
 * Bytes at the front of a growing text that make a block: whole paragraphs,
 * not inside a code fence. They are taken when they have max UTF-16 units,
 * or min of them and idle says that nothing was added for a while. 0: wait.
 */
size_t block_ready(const char *text, size_t min, size_t max, int idle);

/*
 * Bytes of text that piece has said: blanks, then piece without the blanks
 * around it, which is the end of a word. 0 when text goes on differently, or
 * piece is blank.
 */
size_t block_follows(const char *text, const char *piece);

#endif
