/*
 * The contents of attachments, asked from the store one after the other and
 * read from the descriptors it gives.
 *
 * What cannot be read is said to be so; the message is answered anyway.
 */
#ifndef WORKERS_AGENT_MEDIA_H
#define WORKERS_AGENT_MEDIA_H

struct agent;
struct json_object;
struct media_load;

/*
 * block: about all of them, for prompt_turn.files. images: array of data
 * URLs. Both belong to the callee, which is never called from inside
 * media_load_start().
 */
typedef void (*media_fn)(void *arg, char *block, struct json_object *images);

/* list: as attach.h has it; images: the model takes them. */
struct media_load *media_load_start(struct agent *, struct json_object *list,
    int images, media_fn, void *arg);
void media_load_cancel(struct media_load *);

#endif
