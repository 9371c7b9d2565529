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
 * under every policy. What must come out is written down here by hand, from
 * the specification, one letter for each actor; the product is generated,
 * and each element of it must be in exactly one row.
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
    {'L', REASON_UNKNOWN_KIND},
    {'C', REASON_COMMAND_NOT_AUTHORISED},
    {'e', REASON_EDIT_NO_MENTION},
};

/* The columns: who does it. Paired means: for direct messages alone. */
enum { A_LISTED, A_PAIRED, A_STRANGER, A_BOT, A_WEBHOOK, A_UNCLEAR, A_MAX };

/*
 * p post, e edit, r reaction, b button, m menu, k a click in the model picker,
 * d dialog, s slash, c a post that is a control command. Nothing here opens dialogs: none is a kind.
 */
static const char kinds[] = "perbmkdsc";
static const char types[] = "DGPOX-\x01";

/* The modes: words of the configuration, and the lists beside them. */
static const char *const words[] = {
    "pairing", "allowlist", "open", "disabled", "no such"};
#define WORDS (sizeof(words) / sizeof(words[0]))
static const char lists[] = "-l*"; /* none, the listed one, everyone */

struct row {
	const char *types;  /* channel types that it is about */
	const char *policy; /* of direct messages or channels; NULL: any */
	const char *from;   /* allowFrom, of lists[] */
	const char *group;  /* groupAllowFrom, of lists[] */
	const char *kinds;
	const char *expect; /* A_MAX letters; with allowBots the last three
			       are as a stranger */
};

static const struct row rows[] = {
    /* what nobody can read denies, whatever the policy */
    {types, NULL, lists, lists, "d", "LLLLLL"},
    {"X-\x01", NULL, lists, lists, "perbmksc", "UUUUUU"},
    /* direct messages */
    {"D", "pairing", "-", lists, "pksc", "PAPBHK"},
    {"D", "pairing", "-", lists, "rbm", "pApBHK"},
    {"D", "pairing", "-", lists, "e", "pepBHK"},
    {"D", "pairing", "l", lists, "pksc", "AAPBHK"},
    {"D", "pairing", "l", lists, "rbm", "AApBHK"},
    {"D", "pairing", "l", lists, "e", "eepBHK"},
    {"D", "allowlist", "-", lists, "perbmksc", "NNNBHK"},
    {"D", "allowlist", "l", lists, "prbmksc", "ANNBHK"},
    {"D", "allowlist", "l", lists, "e", "eNNBHK"},
    {"D", "open", "-", lists, "perbmksc", "WWWBHK"},
    {"D", "open", "l", lists, "prbmksc", "AWWBHK"},
    {"D", "open", "l", lists, "e", "eWWBHK"},
    {"D", "pairing", "*", lists, "prbmksc", "AAABHK"},
    {"D", "pairing", "*", lists, "e", "eeeBHK"},
    {"D", "allowlist", "*", lists, "prbmksc", "AAABHK"},
    {"D", "allowlist", "*", lists, "e", "eeeBHK"},
    {"D", "open", "*", lists, "prbmksc", "AAABHK"},
    {"D", "open", "*", lists, "e", "eeeBHK"},
    {"D", "disabled", lists, lists, "perbmksc", "DDDBHK"},
    {"D", "no such", lists, lists, "perbmksc", "DDDBHK"},
    /* group messages, private and public channels */
    {"GPO", "open", lists, lists, "perbmk", "AAABHK"},
    {"GPO", "open", "-", "-", "sc", "CCCBHK"},
    {"GPO", "open", "-", "l", "sc", "ACCBHK"},
    {"GPO", "open", "l", "-l", "sc", "ACCBHK"},
    {"GPO", "open", "*", "-l", "sc", "AAABHK"},
    {"GPO", "open", lists, "*", "sc", "AAABHK"},
    {"GPO", "allowlist", "-", "-", "perbmksc", "EEEBHK"},
    {"GPO", "allowlist", "l", "-", "perbmksc", "ANNBHK"},
    {"GPO", "allowlist", "*", "-", "perbmksc", "AAABHK"},
    {"GPO", "allowlist", lists, "l", "perbmksc", "ANNBHK"},
    {"GPO", "allowlist", lists, "*", "perbmksc", "AAABHK"},
    {"GPO", "disabled", lists, lists, "perbmksc", "GGGBHK"},
    {"GPO", "pairing", lists, lists, "perbmksc", "GGGBHK"},
    {"GPO", "no such", lists, lists, "perbmksc", "GGGBHK"},
};

