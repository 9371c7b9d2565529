#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/ctl.h"
#include "ctl/parse.h"
#include "tests/unit/manual.h"

/*
 * posternd(8) against the options that main() takes, and posternctl(8)
 * against the keyword tables, both ways.
 */

#define DAEMON_PAGE SRCDIR "/man/posternd.8"
#define DAEMON_MAIN SRCDIR "/daemon/main.c"
#define CTL_PAGE SRCDIR "/man/posternctl.8"

/* Of ctl/main.c, which is not linked here. */
const char *ctl_argv0 = "posternctl";

void
ctl_help(const struct keyword *table, FILE *f)
{
}

#define USAGES_MAX 128
#define WORDS_MAX 8
/* Options that need no mention with each verb. */
#define EVERYWHERE (OPT_CHANNEL | OPT_SOCKET | OPT_HELP)

/* One verb as the page has it. */
struct usage {
	char path[128];
	uint64_t options, needed;
	int operand, operand_needed;
	int seen;
};

static struct usage usages[USAGES_MAX];
static size_t n_usages;

/* The text from a line on, up to the end of its list. To be freed. */
static char *
list_after(const char *page, const char *line)
{
	const char *p = strstr(page, line), *end;

	if (p == NULL)
		fail_msg("the page has no \"%s\"", line);
	end = strstr(p, "\n.El");
	assert_non_null(end);
	return strndup(p, (size_t)(end + 1 - p));
}

/* posternd */

/* "df:nv" of the call of getopt. */
static void
getopt_string(char *dst, size_t len)
{
	char *text = manual_read(DAEMON_MAIN);
	const char *p = strstr(text, "getopt_long(argc, argv, \"");

	assert_non_null(p);
	p += strlen("getopt_long(argc, argv, \"");
	snprintf(dst, len, "%.*s", (int)strcspn(p, "\""), p);
	free(text);
}

static void
test_daemon_options(void **state)
{
	char opts[64], want[64], *page, *list;
	const char *p;
	size_t n = 0, items = 0;

	getopt_string(opts, sizeof(opts));
	page = manual_read(DAEMON_PAGE);
	list = list_after(page, "\nThe options are as follows:\n");
	for (p = opts; *p != '\0'; p++) {
		if (*p == ':')
			continue;
		n++;
		snprintf(want, sizeof(want), "\n.It Fl %c%s", *p,
		    p[1] == ':' ? " Ar " : "\n");
		if (strstr(list, want) == NULL)
			fail_msg("posternd.8 lacks -%c", *p);
	}
	for (p = list; (p = strstr(p, "\n.It Fl ")) != NULL; p++)
		items++;
	/* And two that are no letter of getopt's. */
	assert_non_null(strstr(list, "\n.It Fl nn\n"));
	assert_non_null(strstr(list, "\n.It Fl -json\n"));
	assert_int_equal(items, n + 2);
	free(list);
	free(page);
}

/* The synopsis has those without a value in one word, in the same order. */
static void
test_daemon_synopsis(void **state)
{
	char opts[64], flags[64], want[96], *page;
	const char *p, *s;
	size_t n = 0, values = 0;

	getopt_string(opts, sizeof(opts));
	page = manual_read(DAEMON_PAGE);
	/* The second form has its own. */
	s = strstr(page, "\n.Nm\n.Fl nn\n");
	assert_non_null(s);
	page[s - page] = '\0';
	for (p = opts; *p != '\0'; p++) {
		if (*p == ':')
			continue;
		if (p[1] != ':') {
			flags[n++] = *p;
			continue;
		}
		values++;
		snprintf(want, sizeof(want), "\n.Op Fl %c Ar ", *p);
		assert_non_null(strstr(page, want));
	}
	flags[n] = '\0';
	snprintf(want, sizeof(want), "\n.Op Fl %s\n", flags);
	assert_non_null(strstr(page, want));
	for (n = 0, s = page; (s = strstr(s, "\n.Op ")) != NULL; s++)
		n++;
	assert_int_equal(n, values + 1);
	free(page);
}

