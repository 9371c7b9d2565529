/*
 * A post as history shows it: its text, or what stands for its files.
 */
#ifndef ACCOUNT_PENDING_TEXT_H
#define ACCOUNT_PENDING_TEXT_H

#include <stddef.h>

/* A new string. */
char *pending_text(const char *text, size_t n_files);

#endif