/* One element of the product. */
struct element {
	size_t dm, groups; /* of words[] */
	char from, group;  /* of lists[] */
	int bots;
	char type, kind;
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

static const char *
list_json(char c)
{
	return c == '-' ? "[]" : c == 'l' ? "[\"" LISTED "\"]" : "[\"*\"]";
}

static struct policy *
policy_of(const struct element *e)
{
	struct policy *p;
	struct json_object *o;
	const char *why = "";
	char text[512];

	snprintf(text, sizeof(text),
	    "{\"account\":\"a\",\"dmPolicy\":\"%s\",\"groupPolicy\":"
	    "\"%s\",\"allowFrom\":%s,\"groupAllowFrom\":%s,"
	    "\"allowBots\":%s}", words[e->dm], words[e->groups],
	    list_json(e->from), list_json(e->group),
	    e->bots ? "true" : "false");
	o = json_tokener_parse(text);
	p = policy_compile(o, &why);
	json_object_put(o);
	if (p == NULL)
		fail_msg("%s: %s", text, why);
	policy_pair(p, PAIRED);
	return p;
}

static enum inbound_kind
kind_of(char kind)
{
	switch (kind) {
	case 'e':
		return INBOUND_EDIT;
	case 'r':
		return INBOUND_REACTION;
	case 'b':
	case 'k':
	case 'm': /* the choice of a menu is a button's click with a value */
		return INBOUND_BUTTON;
	case 's':
		return INBOUND_SLASH;
	case 'd': /* a dialog: there is no such kind */
		return INBOUND_NONE;
	default:
		return INBOUND_POST;
	}
}

static struct inbound *
event_of(char kind, int actor)
{
	static const char *const ids[A_MAX] = {
	    LISTED, PAIRED, STRANGER, STRANGER, STRANGER, STRANGER};
	struct inbound *in = inbound_new(kind_of(kind));

	strlcpy(in->account, "a", sizeof(in->account));
	strlcpy(in->actor_id, ids[actor], MM_ID_SIZE);
	strlcpy(in->channel_id, CHANNEL, MM_ID_SIZE);
	strlcpy(in->post_id, POST, MM_ID_SIZE);
	in->create_at = 1795341160956;
	in->edit_at = kind == 'e' ? 1795341170000 : 0;
	in->from_webhook = actor == A_WEBHOOK;
	in->actor_is_bot = actor == A_BOT ? TRI_YES :
	    actor == A_UNCLEAR		  ? TRI_UNKNOWN : TRI_NO;
	in->picker = kind == 'k';
	inbound_set(&in->emoji, "tada");
	inbound_set(&in->action_id, "pick");
	inbound_set(&in->action_value, kind == 'm' ? "the second" : "");
	inbound_set(&in->text, kind == 's' ? "/status" :
		kind == 'c'		   ? "@bot /status" : "@bot hello");
	return in;
}

static int
matches(const struct row *r, const struct element *e)
{
	const char *policy = words[e->type == 'D' ? e->dm : e->groups];

	return strchr(r->types, e->type) != NULL &&
	    (r->policy == NULL || strcmp(r->policy, policy) == 0) &&
	    strchr(r->from, e->from) != NULL &&
	    strchr(r->group, e->group) != NULL &&
	    strchr(r->kinds, e->kind) != NULL;
}

/* The only row that it is in. */
static const struct row *
row_of(const struct element *e)
{
	const struct row *found = NULL;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!matches(&rows[i], e))
			continue;
		if (found != NULL)
			fail_msg("two rows: dm %s groups %s from %c group %c "
				 "type %c kind %c", words[e->dm],
			    words[e->groups], e->from, e->group, e->type,
			    e->kind);
		found = &rows[i];
	}
	if (found == NULL)
		fail_msg("no row: dm %s groups %s from %c group %c type %c "
			 "kind %c", words[e->dm], words[e->groups], e->from,
		    e->group, e->type, e->kind);
	return found;
}

