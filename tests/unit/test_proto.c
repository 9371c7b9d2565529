#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/proto.h"

/* The promises of the design that the tables must keep. */

static void
test_tables(void **state)
{
	const struct proto_msg *m, *n;
	const struct proto *p;
	int kind;

	for (kind = 0; kind < PROTO_MAX; kind++) {
		p = proto_get(kind);
		assert_non_null(p->name);
		assert_non_null(p->msgs);
		assert_in_range(p->depth[0], 2, 16);
		assert_in_range(p->depth[1], 2, 16);
		for (m = p->msgs; m->type != NULL; m++) {
			assert_in_range(strlen(m->type), 1, 39);
			assert_in_range(m->max, 64, PROTO_TEXT);
			assert_in_range(m->states, 1, PROTO_ANY);
			/* No type is a request and a reply. */
			assert_int_not_equal(m->flags &
			    (PROTO_REQUEST | PROTO_REPLY),
			    PROTO_REQUEST | PROTO_REPLY);
			for (n = m + 1; n->type != NULL; n++)
				if (n->from == m->from &&
				    strcmp(m->type, n->type) == 0)
					fail_msg("%s: %s twice", p->name,
					    m->type);
			assert_ptr_equal(
			    proto_find(p, m->from, m->type), m);
		}
	}
}

/* What root reads is small and flat, and never a descriptor. */
static void
test_supervisor_reads_little(void **state)
{
	const struct proto *p = proto_get(PROTO_SUPERVISOR);
	const struct proto_msg *m;

	assert_true(proto_max(p, SIDE_B) <= 4096);
	assert_true(p->depth[SIDE_B] <= 4);
	for (m = p->msgs; m->type != NULL; m++)
		if (m->from == SIDE_B)
			assert_int_equal(m->flags & PROTO_FD, 0);
}

/* Who hands out descriptors: these, and nobody else. */
static void
test_descriptors(void **state)
{
	static const struct {
		enum proto_kind kind;
		enum proto_side from;
		const char *type;
	} known[] = {
	    {PROTO_SUPERVISOR, SIDE_A, "fd"},
	    {PROTO_SUPERVISOR, SIDE_A, "link"},
	    {PROTO_DIAL, SIDE_A, "dial.ok"},
	    {PROTO_STORE_ACCOUNT, SIDE_A, "media.file"},
	    {PROTO_STORE_AGENT, SIDE_A, "media.file"},
	    {PROTO_CONTROL_ACCOUNT, SIDE_B, "send.file"},
	    {PROTO_CLIENT, SIDE_B, "file"},
	};
	const struct proto_msg *m;
	size_t i, n = sizeof(known) / sizeof(known[0]), found = 0;
	int kind;

	for (kind = 0; kind < PROTO_MAX; kind++)
		for (m = proto_get(kind)->msgs; m->type != NULL; m++) {
			if (!(m->flags & PROTO_FD))
				continue;
			for (i = 0; i < n; i++)
				if ((int)known[i].kind == kind &&
				    known[i].from == m->from &&
				    strcmp(known[i].type, m->type) == 0)
					found++;
		}
	assert_int_equal(found, n);
	for (kind = 0, found = 0; kind < PROTO_MAX; kind++)
		for (m = proto_get(kind)->msgs; m->type != NULL; m++)
			found += (m->flags & PROTO_FD) != 0;
	assert_int_equal(found, n);
}

/* A request can be answered by the other side. */
static void
test_requests_have_replies(void **state)
{
	const struct proto_msg *m, *n;
	int kind, found;

	for (kind = 0; kind < PROTO_MAX; kind++)
		for (m = proto_get(kind)->msgs; m->type != NULL; m++) {
			if (!(m->flags & PROTO_REQUEST))
				continue;
			found = 0;
			for (n = proto_get(kind)->msgs; n->type != NULL; n++)
				if (n->from != m->from &&
				    n->flags & PROTO_REPLY)
					found = 1;
			assert_true(found);
		}
}

static void
test_find(void **state)
{
	const struct proto *p = proto_get(PROTO_DIAL);

	assert_null(proto_find(p, SIDE_A, "dial"));
	assert_non_null(proto_find(p, SIDE_B, "dial"));
	assert_null(proto_find(p, SIDE_B, ""));
	assert_null(proto_find(p, SIDE_B, "dial "));
	assert_int_equal(proto_max(p, SIDE_A), PROTO_SMALL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_tables),
	    cmocka_unit_test(test_supervisor_reads_little),
	    cmocka_unit_test(test_descriptors),
	    cmocka_unit_test(test_requests_have_replies),
	    cmocka_unit_test(test_find),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