/* posternctl */

static const struct option_def *
option_named(const char *name)
{
	const struct option_def *o;

	for (o = ctl_options; o->name != NULL; o++)
		if (strcmp(o->name, name) == 0)
			return o;
	fail_msg("--%s is in the manual, not in the table", name);
	return NULL;
}

static int
is_macro(const char *w)
{
	static const char *const macros[] = {
	    "Cm", "Ar", "Fl", "Oo", "Oc", "Op", "|"};
	size_t i;

	for (i = 0; i < sizeof(macros) / sizeof(macros[0]); i++)
		if (strcmp(macros[i], w) == 0)
			return 1;
	return 0;
}

struct item {
	char *word[128]; /* of the line, then NULL */
	size_t i;
	char *cm[WORDS_MAX]; /* verbs and their words, in order */
	size_t n_cm;
	int choice; /* the words from this one on are alternatives, or -1 */
	struct usage u;
};

/* word[i] is the first "Fl" of "Fl Fl name [Ar value]". */
static void
take_option(struct item *it, int optional)
{
	const struct option_def *o;
	int value;

	assert_string_equal(it->word[it->i + 1], "Fl");
	o = option_named(it->word[it->i + 2]);
	it->i += 3;
	value = it->word[it->i] != NULL && strcmp(it->word[it->i], "Ar") == 0;
	if (value)
		it->i += 2;
	if (value != (o->value != NULL))
		fail_msg("--%s: a value in one of manual and table", o->name);
	it->u.options |= o->bit;
	if (!optional)
		it->u.needed |= o->bit;
}

static void
take_words(struct item *it)
{
	for (it->i++; it->word[it->i] != NULL; it->i++) {
		if (strcmp(it->word[it->i], "|") == 0) {
			if (it->choice == -1)
				it->choice = (int)it->n_cm - 1;
			continue;
		}
		if (is_macro(it->word[it->i]))
			return;
		assert_true(it->n_cm < WORDS_MAX);
		it->cm[it->n_cm++] = it->word[it->i];
	}
}

static void
take_item(struct item *it)
{
	int optional = 0;
	const char *w;

	while ((w = it->word[it->i]) != NULL) {
		if (strcmp(w, "Cm") == 0) {
			take_words(it);
		} else if (strcmp(w, "Fl") == 0) {
			take_option(it, optional);
		} else if (strcmp(w, "Ar") == 0) {
			it->u.operand = 1;
			it->u.operand_needed = !optional;
			it->i += 2;
		} else if (strcmp(w, "Oc") == 0) {
			optional = 0;
			it->i++;
		} else if (strcmp(w, "Oo") == 0 || strcmp(w, "Op") == 0) {
			optional = 1;
			it->i++;
		} else
			fail_msg("posternctl.8: \"%s\" in a verb's line", w);
	}
}

static void
add_usage(const struct item *it, size_t last)
{
	size_t i, fixed = it->choice == -1 ? it->n_cm : (size_t)it->choice;
	struct usage *u = &usages[n_usages++];

	assert_true(n_usages < USAGES_MAX);
	*u = it->u;
	for (i = 0; i < it->n_cm; i++) {
		if (i >= fixed && i != last)
			continue;
		if (u->path[0] != '\0')
			strlcat(u->path, " ", sizeof(u->path));
		strlcat(u->path, it->cm[i], sizeof(u->path));
	}
}

/* "Cm log level Cm debug | info" is two verbs. */
static void
read_item(char *line)
{
	struct item it;
	size_t n = 0, i;
	char *w;

	memset(&it, 0, sizeof(it));
	it.choice = -1;
	while ((w = strsep(&line, " ")) != NULL && n < 127)
		it.word[n++] = w;
	take_item(&it);
	if (it.choice == -1) {
		add_usage(&it, 0);
		return;
	}
	for (i = (size_t)it.choice; i < it.n_cm; i++)
		add_usage(&it, i);
}

