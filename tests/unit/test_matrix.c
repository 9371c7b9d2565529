#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "workers/account/pipeline.h"

/*
 * Every kind of event, from every kind of place, by every kind of actor,
 * under every policy: what must come out is written down here by hand, one
 * letter for each, and nothing else may happen.
 */

#define BOT "b10123456789abcdefghijklmn"
#define LISTED "u10123456789abcdefghijklmn"
#define PAIRED "v20123456789abcdefghijklmn"
#define STRANGER "w30123456789abcdefghijklmn"
#define CHANNEL "c10123456789abcdefghijklmn"
#define POST "p10123456789abcdefghijklmn"

static const struct {
	char letter;
	enum reason reason;
} letters[] = {
    {'A', REASON_OK},
    {'P', REASON_PAIRING},
    {'p', REASON_NOT_PAIRED},
    {'N', REASON_NOT_IN_ALLOWLIST},
    {'W', REASON_OPEN_WITHOUT_WILDCARD},
    {'D', REASON_DM_DISABLED},
    {'G', REASON_GROUP_DISABLED},
    {'E', REASON_EMPTY_ALLOWLIST},
    {'B', REASON_BOT_AUTHOR},
    {'H', REASON_WEBHOOK_AUTHOR},
    {'K', REASON_ACTOR_UNKNOWN},
    {'U', REASON_UNKNOWN_SURFACE},
    {'C', REASON_COMMAND_NOT_AUTHORISED},
    {'e', REASON_EDIT_NO_MENTION},
};

/* The columns: who does it. */
enum { A_LISTED, A_PAIRED, A_STRANGER, A_BOT, A_WEBHOOK, A_UNCLEAR, A_MAX };

static const char kinds[] = "perbsc"; /* post edit reaction button slash,
					  c: a post that is a command */

struct row {
	const char *policy; /* JSON members */
	const char *types;  /* channel types that it is about */
	const char *kinds;
	const char *expect; /* A_MAX letters */
};

#define LIST "\"allowFrom\":[\"" LISTED "\"]"

static const struct row rows[] = {
    /* direct messages */
    {"\"dmPolicy\":\"pairing\"," LIST, "D", "psc", "AAPBHK"},
    {"\"dmPolicy\":\"pairing\"," LIST, "D", "rb", "AApBHK"},
    {"\"dmPolicy\":\"pairing\"," LIST, "D", "e", "eepBHK"},
    {"\"dmPolicy\":\"allowlist\"," LIST, "D", "psrbc", "ANNBHK"},
    {"\"dmPolicy\":\"allowlist\"," LIST, "D", "e", "eNNBHK"},
    {"\"dmPolicy\":\"open\"," LIST, "D", "psrbc", "AWWBHK"},
    {"\"dmPolicy\":\"open\"," LIST, "D", "e", "eWWBHK"},
    {"\"dmPolicy\":\"open\",\"allowFrom\":[\"*\"]", "D", "psrbc", "AAABHK"},
    {"\"dmPolicy\":\"open\",\"allowFrom\":[\"*\"]", "D", "e", "eeeBHK"},
    {"\"dmPolicy\":\"disabled\"," LIST, "D", "psrbec", "DDDBHK"},
    {"\"dmPolicy\":\"no such\"," LIST, "D", "psrbec", "DDDBHK"},
    /* group messages, private and public channels */
    {"\"groupPolicy\":\"open\"," LIST, "GPO", "prbe", "AAABHK"},
    {"\"groupPolicy\":\"open\"," LIST, "GPO", "sc", "ACCBHK"},
    {"\"groupPolicy\":\"open\"", "GPO", "prbe", "AAABHK"},
    {"\"groupPolicy\":\"open\"", "GPO", "sc", "CCCBHK"},
    {"\"groupPolicy\":\"allowlist\"," LIST, "GPO", "psrbec", "ANNBHK"},
    {"\"groupPolicy\":\"allowlist\",\"groupAllowFrom\":[\"" LISTED "\"]",
	"GPO", "psrbec", "ANNBHK"},
    {"\"groupPolicy\":\"allowlist\"", "GPO", "psrbec", "EEEBHK"},
    {"\"groupPolicy\":\"disabled\"," LIST, "GPO", "psrbec", "GGGBHK"},
    {"\"groupPolicy\":\"OPEN\"," LIST, "GPO", "psrbec", "GGGBHK"},
    {"\"groupPolicy\":\"open\",\"dmPolicy\":\"disabled\"", "GPO", "prbe",
	"AAABHK"},
    /* bots are welcome: they still need to be allowed */
    {"\"groupPolicy\":\"open\",\"allowBots\":true", "GPO", "prbe", "AAAAAA"},
    {"\"groupPolicy\":\"allowlist\",\"allowBots\":true," LIST, "GPO", "prbe",
	"ANNNNN"},
    /* a type that is not known is denied, whatever the policy */
    {"\"groupPolicy\":\"open\",\"dmPolicy\":\"open\",\"allowFrom\":[\"*\"],"
     "\"allowBots\":true", "X-\x01", "psrbec", "UUUUUU"},
};

