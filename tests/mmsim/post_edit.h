/*
 * Changing posts: PUT, PATCH, pins and reactions.
 */
#ifndef MMSIM_POST_EDIT_H
#define MMSIM_POST_EDIT_H

#include "tests/mmsim/http.h"

struct json_object;

void post_patch(struct req *);
void post_put(struct req *);
void post_pin(struct req *);
void post_unpin(struct req *);
void reaction_post(struct req *);
void reaction_delete(struct req *);
void reactions_get(struct req *);

/* api_posts.c: limits of content; 0 when the request was answered. */
int post_limits(struct req *, struct json_object *message, const char *props);

#endif
