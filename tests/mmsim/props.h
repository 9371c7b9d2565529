/*
 * Post props: what the server does to them on the way in (from_bot, filled
 * attachments, generated action ids) and on the way out (integrations are
 * stripped).
 */
#ifndef MMSIM_PROPS_H
#define MMSIM_PROPS_H

#include "tests/mmsim/state.h"

struct json_object;

/*
 * The stored text of sent props, NULL for none. from_bot: 1 sets
 * from_bot "true", 0 leaves it out, -1 keeps what was sent. Attachments are
 * normalised as 5.37 does. Returns malloced JSON text.
 */
char *props_store(struct json_object *sent, int from_bot);
/* Replace a post's props (takes text) and note what is in them. */
void props_set(struct post *, char *text);
void props_render(struct buf *, const struct post *);

#endif
