#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/monotime.h"
#include "common/secret.h"
#include "daemon/config_private.h"
#include "tests/unit/test_config_util.h"

#define TOKEN_AT "P1:33: channels.mattermost.botToken: "

static const char *
with_token(const char *token)
{
	static char text[4096];

	snprintf(text, sizeof(text),
	    "{channels:{mattermost:{botToken:%.3000s,baseUrl:'https://h'}}}",
	    token);
	return text;
}

static void
is_token(const char *token, const char *want)
{
	struct config *cfg = test_load(with_token(token));

	if (cfg == NULL)
		fail_msg("%s\n%s", token, test_said());
	assert_string_equal(secret_bytes(cfg->accounts[0].token), want);
	config_free(cfg);
}

static void
no_token(const char *token, const char *why)
{
	char line[1024];

	snprintf(line, sizeof(line), TOKEN_AT "%.900s", why);
	test_bad(with_token(token), line);
}

static void
test_literal(void **state)
{
	struct config *cfg;

	is_token("'  abc  '", "abc");
	is_token("'$lower'", "$lower");
	is_token("'$'", "$");
	is_token("'secretref-env:A'", "secretref-env:A");
	test_says(with_token("'secretref-env:A'"),
	    "W1:33: channels.mattermost.botToken: an old way to name a "
	    "variable is taken for the secret itself: write \"$NAME\"");
	is_token("'${A'", "${A");
	no_token("'a\\nb'",
	    "the secret has more than one line or a control character");
	cfg = test_load_mode(with_token("'abc'"), 0640);
	assert_non_null(cfg);
	assert_non_null(strstr(test_said(),
	    "W1:33: channels.mattermost.botToken: a secret stands here and the "
	    "file's group can read it\n"));
	config_free(cfg);
	assert_null(test_load_mode(with_token("'abc'"), 0644));
	assert_non_null(strstr(test_said(),
	    "E1:33: channels.mattermost.botToken: a secret stands here and "
	    "everybody can read this file: "
	    "chmod 600 it, or name a file or variable instead\n"));
	assert_null(test_load_mode("{}", 0602));
	assert_non_null(strstr(test_said(),
	    "E0:0: everybody can write to this file: chmod 600 it\n"));
	/* A file without a secret in it may be read. */
	setenv("TEST_TOKEN", "t", 1);
	cfg = test_load_mode(with_token("'$TEST_TOKEN'"), 0644);
	assert_non_null(cfg);
	config_free(cfg);
	unsetenv("TEST_TOKEN");
}

static void
test_env(void **state)
{
	setenv("TEST_TOKEN", "from-env\n", 1);
	setenv("TEST_EMPTY", " ", 1);
	is_token("'$TEST_TOKEN'", "from-env");
	is_token("'${TEST_TOKEN}'", "from-env");
	is_token("{source:'env',id:'TEST_TOKEN'}", "from-env");
	is_token("{source:'env',provider:'default',id:'TEST_TOKEN'}",
	    "from-env");
	no_token("'$TEST_NONE'", "environment variable TEST_NONE is not set");
	no_token("'$TEST_EMPTY'", "environment variable TEST_EMPTY is empty");
	no_token("{source:'env',id:'lower'}",
	    "not a name of an environment variable (A-Z, 0-9, _)");
	no_token("{source:'env'}",
	    "not a name of an environment variable (A-Z, 0-9, _)");
	no_token("{source:'store',provider:'p',id:'A'}",
	    "there is no secret store here: use env, file, exec or credential");
	no_token("{source:'file',provider:'p',id:'/a'}",
	    "there is no secrets.providers.p");
	no_token("{source:'exec',provider:'p',id:'a'}",
	    "there is no secrets.providers.p");
	no_token("{source:'vault'}",
	    "source must be one of \"env\", \"file\", \"exec\", "
	    "\"credential\"");
	test_bad(with_token("3"),
	    "E1:33: channels.mattermost.botToken: must be a secret: a string, "
	    "\"$NAME\" or {source: ...}, not 3");
	test_bad(with_token("{source:'env',id:'A',x:1}"),
	    "P1:54: channels.mattermost.botToken.x: unknown key: it is "
	    "{ source: \"env\", id: \"NAME\" } or { source: \"file\", path: "
	    "\"/...\" }");
	unsetenv("TEST_TOKEN");
	unsetenv("TEST_EMPTY");
}

