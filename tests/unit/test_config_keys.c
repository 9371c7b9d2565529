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

/* The table against the manual, and against the example. */

#define MAN SRCDIR "/man/postern.json5.5"
#define EXAMPLE SRCDIR "/etc/postern.json5.example"
#define ROWS_MAX 512

/* What the manual says of each row: its text from .It to the next. */
static char *entry[ROWS_MAX];

static char *
slurp(const char *path)
{
	FILE *f = fopen(path, "r");
	char *buf = calloc(1, 262144);

	assert_non_null(f);
	assert_non_null(buf);
	assert_true(fread(buf, 1, 262143, f) > 0);
	fclose(f);
	return buf;
}

static void
add_entry(const char *path, const char *text, size_t len)
{
	const struct config_key *k = config_key_find(path);

	if (k == NULL)
		fail_msg("%s is in the manual, not in the table", path);
	if (entry[k - config_keys] != NULL)
		fail_msg("%s is in the manual twice", path);
	entry[k - config_keys] = strndup(text, len);
}

/* Every .It Cm below KEYS, with the .Ss it stands in before it. */
static void
read_manual(void)
{
	char *man = slurp(MAN), *p, *end, section[128] = "", path[256];
	char *stop;

	p = strstr(man, "\n.Sh KEYS");
	assert_non_null(p);
	stop = strstr(p, "\n.Sh SECRETS");
	assert_non_null(stop);
	*stop = '\0';
	for (p = strchr(p + 1, '\n'); p != NULL; p = strchr(p + 1, '\n')) {
		if (strncmp(p, "\n.Ss ", 5) == 0) {
			snprintf(section, sizeof(section), "%.*s",
			    (int)strcspn(p + 5, "\n\\"), p + 5);
		} else if (strncmp(p, "\n.It Cm ", 8) == 0) {
			snprintf(path, sizeof(path), "%s.%.*s", section,
			    (int)strcspn(p + 8, "\n "), p + 8);
			end = strstr(p + 1, "\n.It Cm ");
			if (end == NULL || strstr(p + 1, "\n.El") < end)
				end = strstr(p + 1, "\n.El");
			assert_non_null(end);
			add_entry(path, p, (size_t)(end + 1 - p));
		}
	}
	free(man);
}

static int
is_container(const struct config_key *k)
{
	return (k->types & ~(KEY_OBJ | KEY_MAP | KEY_LIST | KEY_NULL)) == 0;
}

static void
check_words(const struct config_key *k, const char *text)
{
	const char *w = k->words;
	char want[96];
	size_t n;

	for (; w != NULL && *w != '\0'; w += n + (w[n] == ' ')) {
		n = strcspn(w, " ");
		snprintf(want, sizeof(want), "\n.Cm %.*s", (int)n, w);
		if (k->flags & KEY_LEGACY || strstr(text, want) != NULL)
			continue;
		fail_msg("%s: the manual lacks %s", k->path, want);
	}
}

static void
test_manual(void **state)
{
	const struct config_key *k;
	char want[512];
	const char *text;

	read_manual();
	for (k = config_keys + 1; k->path != NULL; k++) {
		text = entry[k - config_keys];
		if (text == NULL && !is_container(k))
			fail_msg("%s is not in the manual", k->path);
		if (text == NULL)
			continue;
		check_words(k, text);
		snprintf(want, sizeof(want), "\nDefault: %s.\n",
		    k->dflt == NULL ? "" : k->dflt);
		if (k->dflt != NULL && strstr(text, want) == NULL)
			fail_msg("%s: no %s", k->path, want);
		if (k->dflt == NULL && strstr(text, "\nDefault:") != NULL)
			fail_msg("%s: has no default", k->path);
		snprintf(want, sizeof(want), "\n.Cm %s .\n",
		    k->fallback == NULL ? "" : k->fallback);
		if (k->fallback != NULL && !(k->flags & KEY_LEGACY) &&
		    strstr(text, want) == NULL)
			fail_msg("%s: no %s", k->path, want);
	}
}

/* The table itself: defaults fit their own type, fallbacks exist. */
static void
test_table(void **state)
{
	const struct config_key *k, *other;
	struct json_object *v;

	for (k = config_keys + 1; k->path != NULL; k++) {
		assert_ptr_equal(config_key_find(k->path), k);
		assert_non_null(k->what);
		if (strlen(k->what) > 72)
			fail_msg("%s: description too long", k->path);
		if (k->fallback != NULL) {
			other = config_key_find(k->fallback);
			if (other == NULL)
				fail_msg("%s: fallback", k->path);
		}
		if (k->dflt == NULL)
			continue;
		v = json_tokener_parse(k->dflt);
		assert_non_null(v);
		if (k->types & KEY_INT &&
		    (json_object_get_int64(v) < (int64_t)k->min ||
			json_object_get_int64(v) > (int64_t)k->max))
			fail_msg("%s: default out of range", k->path);
		if (k->types == KEY_WORD &&
		    strstr(k->words, json_object_get_string(v)) == NULL)
			fail_msg("%s: default is no word", k->path);
		json_object_put(v);
	}
}

