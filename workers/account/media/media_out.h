/*
 * Files for a post: each is streamed to the server from its descriptor and
 * becomes an id, with which the post is then made through the outbox.
 *
 * Nothing is kept of a file: until all are uploaded nothing is in the
 * outbox, so that a crash leaves no post and no half of one, only files at
 * the server that nobody sees. From then on the outbox has the ids.
 */
#ifndef ACCOUNT_MEDIA_OUT_H
#define ACCOUNT_MEDIA_OUT_H

#include <stddef.h>
#include <stdint.h>

#include "workers/account/inbound.h"
#include "workers/account/media/media_type.h"

struct account;
struct json_object;
struct media_out;

#define MEDIA_OUT_IDLE_MS 120000 /* without a byte either way */
#define MEDIA_OUT_TOLD_MS 500    /* between two calls of the progress */

struct media_file {
	int fd; /* a plain file, read from its beginning */
	int64_t size;
	char name[MEDIA_NAME_MAX + 1];
};

/* A descriptor as a file to send: 0, or -1 and why. Both leave fd open. */
int media_file_open(struct account *, struct media_file *, int fd,
    const char *name, char *why, size_t size);

/* It will not be sent. */
void media_file_drop(const struct media_file *);

/* done of total bytes, of all files together. */
typedef void (*media_out_progress_fn)(int64_t done, int64_t total, void *arg);
/*
 * ids: array of file ids in order, borrowed; or NULL, and failed has what
 * to tell, beginning with "Mattermost media upload failed: ".
 */
typedef void (*media_out_fn)(struct account *, struct json_object *ids,
    const char *failed, void *arg);

/*
 * Upload n (1 to MM_FILES_MAX) files for a post in channel. Takes over
 * their descriptors. progress may be NULL. done comes once, never from
 * inside this.
 */
struct media_out *media_out_start(struct account *, const char *channel,
    const struct media_file *files, size_t n, media_out_progress_fn,
    media_out_fn done, void *arg);
/* No callback any more. */
void media_out_cancel(struct media_out *);

#endif
