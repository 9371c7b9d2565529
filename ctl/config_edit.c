#include "config.h"

#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "ctl/config_edit.h"
#include "daemon/config_private.h"
#include "daemon/json5.h"

#define STEP "  "
#define MEMBERS_MAX 8192
#define INDENT_MAX 64

/* A text that is changed in one place, and what it says. */
struct edit {
	const char *text;
	struct cval *root, *top, *accounts;
	char *why;
	size_t len;
};

static char *no(struct edit *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static char *
no(struct edit *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e->why, e->len, fmt, ap);
	va_end(ap);
	return NULL;
}

static int
edit_open(struct edit *e, const char *text, char *why, size_t len)
{
	struct json5_error err;
	struct cval *channels;

	memset(e, 0, sizeof(*e));
	e->text = text;
	e->why = why;
	e->len = len;
	e->root = json5_parse(text, strlen(text), &err);
	if (e->root == NULL) {
		no(e, "line %d, column %d: %s", err.line, err.column,
		    err.text);
		return -1;
	}
	channels = cval_find(e->root, "channels");
	e->top = cval_find(channels, "mattermost");
	e->accounts = cval_find(e->top, "accounts");
	if (e->root->type == CVAL_OBJ &&
	    (channels == NULL || channels->type == CVAL_OBJ) &&
	    (e->top == NULL || e->top->type == CVAL_OBJ) &&
	    (e->accounts == NULL || e->accounts->type == CVAL_OBJ))
		return 0;
	no(e, "channels.mattermost.accounts is not a path of objects");
	return -1;
}

/* The byte at a place as the reader counts: lines, and characters of one. */
static size_t
offset_of(const char *text, int line, int column)
{
	size_t i;

	for (i = 0; line > 1 && text[i] != '\0'; i++)
		if (text[i] == '\n' ||
		    (text[i] == '\r' && text[i + 1] != '\n'))
			line--;
	for (; column > 1 && text[i] != '\0'; column--)
		do {
			i++;
		} while (((unsigned char)text[i] & 0xc0) == 0x80);
	return i;
}

/* The blanks that the line of this byte begins with. */
static void
indent_of(const char *text, size_t at, char buf[INDENT_MAX])
{
	size_t n;

	while (at > 0 && text[at - 1] != '\n' && text[at - 1] != '\r')
		at--;
	n = strspn(text + at, " \t");
	if (n >= INDENT_MAX)
		n = 0;
	memcpy(buf, text + at, n);
	buf[n] = '\0';
}

static char *
splice(const char *text, size_t at, size_t gone, const char *in)
{
	size_t len = strlen(text) - gone + strlen(in);
	char *out = malloc(len + 1);

	if (out == NULL)
		fatal("malloc");
	snprintf(out, len + 1, "%.*s%s%s", (int)at, text, in,
	    text + at + gone);
	return out;
}

/* A member as the first of obj. member ends without a comma. */
static char *
put_first(struct edit *e, const struct cval *obj, const char *member)
{
	size_t at = offset_of(e->text, obj->line, obj->column), size;
	char indent[INDENT_MAX], *in, *out;
	int empty = obj->count == 0, alone;

	if (e->text[at] != '{')
		return no(e, "line %d is not where it should be", obj->line);
	at++;
	indent_of(e->text, at, indent);
	/* What follows on the same line gets one of its own. */
	alone = e->text[at + strspn(e->text + at, " \t\r")] == '\n';
	size = strlen(member) + 2 * INDENT_MAX + 16;
	if ((in = malloc(size)) == NULL)
		fatal("malloc");
	snprintf(in, size, "\n%s" STEP "%s%s%s%s", indent, member,
	    empty ? "" : ",", alone ? "" : "\n", alone ? "" : indent);
	out = splice(e->text, at, 0, in);
	freezero(in, size);
	return out;
}

/* JSON is JSON5. */
static void
add_string(char *buf, size_t len, const char *key, const char *value)
{
	struct json_object *s;

	if (value == NULL)
		return;
	s = json_object_new_string(value);
	if (buf[0] != '\0')
		strlcat(buf, ", ", len);
	strlcat(buf, key, len);
	strlcat(buf, ": ", len);
	strlcat(buf, json_object_to_json_string_ext(s,
	    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE), len);
	json_object_put(s);
}

/* "enabled: true, name: ..." */
static void
members_of(const struct edit_account *a, char *buf, size_t len)
{
	snprintf(buf, len, "enabled: true");
	add_string(buf, len, "name", a->name);
	add_string(buf, len, "botToken", a->token);
	add_string(buf, len, "baseUrl", a->url);
}

