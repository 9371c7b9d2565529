#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/commands.h"
#include "ctl/parse.h"

const char *ctl_argv0 = "posternctl"; /* main.c has it */
void ctl_help(const struct keyword *, FILE *);

void
ctl_help(const struct keyword *table, FILE *f)
{
	keyword_help(table, f);
}

static struct invocation inv;
static char error[256];

/* A line of words separated by blanks. */
static enum parse_result
run(const char *line)
{
	static char buf[256];
	static char *argv[32];
	const struct keyword *at;
	char *p = buf;
	int n = 0;

	error[0] = '\0';
	assert_true(strlcpy(buf, line, sizeof(buf)) < sizeof(buf));
	while ((argv[n] = strsep(&p, " ")) != NULL)
		n++;
	return parse(argv, &inv, &at, error, sizeof(error));
}

static void
abbreviations(void **state)
{
	assert_int_equal(run("status"), PARSE_OK);
	assert_ptr_equal(inv.cmd->run, cmd_status);
	assert_int_equal(run("rel"), PARSE_OK);
	assert_ptr_equal(inv.cmd->run, cmd_reload);
	assert_int_equal(run("ch dead li"), PARSE_OK);
	assert_ptr_equal(inv.cmd->run, cmd_dead_list);
	assert_int_equal(run("st"), PARSE_ERROR); /* status, stop */
	assert_string_equal(error, "ambiguous verb \"st\": status, stop");
	assert_int_equal(run("sta"), PARSE_OK);
	assert_int_equal(run("sto"), PARSE_OK);
	assert_ptr_equal(inv.cmd->run, cmd_stop);
}

static void
unknown_words(void **state)
{
	assert_int_equal(run("staus"), PARSE_ERROR);
	assert_non_null(strstr(error, "did you mean \"status\""));
	assert_int_equal(run("frobnicate"), PARSE_ERROR);
	assert_null(strstr(error, "did you mean"));
	assert_int_equal(run("channels lsit"), PARSE_ERROR);
	assert_non_null(strstr(error, "\"list\""));
	assert_int_equal(run("channels"), PARSE_ERROR);
	assert_non_null(strstr(error, "missing after channels"));
	assert_int_equal(run("reload now"), PARSE_ERROR);
	assert_int_equal(run(""), PARSE_ERROR);
}

static void
options(void **state)
{
	assert_int_equal(
	    run("message send --target=#town -m hi --account a2 --json"),
	    PARSE_OK);
	assert_string_equal(inv.target, "#town");
	assert_string_equal(inv.message, "hi");
	assert_string_equal(inv.account, "a2");
	assert_int_equal(inv.given & OPT_JSON, OPT_JSON);
	assert_int_equal(run("message send -tchannel:x -mhi"), PARSE_OK);
	assert_string_equal(inv.target, "channel:x");
	assert_int_equal(run("-s /x/y status"), PARSE_OK);
	assert_string_equal(inv.socket, "/x/y");
	assert_int_equal(run("message send -m hi"), PARSE_ERROR);
	assert_non_null(strstr(error, "requires --to <"));
	assert_int_equal(run("status --dry-run"), PARSE_ERROR);
	assert_int_equal(run("status --nonsense"), PARSE_ERROR);
	assert_int_equal(run("status --json=1"), PARSE_ERROR);
	assert_int_equal(run("message send -t"), PARSE_ERROR);
	assert_int_equal(run("status -h"), PARSE_HELP);
	/* A message may look like an option, behind its own. */
	assert_int_equal(run("message send -t @a -m --json"), PARSE_OK);
	assert_string_equal(inv.message, "--json");
	assert_int_equal(inv.given & OPT_JSON, 0);
}

static void
operands(void **state)
{
	assert_int_equal(run("explain abc --json"), PARSE_OK);
	assert_string_equal(inv.operand, "abc");
	assert_int_equal(run("explain"), PARSE_ERROR);
	assert_non_null(strstr(error, "POST"));
	assert_int_equal(run("explain a b"), PARSE_ERROR);
	assert_int_equal(run("explain -- -dash"), PARSE_OK);
	assert_string_equal(inv.operand, "-dash");
	assert_int_equal(run("config explain dmPolicy"), PARSE_OK);
	assert_ptr_equal(inv.cmd->run, cmd_config_explain);
}

