#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/chan.h"
#include "tests/unit/manual.h"

/* postern-frames(7) against the tables of common/proto.c, both ways. */

#define PAGE SRCDIR "/man/postern-frames.7"

/* How the page calls the two sides. */
static const char *const sides[PROTO_MAX][2] = {
    [PROTO_SUPERVISOR] = {"supervisor", "worker"},
    [PROTO_DIAL] = {"dialer", "worker"},
    [PROTO_STORE_ACCOUNT] = {"store", "account"},
    [PROTO_STORE_AGENT] = {"store", "agent"},
    [PROTO_STORE_CONTROL] = {"store", "control"},
    [PROTO_TURN] = {"agent", "account"},
    [PROTO_CONTROL_ACCOUNT] = {"account", "control"},
    [PROTO_CONTROL_AGENT] = {"agent", "control"},
    [PROTO_CALLBACK_ACCOUNT] = {"callback", "account"},
    [PROTO_CONTROL_CALLBACK] = {"callback", "control"},
    [PROTO_CLIENT] = {"control", "posternctl"},
};

static char *page;

static int
read_page(void **state)
{
	page = manual_read(PAGE);
	return 0;
}

static int
free_page(void **state)
{
	free(page);
	return 0;
}

/* The text of a link's section, which the caller frees; NULL: none. */
static char *
section_of(const struct proto *p)
{
	const char *start, *end;
	char head[64];

	snprintf(head, sizeof(head), "\n.Ss %s: ", p->name);
	if ((start = strstr(page, head)) == NULL)
		return NULL;
	end = strstr(start + 1, "\n.S");
	assert_non_null(end);
	return strndup(start, (size_t)(end + 1 - start));
}

static void
size_text(char *dst, size_t len, uint32_t n)
{
	if (n % (1024 * 1024) == 0)
		snprintf(dst, len, "%u MiB", n / (1024 * 1024));
	else
		snprintf(dst, len, "%u KiB", n / 1024);
}

/* The line that must stand above what is said about a type. */
static void
item_text(char *dst, size_t len, const struct proto_msg *m,
    const char *const names[2])
{
	const char *state = "any";
	char size[32];

	if (m->states == PROTO_INIT)
		state = "init";
	else if (m->states == PROTO_RUN)
		state = "run";
	size_text(size, sizeof(size), m->max);
	snprintf(dst, len, "\n.It Cm %s Pq %s, %s%s%s%s, %s\n", m->type,
	    names[m->from], state, m->flags & PROTO_REQUEST ? ", request" : "",
	    m->flags & PROTO_REPLY ? ", reply" : "",
	    m->flags & PROTO_FD ? ", descriptor" : "", size);
}

static void
test_types_are_documented(void **state)
{
	const struct proto_msg *m;
	const struct proto *p;
	char want[256], *text;
	int k;

	for (k = 0; k < PROTO_MAX; k++) {
		p = proto_get(k);
		if ((text = section_of(p)) == NULL)
			fail_msg("the page has no link %s", p->name);
		for (m = p->msgs; m->type != NULL; m++) {
			item_text(want, sizeof(want), m, sides[k]);
			if (strstr(text, want) == NULL)
				fail_msg("%s: the page lacks:%s", p->name,
				    want);
		}
		free(text);
	}
}

static size_t
items(const char *text)
{
	size_t n = 0;

	for (; (text = strstr(text, "\n.It Cm ")) != NULL; text++)
		n++;
	return n;
}

/* Every type has its line: more lines than types are of something else. */
static void
test_nothing_else_is_documented(void **state)
{
	const struct proto *p;
	const char *s;
	size_t n, links = 0;
	char *text;
	int k;

	for (k = 0; k < PROTO_MAX; k++) {
		p = proto_get(k);
		text = section_of(p);
		for (n = 0; p->msgs[n].type != NULL; n++)
			continue;
		if (items(text) != n)
			fail_msg("%s: %zu types in the page, %zu in the table",
			    p->name, items(text), n);
		free(text);
	}
	s = strstr(page, "\n.Sh LINKS");
	assert_non_null(s);
	for (; (s = strstr(s, "\n.Ss ")) != NULL; s++)
		links++;
	assert_int_equal(links, PROTO_MAX);
}

static void
test_depths(void **state)
{
	const struct proto *p;
	char want[128], *text;
	int k;

	for (k = 0; k < PROTO_MAX; k++) {
		p = proto_get(k);
		text = section_of(p);
		snprintf(want, sizeof(want),
		    "\nDepth: %d from %s, %d from %s.\n", p->depth[SIDE_A],
		    sides[k][SIDE_A], p->depth[SIDE_B], sides[k][SIDE_B]);
		if (strstr(text, want) == NULL)
			fail_msg("%s: the page lacks:%s", p->name, want);
		free(text);
	}
}

static void
test_figures(void **state)
{
	char want[128];

	snprintf(want, sizeof(want), "describes version %d of", PROTO_VERSION);
	assert_non_null(strstr(page, want));
	snprintf(want, sizeof(want), "Always %d.\n", PROTO_VERSION);
	assert_non_null(strstr(page, want));
	snprintf(want, sizeof(want), "\n%u KiB on an owner", CHAN_HIGH / 1024);
	assert_non_null(strstr(page, want));
	snprintf(want, sizeof(want), "\n%u KiB again; with %u MiB waiting",
	    CHAN_LOW / 1024, CHAN_LIMIT / (1024 * 1024));
	assert_non_null(strstr(page, want));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_types_are_documented),
	    cmocka_unit_test(test_nothing_else_is_documented),
	    cmocka_unit_test(test_depths),
	    cmocka_unit_test(test_figures),
	};

	return cmocka_run_group_tests(tests, read_page, free_page);
}
