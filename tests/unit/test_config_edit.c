#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/config_edit.h"

static char why[256];

static void
adds(const char *text, const char *id, const char *want)
{
	struct edit_account a = {id, "N", "t\"k", "https://h"};
	char *out = edit_add(text, &a, why, sizeof(why));

	if (out == NULL)
		fail_msg("%s: %s", text, why);
	assert_string_equal(out, want);
	free(out);
}

static void
adds_not(const char *text, const char *id, const char *said)
{
	struct edit_account a = {id, NULL, "t", "https://h"};

	assert_null(edit_add(text, &a, why, sizeof(why)));
	if (strstr(why, said) == NULL)
		fail_msg("%s", why);
}

#define SET "enabled: true, name: \"N\", botToken: \"t\\\"k\", " \
	    "baseUrl: \"https://h\""

static void
adding(void **state)
{
	adds("", "default", "{\n  channels: { mattermost: { " SET " } }\n}\n");
	adds("", "ops", "{\n  channels: { mattermost: { accounts: { "
	    "\"ops\": { " SET " } } } }\n}\n");
	adds("{ // top\n  channels: {\n    mattermost: { // ours\n"
	    "      accounts: {\n        a: {}, // first\n      },\n    },\n"
	    "  },\n}\n", "ops",
	    "{ // top\n  channels: {\n    mattermost: { // ours\n"
	    "      accounts: {\n        \"ops\": { " SET " },\n"
	    "        a: {}, // first\n      },\n    },\n  },\n}\n");
	adds("{channels:{mattermost:{baseUrl:'https://x'}}}", "ops",
	    "{channels:{mattermost:{\n  accounts: { \"ops\": { " SET
	    " } },\nbaseUrl:'https://x'}}}");
	adds("{/* \xc3\xa9 */channels:{}}", "ops",
	    "{/* \xc3\xa9 */channels:{\n  mattermost: { accounts: "
	    "{ \"ops\": { " SET " } } }\n}}");
	adds("{\r\n  \"channels\": {\r\n    \"mattermost\": {}\r\n  }\r\n}",
	    "default", "{\r\n  \"channels\": {\r\n    \"mattermost\": {\n"
	    "      " SET "\n    }\r\n  }\r\n}");
}

static void
not_adding(void **state)
{
	adds_not("{channels:{mattermost:{accounts:{Ops:{}}}}}", "ops",
	    "already");
	adds_not("{channels:{mattermost:{botToken:'x'}}}", "default",
	    "already");
	adds_not("{channels:[]}", "ops", "not a path of objects");
	adds_not("[]", "ops", "not a path of objects");
	adds_not("{channels:", "ops", "line 1");
	/* Twice the same name: only one of them is what counts. */
	adds_not("{channels:{mattermost:{accounts:{}}},"
		 "channels:{mattermost:{accounts:{}}}}x", "ops", "line 1");
}

static void
removes(enum edit_kind kind, const char *text, const char *want)
{
	char *out = edit_remove(text, "b", kind, why, sizeof(why));

	if (out == NULL)
		fail_msg("%s: %s", text, why);
	assert_string_equal(out, want);
	free(out);
}

#define IN(x) "{channels:{mattermost:{accounts:{" x "}}}}"

static void
removing(void **state)
{
	removes(EDIT_DELETE, IN("a:{},b:{x:[1,'}'],/*}*/y:\"\\\"}\"},c:{}"),
	    IN("a:{},c:{}"));
	removes(EDIT_DELETE, IN("a:{},b:{}"), IN("a:{},"));
	removes(EDIT_DELETE, IN("b:null"), IN(""));
	removes(EDIT_DELETE, IN("\n  a: {},\n  b: {\n    z: 1, // }\n  },\n"
			     "  c: {}\n"), IN("\n  a: {},\n  c: {}\n"));
	removes(EDIT_DELETE, IN("'B':{} /* why */ ,c:{}"), IN("c:{}"));
	removes(EDIT_DISABLE, IN("b:{enabled:true,x:1}"),
	    IN("b:{enabled:false,x:1}"));
	removes(EDIT_DISABLE, IN("b:{x:1,enabled : true}"),
	    IN("b:{x:1,enabled : false}"));
	removes(EDIT_DISABLE, IN("b:{}"), IN("b:{\n  enabled: false\n}"));
	removes(EDIT_DISABLE, IN("b:{x:1}"),
	    IN("b:{\n  enabled: false,\nx:1}"));
}

static void
not_removing(void **state)
{
	assert_null(edit_remove(
	    IN("a:{}"), "b", EDIT_DELETE, why, sizeof(why)));
	assert_string_equal(
	    why, "there is no account \"b\" in the file, only a");
	assert_null(edit_remove("{channels:{mattermost:{botToken:'x'}}}",
	    "default", EDIT_DISABLE, why, sizeof(why)));
	assert_non_null(strstr(why, "by hand"));
	assert_null(edit_remove(
	    IN("b:{enabled:'yes'}"), "b", EDIT_DISABLE, why, sizeof(why)));
	assert_null(edit_remove(
	    IN("b:null"), "b", EDIT_DISABLE, why, sizeof(why)));
}

static void
tokens_are_not_shown(void **state)
{
	struct edit_account a = {"ops", NULL, "secret", "https://h"};
	char *out = edit_show(&a);

	assert_null(strstr(out, "secret"));
	assert_non_null(strstr(out, "botToken: \"...\""));
	free(out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(adding),
	    cmocka_unit_test(not_adding),
	    cmocka_unit_test(removing),
	    cmocka_unit_test(not_removing),
	    cmocka_unit_test(tokens_are_not_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
