#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "daemon/config_keys.h"

#define KEYS_MAX 400
#define EDIT_MAX 64 /* longest name that is compared */

/* The table as a tree: by index, -1 for none. */
static struct {
	int first[KEYS_MAX];
	int next[KEYS_MAX];
	int ready;
} tree;

/* Rows that have the members of another one. */
static const char *const alias[][2] = {
    {"channels.mattermost.accounts.*", "channels.mattermost"},
    {"agents.entries.*", "agents.list[]"},
    {"channels.mattermost.blockStreamingCoalesce",
	"channels.mattermost.streaming.block.coalesce"},
};

/* Bytes of path without its last part. */
static size_t
parent_len(const char *path)
{
	size_t len = strlen(path);
	const char *dot;

	if (len > 2 && strcmp(path + len - 2, "[]") == 0)
		return len - 2;
	dot = strrchr(path, '.');
	return dot == NULL ? 0 : (size_t)(dot - path);
}

static int
find_row(const char *path, size_t len)
{
	int i;

	for (i = 0; config_keys[i].path != NULL; i++)
		if (strlen(config_keys[i].path) == len &&
		    memcmp(config_keys[i].path, path, len) == 0)
			return i;
	return -1;
}

static void
build(void)
{
	int last[KEYS_MAX], i, parent;

	if (tree.ready)
		return;
	for (i = 0; i < KEYS_MAX; i++)
		tree.first[i] = tree.next[i] = last[i] = -1;
	for (i = 1; config_keys[i].path != NULL; i++) {
		parent = find_row(
		    config_keys[i].path, parent_len(config_keys[i].path));
		if (i >= KEYS_MAX || parent == -1 || parent >= i)
			fatalx("key table: %s", config_keys[i].path);
		if (last[parent] == -1)
			tree.first[parent] = i;
		else
			tree.next[last[parent]] = i;
		last[parent] = i;
	}
	for (i = 0; i < (int)(sizeof(alias) / sizeof(*alias)); i++)
		tree.first[find_row(alias[i][0], strlen(alias[i][0]))] =
		    tree.first[find_row(alias[i][1], strlen(alias[i][1]))];
	tree.ready = 1;
}

const struct config_key *
config_key_find(const char *path)
{
	int i = find_row(path, strlen(path));

	return i == -1 ? NULL : &config_keys[i];
}

const struct config_key *
config_key_first(const struct config_key *key)
{
	build();
	return tree.first[key - config_keys] == -1
	    ? NULL
	    : &config_keys[tree.first[key - config_keys]];
}

const struct config_key *
config_key_next(const struct config_key *key)
{
	build();
	return tree.next[key - config_keys] == -1
	    ? NULL
	    : &config_keys[tree.next[key - config_keys]];
}

const char *
config_key_name(const struct config_key *key)
{
	const char *p = key->path + parent_len(key->path);

	return *p == '.' ? p + 1 : p;
}

static int
in_account(const struct config_key *key)
{
	return strcmp(key->path, "channels.mattermost.accounts.*") == 0;
}

const struct config_key *
config_key_member(const struct config_key *key, const char *name)
{
	const struct config_key *k;
	const char *has;

	for (k = config_key_first(key); k != NULL; k = config_key_next(k)) {
		has = config_key_name(k);
		if (strcmp(has, "[]") == 0)
			continue;
		if (strcmp(has, "*") == 0)
			return key->types & KEY_MAP ? k : NULL;
		if (strcmp(has, name) == 0)
			return in_account(key) && k->flags & KEY_ROOT ? NULL
								      : k;
	}
	return NULL;
}

const struct config_key *
config_key_item(const struct config_key *key)
{
	const struct config_key *k = config_key_first(key);

	return k != NULL && strcmp(config_key_name(k), "[]") == 0 ? k : NULL;
}

int
config_word_next(const char **words, char *buf, size_t len)
{
	size_t n;

	*words += strspn(*words, " ");
	n = strcspn(*words, " ");
	if (n == 0 || n >= len)
		return 0;
	memcpy(buf, *words, n);
	buf[n] = '\0';
	*words += n;
	return 1;
}

static int
has_word(const char *words, const char *name)
{
	char word[CONFIG_WORD_MAX];

	while (config_word_next(&words, word, sizeof(word)))
		if (strcmp(word, name) == 0)
			return 1;
	return 0;
}

int
config_key_ignored(const struct config_key *key, const char *name)
{
	const struct config_ignored *g;
	const char *path = key->path;

	if (strcmp(path, "agents.entries.*") == 0)
		path = "agents.list[]";
	for (g = config_ignored; g->path != NULL; g++)
		if (strcmp(g->path, path) == 0)
			return has_word(g->names, name);
	return 0;
}

/*
 * Edits from a to b, a swap of neighbours counting as one; letters of
 * either case are the same. max + 1 when there are more than max.
 */
static int
edits(const char *a, const char *b, int max)
{
	int row[3][EDIT_MAX + 1], *cur, *up, *up2, i, j, cost, best;
	int la = (int)strlen(a), lb = (int)strlen(b);

	if (la > EDIT_MAX || lb > EDIT_MAX || abs(la - lb) > max)
		return max + 1;
	for (j = 0; j <= lb; j++)
		row[0][j] = j;
	for (i = 1; i <= la; i++) {
		cur = row[i % 3];
		up = row[(i + 2) % 3];
		up2 = row[(i + 1) % 3];
		cur[0] = i;
		for (j = 1; j <= lb; j++) {
			cost = tolower((unsigned char)a[i - 1]) !=
			    tolower((unsigned char)b[j - 1]);
			best = up[j - 1] + cost;
			if (up[j] + 1 < best)
				best = up[j] + 1;
			if (cur[j - 1] + 1 < best)
				best = cur[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1] && up2[j - 2] + 1 < best)
				best = up2[j - 2] + 1;
			cur[j] = best;
		}
	}
	return row[la % 3][lb];
}

/* How many edits a slip of the pen may be, for a name of that length. */
static int
slip(const char *name)
{
	size_t len = strlen(name);

	return len < 3 ? 0 : len < 6 ? 1 : 2;
}

const char *
config_key_nearest(const struct config_key *key, const char *name)
{
	const struct config_key *k;
	const char *nearest = NULL, *has;
	int best = slip(name) + 1, d;

	for (k = config_key_first(key); k != NULL; k = config_key_next(k)) {
		has = config_key_name(k);
		if (*has == '*' || *has == '[' || k->flags & KEY_LEGACY ||
		    (in_account(key) && k->flags & KEY_ROOT))
			continue;
		d = edits(name, has, best);
		if (d < best) {
			best = d;
			nearest = has;
		}
	}
	return nearest;
}

const char *
config_word_nearest(
    const char *words, const char *name, char *buf, size_t len)
{
	int best = slip(name) + 1, d;
	const char *found = NULL;
	char word[CONFIG_WORD_MAX];

	while (config_word_next(&words, word, sizeof(word))) {
		d = edits(name, word, best);
		if (d < best && strlcpy(buf, word, len) < len) {
			best = d;
			found = buf;
		}
	}
	return found;
}
