#include "config.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/loop.h"
#include "common/monotime.h"
#include "common/utf8.h"
#include "workers/account/account.h"
#include "workers/account/lanes.h"
#include "workers/account/lookup.h"
#include "workers/account/preview/block.h"
#include "workers/account/preview/draft.h"
#include "workers/account/preview/draft_text.h"
#include "workers/account/preview/preview_int.h"
#include "workers/account/text/chunk.h"

#define START_MS 1500 /* of work before a progress post */
#define GRACE_MS 3000 /* for a request under way when the answer is there */
#define PARTS_MAX 12  /* posts of one preview */
#define PLACEHOLDER "Thinking\xe2\x80\xa6" /* OpenClaw's word */

static void on_timer(int, short, void *);

int
preview_wanted(const struct account *a)
{
	return a->stream.mode != STREAM_OFF || a->stream.blocks;
}

int
preview_single(const struct preview *p)
{
	return p->a->stream.mode == STREAM_PARTIAL ||
	    p->a->stream.mode == STREAM_PROGRESS;
}

/* Parts */

/* Each post waits until the one before it is there, or never will be. */
static void
parts_go(struct preview *p)
{
	int held = p->look != NULL;
	struct part *part;

	TAILQ_FOREACH(part, &p->parts, entry) {
		draft_hold(part->draft, held);
		held |= draft_coming(part->draft);
	}
}

static void
preview_fail(struct preview *p)
{
	struct part *part;

	p->failed = 1;
	event_del(p->timer);
	TAILQ_FOREACH(part, &p->parts, entry)
		draft_stop(part->draft);
}

static int
preview_busy(const struct preview *p)
{
	struct part *part;

	TAILQ_FOREACH(part, &p->parts, entry)
		if (draft_busy(part->draft))
			return 1;
	return 0;
}

static void
part_changed(void *arg)
{
	struct part *part = arg;
	struct preview *p = part->preview;

	if (p->ending) {
		if (!preview_busy(p))
			loop_timer(p->timer, 0);
		return;
	}
	if (draft_failed(part->draft))
		preview_fail(p);
	else
		parts_go(p);
}

/* NULL when there are too many: the preview stays as it is. */
static struct part *
part_new(struct preview *p)
{
	struct part *part;

	if (p->n == PARTS_MAX) {
		preview_fail(p);
		return NULL;
	}
	if ((part = calloc(1, sizeof(*part))) == NULL)
		fatal("calloc");
	part->preview = p;
	part->draft = draft_new(p->a, p->row->channel, p->row->root,
	    p->row->event, part_changed, part);
	draft_hold(part->draft, 1);
	TAILQ_INSERT_TAIL(&p->parts, part, entry);
	p->n++;
	return part;
}

static void
part_stale(struct part *part)
{
	draft_stop(part->draft);
	part->kind = PART_STALE;
	free(part->raw);
	free(part->full);
	part->raw = part->full = NULL;
}

/* The open part, made when there is none. NULL: no more. */
static struct part *
part_open(struct preview *p)
{
	if (p->open == NULL)
		p->open = part_new(p);
	return p->open;
}

/* Show this text, which may be NULL or blank, cut to what a preview holds. */
static void
part_show(struct part *part, const char *text)
{
	char *cut = text == NULL ? NULL : draft_truncate(text, DRAFT_UNITS);

	if (cut == NULL)
		return;
	draft_update(part->draft, cut);
	free(cut);
	parts_go(part->preview);
}

static void
part_say(struct part *part, const char *full)
{
	part->kind = PART_TEXT;
	free(part->full);
	if ((part->full = strdup(full)) == NULL)
		fatal("strdup");
	draft_update(part->draft, full);
}

/*
 * The open part's text is finished: it gets all of it, and posts of its own
 * for what does not fit.
 */
static void
close_text(struct preview *p)
{
	struct part *part = p->open;
	char **chunks, *all;
	size_t i, n;

	all = out_render(
	    &p->a->out, part->raw, part->first ? p->prefix : "");
	chunks = out_chunks(&p->a->out, all, &n);
	for (i = 0; i < n && part != NULL; i++) {
		if (i > 0 && (part = part_new(p)) != NULL)
			part->more = 1;
		if (part != NULL)
			part_say(part, chunks[i]);
	}
	if (part == NULL)
		part_stale(p->open); /* not all of it was said */
	chunk_free(chunks, n);
	free(all);
	p->open = NULL;
	parts_go(p);
}

static void
close_open(struct preview *p)
{
	if (p->open == NULL)
		return;
	if (p->open->kind == PART_TEXT && !preview_single(p))
		close_text(p);
	else
		part_stale(p->open);
	p->open = NULL;
	progress_clear(&p->lines);
}

