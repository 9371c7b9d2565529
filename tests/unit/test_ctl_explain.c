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

#include "common/reason.h"
#include "ctl/explain.h"

static void
says(const char *row, const char *want)
{
	struct json_object *o = json_tokener_parse(row);
	char *text;

	assert_non_null(o);
	text = explain_sentence(o);
	assert_string_equal(text, want);
	free(text);
	json_object_put(o);
}

static void
test_accepted(void **state)
{
	says("{\"kind\":\"post\",\"state\":\"done\",\"stage\":\"turn\","
	     "\"outcome\":\"answered\",\"rule\":\"allowFrom has the id\","
	     "\"answer_posts\":[\"a\"]}",
	    "The post was accepted at stage turn (decided by allowFrom has "
	    "the id), and was answered by 1 post.");
	says("{\"kind\":\"slash\",\"state\":\"done\",\"stage\":\"turn\","
	     "\"outcome\":\"command\",\"rule\":\"r\"}",
	    "The slash command was accepted at stage turn (decided by r), and "
	    "was obeyed as a command.");
	says("{\"kind\":\"hook\",\"state\":\"done\",\"stage\":\"turn\","
	     "\"outcome\":\"silent\",\"rule\":\"hooks.token\"}",
	    "The hook's message was accepted at stage turn (decided by "
	    "hooks.token), and the agent chose to say nothing.");
	says("{\"kind\":\"post\",\"state\":\"done\",\"stage\":\"turn\","
	     "\"outcome\":\"merged\"}",
	    "The post was accepted at stage turn, and was answered together "
	    "with a later message.");
	says("{\"kind\":\"post\",\"state\":\"done\",\"stage\":\"turn\","
	     "\"outcome\":\"stopped\"}",
	    "The post was accepted at stage turn, and was stopped by somebody "
	    "before it was answered.");
	says("{\"kind\":\"reaction\",\"state\":\"noted\",\"stage\":"
	     "\"turn\",\"rule\":\"r\"}",
	    "A reaction to it was accepted at stage turn (decided by r), and "
	    "is told to the agent with its next turn.");
	says("{\"kind\":\"button\",\"state\":\"running\",\"stage\":"
	     "\"turn\"}",
	    "A click on its button was accepted at stage turn, and is being "
	    "answered now.");
	says("{\"kind\":\"cron\",\"state\":\"pending\",\"stage\":\"turn\","
	     "\"reason\":\"rate\"}",
	    "The scheduled message was accepted at stage turn, and waits for "
	    "its turn after a failure: the model is over its rate limit.");
}

static void
test_trouble(void **state)
{
	says("{\"kind\":\"post\",\"state\":\"dead\",\"stage\":\"turn\","
	     "\"rule\":\"r\",\"attempts\":3,\"reason\":\"auth: no\"}",
	    "The post was accepted at stage turn (decided by r), but was given "
	    "up after 4 failed attempts: auth: no; it is among the dead "
	    "letters.");
	says("{\"kind\":\"post\",\"state\":\"done\",\"stage\":\"turn\","
	     "\"outcome\":\"answered\",\"error\":\"403 archived\","
	     "\"answer_posts\":[]}",
	    "The post was accepted at stage turn, and was answered, but the "
	    "answer could not be posted: 403 archived.");
	says("{\"kind\":\"post\",\"state\":\"done\",\"stage\":\"turn\","
	     "\"outcome\":\"answered\",\"own\":true,\"event\":\"p\","
	     "\"answer_posts\":[\"a\",\"b\"]}",
	    "The bot itself wrote it, because of post p: The post was accepted "
	    "at stage turn, and was answered by 2 posts.");
	/* Of a later version. */
	says("{\"kind\":\"wave\",\"state\":\"ignored\",\"stage\":\"sky\","
	     "\"reason\":\"clouds\"}",
	    "It was ignored at stage sky, clouds.");
	says("{\"kind\":\"wave\",\"state\":\"done\",\"stage\":\"turn\","
	     "\"outcome\":\"sunk\"}",
	    "It was accepted at stage turn, and ended as sunk.");
}

/* One line, with stage, name and words, for every reason that there is. */
static void
test_every_reason(void **state)
{
	struct json_object *o;
	char want[300], *text;
	const char *why;
	int r;

	for (r = REASON_OK + 1; r < REASON_MAX; r++) {
		why = reason_explain((enum reason)r);
		o = json_object_new_object();
		json_object_object_add(
		    o, "kind", json_object_new_string("edit"));
		json_object_object_add(
		    o, "state", json_object_new_string("ignored"));
		json_object_object_add(o, "stage", json_object_new_string(
			stage_name(reason_stage((enum reason)r))));
		json_object_object_add(o, "reason",
		    json_object_new_string(reason_name((enum reason)r)));
		json_object_object_add(
		    o, "rule", json_object_new_string("x=1"));
		snprintf(want, sizeof(want), "The edit was ignored at stage "
		    "%s, %s: %.*s (decided by x=1).",
		    stage_name(reason_stage((enum reason)r)),
		    reason_name((enum reason)r), (int)strlen(why) - 1, why);
		text = explain_sentence(o);
		assert_string_equal(text, want);
		assert_null(strchr(text, '\n'));
		assert_int_equal(why[strlen(why) - 1], '.');
		free(text);
		json_object_put(o);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_accepted),
	    cmocka_unit_test(test_trouble),
	    cmocka_unit_test(test_every_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