static enum reason
reason_of(char letter)
{
	size_t i;

	for (i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
		if (letters[i].letter == letter)
			return letters[i].reason;
	fail_msg("no such letter: %c", letter);
	return REASON_NONE;
}

static struct policy *
policy_of(const char *members)
{
	struct policy *p;
	struct json_object *o;
	const char *why = "";
	char text[512];

	snprintf(text, sizeof(text), "{\"account\":\"a\",%s}", members);
	o = json_tokener_parse(text);
	p = policy_compile(o, &why);
	json_object_put(o);
	if (p == NULL)
		fail_msg("%s: %s", text, why);
	policy_pair(p, PAIRED);
	return p;
}

static struct inbound *
event_of(char kind, int actor)
{
	static const char *const ids[A_MAX] = {
	    LISTED, PAIRED, STRANGER, STRANGER, STRANGER, STRANGER};
	struct inbound *in = inbound_new(kind == 'e' ? INBOUND_EDIT :
		kind == 'r'			     ? INBOUND_REACTION :
		kind == 'b'			     ? INBOUND_BUTTON :
		kind == 's'			     ? INBOUND_SLASH :
						       INBOUND_POST);

	strlcpy(in->account, "a", sizeof(in->account));
	strlcpy(in->actor_id, ids[actor], MM_ID_SIZE);
	strlcpy(in->channel_id, CHANNEL, MM_ID_SIZE);
	strlcpy(in->post_id, POST, MM_ID_SIZE);
	in->create_at = 1795341160956;
	in->edit_at = kind == 'e' ? 1795341170000 : 0;
	in->from_webhook = actor == A_WEBHOOK;
	in->actor_is_bot = actor == A_BOT ? TRI_YES :
	    actor == A_UNCLEAR		  ? TRI_UNKNOWN : TRI_NO;
	inbound_set(&in->emoji, "tada");
	inbound_set(&in->action_id, "yes");
	inbound_set(&in->text, kind == 's' ? "/status" :
		kind == 'c'		   ? "@bot /status" : "@bot hello");
	return in;
}

static void
check(const struct row *row, const struct policy *p, char type, char kind,
    int actor)
{
	static const struct bot_identity bot = {BOT, "bot"};
	struct channel_info channel = {type, "name", "Name", ""};
	struct inbound *in = event_of(kind, actor);
	enum reason want = reason_of(row->expect[actor]);
	struct verdict v;

	decide(p, &bot, &channel, NULL, in, &v);
	if (v.reason != want)
		fail_msg("{%s} type %c kind %c actor %d: %s, not %s",
		    row->policy, type, kind, actor, reason_name(v.reason),
		    reason_name(want));
	assert_int_equal(v.kind, want == REASON_OK ? VERDICT_ACCEPT :
		want == REASON_PAIRING		   ? VERDICT_PAIR :
						     VERDICT_DROP);
	assert_non_null(v.rule);
	if (v.kind == VERDICT_ACCEPT) {
		assert_non_null(v.text);
		assert_int_equal(v.runs, kind != 'r');
	} else {
		assert_int_equal(v.runs, 0);
		assert_null(v.context);
		assert_string_not_equal(reason_name(v.reason), "none");
	}
	verdict_clear(&v);
	inbound_free(in);
}

static void
check_row(const struct row *row, int *seen)
{
	struct policy *p = policy_of(row->policy);
	const char *type, *kind;
	int actor;

	assert_int_equal(strlen(row->expect), A_MAX);
	for (type = row->types; *type != '\0'; type++)
		for (kind = row->kinds; *kind != '\0'; kind++)
			for (actor = 0; actor < A_MAX; actor++, (*seen)++)
				check(row, p, *type, *kind, actor);
	policy_free(p);
}

static void
test_matrix(void **state)
{
	size_t i;
	int seen = 0;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_row(&rows[i], &seen);
	print_message("matrix: %d combinations\n", seen);
}

/* Every policy, with every kind: none is left out of the table above. */
static void
test_complete(void **state)
{
	size_t i, k, t, j;
	int found;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strstr(rows[i].policy, "allowBots") != NULL ||
		    strstr(rows[i].policy, "\"groupPolicy\":\"open\",\"dm") !=
			NULL)
			continue;
		for (k = 0; kinds[k] != '\0'; k++) {
			t = found = 0;
			for (j = 0; j < sizeof(rows) / sizeof(rows[0]); j++)
				if (strcmp(rows[i].policy, rows[j].policy) ==
					0 &&
				    rows[i].types[t] == rows[j].types[t] &&
				    strchr(rows[j].kinds, kinds[k]) != NULL)
					found++;
			if (found != 1)
				fail_msg("{%s} kind %c: %d rows",
				    rows[i].policy, kinds[k], found);
		}
	}
}