char *
edit_show(const struct edit_account *a)
{
	struct edit_account shown = *a;
	char members[MEMBERS_MAX], *out;

	if (shown.token != NULL)
		shown.token = "...";
	members_of(&shown, members, sizeof(members));
	if (asprintf(&out, "channels: { mattermost: { accounts: "
		"{ \"%s\": { %s } } } }", a->id, members) == -1)
		fatal("asprintf");
	return out;
}

/* Is new what old is, but for this one account? */
static int
same_but(const char *old, const char *new, const char *id)
{
	static const char *const own[] = {
	    "enabled", "name", "botToken", "baseUrl", NULL};
	const char *texts[2] = {old, new};
	struct json_object *json[2] = {NULL, NULL};
	struct json5_error err;
	struct cval *root, *top, *accounts, *channels;
	int i, k, same;

	for (i = 0; i < 2; i++) {
		root = json5_parse(texts[i], strlen(texts[i]), &err);
		channels = cval_find(root, "channels");
		top = cval_find(channels, "mattermost");
		accounts = cval_find(top, "accounts");
		cval_free(cval_take(accounts, id));
		if (accounts != NULL && accounts->count == 0)
			cval_free(cval_take(top, "accounts"));
		if (strcmp(id, "default") == 0)
			for (k = 0; top != NULL && own[k] != NULL; k++)
				cval_free(cval_take(top, own[k]));
		if (top != NULL && top->count == 0)
			cval_free(cval_take(channels, "mattermost"));
		if (channels != NULL && channels->count == 0)
			cval_free(cval_take(root, "channels"));
		if (root != NULL)
			json[i] = cval_json(root);
		cval_free(root);
	}
	same = json[0] != NULL && json[1] != NULL &&
	    json_object_equal(json[0], json[1]);
	json_object_put(json[0]);
	json_object_put(json[1]);
	return same;
}

static char *
checked(struct edit *e, char *out, const char *id)
{
	if (out == NULL || same_but(e->text, out, id))
		return out;
	freezero(out, strlen(out));
	return no(e, "the file is written in a way that cannot be changed "
		     "without touching something else");
}

/* The key of an account in the file, which may be spelled otherwise. */
static struct cval *
account_find(struct edit *e, const char *id)
{
	struct cval *m;
	char norm[65];

	for (m = e->accounts == NULL ? NULL : e->accounts->first; m != NULL;
	     m = m->next)
		if (config_id_normalise(m->key, norm, sizeof(norm)) == 0 &&
		    strcmp(norm, id) == 0)
			return m;
	return NULL;
}

static char *
add_to(struct edit *e, const struct edit_account *a)
{
	char members[MEMBERS_MAX], text[MEMBERS_MAX + 256];
	char whole[MEMBERS_MAX + 512], *out;
	struct cval *channels = cval_find(e->root, "channels");
	int top = strcmp(a->id, "default") == 0 && e->accounts == NULL;

	members_of(a, members, sizeof(members));
	if (top)
		snprintf(text, sizeof(text), "%s", members);
	else
		snprintf(text, sizeof(text), e->accounts != NULL
			? "\"%s\": { %s }" : "accounts: { \"%s\": { %s } }",
		    a->id, members);
	if (e->accounts != NULL) {
		out = put_first(e, e->accounts, text);
	} else if (e->top != NULL) {
		out = put_first(e, e->top, text);
	} else {
		snprintf(whole, sizeof(whole), channels != NULL
			? "mattermost: { %s }"
			: "channels: { mattermost: { %s } }", text);
		out = put_first(
		    e, channels != NULL ? channels : e->root, whole);
		explicit_bzero(whole, sizeof(whole));
	}
	explicit_bzero(members, sizeof(members));
	explicit_bzero(text, sizeof(text));
	return out;
}

char *
edit_add(const char *text, const struct edit_account *a, char *why,
    size_t len)
{
	struct edit e;
	char *out = NULL;

	if (text[strspn(text, " \t\r\n")] == '\0')
		text = "{\n}\n";
	if (edit_open(&e, text, why, len) == -1) {
		cval_free(e.root);
		return NULL;
	}
	if (account_find(&e, a->id) != NULL)
		no(&e, "there is an account \"%s\" already", a->id);
	else if (strcmp(a->id, "default") == 0 && e.accounts == NULL &&
	    (cval_find(e.top, "botToken") != NULL ||
		cval_find(e.top, "baseUrl") != NULL ||
		cval_find(e.top, "enabled") != NULL))
		no(&e, "channels.mattermost is set up already: an --account "
		       "names another one");
	else
		out = checked(&e, add_to(&e, a), a->id);
	cval_free(e.root);
	return out;
}

