#include "config.h"

#include <sys/queue.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/tree.h"
#include "workers/account/history/pending.h"

#define SENDER_CAP 128
#define ENTRY_COST 128 /* bytes of an entry beside its texts, about */

struct entry {
	TAILQ_ENTRY(entry) entry;
	struct history_entry h; /* strings are owned */
	size_t bytes;
};

struct window {
	RB_ENTRY(window) entry;
	TAILQ_ENTRY(window) age;
	TAILQ_HEAD(entries, entry) entries; /* oldest first */
	size_t n;
	int whole;
	char key[];
};

RB_HEAD(window_tree, window);

struct pending {
	struct window_tree tree;
	TAILQ_HEAD(, window) ages; /* longest untouched first */
	size_t n, limit, bytes;
};

static int
window_cmp(const struct window *a, const struct window *b)
{
	return strcmp(a->key, b->key);
}

RB_GENERATE_STATIC(window_tree, window, entry, window_cmp)

struct pending *
pending_new(int limit)
{
	struct pending *p;

	if ((p = calloc(1, sizeof(*p))) == NULL)
		fatal("calloc");
	RB_INIT(&p->tree);
	TAILQ_INIT(&p->ages);
	p->limit = limit < 0 ? 0 : (size_t)limit;
	return p;
}

static void
entry_drop(struct pending *p, struct window *w, struct entry *e)
{
	TAILQ_REMOVE(&w->entries, e, entry);
	w->n--;
	p->bytes -= e->bytes;
	free((char *)e->h.post_id);
	free((char *)e->h.sender);
	free((char *)e->h.text);
	free(e);
}

static void
window_drop(struct pending *p, struct window *w)
{
	struct entry *e;

	while ((e = TAILQ_FIRST(&w->entries)) != NULL)
		entry_drop(p, w, e);
	RB_REMOVE(window_tree, &p->tree, w);
	TAILQ_REMOVE(&p->ages, w, age);
	p->n--;
	free(w);
}

void
pending_free(struct pending *p)
{
	struct window *w;

	if (p == NULL)
		return;
	while ((w = TAILQ_FIRST(&p->ages)) != NULL)
		window_drop(p, w);
	free(p);
}

static struct window *
window_find(struct pending *p, const char *key)
{
	struct window *w;

	/* A node has its key behind it: none can be made on the stack. */
	for (w = RB_ROOT(&p->tree); w != NULL;) {
		int c = strcmp(key, w->key);

		if (c == 0) {
			TAILQ_REMOVE(&p->ages, w, age);
			TAILQ_INSERT_TAIL(&p->ages, w, age);
			return w;
		}
		w = c < 0 ? RB_LEFT(w, entry) : RB_RIGHT(w, entry);
	}
	return NULL;
}

static struct window *
window_get(struct pending *p, const char *key)
{
	struct window *w = window_find(p, key);
	size_t len = strlen(key) + 1;

	if (w != NULL)
		return w;
	if ((w = calloc(1, sizeof(*w) + len)) == NULL)
		fatal("calloc");
	memcpy(w->key, key, len);
	TAILQ_INIT(&w->entries);
	RB_INSERT(window_tree, &p->tree, w);
	TAILQ_INSERT_TAIL(&p->ages, w, age);
	if (++p->n > PENDING_KEYS)
		window_drop(p, TAILQ_FIRST(&p->ages));
	return w;
}

void
pending_renamed(struct pending *p, const char *part, const char *now)
{
	struct window *w, *next, *to;
	size_t len = strlen(part);
	char *at, *key;

	for (w = TAILQ_FIRST(&p->ages); w != NULL; w = next) {
		next = TAILQ_NEXT(w, age);
		at = strstr(w->key, part);
		if (at == NULL || (at[len] != '\0' && at[len] != ':'))
			continue;
		if (asprintf(&key, "%.*s%s%s", (int)(at - w->key), w->key, now,
			at + len) == -1)
			fatal("asprintf");
		if (window_find(p, key) == NULL) {
			to = window_get(p, key);
			TAILQ_CONCAT(&to->entries, &w->entries, entry);
			to->n = w->n;
			to->whole = w->whole;
			w->n = 0;
		}
		free(key);
		window_drop(p, w);
	}
}

