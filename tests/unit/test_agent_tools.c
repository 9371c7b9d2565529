/*
 * Rounds of tools in the agent's worker: calls go to the account one after
 * the other, results to the model, and whatever ends the turn ends them.
 */
#include "config.h"

#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/chan.h"
#include "tests/unit/agent_rig.h"

#define OFFER "{\"tools\":{\"actions\":[\"send\",\"react\"]}}"
#define CALL(i, id, name, args)                                               \
	"{\"index\":" i ",\"id\":\"" id "\",\"type\":\"function\","                \
	"\"function\":{\"name\":\"" name "\",\"arguments\":\"" args "\"}}"
#define PIECE(calls)                                                          \
	"data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[" calls       \
	"]},\"finish_reason\":null}]}\n\n"
#define SEND "{\\\"action\\\":\\\"send\\\"}"

static int rounds;	  /* of the scripts below */
static const char *calls; /* of the first answers */
static int busy_rounds;	  /* that have calls */

static void
serve(struct rig *r, struct rig_conn *c)
{
	rig_head(c, 200, RIG_SSE);
	if (rounds++ < busy_rounds) {
		rig_piece(c, "let me see");
		rig_send(c, calls);
	} else
		rig_piece(c, "all done");
	rig_done(c);
}

static struct rig *
begin(const char *with, int n)
{
	struct rig_opts o = {.serve = serve};
	struct rig *r = rig_new(&o);

	r->history = "[]";
	calls = with;
	busy_rounds = n;
	rounds = 0;
	rig_start_with(r, 0, 1, "go", 0, "", OFFER);
	return r;
}

static void
result(struct rig *r, struct json_object *call, int ok, const char *text)
{
	struct json_object *msg = chan_reply_msg("tool.result", call);

	json_object_object_add(msg, "ok", json_object_new_boolean(ok));
	json_object_object_add(msg, "text", json_object_new_string(text));
	assert_int_equal(chan_send(r->turn[0], msg, -1), 0);
}

static struct json_object *
member(struct json_object *o, const char *key)
{
	struct json_object *v = NULL;

	json_object_object_get_ex(o, key, &v);
	return v;
}

static struct json_object *
at(struct json_object *list, size_t i)
{
	return json_object_array_get_idx(list, i);
}

static void
test_rounds(void **state)
{
	struct rig *r = begin(PIECE(CALL("0", "a", "message", "")) PIECE(
	    "{\"index\":0,\"function\":{\"arguments\":\"{\\\"action\\\":\"}}")
	    PIECE("{\"index\":0,\"function\":{\"arguments\":"
		  "\"\\\"send\\\",\\\"target\\\":\\\"#x\\\"}\"}}")
	    PIECE(CALL("1", "b", "message", SEND)), 1);
	struct json_object *call, *body, *list, *m, *final;

	call = rig_frame(r, 0, "call", 1, 0);
	assert_string_equal(rig_str(call, "name"), "message");
	assert_string_equal(rig_str(member(call, "args"), "target"), "#x");
	assert_int_equal(rig_count(r, 0, "call", 1), 1);
	result(r, call, 1, "sent");
	call = rig_frame(r, 0, "call", 1, 1);
	assert_int_equal(rounds, 1);
	result(r, call, 0, "no such place");
	assert_string_equal(rig_final(r, 0, 1), "all done");

	/* What the model was told. */
	assert_non_null(body = json_tokener_parse(r->body));
	assert_int_equal(json_object_array_length(member(body, "tools")), 1);
	list = member(body, "messages");
	assert_int_equal(json_object_array_length(list), 5);
	m = at(list, 2);
	assert_string_equal(rig_str(m, "role"), "assistant");
	assert_string_equal(rig_str(m, "content"), "let me see");
	assert_int_equal(json_object_array_length(member(m, "tool_calls")), 2);
	assert_string_equal(rig_str(at(list, 3), "tool_call_id"), "a");
	assert_string_equal(rig_str(at(list, 3), "content"), "sent");
	assert_string_equal(
	    rig_str(at(list, 4), "content"), "Error: no such place");
	json_object_put(body);

	/* What people see, and what is kept. */
	m = rig_frame(r, 0, "tool", 1, 0);
	assert_string_equal(rig_str(m, "phase"), "start");
	assert_string_equal(rig_str(m, "detail"), "send #x");
	assert_string_equal(rig_str(m, "call"), "1.0");
	m = rig_frame(r, 0, "tool", 1, 1);
	assert_string_equal(rig_str(m, "phase"), "end");
	assert_true(json_object_get_boolean(member(m, "ok")));
	m = rig_frame(r, 0, "tool", 1, 3);
	assert_string_equal(rig_str(m, "call"), "1.1");
	assert_false(json_object_get_boolean(member(m, "ok")));
	final = rig_frame(r, 0, "final", 1, 0);
	list = member(final, "transcript");
	assert_int_equal(json_object_array_length(list), 5);
	assert_string_equal(rig_str(at(list, 2), "role"), "tool");
	assert_string_equal(rig_str(at(list, 4), "content"), "all done");
	/* Both rounds cost. */
	assert_int_equal(rig_int(member(final, "usage"), "prompt"), 22);
	rig_free(r);
}

