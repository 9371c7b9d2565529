#include "config.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/add.h"
#include "common/log.h"
#include "common/utf8.h"
#include "workers/account/account.h"
#include "workers/account/lanes.h"
#include "workers/account/outbox.h"
#include "workers/account/preview/block.h"
#include "workers/account/preview/draft.h"
#include "workers/account/preview/preview_int.h"
#include "workers/account/text/chunk.h"
#include "workers/account/turn.h"

/* The rows of a turn's end while they are put together. */
struct plan {
	struct account *a;
	const struct row *row;
	struct json_object *items;
	struct json_object *keep; /* ids of posts that become the answer */
	size_t posts;
	int cut;
};

static void
plan_add(struct plan *pl, const char *op, const char *post, const char *text)
{
	char key[OUTBOX_KEY_SIZE];

	/* A hook that nobody is to be told about. */
	if (pl->row->channel[0] == '\0')
		return;
	outbox_key(key, pl->row->seq,
	    (int)json_object_array_length(pl->items));
	json_object_array_add(pl->items,
	    outbox_item(key, op, pl->row->channel, pl->row->root, post, text));
}

/* One post of the answer; in the place of a post when there is one. */
static void
plan_post(struct plan *pl, const char *post, const char *text)
{
	if (pl->posts == TURN_POSTS_MAX) {
		pl->cut++;
		return;
	}
	pl->posts++;
	plan_add(pl, *post != '\0' ? "edit" : "post", post, text);
	if (*post != '\0')
		json_object_array_add(pl->keep, json_object_new_string(post));
}

/* A text in one post or more: all of its posts can be edited. */
static int
group_usable(struct part *part)
{
	do {
		if (part->full == NULL || !draft_usable(part->draft))
			return 0;
		part = TAILQ_NEXT(part, entry);
	} while (part != NULL && part->more);
	return 1;
}

static void
plan_group(struct plan *pl, struct part *part)
{
	do {
		plan_post(pl, draft_post(part->draft), part->full);
		part = TAILQ_NEXT(part, entry);
	} while (part != NULL && part->more);
}

/*
 * Blocks that the answer begins with stay where they are, and are made sure
 * of; the bytes of text that they say. The first that cannot stay, and all
 * after it, are said anew.
 */
static size_t
plan_blocks(struct plan *pl, struct preview *p, const char *text)
{
	struct part *part;
	size_t at = 0, n;

	TAILQ_FOREACH(part, &p->parts, entry) {
		if (part == p->open || part->kind != PART_TEXT || part->more)
			continue;
		if ((n = block_follows(text + at, part->raw)) == 0)
			continue;
		if (!group_usable(part))
			break;
		plan_group(pl, part);
		at += n;
	}
	return at;
}

/*
 * The post that the rest becomes, or "". A text that was shown longer is not
 * made shorter: somebody has read it.
 */
static const char *
plan_target(struct preview *p, const char *rest, size_t n)
{
	struct part *open = p->open;
	char *s;
	int shorter;

	if (open == NULL || !draft_usable(open->draft) ||
	    (n > 1 && preview_single(p)))
		return "";
	if (open->kind != PART_TEXT)
		return draft_post(open->draft);
	s = utf8_trim(rest);
	shorter = strlen(s) < strlen(open->raw) &&
	    strncmp(s, open->raw, strlen(s)) == 0;
	free(s);
	return shorter ? "" : draft_post(open->draft);
}

static void
plan_answer(struct plan *pl, struct preview *p, const char *text,
    const char *prefix)
{
	size_t at = p == NULL ? 0 : plan_blocks(pl, p, text), i, n;
	const char *target = "";
	char **chunks, *all;

	all = out_render(&pl->a->out, text + at, at == 0 ? prefix : "");
	chunks = out_chunks(&pl->a->out, all, &n);
	if (p != NULL && n > 0)
		target = plan_target(p, text + at, n);
	for (i = 0; i < n; i++)
		plan_post(pl, i == 0 ? target : "", chunks[i]);
	chunk_free(chunks, n);
	free(all);
}

static int
is_kept(const struct plan *pl, const char *post)
{
	size_t i, n = json_object_array_length(pl->keep);

	for (i = 0; i < n; i++)
		if (strcmp(json_object_get_string(
			json_object_array_get_idx(pl->keep, i)), post) == 0)
			return 1;
	return 0;
}

/* What the outbox knows of is removed now, the rest looked for. */
static void
plan_cleanup(struct plan *pl, struct preview *p)
{
	int sweep = pl->row->begun;
	struct part *part;
	struct json_object *last, *props;
	const char *post;

	if (p != NULL)
		TAILQ_FOREACH(part, &p->parts, entry) {
			post = draft_post(part->draft);
			sweep |= draft_unclear(part->draft);
			if (*post != '\0' && !is_kept(pl, post))
				plan_add(pl, "delete", post, "");
		}
	if (!sweep || pl->row->channel[0] == '\0')
		return;
	plan_add(pl, "sweep", "", pl->row->event);
	last = json_object_array_get_idx(
	    pl->items, json_object_array_length(pl->items) - 1);
	props = json_object_new_object();
	add_obj(props, "keep", json_object_get(pl->keep));
	add_int(props, "since", pl->row->at);
	add_obj(last, "props", props);
}

struct json_object *
preview_items(struct account *a, const struct row *r, const char *agent,
    struct preview *p, const char *text)
{
	struct plan pl = {.a = a, .row = r, .posts = (size_t)r->posts};
	char *prefix;

	pl.items = json_object_new_array();
	pl.keep = json_object_new_array();
	if (text != NULL) {
		prefix = out_prefix(&a->out, agent);
		plan_answer(&pl, p, text, prefix);
		free(prefix);
	}
	if (pl.cut > 0)
		log_event(LOG_WARNING, "turn.cut", "account", a->id,
		    "event_id", r->event, "posts", LOG_NUM(pl.cut), NULL);
	plan_cleanup(&pl, p);
	json_object_put(pl.keep);
	return pl.items;
}
