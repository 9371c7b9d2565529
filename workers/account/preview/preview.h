/*
 * What people see of a turn while it runs, in four modes:
 *
 * off       nothing; with block.enabled finished blocks as posts
 * partial   one post with the growing answer
 * block     a post for each stretch of text or of work
 * progress  one post with a label and lines about work, never the answer
 *
 * Nothing here is the answer: preview_items() says how posts that exist
 * become it, and all others are removed. Every post carries the event's id,
 * so that what a crash leaves behind is removed too.
 */
#ifndef ACCOUNT_PREVIEW_H
#define ACCOUNT_PREVIEW_H

#include <stdint.h>

struct account;
struct json_object;
struct preview;
struct row;
struct tool_event;

/* 1 when this account shows anything at all. */
int preview_wanted(const struct account *);
/*
 * For a row that outlives it. When an earlier life of the worker had the row
 * it looks for what that one has left, to go on with it.
 */
struct preview *preview_new(
    struct account *, const struct row *, const char *agent);
void preview_free(struct preview *); /* NULL is fine; posts stay */
/* The turn starts again: what is shown was for nothing. */
void preview_rewind(struct preview *);

/* The answer so far. */
void preview_text(struct preview *, const char *text);
void preview_tool(struct preview *, const struct tool_event *);
void preview_thinking(struct preview *);
/* Something else of the bot was posted: go on below it. */
void preview_overtaken(struct preview *);

/*
 * No more updates. fn is called when no request is under way, or has been
 * given up after a while; not from inside this call.
 */
typedef void (*preview_fn)(void *arg);
void preview_finish(struct preview *, preview_fn, void *arg);

/*
 * The outbox rows that end a turn. text: the answer; NULL when there is none
 * to be posted. The preview may be NULL. More than TURN_POSTS_MAX posts are
 * cut, after a log line.
 */
struct json_object *preview_items(struct account *, const struct row *,
    const char *agent, struct preview *, const char *text);

#endif
