/*
 * What the modules of the store agree on: the outcome of an operation and
 * the bounds of what it keeps.
 */
#ifndef WORKERS_STORE_STORE_H
#define WORKERS_STORE_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "common/proto.h"

/* Bytes without the NUL. */
#define STORE_ID 64	  /* accounts, agents, channels, posts, keys */
#define STORE_WORD 64	  /* kinds, stages, outcomes, codes */
#define STORE_EVENT PROTO_EVENT
#define STORE_SESSION 384 /* session keys: account, user and thread in one */
#define STORE_REASON 512  /* reasons, rules */
#define STORE_ERROR 1024  /* error texts of a server */
/* A stored JSON text and what a frame adds to it fit in one frame. */
#define STORE_DATA (PROTO_TEXT - 4096u)

#define STORE_SESSION_KEEP 1000	     /* newest messages of a session */
#define STORE_SESSION_SLACK 20	     /* more, before it is trimmed to that */
#define STORE_SESSION_BYTES (8LL << 20) /* of them; a turn reads 1 MiB */
#define STORE_MARKERS_KEEP 100000    /* done rows, dead rows of an account */
#define STORE_MEDIA_KEEP (1LL << 30) /* bytes of attachments */
#define STORE_DECISIONS_KEEP 250000  /* explanations of an account */

/*
 * What one account may have here, so that nobody who fills it, from without
 * or from within, takes the disk from the others. Each row counts ROW bytes
 * besides its texts, each session SESSION_ROW, so these are numbers, too.
 * QUEUE: events that wait and answers that were not sent; 80,000 posts are a
 * week of a model that takes ten seconds. The ends of turns may go beyond it
 * by as much again, since they are what makes room.
 * DEAD: dead rows, for operators to look at, who do not read 60,000.
 * SESSIONS: transcripts; a thousand long ones. The one that was not used for
 * the longest time goes.
 * The newest of the others are kept: marks, more than a bot has channels;
 * notes, more than a turn will ever show.
 */
#define STORE_ROW 1024
#define STORE_SESSION_ROW 8192
#define STORE_QUEUE_KEEP (128LL << 20)
#define STORE_DEAD_KEEP (64LL << 20)
#define STORE_SESSIONS_KEEP (512LL << 20)
#define STORE_MARKS_KEEP 50000
#define STORE_NOTES_KEEP 20000
/* Explanations at once, and with each second; more are only counted. */
#define STORE_DECISIONS_BURST 100000
#define STORE_DECISIONS_SECOND 500

enum store_rc {
	STORE_OK = 0,
	STORE_NONE,   /* no such row */
	STORE_BAD,    /* the peer broke the shape of a frame */
	STORE_DENIED, /* not this peer's */
	STORE_SIZE,   /* larger than a frame can give back */
	STORE_FULL,   /* no space left */
	STORE_QUOTA,  /* this account has its share of it */
	STORE_IO,     /* the file cannot be read or written */
	STORE_BUSY    /* not now */
};

/* The word of an "err" frame. */
const char *store_code(enum store_rc);

#endif