/* text with the path of the secret's file for its first %s. */
static const char *
fill(const char *text)
{
	static char buf[2][1024];
	static int turn;
	const char *at = strstr(text, "%s");

	turn = !turn;
	snprintf(buf[turn], sizeof(buf[turn]), "%.*s%s%s",
	    at == NULL ? (int)strlen(text) : (int)(at - text), text,
	    at == NULL ? "" : test_path("s"), at == NULL ? "" : at + 2);
	return buf[turn];
}

static void
file_token(const char *token, const char *want, const char *why)
{
	if (want != NULL)
		is_token(fill(token), want);
	else
		no_token(fill(token), fill(why));
}

static void
test_file(void **state)
{
	struct config *cfg;
	char text[1024];

	test_write("s", "\n in-file \n\n", 0600);
	file_token("{source:'file',path:'%s'}", "in-file", NULL);
	file_token("{source:'file',id:'%s'}", "in-file", NULL);
	file_token("{source:'file',path:'%s',id:'value'}", "in-file", NULL);
	file_token("{source:'file',path:'%s',id:'x'}", NULL,
	    "id must be a JSON pointer (\"/a/b\") or \"value\"");
	test_write("s", "", 0600);
	file_token("{source:'file',path:'%s'}", NULL, "%s is empty");
	test_write("s", "x", 0604);
	file_token("{source:'file',path:'%s'}", NULL,
	    "%s: everybody can read it: chmod 600 it");
	test_write("s", "x", 0640);
	snprintf(text, sizeof(text), "{source:'file',path:'%s'}",
	    test_path("s"));
	cfg = test_load(with_token(text));
	assert_non_null(cfg);
	assert_non_null(strstr(test_said(), ": its group can read it\n"));
	config_free(cfg);
	unlink(test_path("s"));
	file_token("{source:'file',path:'%s'}", NULL,
	    "%s: No such file or directory");
	assert_int_equal(mkdir(test_path("s"), 0700), 0);
	file_token("{source:'file',path:'%s'}", NULL, "%s: not a file");
	rmdir(test_path("s"));
	no_token("{source:'file',path:'rel'}",
	    "a file needs an absolute path");
	no_token("{source:'file'}", "a file needs an absolute path");

	test_write("s", "{a:{'b/c':['x',{'~':'deep'}]},n:1}", 0600);
	file_token("{source:'file',path:'%s',id:'/a/b~1c/1/~0'}", "deep", NULL);
	file_token("{source:'file',path:'%s',id:'/a/b~1c/0'}", "x", NULL);
	file_token("{source:'file',path:'%s',id:'/n'}", NULL,
	    "%s has no string there");
	file_token("{source:'file',path:'%s',id:'/a/b~1c/9'}", NULL,
	    "%s has no string there");
	test_write("s", "{a", 0600);
	file_token("{source:'file',path:'%s',id:'/n'}", NULL,
	    "%s:1:3: the text ends where ':' should be: what opens in line 1 "
	    "does not end");
}

static void
load_with_provider(const char *provider, const char *ref, const char *want)
{
	char text[4096];
	struct config *cfg;

	snprintf(text, sizeof(text),
	    "{secrets:{providers:{p:%s}},channels:{mattermost:{botToken:%s,"
	    "baseUrl:'https://h'}}}", provider, ref);
	cfg = test_load(text);
	if (cfg == NULL)
		fail_msg("%s\n%s", text, test_said());
	assert_string_equal(secret_bytes(cfg->accounts[0].token), want);
	config_free(cfg);
}

