#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/text.h"
#include "daemon/config_private.h"

#define IGNORED_SHOWN 60 /* keys without meaning here that are named */

static void check_value(struct config_ctx *, const struct config_key *,
    struct cval *, const char *path);

static int
is_plain(const char *name)
{
	if (*name == '\0')
		return 0;
	for (; *name != '\0'; name++)
		if (!isalnum((unsigned char)*name) && *name != '_' &&
		    *name != '-' && *name != '$')
			return 0;
	return 1;
}

void
config_path_join(
    char *buf, size_t len, const char *path, const struct cval *member)
{
	if (!is_plain(member->key))
		snprintf(buf, len, "%s[\"%s\"]", path, member->key);
	else
		snprintf(buf, len, "%s%s%s", path, *path == '\0' ? "" : ".",
		    member->key);
}

static void
ignore(struct config_ctx *ctx, const char *path)
{
	char *was = ctx->ignored;

	if (ctx->ignored_count++ >= IGNORED_SHOWN)
		return;
	ctx->ignored =
	    was == NULL ? text_dup(path) : config_printf("%s, %s", was, path);
	free(was);
}

/* What stands there: a number itself, of the rest only the type. */
static const char *
shown(const struct cval *v, char *buf, size_t len)
{
	if (v->type != CVAL_NUM)
		return cval_type_name(v);
	snprintf(buf, len, "%.15g", v->num);
	return buf;
}

static void
wrong_type(struct config_ctx *ctx, const struct config_key *key,
    struct cval *v, const char *path)
{
	char want[512], word[CONFIG_WORD_MAX], is[64];
	const char *near = NULL;

	config_key_type_text(key, want, sizeof(want));
	if (v->type == CVAL_STR && key->types & KEY_WORD)
		near = config_word_nearest(
		    key->words, v->str, word, sizeof(word));
	if (near != NULL)
		config_say(ctx, CONFIG_ERROR, v,
		    "%s: must be %s (did you mean \"%s\"?)", path, want, near);
	else if (v->type == CVAL_STR && key->types & KEY_WORD)
		config_say(ctx, CONFIG_ERROR, v, "%s: must be %s", path, want);
	else
		config_say(ctx, CONFIG_ERROR, v, "%s: must be %s, not %s",
		    path, want, shown(v, is, sizeof(is)));
	v->bad = 1;
}

/* The word that a string is, without regard to case and outer space. */
static int
find_word(const char *words, const char *s, char *buf, size_t len)
{
	size_t n;

	s += strspn(s, " \t\r\n");
	while (config_word_next(&words, buf, len)) {
		n = strlen(buf);
		if (strncasecmp(buf, s, n) == 0 &&
		    s[n + strspn(s + n, " \t\r\n")] == '\0')
			return 1;
	}
	return 0;
}

static int
fits_number(const struct config_key *key, const struct cval *v)
{
	if (key->types & KEY_INT)
		return v->is_int && v->num >= key->min && v->num <= key->max;
	return v->num > key->min && v->num <= key->max;
}

static int
fits_string(const struct config_key *key, struct cval *v)
{
	char word[CONFIG_WORD_MAX];

	if (key->types & (KEY_STR | KEY_SECRET | KEY_PROXY))
		return 1;
	if (!(key->types & KEY_WORD) ||
	    !find_word(key->words, v->str, word, sizeof(word)))
		return 0;
	/* Never longer than what it replaces. */
	memcpy(v->str, word, strlen(word) + 1);
	v->str_len = strlen(word);
	return 1;
}

static int
fits(const struct config_key *key, struct cval *v)
{
	if (key->types & KEY_ANY)
		return 1;
	switch (v->type) {
	case CVAL_NULL:
		return (key->types & KEY_NULL) != 0;
	case CVAL_BOOL:
		return key->types & KEY_BOOL || (key->types & KEY_FALSE && !v->b);
	case CVAL_NUM:
		return key->types & (KEY_INT | KEY_NUM) && fits_number(key, v);
	case CVAL_STR:
		return fits_string(key, v);
	case CVAL_ARR:
		return (key->types & (KEY_STRS | KEY_IDS | KEY_LIST)) != 0;
	case CVAL_OBJ:
		return (key->types & (KEY_OBJ | KEY_MAP | KEY_SECRET)) != 0;
	}
	return 0;
}

/* A file of the peer's is not refused for a bound that is ours alone. */
static void
lower(struct config_ctx *ctx, const struct config_key *key, struct cval *v,
    const char *path)
{
	if (!(key->flags & KEY_MORE) || v->type != CVAL_NUM ||
	    !(v->num > key->max) || (key->types & KEY_INT && !v->is_int))
		return;
	config_say(ctx, CONFIG_WARNING, v,
	    "%s: %.15g is more than there can be here: %.0f is taken", path,
	    v->num, key->max);
	v->num = key->max;
	v->i = (int64_t)key->max;
	v->is_int = 1;
}

/* What a worker is told has bounds there: better said here. */
static void
check_length(struct config_ctx *ctx, const struct config_key *key,
    struct cval *v, const char *path)
{
	size_t max;

