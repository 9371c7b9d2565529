/*
 * The media folder: the files of attachments, beside the database, under
 * names of our own making. Whose a file is and what it is called is in the
 * database; a file that no row names is removed at the next start.
 *
 * The store makes an empty file and gives its descriptor away; who filled
 * it says so, and the file is settled before its row is written.
 */
#ifndef WORKERS_STORE_MEDIA_H
#define WORKERS_STORE_MEDIA_H

#include "workers/store/db.h"

#define MEDIA_DIR "media" /* in the working directory; the supervisor's */
#define MEDIA_ID 32	  /* characters: 128 random bits */

/* A new, empty file, open for both; -1 with errno. */
int media_create(char id[MEDIA_ID + 1]);
/* An existing one for reading; -1 with errno. */
int media_open(const char *id);
/* Its bytes are safe; how many, or -1 with errno. */
int64_t media_settle(const char *id);
void media_remove(const char *id);
/* 1: somebody may still write to it. 0 where the system does not tell. */
int media_is_written(const char *id);
/* Remove what no row of the database names; how many. */
int media_sweep(struct db *);

#endif