/* Fields that are missing or of another account deny on their own. */
static void
test_missing(void **state)
{
	static const struct bot_identity bot = {BOT, "bot"}, nobody = {"", ""};
	struct policy *p = policy_of("\"groupPolicy\":\"open\"");
	struct channel_info channel = {'O', "", "", ""};
	struct inbound *in = event_of('p', A_LISTED);
	struct verdict v;

#define EXPECT(b, r)                                                           \
	do {                                                                   \
		decide(p, &(b), &channel, NULL, in, &v);                       \
		assert_int_equal(v.reason, (r));                               \
		verdict_clear(&v);                                             \
	} while (0)
	EXPECT(bot, REASON_OK);
	EXPECT(nobody, REASON_ACTOR_UNKNOWN);
	in->account[0] = 'b';
	EXPECT(bot, REASON_WRONG_ACCOUNT);
	in->account[0] = '\0';
	EXPECT(bot, REASON_WRONG_ACCOUNT);
	in->account[0] = 'a';
	in->actor_id[0] = '\0';
	EXPECT(bot, REASON_NO_ACTOR);
	memcpy(in->actor_id, LISTED, MM_ID_SIZE);
	in->channel_id[25] = '\0';
	EXPECT(bot, REASON_NO_CHANNEL);
	memcpy(in->channel_id, CHANNEL, MM_ID_SIZE);
	in->post_id[0] = '\0';
	EXPECT(bot, REASON_NO_POST_ID);
	memcpy(in->post_id, POST, MM_ID_SIZE);
	in->kind = INBOUND_NONE;
	EXPECT(bot, REASON_UNKNOWN_KIND);
	in->kind = INBOUND_KIND_MAX;
	EXPECT(bot, REASON_UNKNOWN_KIND);
	in->kind = INBOUND_POST;
	memcpy(in->actor_id, BOT, MM_ID_SIZE);
	EXPECT(bot, REASON_OWN_POST);
	in->kind = INBOUND_REACTION;
	EXPECT(bot, REASON_OWN_REACTION);
#undef EXPECT
	inbound_free(in);
	policy_free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_matrix),
	    cmocka_unit_test(test_complete),
	    cmocka_unit_test(test_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
