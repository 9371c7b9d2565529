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
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "common/monotime.h"
#include "common/secret.h"
#include "daemon/config_private.h"
#include "tests/unit/test_config_util.h"

#define ID "u10123456789abcdefghijklmn"

static struct json_object *
json_of(struct config *cfg, const char *account)
{
	const struct config_account *a = config_account_find(cfg, account);

	assert_non_null(a);
	return a->json;
}

/* Load text and compare one member of an account's JSON. */
static void
gives(const char *text, const char *account, const char *path, const char *want)
{
	struct config *cfg = test_load(text);
	const char *got;

	if (cfg == NULL)
		fail_msg("%s\n%s", text, test_said());
	got = test_json(json_of(cfg, account), path);
	if (strcmp(got, want) != 0)
		fail_msg("%s\n%s is %s", text, path, got);
	config_free(cfg);
}

static void
test_minimal(void **state)
{
	struct config *cfg = test_good(
	    "{ channels: { mattermost: { enabled: true, botToken: 'mm-token',"
	    " baseUrl: 'https://chat.example.com', dmPolicy: 'pairing', }, },"
	    " }");
	const struct config_account *a = &cfg->accounts[0];
	unsigned ids[2] = {0, 0};

	assert_int_equal(cfg->naccounts, 1);
	assert_string_equal(a->id, "default");
	assert_int_equal(a->enabled, 1);
	assert_string_equal(secret_bytes(a->token), "mm-token");
	assert_int_equal(a->token_source, CONFIG_FROM_CONFIG);
	assert_string_equal(a->url.host, "chat.example.com");
	assert_int_equal(a->url.port, 443);
	assert_int_equal(a->url.tls, 1);
	assert_int_equal(config_account_endpoints(a, ids, 2), 1);
	assert_int_equal(ids[0], a->endpoint);
	assert_int_equal(cfg->nagents, 1);
	assert_string_equal(cfg->agents[0].id, "main");
	assert_int_equal(cfg->agents[0].model, 0);
	assert_int_equal(a->nagents, 1);
	assert_int_equal(cfg->gateway.wanted, 0);
	assert_string_equal(test_json(a->json, "dmPolicy"), "\"pairing\"");
	assert_string_equal(test_json(a->json, "requireMention"), "null");
	assert_string_equal(test_json(a->json, "botToken"), "(none)");
	assert_string_equal(test_json(cfg->dialer_json, "endpoints.0.host"),
	    "\"chat.example.com\"");
	assert_null(strstr(
	    json_object_to_json_string(a->json), "mm-token"));
	config_free(cfg);
}

/* What is left out comes from the top: absent is not default. */
static void
test_inherit(void **state)
{
	const char *text = MM("dmPolicy:'open',allowFrom:['*'],"
	    "groupPolicy:'open',groups:{'*':{requireMention:false}},"
	    "streaming:{mode:'block',chunkMode:'newline'},"
	    "commands:{native:true,callbackPath:'/a'},"
	    "actions:{messages:true},implicitMentions:{quotedBot:false},"
	    "dmChannelRetry:{maxRetries:7},"
	    "accounts:{a:{},b:{botToken:'b',dmPolicy:'pairing',groups:{},"
	    "streaming:{mode:'off'},commands:{nativeSkills:true},"
	    "actions:{reactions:false},implicitMentions:{replyToBot:false},"
	    "dmChannelRetry:{timeoutMs:5000}},n:null}");

	gives(text, "a", "dmPolicy", "\"open\"");
	gives(text, "a", "groupPolicy", "\"open\"");
	gives(text, "n", "groupPolicy", "\"open\"");
	gives(text, "b", "dmPolicy", "\"pairing\"");
	gives(text, "b", "allowFrom", "[\"*\"]");
	gives(text, "a", "groups", "{\"*\":{\"requireMention\":false}}");
	gives(text, "b", "groups", "{}");
	gives(text, "b", "streaming.mode", "\"off\"");
	gives(text, "b", "streaming.chunkMode", "\"length\"");
	gives(text, "b", "commands.native", "true");
	gives(text, "b", "commands.nativeSkills", "true");
	gives(text, "b", "commands.callbackPath", "\"/a\"");
	gives(text, "b", "actions", "{\"messages\":true,\"reactions\":false}");
	gives(text, "b", "implicitMentions",
	    "{\"replyToBot\":false,\"quotedBot\":false,"
	    "\"threadParticipation\":true}");
	gives(text, "b", "dmChannelRetry.maxRetries", "3");
	gives(text, "b", "dmChannelRetry.timeoutMs", "5000");
	/* The empty groups of the only account say nothing. */
	gives("{channels:{mattermost:{baseUrl:'https://h',groups:{'*':{"
	    "requireMention:false}},accounts:{w:{botToken:'t',groups:{}}}}}}",
	    "w", "groups", "{\"*\":{\"requireMention\":false}}");
}

