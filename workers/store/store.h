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
#define STORE_EVENT 128	  /* event ids, lanes */
#define STORE_SESSION 384 /* session keys: account, user and thread in one */
#define STORE_REASON 512  /* reasons, rules */
#define STORE_ERROR 1024  /* error texts of a server */
/* A stored JSON text and what a frame adds to it fit in one frame. */
#define STORE_DATA (PROTO_TEXT - 4096u)

#define STORE_SESSION_KEEP 1000	     /* newest messages of a session */
#define STORE_MARKERS_KEEP 100000    /* done rows, dead rows of an account */
#define STORE_MEDIA_KEEP (1LL << 30) /* bytes of attachments */
#define STORE_DECISIONS_KEEP 1000000 /* drops of all accounts together */

enum store_rc {
	STORE_OK = 0,
	STORE_NONE,   /* no such row */
	STORE_BAD,    /* the peer broke the shape of a frame */
	STORE_DENIED, /* not this peer's */
	STORE_SIZE,   /* larger than a frame can give back */
	STORE_FULL,   /* no space left */
	STORE_IO,     /* the file cannot be read or written */
	STORE_BUSY    /* not now */
};

/* The word of an "err" frame. */
const char *store_code(enum store_rc);

#endif