static void
help_before_a_verb(void **state)
{
	assert_int_equal(run("help message send"), PARSE_HELP);
	assert_ptr_equal(inv.cmd->run, cmd_message_send);
	assert_int_equal(run("-s /x help message send"), PARSE_HELP);
	assert_ptr_equal(inv.cmd->run, cmd_message_send);
	assert_int_equal(run("help"), PARSE_OK);
	assert_ptr_equal(inv.cmd->run, cmd_help);
	assert_int_equal(run("message help"), PARSE_ERROR);
	assert_int_equal(run("explain help"), PARSE_OK);
}

static void
spellings_of_the_peer(void **state)
{
	assert_int_equal(
	    run("message send --channel mattermost -t user:x -m y"), PARSE_OK);
	assert_int_equal(
	    run("message send --channel slack -t user:x -m y"), PARSE_ERROR);
	assert_int_equal(run("channels status mattermost"), PARSE_OK);
}

/* Whatever word the tables have, its own full form finds it. */
static void
walk(const struct keyword *table)
{
	const struct keyword *k;
	int several;

	for (k = table; k->word != NULL; k++) {
		assert_ptr_equal(keyword_find(table, k->word, &several), k);
		assert_true((k->sub == NULL) != (k->run == NULL));
		assert_non_null(k->help);
		assert_int_equal(k->needed & ~k->options, 0);
		if (k->sub != NULL)
			walk(k->sub);
	}
}

static void
tables_are_sound(void **state)
{
	const struct option_def *o, *p;

	walk(ctl_keywords);
	for (o = ctl_options; o->name != NULL; o++)
		for (p = o + 1; p->name != NULL; p++) {
			assert_string_not_equal(o->name, p->name);
			assert_true(o->letter == '\0' || o->letter != p->letter);
			assert_true(p->help == NULL || !(o->bit & p->bit));
		}
}

/* The peer names the channel first. */
static void
pairing(void **state)
{
	assert_int_equal(run("pairing approve mattermost ABCD2345"), PARSE_OK);
	assert_ptr_equal(inv.cmd->run, cmd_pairing_approve);
	assert_string_equal(inv.operand, "ABCD2345");
	assert_int_equal(run("pairing approve ABCD2345 mattermost"), PARSE_OK);
	assert_string_equal(inv.operand, "ABCD2345");
	assert_int_equal(run("pairing approve mattermost"), PARSE_ERROR);
	assert_non_null(strstr(error, "needs a CODE"));
	assert_int_equal(
	    run("pairing approve mattermost A B"), PARSE_ERROR);
	assert_int_equal(run("pairing list mattermost --json"), PARSE_OK);
	assert_int_equal(
	    run("pairing approve A --no-notify --account x"), PARSE_OK);
	assert_int_equal(inv.given & OPT_NO_NOTIFY, OPT_NO_NOTIFY);
	assert_string_equal(inv.account, "x");
	assert_int_equal(
	    run("pairing approve A --notify --no-notify"), PARSE_ERROR);
	assert_int_equal(run("pairing list --account="), PARSE_ERROR);
	assert_string_equal(error, "--account must not be blank");
	assert_int_equal(run("pairing list --channel="), PARSE_ERROR);
	assert_string_equal(error, "--channel must not be blank");
	assert_int_equal(run("pairing list --channel slack"), PARSE_ERROR);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(abbreviations),
	    cmocka_unit_test(pairing),
	    cmocka_unit_test(unknown_words),
	    cmocka_unit_test(options),
	    cmocka_unit_test(operands),
	    cmocka_unit_test(help_before_a_verb),
	    cmocka_unit_test(spellings_of_the_peer),
	    cmocka_unit_test(tables_are_sound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
