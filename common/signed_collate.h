/*
 * The order in which the peer sorts the keys of a context: an English
 * collation (the root order of the Unicode algorithm) for ASCII and the
 * accented letters of Latin-1, with array indices first, by number. Other
 * characters follow in order of their code points.
 */
#ifndef COMMON_SIGNED_COLLATE_H
#define COMMON_SIGNED_COLLATE_H

/* As strcmp(); 0 also for keys that only this order finds equal. */
int signed_collate(const char *a, const char *b);

#endif