/* Bytes at the front of text that the closed parts have said. */
static size_t
preview_said(const struct preview *p, const char *text)
{
	struct part *part;
	size_t at = 0;

	TAILQ_FOREACH(part, &p->parts, entry)
		if (part != p->open && part->kind == PART_TEXT && !part->more)
			at += block_follows(text + at, part->raw);
	return at;
}

/* An earlier life */

static void
look_done(struct account *a, const char (*posts)[MM_ID_SIZE], size_t n,
    const char *why, void *arg)
{
	struct preview *p = arg;
	struct part *part;

	p->look = NULL;
	/* The newest goes on; all others are swept away in the end. */
	part = TAILQ_FIRST(&p->parts);
	if (n > 0 && part == NULL && (part = part_open(p)) == NULL)
		return;
	if (n > 0)
		draft_adopt(part->draft, posts[0]);
	parts_go(p);
}

struct preview *
preview_new(struct account *a, const struct row *r, const char *agent)
{
	struct preview *p;

	if ((p = calloc(1, sizeof(*p))) == NULL ||
	    (p->timer = evtimer_new(a->base, on_timer, p)) == NULL)
		fatal("calloc");
	TAILQ_INIT(&p->parts);
	p->a = a;
	p->row = r;
	p->prefix = out_prefix(&a->out, agent);
	progress_init(&p->lines, a->stream.max_lines, a->stream.max_chars,
	    a->stream.raw);
	if (r->begun && a->stream.mode != STREAM_OFF)
		p->look = lookup_all(a, r->channel, r->at, MARK_DRAFT,
		    r->event, look_done, p);
	return p;
}

void
preview_free(struct preview *p)
{
	struct part *part;

	if (p == NULL)
		return;
	lookup_cancel(p->look);
	while ((part = TAILQ_FIRST(&p->parts)) != NULL) {
		TAILQ_REMOVE(&p->parts, part, entry);
		draft_free(part->draft);
		free(part->raw);
		free(part->full);
		free(part);
	}
	progress_clear(&p->lines);
	event_free(p->timer);
	free(p->text);
	free(p->prefix);
	free(p);
}

void
preview_rewind(struct preview *p)
{
	struct part *part;

	event_del(p->timer);
	p->ending = p->begun = p->visible = 0;
	TAILQ_FOREACH(part, &p->parts, entry)
		part_stale(part);
	progress_clear(&p->lines);
	free(p->text);
	p->text = NULL;
	/* The last post is shown anew; one without a post is as good. */
	p->open = TAILQ_LAST(&p->parts, parts);
	if (p->open != NULL) {
		p->open->kind = PART_EMPTY;
		p->open->more = 0;
	}
}

/* Text */

static void
set_raw(struct part *part, const char *text)
{
	free(part->raw);
	part->raw = utf8_trim(text);
	part->kind = PART_TEXT;
}

static void
show_raw(struct preview *p, struct part *part)
{
	char *s = out_render(
	    &p->a->out, part->raw, part->first ? p->prefix : "");

	part_show(part, s);
	free(s);
}

static void
partial_text(struct preview *p, const char *text)
{
	struct part *part = part_open(p);
	char *s;
	int grows;

	if (part == NULL)
		return;
	s = utf8_trim(text);
	grows = part->kind != PART_TEXT || draft_text_grows(part->raw, s);
	free(s);
	if (!grows)
		return;
	part->first = 1;
	set_raw(part, text);
	show_raw(p, part);
}

/* 1 when the open part's text goes on, or stays, in rest. */
static int
goes_on(const struct part *open, const char *rest)
{
	char *s = utf8_trim(rest);
	int on = strncmp(s, open->raw, strlen(open->raw)) == 0 ||
	    !draft_text_grows(open->raw, s);

	free(s);
	return on;
}

static void
block_text(struct preview *p, const char *text)
{
	size_t said = preview_said(p, text);
	const char *rest = text + said;
	struct part *part = p->open;

	if (utf8_is_blank(rest, strlen(rest)))
		return;
	if (part != NULL && (part->kind == PART_WORK ||
		(part->kind == PART_TEXT && !goes_on(part, rest)))) {
		close_open(p);
		said = preview_said(p, text);
		rest = text + said;
	}
	if (p->failed || (part = part_open(p)) == NULL)
		return;
	if (part->kind == PART_TEXT) {
		char *s = utf8_trim(rest);
		int grows = draft_text_grows(part->raw, s);

		free(s);
		if (!grows)
			return;
	}
	part->first = said == 0;
	set_raw(part, rest);
	show_raw(p, part);
}