static void
test_own_answers(void **state)
{
	struct rig *r = begin(PIECE(CALL("0", "a", "rm", "{}"))
		PIECE(CALL("1", "b", "message", "{")), 1);
	struct json_object *body, *list;

	assert_string_equal(rig_final(r, 0, 1), "all done");
	assert_int_equal(rig_count(r, 0, "call", 1), 0);
	assert_non_null(body = json_tokener_parse(r->body));
	list = member(body, "messages");
	assert_non_null(strstr(rig_str(at(list, 3), "content"), "no tool"));
	assert_non_null(strstr(rig_str(at(list, 4), "content"), "not a JSON"));
	json_object_put(body);
	rig_free(r);
}

static void
test_no_end(void **state)
{
	struct rig *r = begin(PIECE(CALL("0", "a", "rm", "{}")), 1000);

	/* The text of the last one is its answer. */
	assert_string_equal(rig_final(r, 0, 1), "let me see");
	assert_int_equal(rounds, 17);
	assert_non_null(strstr(r->body, "\"tool_choice\":\"none\""));
	rig_free(r);
}

static void
test_not_offered(void **state)
{
	struct rig_opts o = {.serve = serve};
	struct rig *r = rig_new(&o);

	calls = PIECE(CALL("0", "a", "message", SEND));
	busy_rounds = 1;
	rounds = 0;
	r->history = "[{\"role\":\"user\",\"content\":\"before\"},"
		     "{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":["
		     CALL("0", "x", "message", "{}") "]},"
		     "{\"role\":\"tool\",\"tool_call_id\":\"x\","
		     "\"content\":\"y\"}]";
	rig_start(r, 0, 1, "go");
	assert_string_equal(rig_final(r, 0, 1), "let me see");
	assert_null(strstr(r->body, "\"tools\""));
	assert_null(strstr(r->body, "tool_call"));
	assert_int_equal(rig_count(r, 0, "call", 1), 0);
	rig_free(r);
}

/* The turn ends while the account is at it; its result comes too late. */
static void
test_cancel(void **state)
{
	struct rig *r = begin(PIECE(CALL("0", "a", "message", SEND)), 1);
	struct json_object *call = rig_frame(r, 0, "call", 1, 0);

	rig_cancel(r, 0, 1);
	assert_string_equal(rig_str(rig_error(r, 0, 1), "code"), "cancelled");
	result(r, call, 1, "late");
	rig_start_with(r, 0, 2, "go", 0, "", OFFER);
	assert_string_equal(rig_final(r, 0, 2), "all done");
	rig_free(r);
}

static void
test_deadline(void **state)
{
	struct rig_opts o = {.serve = serve};
	struct rig *r = rig_new(&o);

	r->history = "[]";
	calls = PIECE(CALL("0", "a", "message", SEND));
	busy_rounds = 1;
	rounds = 0;
	rig_start_with(r, 0, 1, "go", 300, "", OFFER);
	(void)rig_frame(r, 0, "call", 1, 0);
	assert_string_equal(rig_str(rig_error(r, 0, 1), "code"), "deadline");
	rig_free(r);
}

static void
test_account_goes(void **state)
{
	struct rig *r = begin(PIECE(CALL("0", "a", "message", SEND)), 1);

	(void)rig_frame(r, 0, "call", 1, 0);
	chan_free(r->turn[0]);
	r->turn[0] = NULL;
	rig_start_with(r, 1, 5, "go", 0, "", OFFER);
	assert_string_equal(rig_final(r, 1, 5), "all done");
	rig_free(r);
}

/* An answer that breaks the frame's shape is an error for the model. */
static void
test_broken_result(void **state)
{
	struct rig *r = begin(PIECE(CALL("0", "a", "message", SEND)), 1);
	struct json_object *msg;

	msg = chan_reply_msg("tool.result", rig_frame(r, 0, "call", 1, 0));
	json_object_object_add(msg, "ok", json_object_new_int(7));
	chan_send(r->turn[0], msg, -1);
	assert_string_equal(rig_final(r, 0, 1), "all done");
	assert_non_null(strstr(r->body, "was broken"));
	rig_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rounds),
	    cmocka_unit_test(test_own_answers),
	    cmocka_unit_test(test_no_end),
	    cmocka_unit_test(test_not_offered),
	    cmocka_unit_test(test_cancel),
	    cmocka_unit_test(test_deadline),
	    cmocka_unit_test(test_account_goes),
	    cmocka_unit_test(test_broken_result),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
