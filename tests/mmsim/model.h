/*
 * The scripted model endpoint (second port): OpenAI-compatible chat
 * completions, streamed or not, with delays, errors and broken streams.
 */
#ifndef MMSIM_MODEL_H
#define MMSIM_MODEL_H

struct buf;
struct json_object;
struct req;

/* The http_handler of the second port. */
void model_handle(struct req *, void *);
/* POST /_sim/model. NULL or the text of an error. */
const char *model_script(struct json_object *);
/* Echo again, and no requests on record. */
void model_reset(void);
/* The recorded requests as a JSON array. */
void model_requests(struct buf *);

#endif
