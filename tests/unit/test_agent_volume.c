/*
 * Much text in an agent's worker: few frames for many pieces, answers cut at
 * their limit, and accounts that do not read for a while.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "common/chan.h"
#include "tests/unit/agent_rig.h"

static int pieces;

static void
more_pieces(struct rig *r, struct rig_conn *c)
{
	if (pieces-- == 0) {
		rig_done(c);
		return;
	}
	rig_piece(c, "0123456789");
	rig_later(c, 1, more_pieces);
}

static void
serve_pieces(struct rig *r, struct rig_conn *c)
{
	pieces = 300;
	rig_head(c, 200, RIG_SSE);
	more_pieces(r, c);
}

static void
test_throttle(void **state)
{
	struct rig_opts o = {.serve = serve_pieces};
	struct rig *r = rig_new(&o);
	int64_t t0 = rig_now_us(), ms;

	rig_start(r, 0, 1, "hi");
	assert_int_equal(strlen(rig_final(r, 0, 1)), 3000);
	ms = (rig_now_us() - t0) / 1000;
	assert_in_range(rig_count(r, 0, "text", 1), 2, ms / 50 + 1);
	rig_free(r);
}

static void
serve_big(struct rig *r, struct rig_conn *c)
{
	char piece[4001];
	int i;

	memset(piece, 'b', 4000);
	piece[4000] = '\0';
	rig_head(c, 200, RIG_SSE);
	for (i = 0; i < 150; i++)
		rig_piece(c, piece);
	rig_done(c);
}

static void
test_answer_cap(void **state)
{
	struct rig_opts o = {.serve = serve_big};
	struct rig *r = rig_new(&o);

	rig_start(r, 0, 1, "hi");
	assert_int_equal(strlen(rig_final(r, 0, 1)), 384 * 1024);
	r->serve = rig_serve_json;
	rig_start(r, 0, 2, "hi");
	assert_string_equal(rig_final(r, 0, 2), "whole");
	rig_free(r);
}

/* An account that does not read for a while loses nothing. */

static void
more_big(struct rig *r, struct rig_conn *c)
{
	char piece[4001];

	if (pieces-- <= 0) {
		rig_done(c);
		return;
	}
	memset(piece, 'b', 4000);
	piece[4000] = '\0';
	rig_piece(c, piece);
	rig_later(c, 5, more_big);
}

static void
serve_long(struct rig *r, struct rig_conn *c)
{
	rig_head(c, 200, RIG_SSE);
	more_big(r, c);
}

static void
test_full_link(void **state)
{
	struct rig_opts o = {.serve = serve_long};
	struct rig *r = rig_new(&o);
	size_t len = 0;
	int i;

	pieces = 4 * 90;
	for (i = 0; i < 4; i++)
		rig_start(r, 0, i, "hi");
	rig_until(r, &r->requests, 4);
	chan_pause(r->turn[0], 1);
	rig_run(r, 800);
	/* The other account is served meanwhile. */
	r->serve = rig_serve_json;
	rig_start(r, 1, 1, "hi");
	assert_string_equal(rig_final(r, 1, 1), "whole");
	chan_pause(r->turn[0], 0);
	for (i = 0; i < 4; i++)
		len += strlen(rig_final(r, 0, i));
	assert_int_equal(len, 4 * 90 * 4000);
	rig_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_throttle),
	    cmocka_unit_test(test_answer_cap),
	    cmocka_unit_test(test_full_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
