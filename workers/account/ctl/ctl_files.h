/*
 * Files that posternctl sends along: they come before the "send" they belong
 * to, each with its descriptor. An upload ends with the link or by
 * "send.cancel"; what has become an outbox row is sent.
 */
#ifndef ACCOUNT_CTL_FILES_H
#define ACCOUNT_CTL_FILES_H

#include <stddef.h>
#include <stdint.h>

struct account;
struct chan;
struct json_object;
struct upload;

/* Handlers of the control link. */
void ctl_on_file(struct chan *, struct json_object *, int fd, void *arg);
void ctl_on_cancel(struct chan *, struct json_object *, int fd, void *arg);

/* ids as media_out_fn; both NULL: cancelled. */
typedef void (*upload_fn)(struct account *, struct json_object *ids,
    const char *failed, void *arg);

/* The files that have come and were not taken: how many. */
size_t ctl_files_waiting(void);
/* Upload them for a post in channel; call is told with the progress. */
void ctl_files_upload(struct account *, const char *channel, int64_t call,
    struct upload *, upload_fn, void *arg);
/* Take what has come for a "send", so that the next one has its own. */
struct upload *ctl_files_take(struct account *, char *why, size_t size);
void ctl_files_drop(struct upload *);
/* The link is gone. */
void ctl_files_end(void);

#endif