static void
check(const struct element *e, const struct policy *p, char letter, int actor)
{
	static const struct bot_identity bot = {BOT, "bot"};
	struct channel_info channel = {e->type, "name", "Name", ""};
	struct inbound *in = event_of(e->kind, actor);
	enum reason want = reason_of(letter);
	struct verdict v;

	decide(p, &bot, &channel, NULL, in, &v);
	if (v.reason != want)
		fail_msg("dm %s groups %s from %c group %c bots %d type %c "
			 "kind %c actor %d: %s, not %s", words[e->dm],
		    words[e->groups], e->from, e->group, e->bots, e->type,
		    e->kind, actor, reason_name(v.reason), reason_name(want));
	assert_int_equal(v.kind, want == REASON_OK ? VERDICT_ACCEPT :
		want == REASON_PAIRING		   ? VERDICT_PAIR :
						     VERDICT_DROP);
	assert_int_not_equal(v.rule[0], '\0');
	if (v.kind == VERDICT_ACCEPT) {
		assert_non_null(v.text);
		assert_int_equal(v.runs, e->kind != 'r');
	} else {
		/* Denied: by a reason that has a name, and nothing runs. */
		assert_int_equal(v.runs, 0);
		assert_null(v.context);
		assert_int_not_equal(v.reason, REASON_NONE);
		assert_int_equal(reason_from(reason_name(v.reason)), v.reason);
		assert_int_equal(v.stage, reason_stage(v.reason));
	}
	verdict_clear(&v);
	inbound_free(in);
}

static int
check_policy(struct element *e)
{
	struct policy *p = policy_of(e);
	const struct row *row;
	const char *type, *kind;
	int actor, col, n = 0;

	for (type = types; *type != '\0'; type++)
		for (kind = kinds; *kind != '\0'; kind++) {
			e->type = *type;
			e->kind = *kind;
			row = row_of(e);
			for (actor = 0; actor < A_MAX; actor++, n++) {
				col = e->bots && actor >= A_BOT ? A_STRANGER :
								  actor;
				check(e, p, row->expect[col], actor);
			}
		}
	policy_free(p);
	return n;
}

static void
test_matrix(void **state)
{
	struct element e;
	const char *from, *group;
	int n = 0;

	for (e.dm = 0; e.dm < WORDS; e.dm++)
		for (e.groups = 0; e.groups < WORDS; e.groups++)
			for (from = lists; *from != '\0'; from++)
				for (group = lists; *group != '\0'; group++)
					for (e.bots = 0; e.bots < 2; e.bots++) {
						e.from = *from;
						e.group = *group;
						n += check_policy(&e);
					}
	print_message("matrix: %d combinations\n", n);
	assert_int_equal(n, 5 * 5 * 3 * 3 * 2 * 7 * 9 * A_MAX);
}

/* Every row says something of everyone, and is of use. */
static void
test_rows(void **state)
{
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(strlen(rows[i].expect), A_MAX);
		assert_true(rows[i].types[0] != '\0' &&
		    rows[i].from[0] != '\0' && rows[i].group[0] != '\0' &&
		    rows[i].kinds[0] != '\0');
	}
}

/* Fields that are missing or of another account deny on their own. */
static void
test_missing(void **state)
{
	static const struct bot_identity bot = {BOT, "bot"}, nobody = {"", ""};
	static const struct element open = {
	    .dm = 0, .groups = 2, .from = '-', .group = '-'};
	struct policy *p = policy_of(&open);
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
	    cmocka_unit_test(test_rows),
	    cmocka_unit_test(test_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