static void
test_fallback(void **state)
{
	const char *text = "{channels:{defaults:{groupPolicy:'open',"
	    "contextVisibility:'allowlist',implicitMentions:{"
	    "threadParticipation:false}},mattermost:{botToken:'t',"
	    "baseUrl:'https://h',historyLimit:3,accounts:{x:{historyLimit:0}"
	    "}}},messages:{groupChat:{historyLimit:9},responsePrefix:'>',"
	    "inbound:{debounceMs:5,byChannel:{mattermost:7}}},"
	    "gapFill:{maxAgeMinutes:5},agents:{defaults:{mediaMaxMb:2.5}}}";

	gives(text, "default", "groupPolicy", "\"open\"");
	gives(text, "default", "contextVisibility", "\"allowlist\"");
	gives(text, "default", "implicitMentions.threadParticipation", "false");
	gives(text, "default", "historyLimit", "3");
	gives(text, "x", "historyLimit", "0");
	gives(text, "x", "gapFill.maxAgeMinutes", "5");
	gives(text, "x", "mediaMaxMb", "2.5");
	gives(MM("mediaMaxMb:0.1"), "default", "mediaMaxMb", "0.1");
	gives(text, "x", "responsePrefix", "\">\"");
	gives(text, "x", "messages.debounceMs", "7");
	gives("{channels:{mattermost:{botToken:'t',baseUrl:'https://h'}},"
	    "messages:{groupChat:{historyLimit:9}}}",
	    "default", "historyLimit", "9");
}

/* The peer bounds none of these: its file is no error here. */
static void
test_more_than_here(void **state)
{
	test_says(MM("historyLimit:5000"),
	    "W1:72: channels.mattermost.historyLimit: 5000 is more than there "
	    "can be here: 1000 is taken");
	gives(MM("historyLimit:5000"), "default", "historyLimit", "1000");
	gives(MM("mediaMaxMb:2048.5"), "default", "mediaMaxMb", "1024");
	gives(MM("textChunkLimit:2000000"), "default", "textChunkLimit",
	    "16383");
	gives(MM("streaming:{progress:{maxLines:500,maxLineChars:9000}}"),
	    "default", "streaming.progress.maxLineChars", "4000");
	gives("{channels:{mattermost:{botToken:'t',baseUrl:'https://h'}},"
	      "agents:{defaults:{timeoutSeconds:172800}}}",
	    "default", "dmPolicy", "\"pairing\"");
}

static void
test_legacy(void **state)
{
	gives(MM("streaming:'Progress '"), "default", "streaming.mode",
	    "\"progress\"");
	gives(MM("streaming:true"), "default", "streaming.mode", "\"partial\"");
	gives(MM("streaming:false"), "default", "streaming.mode", "\"off\"");
	gives(MM("streamMode:'block'"), "default", "streaming.mode",
	    "\"block\"");
	gives(MM("streamMode:'block',streaming:'off'"), "default",
	    "streaming.mode", "\"off\"");
	gives(MM("streamMode:'block',streaming:true"), "default",
	    "streaming.mode", "\"block\"");
	gives(MM("streamMode:'block',streaming:{mode:'off'}"), "default",
	    "streaming.mode", "\"off\"");
	gives(MM("chunkMode:'newline'"), "default", "streaming.chunkMode",
	    "\"newline\"");
	gives(MM("chunkMode:'newline',streaming:{chunkMode:'length'}"),
	    "default", "streaming.chunkMode", "\"length\"");
	gives(MM("blockStreaming:true,blockStreamingCoalesce:{minChars:9}"),
	    "default", "streaming.block",
	    "{\"enabled\":true,\"coalesce\":{\"minChars\":9,\"maxChars\":4000,"
	    "\"idleMs\":1000}}");
	gives(MM("allowPrivateNetwork:true"), "default",
	    "network.dangerouslyAllowPrivateNetwork", "true");
	gives(MM("allowPrivateNetwork:true,"
		 "network:{dangerouslyAllowPrivateNetwork:false}"),
	    "default", "network.dangerouslyAllowPrivateNetwork", "false");
	/* What an account says the old way leaves the rest to the top. */
	gives(MM("streaming:{mode:'block',chunkMode:'newline'},"
		 "accounts:{a:{chunkMode:'length'},b:{streaming:'off'}}"),
	    "a", "streaming.mode", "\"block\"");
	gives(MM("streaming:{mode:'block',chunkMode:'newline'},"
		 "accounts:{a:{chunkMode:'length'},b:{streaming:'off'}}"),
	    "a", "streaming.chunkMode", "\"length\"");
	gives(MM("streaming:{mode:'block',chunkMode:'newline'},"
		 "accounts:{a:{chunkMode:'length'},b:{streaming:'off'}}"),
	    "b", "streaming.chunkMode", "\"newline\"");
	test_says(MM("commands:{useAccessGroups:false}"),
	    "N1:69: useAccessGroups: no longer a choice: commands always need "
	    "an allowed sender");
	test_says(MM("streamMode:'off',streaming:{mode:'off'}"),
	    "N1:59: streamMode: old spelling, the new one is used");
}