/* Past a comment or white space; the same place when there is none. */
static size_t
skip_space(const char *s, size_t i)
{
	size_t was;

	do {
		was = i;
		i += strspn(s + i, " \t\r\n\v\f");
		if (strncmp(s + i, "//", 2) == 0)
			i += strcspn(s + i, "\r\n");
		else if (strncmp(s + i, "/*", 2) == 0) {
			const char *end = strstr(s + i + 2, "*/");

			i = end == NULL ? strlen(s) :
					  (size_t)(end - s) + 2;
		}
	} while (i != was);
	return i;
}

static size_t
skip_string(const char *s, size_t i)
{
	char quote = s[i++];

	while (s[i] != '\0' && s[i] != quote)
		i += s[i] == '\\' && s[i + 1] != '\0' ? 2 : 1;
	return s[i] == '\0' ? i : i + 1;
}

/* Past the value that begins there. The text is known to be JSON5. */
static size_t
skip_value(const char *s, size_t i)
{
	int depth = 0;

	do {
		if (s[i] == '\0')
			break;
		if (s[i] == '"' || s[i] == '\'') {
			i = skip_string(s, i);
		} else if (strchr("{}[]", s[i]) != NULL) {
			depth += s[i] == '{' || s[i] == '[' ? 1 : -1;
			i++;
		} else if (depth > 0) {
			i = skip_space(s, i);
			i += s[i] != '\0' && strchr("{}[]\"'", s[i]) == NULL;
		} else
			i += strcspn(s + i, ",}] \t\r\n/");
	} while (depth > 0);
	return i;
}

/* The member from its name to the comma behind it. */
static char *
take_out(struct edit *e, const struct cval *m)
{
	size_t from = offset_of(e->text, m->key_line, m->key_column);
	size_t at = offset_of(e->text, m->line, m->column), end, next;

	end = skip_value(e->text, at);
	next = skip_space(e->text, end);
	if (e->text[next] == ',')
		end = next + 1;
	/* A line of its own goes as a whole. */
	next = end + strspn(e->text + end, " \t");
	if (e->text[next] == '\n' || strncmp(e->text + next, "\r\n", 2) == 0) {
		at = from;
		while (at > 0 && (e->text[at - 1] == ' ' ||
				     e->text[at - 1] == '\t'))
			at--;
		if (at > 0 && e->text[at - 1] == '\n') {
			from = at;
			end = next + (e->text[next] == '\r' ? 2 : 1);
		}
	}
	return splice(e->text, from, end - from, "");
}

static char *
switch_off(struct edit *e, const struct cval *m)
{
	struct cval *on = cval_find(m, "enabled");
	size_t at;

	if (m->type != CVAL_OBJ)
		return no(e, "account \"%s\" is not an object", m->key);
	if (on == NULL)
		return put_first(e, m, "enabled: false");
	if (on->type != CVAL_BOOL)
		return no(e, "enabled of account \"%s\" is neither true nor "
			     "false", m->key);
	at = offset_of(e->text, on->line, on->column);
	return splice(
	    e->text, at, skip_value(e->text, at) - at, "false");
}

static void
no_account(struct edit *e, const char *id)
{
	const struct cval *m = e->accounts == NULL ? NULL : e->accounts->first;
	const char *gap = ", only ";

	no(e, "there is no account \"%s\" in the file", id);
	for (; m != NULL; m = m->next) {
		strlcat(e->why, gap, e->len);
		strlcat(e->why, m->key, e->len);
		gap = ", ";
	}
}

char *
edit_remove(const char *text, const char *id, enum edit_kind kind, char *why,
    size_t len)
{
	struct edit e;
	struct cval *m;
	char *out = NULL, *key = NULL;

	if (edit_open(&e, text, why, len) == -1) {
		cval_free(e.root);
		return NULL;
	}
	m = account_find(&e, id);
	if (m == NULL && strcmp(id, "default") == 0 && e.top != NULL)
		no(&e, "account \"default\" is channels.mattermost itself: "
		       "take its botToken and baseUrl out by hand");
	else if (m == NULL)
		no_account(&e, id);
	else {
		if ((key = strdup(m->key)) == NULL)
			fatal("strdup");
		out = kind == EDIT_DELETE ? take_out(&e, m) :
					    switch_off(&e, m);
		out = checked(&e, out, key);
	}
	free(key);
	cval_free(e.root);
	return out;
}