static char *
replace(char *text, const char *what, const char *with)
{
	char *at = strstr(text, what), *out = calloc(1, 65536);

	assert_non_null(at);
	assert_non_null(out);
	snprintf(out, 65536, "%.*s%s%s", (int)(at - text), text, with,
	    at + strlen(what));
	free(text);
	return out;
}

static void
test_example(void **state)
{
	char *text = slurp(EXAMPLE);
	struct config *cfg;

	test_write("token", "mm-token\n", 0600);
	text = replace(text, "\"/etc/postern/bot-token", "\"/tmp/x");
	text = replace(text, "/tmp/x", test_path("token"));
	cfg = test_good(text);
	assert_int_equal(cfg->naccounts, 1);
	assert_true(cfg->accounts[0].enabled);
	assert_string_equal(cfg->accounts[0].url.text,
	    "https://chat.example.com");
	config_free(cfg);
	free(text);
}

/* Every setting that is commented out would be taken too. */
static void
test_example_comments(void **state)
{
	char *text = slurp(EXAMPLE), *out = calloc(1, 65536), *line, *rest;
	const char *p;
	struct config *cfg;

	assert_non_null(out);
	test_write("token", "mm-token\n", 0600);
	test_write("ca", "-----BEGIN CERTIFICATE-----\n", 0644);
	rest = text;
	while ((line = strsep(&rest, "\n")) != NULL) {
		p = line + strspn(line, " ");
		if (strncmp(p, "//", 2) == 0 && p[2] != ' ')
			p += 2;
		strlcat(out, p, 65536);
		strlcat(out, "\n", 65536);
	}
	while (strstr(out, "/etc/postern/bot-token") != NULL)
		out = replace(out, "/etc/postern/bot-token", test_path("token"));
	out = replace(out, "/etc/postern/alerts-token", test_path("token"));
	out = replace(out, "/etc/postern/model-key", test_path("token"));
	out = replace(out, "/etc/postern/ca.pem", test_path("ca"));
	cfg = test_load(out);
	if (cfg == NULL)
		fail_msg("%s%s", out, test_said());
	assert_int_equal(cfg->naccounts, 2);
	assert_int_equal(cfg->agents[0].model, 1);
	assert_non_null(cfg->accounts[0].ca_file);
	assert_int_equal(cfg->gateway.wanted, 1);
	config_free(cfg);
	free(out);
	free(text);
}

static void
explain(const char *key, int rc, const char *want)
{
	char *buf = NULL;
	size_t len;
	FILE *f = open_memstream(&buf, &len);

	assert_int_equal(config_keys_explain(key, f), rc);
	fclose(f);
	if (strcmp(buf, want) != 0)
		fail_msg("%s:\n%s", key, buf);
	free(buf);
}

static void
test_explain(void **state)
{
	static const char policy[] =
	    "channels.mattermost.dmPolicy\n"
	    "  who may write to the bot directly\n"
	    "  type     one of \"pairing\", \"allowlist\", \"open\", "
	    "\"disabled\"\n"
	    "  default  \"pairing\"\n"
	    "  also in  channels.mattermost.accounts.<id>.dmPolicy\n";

	explain("dmPolicy", 0, policy);
	explain("channels.mattermost.dmPolicy", 0, policy);
	explain("channels.mattermost.accounts.work.dmPolicy", 0, policy);
	explain("accounts.*.defaultAccount", -1,
	    "no such key: accounts.*.defaultAccount (did you mean "
	    "\"defaultAccount\"?)\n");
	explain("dmPolcy", -1,
	    "no such key: dmPolcy (did you mean \"dmPolicy\"?)\n");
	explain("bindings[3].agentId", 0,
	    "bindings[].agentId\n  the agent\n  type     a string\n"
	    "  default  none\n");
	explain("streamMode", 0,
	    "channels.mattermost.streamMode\n"
	    "  old spelling of channels.mattermost.streaming.mode\n"
	    "  type     one of \"off\", \"partial\", \"block\", \"progress\"\n"
	    "  also in  channels.mattermost.accounts.<id>.streamMode\n");
	explain("gapFill", 0,
	    "gapFill\n  posts written while nobody was connected\n"
	    "  type     an object\n  members  maxAgeMinutes\n");
	explain("channels.mattermost.historyLimit", 0,
	    "channels.mattermost.historyLimit\n"
	    "  unanswered messages kept as context for a conversation\n"
	    "  type     a whole number from 0 to 1000\n"
	    "  absent   as messages.groupChat.historyLimit\n"
	    "  default  50\n"
	    "  also in  channels.mattermost.accounts.<id>.historyLimit\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_table),
	    cmocka_unit_test(test_manual),
	    cmocka_unit_test(test_example),
	    cmocka_unit_test(test_example_comments),
	    cmocka_unit_test(test_explain),
	};

	return cmocka_run_group_tests(
	    tests, test_config_setup, test_config_teardown);
}
