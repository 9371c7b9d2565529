/*
 * What preview.c and preview_end.c share.
 */
#ifndef ACCOUNT_PREVIEW_INT_H
#define ACCOUNT_PREVIEW_INT_H

#include <sys/queue.h>

#include <stddef.h>

#include "workers/account/preview/preview.h"
#include "workers/account/preview/progress_text.h"

struct draft;
struct event;
struct lookup;

enum part_kind {
	PART_EMPTY, /* may become anything */
	PART_THINKING,
	PART_WORK,
	PART_TEXT,
	PART_STALE  /* to be removed */
};

/* One post. */
struct part {
	TAILQ_ENTRY(part) entry;
	struct preview *preview;
	struct draft *draft;
	enum part_kind kind;
	int first;  /* PART_TEXT: the answer begins here */
	int more;   /* goes on with the text of the part before */
	char *raw;  /* PART_TEXT and not more: what of the answer it shows */
	char *full; /* PART_TEXT, closed: the whole of its post */
};

TAILQ_HEAD(parts, part);

struct preview {
	struct account *a;
	const struct row *row;
	char *prefix;        /* responsePrefix, or "" */
	struct parts parts;  /* in order of their posts */
	size_t n;
	struct part *open;   /* the one that grows: the last, or NULL */
	struct progress lines;
	char *text;          /* the answer so far, or NULL */
	struct lookup *look; /* for posts of an earlier life */
	struct event *timer; /* start of progress; a block's pause; the end */
	int begun;           /* progress: there is work */
	int visible;         /* and it has gone on for a while */
	int failed;          /* nothing more is shown */
	int ending;
	preview_fn fn;
	void *arg;
};

/* Only the last post may be edited into an answer, and only of one piece. */
int preview_single(const struct preview *);

#endif