static void
test_provider(void **state)
{
	char p[512];

	test_write("s", "{mm:{token:'by-pointer'}}", 0600);
	snprintf(p, sizeof(p), "{source:'file',path:'%s'}", test_path("s"));
	load_with_provider(
	    p, "{source:'file',provider:'p',id:'/mm/token'}", "by-pointer");
	test_write("s", "whole\n", 0600);
	load_with_provider(
	    p, "{source:'file',provider:'p',id:'value'}", "whole");
	snprintf(p, sizeof(p), "{source:'file',mode:'singleValue',path:'%s'}",
	    test_path("s"));
	load_with_provider(
	    p, "{source:'file',provider:'p',id:'/any'}", "whole");
	unlink(test_path("s"));
}

static void
exec_token(const char *script, const char *args, const char *want,
    const char *why)
{
	char token[1024], said[1024];

	test_write("run", script, 0700);
	snprintf(token, sizeof(token), "{source:'exec',command:'%s'%s}",
	    test_path("run"), args);
	if (want != NULL) {
		is_token(token, want);
		return;
	}
	snprintf(said, sizeof(said), "%s%s", test_path("run"), why);
	no_token(token, said);
}

static void
test_exec(void **state)
{
	char ref[512], big[256];

	exec_token("#!/bin/sh\necho from-exec\n", "", "from-exec", NULL);
	exec_token("#!/bin/sh\necho \"$#:$2\"\n", ",args:['a','b c;$(id)']",
	    "2:b c;$(id)", NULL);
	/* No shell variables of ours get in, and no descriptors. */
	setenv("TEST_LEAK", "leak", 1);
	exec_token("#!/bin/sh\nenv | cut -d= -f1 | sort | tr '\\n' ' '\n", "",
	    "HOME LANG PATH PWD", NULL);
	exec_token("#!/bin/sh\necho \"$TEST_LEAK\"\n",
	    ",passEnv:['TEST_LEAK']", "leak", NULL);
	unsetenv("TEST_LEAK");
	exec_token("#!/bin/sh\nread x; echo \"[$x]\"\n", "", "[]", NULL);
	exec_token("#!/bin/sh\nexit 3\n", "", NULL, ": exit status 3");
	exec_token("#!/bin/sh\nkill -9 $$\n", "", NULL, ": ended by signal 9");
	exec_token("#!/bin/sh\n", "", NULL, " is empty");
	exec_token("#!/bin/sh\nprintf 'a\\nb'\n", "", NULL,
	    " has more than one line or a control character");
	exec_token("#!/bin/sh\nyes | head -c 300000\n", "", NULL,
	    ": wrote too much");
	exec_token("#!/bin/sh\nhead -c 9000 /dev/zero | tr '\\0' a\n", "", NULL,
	    " is longer than 8192 bytes");
	no_token("{source:'exec',command:'rel'}",
	    "rel: not an absolute path");
	no_token("{source:'exec',command:'/nonexistent'}",
	    "/nonexistent: No such file or directory");
	no_token("{source:'exec'}", "exec needs a command");
	no_token("{source:'exec',command:'/bin/true',id:'a b'}",
	    "exec needs an id of letters, digits and ._:/#-");
	chmod(test_path("run"), 0777);
	snprintf(ref, sizeof(ref), "{source:'exec',command:['%s','x']}",
	    test_path("run"));
	snprintf(big, sizeof(big), "%s: others can change it",
	    test_path("run"));
	no_token(ref, big);
	chmod(test_path("run"), 0600);
	snprintf(big, sizeof(big), "%s: not a program", test_path("run"));
	no_token(ref, big);
}

