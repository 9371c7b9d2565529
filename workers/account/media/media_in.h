/*
 * Attachments of a message that has its turn: fetched from the server one
 * after the other, each bounded, into files of the store's media folder.
 *
 * Nothing here is lost by a crash: the message is in the inbox, and what
 * the store has already is not fetched again. A file that cannot be had
 * does not keep the message from being answered; it is named in the text.
 */
#ifndef ACCOUNT_MEDIA_IN_H
#define ACCOUNT_MEDIA_IN_H

#include <stdint.h>

struct account;
struct inbound;
struct json_object;
struct media_in;
struct row;

#define MEDIA_DEFAULT_MB 8       /* OpenClaw's */
#define MEDIA_HEAD_MS 30000      /* until the answer begins */
#define MEDIA_IDLE_MS 30000      /* without a byte of it */
#define MEDIA_DEADLINE_MS 600000 /* for one file */

/* Whatever came of it: row.media is set. Never from media_in_start(). */
typedef void (*media_in_fn)(void *arg);

/* "mediaMaxMb" of the account's configuration, in bytes. */
int64_t media_limit(struct json_object *config);

/* The member "files" of a row's data, when the message has some. */
void media_in_note(struct json_object *data, const struct inbound *);
/* 1 when the row has attachments that were not asked for in this life. */
int media_in_wanted(const struct row *);
struct media_in *media_in_start(
    struct account *, struct row *, media_in_fn, void *arg);
void media_in_cancel(struct media_in *);
/* The members "media" and "text" of turn.start. */
void media_in_add(const struct row *, struct json_object *msg);

#endif
