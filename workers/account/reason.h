/*
 * The reasons of common/reason.h, and what a person is told of one.
 */
#ifndef ACCOUNT_REASON_H
#define ACCOUNT_REASON_H

#include "common/reason.h"

/*
 * What a person is told whose slash command was refused; NULL when the
 * answer is the pairing text or nothing.
 */
const char *reason_denial(enum reason);

/* The same of a click in the model picker; never NULL. */
const char *reason_picker_denial(enum reason);

#endif