/* One that leaves a child behind with its output open is ended too. */
static void
test_exec_slow(void **state)
{
	const char *argv[] = {test_path("run"), NULL};
	struct config_exec x = {.argv = argv, .deadline =
	    monotime_add(monotime_now(), 300)};
	struct monotime t = monotime_now();
	char why[128], want[128], pid[32] = "", script[256];
	size_t len;
	FILE *f;

	snprintf(script, sizeof(script),
	    "#!/bin/sh\nsleep 60 &\necho $! >%s\nsleep 60\n",
	    test_path("pid"));
	test_write("run", script, 0700);
	assert_null(config_exec_run(&x, 100, &len, why, sizeof(why)));
	snprintf(want, sizeof(want), "%.100s: took too long", argv[0]);
	assert_string_equal(why, want);
	assert_true(monotime_since(t) < 5000);
	f = fopen(test_path("pid"), "r");
	assert_non_null(f);
	assert_non_null(fgets(pid, sizeof(pid), f));
	fclose(f);
	while (kill((pid_t)atoi(pid), 0) == 0 && monotime_since(t) < 5000)
		usleep(1000);
	assert_int_equal(kill((pid_t)atoi(pid), 0), -1);
	/* Output closed, and still there. */
	test_write("run", "#!/bin/sh\nexec >&-\nsleep 60\n", 0700);
	x.deadline = monotime_add(monotime_now(), 300);
	assert_null(config_exec_run(&x, 100, &len, why, sizeof(why)));
	assert_string_equal(why, want);
}

/* The way a provider of the peer is asked. */
static void
test_exec_provider(void **state)
{
	char p[512];

	test_write("run",
	    "#!/bin/sh\nread line || :\n"
	    "[ \"$line\" = '{\"protocolVersion\":1,\"provider\":\"p\",\"ids\":"
	    "[\"mm/token\"]}' ] || line=bad\n"
	    "[ \"$line\" = bad ] || echo "
	    "'{\"protocolVersion\":1,\"values\":{\"mm/token\":\"by-id\"}}'\n",
	    0700);
	snprintf(p, sizeof(p), "{source:'exec',command:'%s'}",
	    test_path("run"));
	load_with_provider(
	    p, "{source:'exec',provider:'p',id:'mm/token'}", "by-id");
	test_write("run", "#!/bin/sh\necho plain\n", 0700);
	snprintf(p, sizeof(p), "{source:'exec',jsonOnly:false,command:'%s'}",
	    test_path("run"));
	load_with_provider(
	    p, "{source:'exec',provider:'p',id:'mm/token'}", "plain");
}

/* What many accounts inherit is asked for once. */
static void
test_once(void **state)
{
	char text[1024], script[512], buf[64] = "";
	struct config *cfg;
	FILE *f;

	snprintf(script, sizeof(script), "#!/bin/sh\necho x >>%s\necho tok\n",
	    test_path("count"));
	test_write("run", script, 0700);
	snprintf(text, sizeof(text),
	    "{channels:{mattermost:{botToken:{source:'exec',command:'%s'},"
	    "accounts:{a:{baseUrl:'https://a'},b:{baseUrl:'https://b'},"
	    "c:{baseUrl:'https://c'}}}}}", test_path("run"));
	cfg = test_load(text);
	assert_non_null(cfg);
	assert_int_equal(cfg->naccounts, 3);
	assert_true(
	    secret_equal(cfg->accounts[0].token, cfg->accounts[2].token));
	config_free(cfg);
	f = fopen(test_path("count"), "r");
	assert_non_null(f);
	assert_int_equal(fread(buf, 1, sizeof(buf), f), 2);
	fclose(f);
}

static void
test_credential(void **state)
{
	char dir[256];

	strlcpy(dir, test_path("creds"), sizeof(dir));
	no_token("{source:'credential',id:'mm'}",
	    "the service manager gave no credentials");
	assert_int_equal(mkdir(dir, 0700), 0);
	setenv("CREDENTIALS_DIRECTORY", dir, 1);
	test_write("creds/mm", "cred\n", 0400);
	is_token("{source:'credential',id:'mm'}", "cred");
	no_token("{source:'credential',id:'../x'}",
	    "a credential needs its name as id");
	no_token("{source:'credential'}", "a credential needs its name as id");
	unsetenv("CREDENTIALS_DIRECTORY");
}

