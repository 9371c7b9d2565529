/* What intake.c and judge.c share. */
#ifndef ACCOUNT_INTAKE_INT_H
#define ACCOUNT_INTAKE_INT_H

#include "workers/account/intake.h"
#include "workers/account/pipeline.h"

struct intake {
	struct bot_identity bot;
	struct seen *seen;
	int putting; /* puts that are not answered */
};

/* 1: a post, or an edit of one, which marks are kept for. */
int intake_is_message(const struct inbound *);

#endif
