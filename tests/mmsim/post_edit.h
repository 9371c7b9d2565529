/*
 * Changing posts: PUT, PATCH, pins and reactions.
 */
#ifndef MMSIM_POST_EDIT_H
#define MMSIM_POST_EDIT_H

#include "tests/mmsim/http.h"

struct json_object;
struct post;

void post_patch(struct req *);
void post_put(struct req *);
void post_pin(struct req *);
void post_unpin(struct req *);
void reaction_post(struct req *);
void reaction_delete(struct req *);
void reactions_get(struct req *);

/*
 * The change itself with its event. message and props: NULL keeps the old
 * ones; props text is taken.
 */
void post_change(struct post *, struct json_object *message, char *props,
    int pinned);

/* api_posts.c: limits of content; 0 when the request was answered. */
int post_limits(struct req *, struct json_object *message, const char *props);

#endif
