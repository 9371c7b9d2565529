/*
 * Reactions that were made while nobody was connected: the server tells of
 * those to a post that was missed as well, with the post.
 */
#ifndef ACCOUNT_REACTED_H
#define ACCOUNT_REACTED_H

struct account;
struct json_object;

/* post: of a list of the gap fill, which has been taken in. */
void reacted_missed(struct account *, struct json_object *post);

#endif
