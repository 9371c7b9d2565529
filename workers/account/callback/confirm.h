/*
 * The confirmation line that takes the place of buttons after a click: an
 * edit of the post that keeps its other props. It can be made twice without
 * harm, so that a row that comes back after a crash just makes it again.
 */
#ifndef ACCOUNT_CONFIRM_H
#define ACCOUNT_CONFIRM_H

struct account;
struct json_object;

/*
 * What a row keeps of it: {"post", "props"}. post: as GET gave it; line:
 * the text in the place of all attachments.
 */
struct json_object *confirm_make(struct json_object *post, const char *line);
/* Edit now, and a few times more when that fails. Borrowed. */
void confirm_start(struct account *, struct json_object *confirm);

#endif
