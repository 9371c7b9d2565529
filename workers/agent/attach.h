/*
 * Attachments of a message as the model is told of them. Pure: no I/O.
 *
 * The account says in "turn.start" what came with the message: an array of
 * {media, name, type, claimed?, size}. Names and contents are written by
 * strangers; they go into the data block, or as image parts.
 */
#ifndef WORKERS_AGENT_ATTACH_H
#define WORKERS_AGENT_ATTACH_H

#include <stddef.h>
#include <stdint.h>

#include "common/strbuf.h"

struct json_object;

#define ATTACH_MAX 10
#define ATTACH_IMAGE_MAX (6u * 1024 * 1024)  /* bytes of one image part */
#define ATTACH_IMAGES_MAX (16u * 1024 * 1024) /* of all of a request */
#define ATTACH_TEXT_MAX (32u * 1024)	 /* bytes shown of one text */
#define ATTACH_BLOCK_MAX (96u * 1024)	 /* bytes about all of them */
#define ATTACH_IMAGE_COST 6000		 /* bytes that an image counts for */

enum attach_kind { ATTACH_OTHER, ATTACH_TEXT, ATTACH_IMAGE };

struct attach {
	const char *media; /* the store's id; strings are the message's */
	const char *name;
	const char *type;
	const char *claimed; /* what it was called and is not, or NULL */
	int64_t size;
};

/* 0, or -1 when it is not such an object. */
int attach_take(struct attach *, struct json_object *);
/* 0 when all of the array are. */
int attach_check(struct json_object *list);
/* How it can be shown; images: the model takes them. */
enum attach_kind attach_kind(const struct attach *, int images);

/* 'name' (type, size bytes, ...) as one line without its end. */
void attach_line(struct strbuf *, const struct attach *);
/* All of them in one line for echo and history. "" when there are none. */
char *attach_note(struct json_object *list);
/*
 * 1 when all of it is UTF-8 without NUL; *len is shortened to whole
 * characters when the text goes on behind it.
 */
int attach_utf8(const char *p, size_t *len, int goes_on);

#endif