static void
test_proxy(void **state)
{
	struct config *cfg = test_load(
	    MM("proxy:'http://us%er:p@ss@Proxy.example:3128/'"));
	const struct config_account *a;
	const char *json;

	assert_non_null(cfg);
	a = &cfg->accounts[0];
	assert_string_equal(a->proxy.host, "proxy.example");
	assert_int_equal(a->proxy.port, 3128);
	assert_string_equal(secret_bytes(a->proxy.auth), "us%er:p@ss");
	json = json_object_to_json_string(a->json);
	assert_null(strstr(json, "p@ss"));
	assert_string_equal(test_json(a->json, "proxy"),
	    "{\"host\":\"proxy.example\",\"port\":3128,\"auth\":true}");
	assert_string_equal(
	    test_json(cfg->dialer_json, "endpoints.0.proxy"),
	    "{\"host\":\"proxy.example\",\"port\":3128}");
	config_free(cfg);
	test_bad(MM("proxy:'socks://h:1'"),
	    "E1:65: channels.mattermost.proxy: must be "
	    "http://[user:password@]host:port");
	test_bad(MM("proxy:'http://h'"),
	    "E1:65: channels.mattermost.proxy: must be "
	    "http://[user:password@]host:port");
	test_bad(MM("proxy:'http://nocolon@h:1'"),
	    "E1:65: channels.mattermost.proxy: must be "
	    "http://[user:password@]host:port");
	setenv("TEST_TOKEN", "t", 1);
	assert_null(test_load_mode("{channels:{mattermost:{botToken:"
	    "'$TEST_TOKEN',baseUrl:'https://h',proxy:'http://u:p@h:1'}}}",
	    0644));
	assert_non_null(strstr(test_said(),
	    "channels.mattermost.proxy: a secret stands here"));
	assert_null(strstr(test_said(), "u:p"));
	unsetenv("TEST_TOKEN");
}

/* Nothing that is printed or sent as configuration holds a secret. */
/* What workers are told beside their secrets must have none in it. */
static void
print_told(const struct config *cfg, FILE *f)
{
	size_t i;

	for (i = 0; i < cfg->naccounts; i++)
		fputs(json_object_to_json_string(cfg->accounts[i].json), f);
	for (i = 0; i < cfg->nagents; i++)
		fputs(json_object_to_json_string(cfg->agents[i].json), f);
	fputs(json_object_to_json_string(cfg->dialer_json), f);
	fputs(json_object_to_json_string(cfg->callback_json), f);
}

static void
test_nothing_leaks(void **state)
{
	struct config *cfg = test_load("{channels:{mattermost:{baseUrl:"
	    "'https://h',botToken:'canary-1',proxy:'http://canary-2:x@p:1',"
	    "accounts:{a:{botToken:'canary-3'}},commands:{native:true}}},"
	    "models:{providers:{p:{baseUrl:'https://m/v1',apiKey:'canary-4',"
	    "headers:{x:'canary-5'},proxy:'http://canary-6:x@p:1'}}},agents:{"
	    "defaults:{model:'p/m'}},hooks:{enabled:true,token:'canary-7'},"
	    "gateway:{auth:{token:'canary-8'}}}");
	char *buf = NULL;
	size_t len;
	FILE *f = open_memstream(&buf, &len);

	assert_non_null(cfg);
	assert_string_equal(secret_bytes(cfg->gateway.hook_token), "canary-7");
	assert_string_equal(secret_bytes(cfg->agents[0].key), "canary-4");
	print_told(cfg, f);
	fclose(f);
	assert_true(len > 1000);
	assert_null(strstr(buf, "canary"));
	assert_null(strstr(test_said(), "canary"));
	free(buf);
	config_free(cfg);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_literal),
	    cmocka_unit_test(test_env),
	    cmocka_unit_test(test_file),
	    cmocka_unit_test(test_provider),
	    cmocka_unit_test(test_exec),
	    cmocka_unit_test(test_exec_slow),
	    cmocka_unit_test(test_exec_provider),
	    cmocka_unit_test(test_once),
	    cmocka_unit_test(test_credential),
	    cmocka_unit_test(test_proxy),
	    cmocka_unit_test(test_nothing_leaks),
	};

	return cmocka_run_group_tests(
	    tests, test_config_setup, test_config_teardown);
}
