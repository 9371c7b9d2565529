#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "daemon/config_keys.h"

static void
add(char *buf, size_t len, const char *sep, const char *text)
{
	if (buf[0] != '\0')
		strlcat(buf, sep, len);
	strlcat(buf, text, len);
}

static void
add_words(const char *words, char *buf, size_t len)
{
	const char *sep = strchr(words, ' ') != NULL ? "one of \"" : "\"";
	char word[CONFIG_WORD_MAX];

	add(buf, len, " or ", "");
	while (config_word_next(&words, word, sizeof(word))) {
		strlcat(buf, sep, len);
		strlcat(buf, word, len);
		sep = "\", \"";
	}
	strlcat(buf, "\"", len);
}

static void
add_range(const struct config_key *key, char *buf, size_t len)
{
	char range[96];

	if (key->types & KEY_INT)
		snprintf(range, sizeof(range),
		    "a whole number from %.0f to %.0f", key->min, key->max);
	else
		snprintf(range, sizeof(range),
		    "a number above %.0f and up to %.0f", key->min, key->max);
	add(buf, len, " or ", range);
}

void
config_key_type_text(const struct config_key *key, char *buf, size_t len)
{
	static const struct {
		unsigned type;
		const char *text;
	} simple[] = {
	    {KEY_BOOL, "true or false"},
	    {KEY_FALSE, "false"},
	    {KEY_STR, "a string"},
	    {KEY_STRS, "a list of strings"},
	    {KEY_IDS, "a list of ids"},
	    {KEY_LIST, "a list of objects"},
	    {KEY_OBJ, "an object"},
	    {KEY_MAP, "an object"},
	    {KEY_SECRET, "a secret: a string, \"$NAME\" or {source: ...}"},
	    {KEY_PROXY, "a string: http://[user:password@]host:port"},
	    {KEY_ANY, "anything"},
	    {KEY_NULL, "null"},
	};
	size_t i;

	buf[0] = '\0';
	if (key->types & KEY_WORD)
		add_words(key->words, buf, len);
	if (key->types & (KEY_INT | KEY_NUM))
		add_range(key, buf, len);
	for (i = 0; i < sizeof(simple) / sizeof(*simple); i++)
		if (key->types & simple[i].type)
			add(buf, len, " or ", simple[i].text);
}

/* 1 when the last parts of path are those of end. */
static int
path_ends(const char *path, const char *end)
{
	size_t lp = strlen(path), le = strlen(end);

	if (le > lp || strcasecmp(path + lp - le, end) != 0)
		return 0;
	return le == lp || path[lp - le - 1] == '.';
}

/*
 * Bring a path as people write it into the form of the table, part by part
 * ("channels.mattermost.accounts.work.name", "bindings[3].agentId").
 */
static const struct config_key *
find_whole(const char *key)
{
	const struct config_key *k = &config_keys[0], *m;
	char part[128];
	size_t n;

	while (*key != '\0' && k != NULL) {
		if (*key == '[') {
			k = config_key_item(k);
			key += strcspn(key, "]");
			key += *key == ']';
		} else {
			n = strcspn(key, ".[");
			if (n >= sizeof(part))
				return NULL;
			memcpy(part, key, n);
			part[n] = '\0';
			m = config_key_member(k, part);
			k = m;
			key += n;
		}
		if (*key == '.')
			key++;
	}
	return k == &config_keys[0] ? NULL : k;
}

static void
print_where(const struct config_key *key, FILE *f)
{
	const char top[] = "channels.mattermost.";

	if (key->path[0] == '\0' ||
	    strncmp(key->path, top, sizeof(top) - 1) != 0 ||
	    key->flags & KEY_ROOT)
		return;
	fprintf(f, "  also in  channels.mattermost.accounts.<id>.%s\n",
	    key->path + sizeof(top) - 1);
}

static void
explain(const struct config_key *key, FILE *f)
{
	char type[512];

	config_key_type_text(key, type, sizeof(type));
	fprintf(f, "%s\n", key->path);
	if (key->flags & KEY_LEGACY) {
		if (key->fallback != NULL)
			fprintf(f, "  old spelling of %s\n", key->fallback);
		else
			fprintf(f, "  accepted, and without effect\n");
	} else {
		fprintf(f, "  %s\n", key->what);
	}
	fprintf(f, "  type     %s\n", type);
	if (!(key->flags & KEY_LEGACY)) {
		if (key->fallback != NULL)
			fprintf(f, "  absent   as %s\n", key->fallback);
		if (key->dflt != NULL)
			fprintf(f, "  default  %s\n", key->dflt);
		else if (key->fallback == NULL && !(key->types &
			     (KEY_OBJ | KEY_MAP | KEY_LIST)))
			fprintf(f, "  default  none\n");
	}
	print_where(key, f);
}

static void
explain_members(const struct config_key *key, FILE *f)
{
	const struct config_key *k;

	if (config_key_first(key) == NULL)
		return;
	fprintf(f, "  members ");
	for (k = config_key_first(key); k != NULL; k = config_key_next(k))
		if (!(k->flags & KEY_LEGACY))
			fprintf(f, " %s", config_key_name(k));
	fprintf(f, "\n");
}

static const char *
nearest_of_all(const char *name)
{
	const struct config_key *k;
	const char *near;

	for (k = config_keys; k->path != NULL; k++)
		if (k->types & KEY_OBJ &&
		    (near = config_key_nearest(k, name)) != NULL)
			return near;
	return NULL;
}

int
config_keys_explain(const char *key, FILE *f)
{
	const struct config_key *k = find_whole(key);
	const char *near, *last;
	int found = 0;

	if (k != NULL) {
		explain(k, f);
		explain_members(k, f);
		return 0;
	}
	for (k = config_keys + 1; k->path != NULL; k++) {
		if (!path_ends(k->path, key))
			continue;
		if (found++)
			fprintf(f, "\n");
		explain(k, f);
		explain_members(k, f);
	}
	if (found)
		return 0;
	last = strrchr(key, '.');
	near = nearest_of_all(last == NULL ? key : last + 1);
	fprintf(f, "no such key: %s", key);
	if (near != NULL)
		fprintf(f, " (did you mean \"%s\"?)", near);
	fprintf(f, "\n");
	return -1;
}