static void
test_streaming_defaults(void **state)
{
	gives(MM("streaming:{preview:{toolProgress:false,commandText:'raw'}}"),
	    "default", "streaming.progress.toolProgress", "false");
	gives(MM("streaming:{preview:{toolProgress:true,commandText:'raw'}}"),
	    "default", "streaming.progress.toolProgress", "true");
	gives(MM("streaming:{preview:{toolProgress:true,commandText:'raw'}}"),
	    "default", "streaming.progress.commandText", "\"raw\"");
	gives(MM("textChunkLimit:100"), "default",
	    "streaming.block.coalesce.maxChars", "100");
	gives(MM("streaming:{progress:{label:false}}"), "default",
	    "streaming.progress.label", "false");
	gives(MM("oncharPrefixes:['',' ']"), "default", "oncharPrefixes",
	    "[\">\",\"!\"]");
	gives(MM("oncharPrefixes:['','$']"), "default", "oncharPrefixes",
	    "[\"$\"]");
	gives(MM("textChunkLimit:20000"), "default", "textChunkLimit",
	    "16383");
	gives("{channels:{mattermost:{botToken:'t',baseUrl:'https://h'}},"
	      "accessGroups:{g:{type:'message.senders',members:{'*':['a'],"
	      "mattermost:[5],slack:['s']}}}}",
	    "default", "accessGroups.g.members",
	    "{\"*\":[\"a\"],\"mattermost\":[\"5\"],\"slack\":[\"s\"]}");
	gives(MM("allowFrom:[7,'" ID "']"), "default", "allowFrom",
	    "[\"7\",\"" ID "\"]");
}

static void
test_accounts(void **state)
{
	struct config *cfg;

	cfg = test_load("{channels:{mattermost:{baseUrl:'https://h',"
	    "defaultAccount:'Zed',accounts:{' My Acct! ':{botToken:'a'},"
	    "Zed:{botToken:'b',name:'The Z'}}}}}");
	assert_non_null(cfg);
	assert_int_equal(cfg->naccounts, 2);
	assert_string_equal(cfg->accounts[0].id, "my-acct");
	assert_string_equal(cfg->accounts[1].id, "zed");
	assert_string_equal(cfg->accounts[1].name, "The Z");
	assert_int_equal(cfg->default_account, 1);
	config_free(cfg);

	/* The top is an account of its own when it is complete. */
	cfg = test_load(MM("accounts:{b:{botToken:'b'}}"));
	assert_int_equal(cfg->naccounts, 2);
	assert_string_equal(cfg->accounts[1].id, "default");
	assert_int_equal(cfg->default_account, 1);
	config_free(cfg);
	cfg = test_load("{channels:{mattermost:{botToken:'t',accounts:{"
	    "b:{baseUrl:'https://h'}}}}}");
	assert_int_equal(cfg->naccounts, 1);
	assert_string_equal(secret_bytes(cfg->accounts[0].token), "t");
	config_free(cfg);

	test_says(MM("accounts:{b:{}}"),
	    "W1:71: accounts b and default are the same bot on the same server: "
	    "it will answer twice");
	test_bad(MM("accounts:{a:{},A:{}}"),
	    "E1:74: channels.mattermost.accounts.A: the same account as \"a\"");
	test_bad(MM("accounts:{'__proto__':{}}"),
	    "E1:69: channels.mattermost.accounts.__proto__: not a name for an "
	    "account");
	test_says(MM("defaultAccount:'nobody'"),
	    "W1:74: channels.mattermost.defaultAccount: there is no account "
	    "\"nobody\"");
	/* What is switched off need not be complete. */
	cfg = test_load("{channels:{mattermost:{accounts:{a:{enabled:false,"
	    "botToken:{source:'env',id:'UNSET'}}}}}}");
	assert_non_null(cfg);
	assert_int_equal(cfg->accounts[0].enabled, 0);
	assert_int_equal(cfg->accounts[0].endpoint, 0);
	config_free(cfg);
	cfg = test_load("{channels:{mattermost:{enabled:false,accounts:{a:{"
	    "enabled:true}}}}}");
	assert_int_equal(cfg->accounts[0].enabled, 0);
	config_free(cfg);
}