/* Mode off: a post for each finished block. */
static void
finished_blocks(struct preview *p, int idle)
{
	const struct stream_cfg *c = &p->a->stream;
	size_t said, n;
	char *raw;

	while (!p->failed && p->text != NULL) {
		said = preview_said(p, p->text);
		n = block_ready(
		    p->text + said, c->block_min, c->block_max, idle);
		if (n == 0 || (raw = strndup(p->text + said, n)) == NULL)
			return;
		if (part_open(p) != NULL) {
			p->open->first = said == 0;
			set_raw(p->open, raw);
			close_text(p);
		}
		free(raw);
	}
}

static void
progress_show(struct preview *p)
{
	struct part *part;
	char *s;

	if (!p->visible || (part = part_open(p)) == NULL)
		return;
	part->kind = PART_WORK;
	s = progress_text(&p->lines,
	    stream_label(&p->a->stream, p->a->id, p->row->channel));
	part_show(part, s);
	free(s);
}

static void
progress_begin(struct preview *p, int now)
{
	if (!p->begun && !now)
		loop_timer(p->timer, START_MS);
	p->begun = 1;
	if (now)
		p->visible = 1;
	progress_show(p);
}

void
preview_text(struct preview *p, const char *text)
{
	if (p->failed || p->ending || out_hold(text))
		return;
	free(p->text);
	if ((p->text = strdup(text)) == NULL)
		fatal("strdup");
	switch (p->a->stream.mode) {
	case STREAM_PARTIAL:
		partial_text(p, text);
		break;
	case STREAM_BLOCK:
		block_text(p, text);
		break;
	case STREAM_PROGRESS:
		progress_begin(p, 0);
		break;
	case STREAM_OFF:
		finished_blocks(p, 0);
		loop_timer(p->timer, p->a->stream.block_idle_ms);
		break;
	}
}

/* Work */

static void
work_show(struct preview *p)
{
	struct part *part;
	char *s;

	if ((part = part_open(p)) == NULL)
		return;
	part->kind = PART_WORK;
	s = progress_text(&p->lines, "");
	part_show(part, s);
	free(s);
}

void
preview_tool(struct preview *p, const struct tool_event *ev)
{
	enum stream_mode mode = p->a->stream.mode;
	int failed = ev->phase == TOOL_END && !ev->ok;

	if (p->failed || p->ending || mode == STREAM_OFF ||
	    !progress_is_work(ev->name))
		return;
	if (mode == STREAM_PROGRESS) {
		if (p->a->stream.tools)
			progress_tool(&p->lines, ev);
		progress_begin(p, failed);
		return;
	}
	if (!p->a->stream.tools)
		return;
	if (p->open != NULL && p->open->kind == PART_TEXT) {
		if (mode == STREAM_PARTIAL)
			return;
		/* The end of a tool is no new work. */
		if (ev->phase == TOOL_END)
			return;
		close_open(p);
	}
	if (progress_tool(&p->lines, ev))
		work_show(p);
}

void
preview_thinking(struct preview *p)
{
	struct part *part;

	if (p->failed || p->ending)
		return;
	if (p->a->stream.mode == STREAM_PROGRESS) {
		progress_thinking(&p->lines);
		progress_begin(p, 0);
		return;
	}
	/* Only while there is nothing better to show. */
	if (p->a->stream.mode == STREAM_OFF || p->text != NULL ||
	    p->lines.n > 0 || (part = part_open(p)) == NULL)
		return;
	if (part->kind == PART_EMPTY)
		part->kind = PART_THINKING;
	part_show(part, PLACEHOLDER);
}

void
preview_overtaken(struct preview *p)
{
	if (!p->failed && !p->ending)
		close_open(p);
}

/* The end */

static void
on_timer(int fd, short what, void *arg)
{
	struct preview *p = arg;
	struct part *part;

	if (!p->ending) {
		if (p->a->stream.mode == STREAM_OFF)
			finished_blocks(p, 1);
		else if (p->begun) {
			p->visible = 1;
			progress_show(p);
		}
		return;
	}
	/* A request that still runs could be the last word: not that post. */
	TAILQ_FOREACH(part, &p->parts, entry)
		draft_abort(part->draft);
	p->fn(p->arg);
}

void
preview_finish(struct preview *p, preview_fn fn, void *arg)
{
	struct part *part;

	p->ending = 1;
	p->fn = fn;
	p->arg = arg;
	lookup_cancel(p->look);
	p->look = NULL;
	TAILQ_FOREACH(part, &p->parts, entry)
		draft_stop(part->draft);
	loop_timer(p->timer, preview_busy(p) ? GRACE_MS : 0);
}
