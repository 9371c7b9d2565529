#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config_keys.h"
#include "tests/unit/test_config_util.h"

/*
 * Every key of an account, from the table itself: what the top says holds
 * for an account that says nothing, and an account that says something has
 * its own.
 */

#define TOP "channels.mattermost"
#define GROUP "gggggggggggggggggggggggggg"

/* Values that a type alone does not tell; NULL: the key is told elsewhere. */
static const struct special {
	const char *path; /* below TOP */
	const char *a, *b;
} specials[] = {
    /* Not told to the worker with the others: test_told_apart. */
    {"enabled", NULL, NULL},
    {"name", NULL, NULL},
    {"botToken", NULL, NULL},
    {"baseUrl", NULL, NULL},
    {"caFile", NULL, NULL},
    {"proxy", NULL, NULL},
    {"mediaHosts", NULL, NULL},
    /* Told as what it comes to: test_config_commands and the callbacks. */
    {"commands.tokens", NULL, NULL},
    {"commands.tokens.*", NULL, NULL},
    {"interactions.allowedSourceIps", "[\"10.0.0.1\"]", "[\"10.0.0.2\"]"},
    {"tlsPin", "\"sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"",
	"\"sha256//BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\""},
    {NULL, NULL, NULL},
};

static const struct special *
special_find(const char *path)
{
	const struct special *s;

	for (s = specials; s->path != NULL; s++)
		if (strcmp(s->path, path) == 0)
			return s;
	return NULL;
}

/* Two values that differ. 0: there are none of this kind. */
static int
values_of(const struct config_key *k, char *a, char *b, size_t len)
{
	char w[2][CONFIG_WORD_MAX];
	const char *words = k->words;

	if (k->types & KEY_BOOL) {
		snprintf(a, len, "false");
		snprintf(b, len, "true");
	} else if (k->types & KEY_WORD) {
		if (!config_word_next(&words, w[0], sizeof(w[0])) ||
		    !config_word_next(&words, w[1], sizeof(w[1])))
			return 0;
		snprintf(a, len, "\"%s\"", w[0]);
		snprintf(b, len, "\"%s\"", w[1]);
	} else if (k->types & (KEY_INT | KEY_NUM)) {
		snprintf(a, len, "%g", k->min + 1);
		snprintf(b, len, "%g", k->min + 2);
	} else if (k->types & (KEY_STRS | KEY_IDS)) {
		snprintf(a, len, "[\"a\"]");
		snprintf(b, len, "[\"b\"]");
	} else if (k->types & KEY_STR) {
		snprintf(a, len, "\"https://a.example\"");
		snprintf(b, len, "\"https://b.example\"");
	} else
		return 0;
	return 1;
}

/* "x.*.y" and a value as an object: {x: {"ggg": {y: value}}}, inside of it. */
static void
nested(char *buf, size_t len, const char *path, const char *value)
{
	char copy[256], *rest = copy, *part;
	int depth = 0;

	assert_true(strlcpy(copy, path, sizeof(copy)) < sizeof(copy));
	buf[0] = '\0';
	while ((part = strsep(&rest, ".")) != NULL) {
		strlcat(buf, "\"", len);
		strlcat(buf, strcmp(part, "*") == 0 ? GROUP : part, len);
		strlcat(buf, rest == NULL ? "\":" : "\":{", len);
		depth += rest != NULL;
	}
	assert_true(strlcat(buf, value, len) < len);
	while (depth-- > 0)
		strlcat(buf, "}", len);
}

static void
json_path(char *buf, size_t len, const char *path)
{
	const char *p;
	size_t n = 0;

	for (p = path; *p != '\0' && n + sizeof(GROUP) < len; p++) {
		if (*p == '*')
			n += strlcpy(buf + n, GROUP, len - n);
		else
			buf[n++] = *p;
	}
	buf[n] = '\0';
}

static void
has_value(const struct config *cfg, const char *id, const char *path,
    const char *want)
{
	const struct config_account *a = config_account_find(cfg, id);
	struct json_object *json;
	const char *got;

	assert_non_null(a);
	json = config_account_json(cfg, a);
	got = test_json(json, path);
	if (got == NULL || strcmp(got, want) != 0)
		fail_msg("%s of %s is %s, not %s", path, id,
		    got == NULL ? "absent" : got, want);
	json_object_put(json);
}

static void
check_key(const char *path, const char *a, const char *b)
{
	char top[512], own[512], text[2048], where[256];
	struct config *cfg;

	nested(top, sizeof(top), path, a);
	nested(own, sizeof(own), path, b);
	snprintf(text, sizeof(text), "{channels:{mattermost:{botToken:'tok',"
	    "baseUrl:'https://h.example',%s,accounts:{own:{%s},none:{}}}}}",
	    top, own);
	if ((cfg = test_load(text)) == NULL)
		fail_msg("%s: %s\n%s", path, text, test_said());
	json_path(where, sizeof(where), path);
	has_value(cfg, "own", where, b);
	has_value(cfg, "none", where, a);
	config_free(cfg);
}

static void
every_key(void **state)
{
	const struct config_key *k;
	const struct special *s;
	char a[256], b[256];
	const char *path;
	size_t n = 0, odd = 0;

	for (k = config_keys; k->path != NULL; k++) {
		if (strncmp(k->path, TOP ".", strlen(TOP ".")) != 0 ||
		    k->flags & (KEY_ROOT | KEY_LEGACY))
			continue;
		path = k->path + strlen(TOP ".");
		if ((s = special_find(path)) != NULL) {
			odd++;
			if (s->a != NULL)
				check_key(path, s->a, s->b);
			continue;
		}
		if (k->types & (KEY_OBJ | KEY_MAP | KEY_LIST))
			continue; /* its members are in the table */
		if (!values_of(k, a, b, sizeof(a)))
			fail_msg("%s: no values for its type", path);
		check_key(path, a, b);
		n++;
	}
	assert_true(n > 40);
	for (s = specials; s->path != NULL; s++)
		odd--;
	assert_int_equal(odd, 0); /* no special that is not in the table */
}

/* What the supervisor keeps to itself, or tells in another way. */
static void
told_apart(void **state)
{
	const struct config_account *own, *none;
	struct config *cfg;

	cfg = test_load("{channels:{mattermost:{botToken:'tok',"
	    "baseUrl:'https://h.example',name:'Top',enabled:true,"
	    "mediaHosts:['m1.example'],proxy:'http://p1.example:3128',accounts:{none:{},"
	    "off:{enabled:false},own:{"
	    "botToken:'tok2',baseUrl:'https://o.example',name:'Own',"
	    "mediaHosts:['m2.example'],proxy:'http://p2.example:3128'}}}}}");
	if (cfg == NULL)
		fail_msg("%s", test_said());
	own = config_account_find(cfg, "own");
	none = config_account_find(cfg, "none");
	assert_string_equal(own->url.text, "https://o.example");
	assert_string_equal(none->url.text, "https://h.example");
	assert_string_equal(own->name, "Own");
	assert_string_equal(own->proxy.host, "p2.example");
	assert_string_equal(none->proxy.host, "p1.example");
	assert_false(config_account_find(cfg, "off")->enabled);
	assert_true(own->enabled);
	assert_true(none->enabled);
	assert_int_equal(own->nmedia, 1);
	assert_string_equal(own->media[0].host, "m2.example");
	assert_string_equal(none->media[0].host, "m1.example");
	assert_false(own->token == none->token);
	config_free(cfg);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_key),
	    cmocka_unit_test(told_apart),
	};

	return cmocka_run_group_tests(
	    tests, test_config_setup, test_config_teardown);
}