static void
test_ids(void **state)
{
	static const char *const table[][2] = {
	    {"default", "default"}, {" Work ", "work"}, {"a b", "a-b"},
	    {"a  !b", "a-b"}, {"--x--", "x"}, {"_x_", "_x_"}, {"", "default"},
	    {"!!!", "default"}, {"\xc3\xbc" "ber", "ber"},
	    {"0123456789012345678901234567890123456789012345678901234567890123"
	     "456", "012345678901234567890123456789012345678901234567890123456"
		    "7890123"},
	};
	char buf[65];
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(*table); i++) {
		assert_int_equal(
		    config_id_normalise(table[i][0], buf, sizeof(buf)), 0);
		assert_string_equal(buf, table[i][1]);
	}
	assert_int_equal(
	    config_id_normalise("constructor", buf, sizeof(buf)), -1);
}

static void
url(const char *base, const char *want)
{
	struct config_url u;
	const char *why = config_url_parse(base, &u);

	assert_string_equal(why != NULL ? why : u.text, want);
	config_url_free(&u);
}

static void
test_url(void **state)
{
	url("HTTPS://Chat.Example.Test/MM", "https://chat.example.test/MM");
	url("http://h:80/", "http://h");
	url("http://h:8065//", "http://h:8065");
	url("https://[::1]:8065/x", "https://[::1]:8065/x");
	url("chat.example.com:8065", "must begin with http:// or https://");
	url("ftp://h", "must begin with http:// or https://");
	url("https://u:p@h", "must not hold a user name or password");
	url("https://h/x?y", "must not have a query or a fragment");
	url("https://h#y", "must not have a query or a fragment");
	url("https://h/../x", "has a path that is not safe");
	url("https://h/%2e%2e", "has a path that is not safe");
	url("https://h/a b", "has a path that is not safe");
	url("https://", "has no valid host and port");
	url("https://h:0", "has no valid host and port");
	url("https://h:65536", "has no valid host and port");
	url("https://h:8x", "has no valid host and port");
	url("https://a..b", "has no valid host and port");
	url("https://[::zz]", "has no valid host and port");
	url("https://a b", "has no valid host and port");
	url("https://\xd1\x87\xd0\xb0\xd1\x82.example",
	    "write the host name in ASCII (xn--...)");
	test_bad("{channels:{mattermost:{botToken:'t',baseUrl:'h:1'}}}",
	    "E1:45: channels.mattermost.baseUrl: must begin with http:// or "
	    "https://");
	test_bad("{channels:{mattermost:{botToken:'t',baseUrl:' / '}}}",
	    "P1:45: channels.mattermost: baseUrl is missing");
	test_says("{channels:{mattermost:{botToken:'t',baseUrl:'http://h'}}}",
	    "W1:45: channels.mattermost.baseUrl: the token crosses the network "
	    "unencrypted: use https");
	test_silent("{channels:{mattermost:{botToken:'t',"
		    "baseUrl:'http://127.0.0.1:8065'}}}", "unencrypted");
}

