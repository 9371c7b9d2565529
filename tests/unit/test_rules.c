/* The rule that decided, as "posternctl explain" tells it. */
#include "config.h"

#include "tests/unit/pipeline_help.h"

#define GROUPS(here, any)                                                      \
	"\"groups\":{\"" CHANNEL "\":{\"requireMention\":" here "},"           \
	"\"*\":{\"requireMention\":" any "}}"

/* Every rule is told by the key that says it, also when it lets in. */
static void
test_rules(void **state)
{
	static const struct {
		const char *members, *text;
		char type;
		enum reason reason;
		const char *rule;
	} cases[] = {
	    {"", "hi", 'D', REASON_OK, "allowFrom has \"*\"; agent main"},
	    {"\"allowFrom\":[\"" USER "\"]", "hi", 'D', REASON_OK,
		"allowFrom has the id; agent main"},
	    {"\"dmPolicy\":\"allowlist\",\"allowFrom\":[]", "hi", 'D',
		REASON_NOT_IN_ALLOWLIST, "dmPolicy=\"allowlist\", allowFrom"},
	    {"\"dmPolicy\":\"open\",\"allowFrom\":[]", "hi", 'D',
		REASON_OPEN_WITHOUT_WILDCARD, "dmPolicy=\"open\""},
	    {"", "hi", 'O', REASON_NO_MENTION, "requireMention=true (default)"},
	    {"\"requireMention\":true", "hi", 'O', REASON_NO_MENTION,
		"requireMention=true"},
	    {"\"requireMention\":false", "hi", 'O', REASON_OK,
		"groupPolicy=\"open\"; requireMention=false; agent main"},
	    {"", "@bot hi", 'P', REASON_OK,
		"groupPolicy=\"open\"; requireMention=true (default), the bot "
		"is mentioned; agent main"},
	    {"\"chatmode\":\"oncall\",\"requireMention\":false", "hi", 'O',
		REASON_NO_MENTION, "chatmode=\"oncall\""},
	    {"\"chatmode\":\"onmessage\"", "hi", 'G', REASON_OK,
		"groupPolicy=\"open\"; chatmode=\"onmessage\"; agent main"},
	    {"\"chatmode\":\"onchar\"", "> hi", 'O', REASON_OK,
		"groupPolicy=\"open\"; chatmode=\"onchar\", a prefix of "
		"oncharPrefixes; agent main"},
	    {"\"chatmode\":\"onchar\"," GROUPS("false", "false"), "hi", 'O',
		REASON_NO_MENTION, "chatmode=\"onchar\""},
	    {GROUPS("true", "false"), "hi", 'O', REASON_NO_MENTION,
		"groups[\"" CHANNEL "\"].requireMention=true"},
	    {GROUPS("false", "true"), "hi", 'O', REASON_OK,
		"groupPolicy=\"open\"; groups[\"" CHANNEL "\"]."
		"requireMention=false; agent main"},
	    {"\"groups\":{\"*\":{\"requireMention\":true}}", "hi", 'O',
		REASON_NO_MENTION, "groups[\"*\"].requireMention=true"},
	    {"\"agents\":[{\"id\":\"claw\",\"name\":\"Claw\"}]", "hey claw",
		'O', REASON_OK,
		"groupPolicy=\"open\"; requireMention=true (default), a "
		"mention pattern of the agent fits; agent claw"},
	    {"\"groupPolicy\":\"allowlist\",\"groupAllowFrom\":[\"" USER "\"]",
		"/status", 'O', REASON_OK,
		"groupAllowFrom has the id; requireMention=true (default), a "
		"control command of somebody who may; agent main"},
	    {"\"groupPolicy\":\"allowlist\",\"allowFrom\":[\"" USER "\"]",
		"@bot hi", 'O', REASON_OK,
		"allowFrom (for groups) has the id; requireMention=true "
		"(default), the bot is mentioned; agent main"},
	    {"\"groupPolicy\":\"allowlist\",\"groupAllowFrom\":[\"" BOT "\"]",
		"@bot hi", 'O', REASON_NOT_IN_ALLOWLIST,
		"groupPolicy=\"allowlist\", groupAllowFrom"},
	    {"\"groupPolicy\":\"allowlist\",\"allowFrom\":[\"" BOT "\"]",
		"@bot hi", 'O', REASON_NOT_IN_ALLOWLIST,
		"groupPolicy=\"allowlist\", allowFrom"},
	    {"", "@bot hi", 'X', REASON_UNKNOWN_SURFACE, "channel type"},
	};
	struct fixture f;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		setup(&f, cases[i].members, cases[i].text);
		f.channel.type = cases[i].type;
		if (run(&f) != cases[i].reason)
			fail_msg("%zu: %s", i, reason_name(f.v.reason));
		assert_string_equal(f.v.rule, cases[i].rule);
		teardown(&f);
	}
}

/* And what is not of the configuration. */
static void
test_rules_of_facts(void **state)
{
	struct fixture f;

	setup(&f, "", "and then?");
	f.facts.participates = takes_part;
	strlcpy(f.in->root_id, ROOT, MM_ID_SIZE);
	assert_int_equal(run(&f), REASON_OK);
	assert_non_null(strstr(f.v.rule, "where the bot takes part"));
	f.facts.participates = NULL;
	f.facts.mention = TRI_NO;
	assert_int_equal(run(&f), REASON_OK);
	assert_non_null(strstr(f.v.rule, "/activation always"));
	f.facts.mention = TRI_YES;
	assert_int_equal(run(&f), REASON_NO_MENTION);
	assert_string_equal(f.v.rule, "/activation mention");
	inbound_set(&f.in->text, "@bot and then?");
	f.facts.missed = 1;
	f.facts.now = f.in->create_at;
	assert_int_equal(run(&f), REASON_OK);
	assert_non_null(strstr(f.v.rule, "found by the gap fill"));
	f.facts.missed = 0;
	f.in->kind = INBOUND_EDIT;
	f.in->edit_at = f.in->create_at + 1;
	assert_int_equal(run(&f), REASON_OK);
	assert_non_null(strstr(f.v.rule, "an edit added the mention"));
	f.in->kind = INBOUND_REACTION;
	inbound_set(&f.in->emoji, "tada");
	assert_int_equal(run(&f), REASON_OK);
	assert_string_equal(f.v.rule, "groupPolicy=\"open\"; agent main");
	f.in->kind = INBOUND_HOOK;
	assert_int_equal(run(&f), REASON_OK);
	assert_string_equal(f.v.rule, "hooks.token; agent main");
	teardown(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rules),
	    cmocka_unit_test(test_rules_of_facts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
