/*
 * application/x-www-form-urlencoded, as the URL standard reads it: '&'
 * separates, '+' is a space, a '%' without two digits is itself. Pure.
 */
#ifndef CALLBACK_FORM_H
#define CALLBACK_FORM_H

#include <stddef.h>

/*
 * The value of the first member of that name, decoded, with a NUL behind it
 * that *len does not count (there may be others inside); the caller frees.
 * NULL when there is none.
 */
char *form_get(const char *body, size_t body_len, const char *name,
    size_t *len);

#endif