static int
read_verbs(void **state)
{
	char *page = manual_read(CTL_PAGE), *list, *line, *rest;

	rest = list = list_after(page, "\nThe verbs are as follows:\n");
	while ((line = strsep(&rest, "\n")) != NULL)
		if (strncmp(line, ".It ", 4) == 0)
			read_item(line + 4);
	free(list);
	free(page);
	return 0;
}

static void
check_verb(const struct keyword *k, const char *path)
{
	uint64_t options = k->options & ~(uint64_t)EVERYWHERE;
	struct usage *u;
	size_t i;

	for (i = 0; i < n_usages; i++)
		if (strcmp(usages[i].path, path) == 0)
			break;
	if (i == n_usages)
		fail_msg("posternctl.8 lacks \"%s\"", path);
	u = &usages[i];
	if (u->seen++)
		fail_msg("posternctl.8 has \"%s\" twice", path);
	if (u->options != options || u->needed != k->needed)
		fail_msg("\"%s\": options %#jx, needed %#jx in the "
		    "manual, %#jx and %#jx in the table", path, (uintmax_t)u->options,
		    (uintmax_t)u->needed, (uintmax_t)options,
		    (uintmax_t)k->needed);
	if (u->operand != (k->operand != NULL) ||
	    u->operand_needed != k->operand_needed)
		fail_msg("\"%s\": not the operand of the table", path);
}

static void
check_table(const struct keyword *table, const char *path)
{
	const struct keyword *k;
	char here[128];

	for (k = table; k->word != NULL; k++) {
		snprintf(here, sizeof(here), "%s%s%s", path,
		    path[0] == '\0' ? "" : " ", k->word);
		if (k->sub != NULL)
			check_table(k->sub, here);
		else
			check_verb(k, here);
	}
}

static void
test_verbs(void **state)
{
	size_t i;

	check_table(ctl_keywords, "");
	for (i = 0; i < n_usages; i++)
		if (!usages[i].seen)
			fail_msg("posternctl.8 has \"%s\", the table has not",
			    usages[i].path);
}

/* "Fl a", "for", "Fl Fl account": all letters but those of -h and -s. */
static void
test_letters(void **state)
{
	const struct option_def *o;
	char *page = manual_read(CTL_PAGE), *p, *end, want[96];
	size_t n = 0, items = 0;

	p = strstr(page, "\nThe short forms of the options are\n");
	assert_non_null(p);
	end = strstr(p, "\n.Ql ");
	assert_non_null(end);
	end[1] = '\0';
	for (o = ctl_options; o->name != NULL; o++) {
		if (o->letter == '\0' || o->bit & EVERYWHERE)
			continue;
		n++;
		snprintf(want, sizeof(want), "\n.Fl %c\nfor\n.Fl Fl %s",
		    o->letter, o->name);
		if (strstr(p, want) == NULL)
			fail_msg("posternctl.8 lacks -%c", o->letter);
	}
	for (; (p = strstr(p, "\nfor\n")) != NULL; p++)
		items++;
	assert_int_equal(items, n);
	free(page);
}

static void
test_general_options(void **state)
{
	const struct option_def *o;
	char *page = manual_read(CTL_PAGE), want[96];

	for (o = ctl_options; o->name != NULL; o++) {
		if (!(o->bit & (OPT_HELP | OPT_SOCKET)))
			continue;
		snprintf(want, sizeof(want), "\n.It Fl %c%s , Fl Fl %s",
		    o->letter, o->value == NULL ? "" : " Ar socket", o->name);
		assert_non_null(strstr(page, want));
	}
	free(page);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_daemon_options),
	    cmocka_unit_test(test_daemon_synopsis),
	    cmocka_unit_test(test_verbs),
	    cmocka_unit_test(test_letters),
	    cmocka_unit_test(test_general_options),
	};

	return cmocka_run_group_tests(tests, read_verbs, NULL);
}
