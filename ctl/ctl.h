/*
 * posternctl as a whole: what its verbs need of main().
 */
#ifndef CTL_CTL_H
#define CTL_CTL_H

#include <stdio.h>

struct keyword;

/* As we were called. */
extern const char *ctl_argv0;

/* Usage and the verbs of a table; NULL is the top. */
void ctl_help(const struct keyword *, FILE *);

#endif