static void
test_environment(void **state)
{
	struct config *cfg;

	setenv("MATTERMOST_BOT_TOKEN", " env-token\n", 1);
	setenv("MATTERMOST_URL", "https://env.example/api/v4/", 1);
	cfg = test_load("{channels:{mattermost:{}}}");
	assert_non_null(cfg);
	assert_string_equal(secret_bytes(cfg->accounts[0].token), "env-token");
	assert_int_equal(cfg->accounts[0].token_source, CONFIG_FROM_ENV);
	assert_string_equal(cfg->accounts[0].url.text, "https://env.example");
	assert_int_equal(cfg->accounts[0].url_source, CONFIG_FROM_ENV);
	config_free(cfg);
	cfg = test_load(MM(""));
	assert_string_equal(secret_bytes(cfg->accounts[0].token), "tok");
	config_free(cfg);
	/* A reference that leads nowhere does not fall back. */
	test_bad("{channels:{mattermost:{botToken:'$NOPE'}}}",
	    "P1:33: channels.mattermost.botToken: environment variable NOPE is "
	    "not set");
	/* For no account but default. */
	test_bad("{channels:{mattermost:{accounts:{w:{baseUrl:'https://h'}}}}}",
	    "P1:36: channels.mattermost.accounts.w: botToken is missing");
	test_bad("{channels:{mattermost:{accounts:{w:{botToken:'x'}}}}}",
	    "P1:36: channels.mattermost.accounts.w: baseUrl is missing");
	/* The environment alone: channels stay closed. */
	cfg = test_load("{channels:{defaults:{groupPolicy:'open'}}}");
	assert_non_null(cfg);
	assert_int_equal(cfg->naccounts, 1);
	assert_string_equal(cfg->accounts[0].url.text, "https://env.example");
	assert_string_equal(
	    test_json(cfg->accounts[0].json, "groupPolicy"), "\"allowlist\"");
	assert_string_equal(
	    test_json(cfg->accounts[0].json, "dmPolicy"), "\"pairing\"");
	assert_string_equal(test_said(),
	    "W0:0: channels.mattermost is missing: groupPolicy falls back to "
	    "\"allowlist\", messages in channels are dropped\n");
	config_free(cfg);
	cfg = test_load("{channels:{defaults:{groupPolicy:'open'},"
			"mattermost:{}}}");
	assert_string_equal(
	    test_json(cfg->accounts[0].json, "groupPolicy"), "\"open\"");
	config_free(cfg);
	setenv("MATTERMOST_URL", "nonsense", 1);
	test_bad("{channels:{mattermost:{}}}",
	    "E0:0: MATTERMOST_URL: must begin with http:// or https://");
	unsetenv("MATTERMOST_BOT_TOKEN");
	unsetenv("MATTERMOST_URL");
	test_bad("{channels:{mattermost:{}}}",
	    "P1:23: channels.mattermost: botToken is missing, and "
	    "MATTERMOST_BOT_TOKEN is not set");
	test_bad("{channels:{mattermost:{botToken:'t'}}}",
	    "P1:23: channels.mattermost: baseUrl is missing, and "
	    "MATTERMOST_URL is not set");
	setenv("OPENCLAW_GATEWAY_PORT", "4444", 1);
	cfg = test_load("{gateway:{port:5}}");
	assert_int_equal(cfg->gateway.listen[0].port, 4444);
	config_free(cfg);
	unsetenv("OPENCLAW_GATEWAY_PORT");
}

static void
test_speed(void **state)
{
	struct config *cfg;
	char *text = calloc(1, 1 << 20);
	struct monotime t;
	size_t n;
	int i;

	assert_non_null(text);
	n = (size_t)snprintf(text, 1 << 20,
	    "{channels:{mattermost:{baseUrl:'https://h',accounts:{");
	for (i = 0; i < 200; i++)
		n += (size_t)snprintf(text + n, (1 << 20) - n,
		    "account%d:{botToken:'t%d',allowFrom:['" ID "'],"
		    "streaming:{mode:'block'},groupPolicy:'open',"
		    "commands:{native:true}},", i, i);
	snprintf(text + n, (1 << 20) - n, "}}}}");
	t = monotime_now();
	cfg = test_load(text);
	/* 200 ms is the promise; a checking build on a busy host is slower. */
	print_message("200 accounts: %lld ms\n", (long long)monotime_since(t));
	assert_true(monotime_since(t) < 2000);
	assert_non_null(cfg);
	assert_int_equal(cfg->naccounts, 200);
	config_free(cfg);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_minimal),
	    cmocka_unit_test(test_inherit),
	    cmocka_unit_test(test_fallback),
	    cmocka_unit_test(test_more_than_here),
	    cmocka_unit_test(test_legacy),
	    cmocka_unit_test(test_streaming_defaults),
	    cmocka_unit_test(test_accounts),
	    cmocka_unit_test(test_ids),
	    cmocka_unit_test(test_url),
	    cmocka_unit_test(test_environment),
	    cmocka_unit_test(test_speed),
	};

	return cmocka_run_group_tests(
	    tests, test_config_setup, test_config_teardown);
}