/* Posts of one time are in the order of their ids. */
static int
is_before(const struct history_entry *h, int64_t at, const char *post)
{
	return h->at < at || (h->at == at && strcmp(h->post_id, post) < 0);
}

static struct entry *
entry_new(const struct history_entry *h)
{
	struct entry *e;

	if ((e = calloc(1, sizeof(*e))) == NULL ||
	    (e->h.post_id = strdup(h->post_id)) == NULL ||
	    (e->h.sender = strndup(h->sender, SENDER_CAP)) == NULL)
		fatal("calloc");
	e->h.text = context_cut(h->text);
	e->h.at = h->at;
	e->bytes = ENTRY_COST + strlen(e->h.sender) + strlen(e->h.text);
	return e;
}

void
pending_add(struct pending *p, const char *key, const struct history_entry *h)
{
	struct window *w;
	struct entry *e, *after;

	if (p->limit == 0)
		return;
	w = window_get(p, key);
	TAILQ_FOREACH_REVERSE(after, &w->entries, entries, entry)
		if (is_before(&after->h, h->at, h->post_id))
			break;
	e = after == NULL ? TAILQ_FIRST(&w->entries) : TAILQ_NEXT(after, entry);
	if (e != NULL && strcmp(e->h.post_id, h->post_id) == 0)
		return;
	e = entry_new(h);
	if (after == NULL)
		TAILQ_INSERT_HEAD(&w->entries, e, entry);
	else
		TAILQ_INSERT_AFTER(&w->entries, after, e, entry);
	w->n++;
	p->bytes += e->bytes;
	if (w->n > p->limit)
		entry_drop(p, w, TAILQ_FIRST(&w->entries));
	while (p->bytes > PENDING_BYTES && TAILQ_FIRST(&p->ages) != w)
		window_drop(p, TAILQ_FIRST(&p->ages));
}

int
pending_is_whole(struct pending *p, const char *key)
{
	const struct window *w = window_find(p, key);

	return w != NULL && w->whole;
}

void
pending_set_whole(struct pending *p, const char *key)
{
	if (p->limit > 0)
		window_get(p, key)->whole = 1;
}

void
pending_forget(struct pending *p, const char *key)
{
	struct window *w = window_find(p, key);
	struct entry *e;

	if (w == NULL)
		return;
	while ((e = TAILQ_FIRST(&w->entries)) != NULL)
		entry_drop(p, w, e);
}

size_t
pending_before(struct pending *p, const char *key, int64_t at,
    const char *post, struct history_entry out[CONTEXT_HISTORY_MAX],
    size_t *total)
{
	struct window *w = window_find(p, key);
	struct entry *e;
	size_t n = 0, skip;

	*total = 0;
	if (w == NULL)
		return 0;
	TAILQ_FOREACH(e, &w->entries, entry)
		*total += is_before(&e->h, at, post) != 0;
	skip = *total > CONTEXT_HISTORY_MAX ? *total - CONTEXT_HISTORY_MAX : 0;
	TAILQ_FOREACH(e, &w->entries, entry) {
		if (!is_before(&e->h, at, post))
			break;
		if (skip > 0)
			skip--;
		else
			out[n++] = e->h;
	}
	return n;
}

void
pending_shown(struct pending *p, const char *key, int64_t at, const char *post)
{
	struct window *w = window_find(p, key);
	struct entry *e;

	while (w != NULL && (e = TAILQ_FIRST(&w->entries)) != NULL &&
	    is_before(&e->h, at, post))
		entry_drop(p, w, e);
}

size_t
pending_count(const struct pending *p)
{
	return p->n;
}

size_t
pending_bytes(const struct pending *p)
{
	return p->bytes;
}