	if (v->type == CVAL_STR && key->types & (KEY_STR | KEY_STRS | KEY_IDS)) {
		max = key->types & KEY_STR && key->max > 0 ? (size_t)key->max
							   : CONFIG_STR_MAX;
		if (v->str_len <= max)
			return;
		config_say(ctx, CONFIG_ERROR, v, "%s: longer than %zu bytes",
		    path, max);
		v->bad = 1;
	} else if (v->type == CVAL_ARR) {
		max = !(key->types & KEY_LIST) && key->max > 0
		    ? (size_t)key->max : CONFIG_LIST_MAX;
		if (v->count <= max)
			return;
		config_say(ctx, CONFIG_ERROR, v, "%s: more than %zu entries",
		    path, max);
		v->bad = 1;
	}
}

static void
check_list(struct config_ctx *ctx, const struct config_key *key,
    struct cval *v, const char *path)
{
	const struct config_key *item = config_key_item(key);
	char at[CONFIG_PATH_MAX];
	struct cval *m;
	size_t i = 0;

	for (m = v->first; m != NULL; m = m->next, i++) {
		snprintf(at, sizeof(at), "%s[%zu]", path, i);
		if (key->types & KEY_LIST) {
			check_value(ctx, item, m, at);
			continue;
		}
		if (m->type == CVAL_STR ||
		    (key->types & KEY_IDS && m->type == CVAL_NUM &&
			m->is_int)) {
			check_length(ctx, key, m, at);
			continue;
		}
		config_say(ctx, CONFIG_ERROR, m, "%s: must be %s, not %s", at,
		    key->types & KEY_IDS ? "a string or a whole number"
					 : "a string",
		    cval_type_name(m));
		m->bad = 1;
	}
}

static void
unknown(struct config_ctx *ctx, const struct config_key *key,
    struct cval *member, const char *path)
{
	const char *near = config_key_nearest(key, member->key);
	int open = key->flags & KEY_OPEN;

	member->bad = 1;
	if (strcmp(member->key, "$include") == 0) {
		config_say_key(ctx, CONFIG_ERROR, member,
		    "%s: other files are not read: put their content here",
		    path);
		return;
	}
	if (open && (near == NULL || config_key_ignored(key, member->key))) {
		ignore(ctx, path);
		return;
	}
	if (near != NULL)
		config_say_key(ctx, open ? CONFIG_WARNING : CONFIG_ERROR,
		    member, "%s: unknown key%s (did you mean \"%s\"?)", path,
		    open ? ", ignored" : "", near);
	else
		config_say_key(
		    ctx, CONFIG_ERROR, member, "%s: unknown key", path);
}

static void
check_members(struct config_ctx *ctx, const struct config_key *key,
    struct cval *v, const char *path)
{
	const struct config_key *k;
	char at[CONFIG_PATH_MAX];
	struct cval *m;

	for (m = v->first; m != NULL; m = m->next) {
		config_path_join(at, sizeof(at), path, m);
		k = config_key_member(key, m->key);
		if (k == NULL)
			unknown(ctx, key, m, at);
		else
			check_value(ctx, k, m, at);
	}
}

static void
check_value(struct config_ctx *ctx, const struct config_key *key,
    struct cval *v, const char *path)
{
	lower(ctx, key, v, path);
	if (!fits(key, v)) {
		wrong_type(ctx, key, v, path);
		return;
	}
	if (key->types & KEY_ANY)
		return;
	check_length(ctx, key, v, path);
	if (v->bad)
		return;
	if (v->type == CVAL_ARR)
		check_list(ctx, key, v, path);
	else if (v->type == CVAL_OBJ && key->types & (KEY_OBJ | KEY_MAP))
		check_members(ctx, key, v, path);
}

struct place {
	struct config_ctx *ctx;
	const char *path;
};

static void
say_duplicate(const struct cval *again, const struct cval *first, void *arg)
{
	const struct place *place = arg;
	char at[CONFIG_PATH_MAX];

	config_path_join(at, sizeof(at), place->path, again);
	config_say_key(place->ctx, CONFIG_ERROR, again,
	    "%s: is here twice, first in line %d", at, first->key_line);
}

static void
check_duplicates(
    struct config_ctx *ctx, const struct cval *v, const char *path)
{
	struct place place = {ctx, path};
	char at[CONFIG_PATH_MAX];
	const struct cval *m;
	size_t i = 0;

	cval_duplicates(v, say_duplicate, &place);
	for (m = v->first; m != NULL; m = m->next, i++) {
		if (m->first == NULL)
			continue;
		if (v->type == CVAL_OBJ)
			config_path_join(at, sizeof(at), path, m);
		else
			snprintf(at, sizeof(at), "%s[%zu]", path, i);
		check_duplicates(ctx, m, at);
	}
}

void
config_check(struct config_ctx *ctx)
{
	check_duplicates(ctx, ctx->root, "");
	check_value(ctx, &config_keys[0], ctx->root, "");
	if (ctx->ignored != NULL)
		config_say(ctx, CONFIG_INFO, NULL,
		    "ignored, of no use here: %s%s", ctx->ignored,
		    ctx->ignored_count > IGNORED_SHOWN ? " and others" : "");
}
