#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/test_config_util.h"

#define ID "u10123456789abcdefghijklmn"

/* What the configuration complains of, word by word. */

/* Not all that JavaScript knows can be searched for in bounded time. */
static void
test_patterns(void **state)
{
	test_says("{messages:{groupChat:{mentionPatterns:['ok','a(?=b)']}}}",
	    "W1:45: messages.groupChat.mentionPatterns[1]: \"a(?=b)\" is not "
	    "used: look-around or named group");
	test_says("{messages:{groupChat:{mentionPatterns:['(helper']}}}",
	    "W1:40: messages.groupChat.mentionPatterns[0]: \"(helper\" is not "
	    "used: group without an end");
	test_says("{agents:{list:[{id:'a'},{id:'b',model:'p/m',\n"
		  "groupChat:{mentionPatterns:['x*']}}]},"
		  "models:{providers:{p:{baseUrl:'https://h',apiKey:'k'}}}}",
	    "W2:29: agents.list[1].groupChat.mentionPatterns[0]: \"x*\" is "
	    "not used: matches the empty text");
	test_says("{agents:{entries:{a:{groupChat:{mentionPatterns:['+']}}}}}",
	    "W1:50: agents.entries.a.groupChat.mentionPatterns[0]: \"+\" is "
	    "not used: nothing to repeat");
	test_silent("{messages:{groupChat:{mentionPatterns:['\\\\bhey\\\\b',"
		    "'','@?bot']}}}", "mentionPatterns");
}

static void
test_strict(void **state)
{
	test_bad(MM("dmPolcy:'open'"),
	    "E1:59: channels.mattermost.dmPolcy: unknown key (did you mean "
	    "\"dmPolicy\"?)");
	test_bad(MM("zzz:1"), "E1:59: channels.mattermost.zzz: unknown key");
	test_bad(MM("accounts:{w:{markdown:{table:'off'}}}"),
	    "E1:82: channels.mattermost.accounts.w.markdown.table: unknown key "
	    "(did you mean \"tables\"?)");
	test_bad(MM("accounts:{w:{accounts:{}}}"),
	    "E1:72: channels.mattermost.accounts.w.accounts: unknown key");
	test_bad(MM("accounts:{'a b':{x:1}}"),
	    "E1:76: channels.mattermost.accounts[\"a b\"].x: unknown key");
	test_bad(MM("dmPolicy:'opn'"),
	    "E1:68: channels.mattermost.dmPolicy: must be one of \"pairing\", "
	    "\"allowlist\", \"open\", \"disabled\" (did you mean \"open\"?)");
	test_bad(MM("dmPolicy:'everybody'"),
	    "E1:68: channels.mattermost.dmPolicy: must be one of \"pairing\", "
	    "\"allowlist\", \"open\", \"disabled\"");
	test_bad(MM("dmPolicy:true"),
	    "E1:68: channels.mattermost.dmPolicy: must be one of \"pairing\", "
	    "\"allowlist\", \"open\", \"disabled\", not true");
	test_bad(MM("enabled:'yes'"),
	    "E1:67: channels.mattermost.enabled: must be true or false, not a "
	    "string");
	test_bad(MM("name:null"),
	    "E1:64: channels.mattermost.name: must be a string, not null");
	test_bad(MM("historyLimit:1.5"),
	    "E1:72: channels.mattermost.historyLimit: must be a whole number "
	    "from 0 to 1000, not 1.5");
	test_bad(MM("historyLimit:-1"),
	    "E1:72: channels.mattermost.historyLimit: must be a whole number "
	    "from 0 to 1000, not -1");
	test_bad(MM("historyLimit:1000.5"),
	    "E1:72: channels.mattermost.historyLimit: must be a whole number "
	    "from 0 to 1000, not 1000.5");
	test_bad(MM("mediaMaxMb:0"),
	    "E1:70: channels.mattermost.mediaMaxMb: must be a number above 0 "
	    "and up to 1024, not 0");
	test_bad(MM("mediaMaxMb:NaN"),
	    "E1:70: channels.mattermost.mediaMaxMb: must be a number above 0 "
	    "and up to 1024, not nan");
	test_bad(MM("dmChannelRetry:{maxRetries:11}"),
	    "E1:86: channels.mattermost.dmChannelRetry.maxRetries: must be a "
	    "whole number from 0 to 10, not 11");
	test_bad(MM("allowFrom:'*'"),
	    "E1:69: channels.mattermost.allowFrom: must be a list of ids, not "
	    "a string");
	test_bad(MM("allowFrom:[{}]"),
	    "E1:70: channels.mattermost.allowFrom[0]: must be a string or a "
	    "whole number, not an object");
	test_bad(MM("oncharPrefixes:['a',2]"),
	    "E1:79: channels.mattermost.oncharPrefixes[1]: must be a string, "
	    "not a number");
	test_bad(MM("groups:[]"),
	    "E1:66: channels.mattermost.groups: must be an object, not an "
	    "array");
	test_bad(MM("streaming:{progress:{label:true}}"),
	    "E1:86: channels.mattermost.streaming.progress.label: must be false "
	    "or a string, not true");
	test_bad(MM("streaming:3"),
	    "E1:69: channels.mattermost.streaming: must be one of \"off\", "
	    "\"partial\", \"block\", \"progress\" or true or false or an "
	    "object, not 3");
	test_bad(MM("commands:{native:'yes'}"),
	    "E1:76: channels.mattermost.commands.native: must be \"auto\" or "
	    "true or false");
	test_bad("{a:1,log:{level:'info',level:'debug'},log:{}}",
	    "E1:24: log.level: is here twice, first in line 1");
	test_bad("{a:1,log:{},\nlog:{}}",
	    "E2:1: log: is here twice, first in line 1");
	test_bad("{x:[{a:1,a:2}]}",
	    "E1:10: x[0].a: is here twice, first in line 1");
	test_bad("{log:{levle:'info'}}",
	    "E1:7: log.levle: unknown key (did you mean \"level\"?)");
	test_bad("[]", "E1:1: the file must be an object, not an array");
	test_bad("{", "E1:2: the text ends where a name should be: what opens in "
	    "line 1 does not end");
	test_bad("# x", "E1:1: '#' where a value should be: a comment begins "
	    "with //: the file is one object, { channels: { ... } }");
	test_bad("{$include:'x'}",
	    "E1:2: $include: other files are not read: put their content here");
}

/* All of it is said at once. */
static void
test_all_errors(void **state)
{
	const char *p;
	int n = 0;

	test_bad("{\nlog:{level:'x'},\nchannels:{mattermost:{dmPolcy:1,\n"
		 "chatmode:2}},\ngateway:{port:'x'}}",
	    "E2:12: log.level: must be one of \"error\", \"warning\", \"info\","
	    " \"debug\", \"trace\"");
	for (p = test_said(); (p = strstr(p, "\n")) != NULL; p++)
		n++;
	assert_int_equal(n, 7);
	assert_non_null(strstr(test_said(), "E3:23: channels.mattermost.dmPol"));
	assert_non_null(strstr(test_said(), "E4:10: channels.mattermost.chat"));
	assert_non_null(strstr(test_said(), "E5:15: gateway.port: must be a"));
}

static void
test_shared(void **state)
{
	const char *text = "{$schema:'x',auth:{a:1},browser:{},plugins:{},"
	    "channels:{telegram:{botToken:'1'},mattermost:{enabled:false}},"
	    "agents:{defaults:{models:{},heartbeat:{every:'1h'},workspace:'~',"
	    "model:{}}},messages:{queue:{mode:'interrupt',cap:5}},zork:1}";

	test_says(text,
	    "N0:0: ignored, of no use here: $schema, auth, browser, plugins, "
	    "channels.telegram, agents.defaults.models, "
	    "agents.defaults.heartbeat, agents.defaults.workspace, "
	    "messages.queue, zork");
	test_silent(text, "W");
	test_says("{mesages:{}}",
	    "W1:2: mesages: unknown key, ignored (did you mean \"messages\"?)");
	test_says("{agents:{defaults:{promt:'x'}}}",
	    "W1:20: agents.defaults.promt: unknown key, ignored (did you mean "
	    "\"prompt\"?)");
	test_says("{channels:{matermost:{}}}",
	    "W1:12: channels.matermost: unknown key, ignored (did you mean "
	    "\"mattermost\"?)");
	test_says("{}", "W0:0: channels.mattermost is missing: there is no "
			"account");
}

static void
test_capabilities(void **state)
{
	test_says(MM("capabilities:['other','inlinebuttons']"),
	    "W1:81: channels.mattermost.capabilities: \"inlinebuttons\" is not "
	    "known (did you mean \"inlineButtons\"?)");
	test_silent(MM("capabilities:['inlineButtons','threads']"),
	    "not known");
}

/* https://h is not this host. */
static void
test_callbacks(void **state)
{
	test_says(MM("commands:{native:true}"),
	    "W1:68: channels.mattermost.commands.callbackUrl: absent, so "
	    "https://h is told to call localhost: good only when it runs on "
	    "this host");
	test_says(MM("capabilities:['inlineButtons']"),
	    "W1:23: channels.mattermost.interactions.callbackBaseUrl: absent, "
	    "so https://h is told to call localhost: good only when it runs "
	    "on this host");
	test_says(MM("interactions:{callbackBaseUrl:'https://gw.example'}"),
	    "W1:72: channels.mattermost.interactions.allowedSourceIps: absent, "
	    "so clicks are taken from this host alone, and they are to come "
	    "by gw.example");
	test_silent(MM("interactions:{callbackBaseUrl:'https://gw.example',"
		       "allowedSourceIps:['10.0.0.1']},commands:{native:true,"
		       "callbackUrl:'http://localhost/x'}"), "W");
	test_silent("{channels:{mattermost:{botToken:'t',baseUrl:"
		    "'http://127.0.0.1:8065',commands:{native:true}}}}",
	    "absent");
}

static void
test_policies(void **state)
{
	test_bad(MM("dmPolicy:'open'"),
	    "E1:68: channels.mattermost.dmPolicy=\"open\" requires "
	    "channels.mattermost.allowFrom to include \"*\"");
	test_bad(MM("dmPolicy:'open',allowFrom:['accessGroup:*']"),
	    "E1:68: channels.mattermost.dmPolicy=\"open\" requires "
	    "channels.mattermost.allowFrom to include \"*\"");
	test_bad(MM("accounts:{w:{dmPolicy:'open'}}"),
	    "E1:81: channels.mattermost.accounts.w.dmPolicy=\"open\" requires "
	    "channels.mattermost.accounts.w.allowFrom to include \"*\"");
	test_silent(MM("allowFrom:['*'],accounts:{w:{dmPolicy:'open'}}"),
	    "dmPolicy");
	test_says(MM("dmPolicy:'allowlist'"),
	    "W1:68: channels.mattermost.dmPolicy: \"allowlist\" with an empty "
	    "allowFrom drops every direct message");
	test_says(MM("groupPolicy:'allowlist'"),
	    "W1:71: channels.mattermost.groupPolicy: \"allowlist\" with neither "
	    "groupAllowFrom nor allowFrom drops every message in channels: name "
	    "people there, or say \"open\"");
	test_says(MM(""),
	    "N1:23: channels.mattermost.groupPolicy: \"allowlist\" with neither "
	    "groupAllowFrom nor allowFrom drops every message in channels: name "
	    "people there, or say \"open\"");
	test_silent(MM("allowFrom:['" ID "']"), "drops");
	test_says(MM("allowFrom:['*'],accounts:{w:{dmPolicy:'pairing'}}"),
	    "W1:97: channels.mattermost.accounts.w.dmPolicy: \"pairing\" lets "
	    "everybody in, for channels.mattermost.allowFrom has \"*\"");
	test_says(MM("groupPolicy:'allowlist',groupAllowFrom:['*']"),
	    "W1:71: channels.mattermost.groupPolicy: \"allowlist\" lets "
	    "everybody in, for channels.mattermost.groupAllowFrom has \"*\"");
	test_says(MM("groupPolicy:'allowlist',allowFrom:['*']"),
	    "W1:71: channels.mattermost.groupPolicy: \"allowlist\" lets "
	    "everybody in, for channels.mattermost.allowFrom has \"*\"");
	test_silent(MM("groupPolicy:'allowlist',allowFrom:['*'],"
		       "groupAllowFrom:['" ID "'],dmPolicy:'open'"),
	    "lets everybody in");
	test_silent(MM("allowFrom:['*']"), "lets everybody in");
	test_says(MM("allowFrom:['@alice']"),
	    "W1:70: channels.mattermost.allowFrom: \"@alice\" is not a user id "
	    "(26 letters and digits) and will match nobody: posternctl channels "
	    "resolve tells the id");
	test_silent(MM("allowFrom:['@alice'],dangerouslyAllowNameMatching:true"),
	    "will match");
	test_silent(MM("allowFrom:[' mattermost:" ID "','user:" ID "','*']"),
	    "will match");
	test_says(MM("allowFrom:['accessGroup:ops']"),
	    "W1:70: channels.mattermost.allowFrom: there is no "
	    "accessGroups.ops: it lets nobody in");
	test_says("{accessGroups:{x:{type:'ldap'}}}",
	    "W1:24: accessGroups.x.type: is not \"message.senders\": the group "
	    "lets nobody in");
	test_says("{accessGroups:{g:{type:'message.senders',members:{"
		  "mattermost:[],x:['" ID "']}}},channels:{mattermost:{"
		  "botToken:'t',baseUrl:'https://h',"
		  "allowFrom:['accessGroup:g']}}}",
	    "W1:167: accessGroups.g.members: has neither \"*\" nor "
	    "\"mattermost\": the group lets nobody in");
	test_says(MM("dangerouslyAllowNameMatching:true,allowFrom:['@al ice']"),
	    "W1:104: channels.mattermost.allowFrom: \"@al ice\" is neither a "
	    "user id nor a user name and will match nobody");
	test_silent(MM("dangerouslyAllowNameMatching:true,"
		       "allowFrom:[' user:Al.ice_1-2 ']"), "match nobody");
	test_says(MM("oncharPrefixes:['!']"),
	    "W1:74: channels.mattermost.oncharPrefixes: is of no use without "
	    "chatmode: \"onchar\"");
	test_silent(MM("chatmode:'onchar',oncharPrefixes:['!']"), "no use");
	test_says(MM("chatmode:'oncall',requireMention:false"),
	    "W1:92: channels.mattermost.requireMention: is of no use beside "
	    "chatmode");
	test_says(MM("groups:{town:{}}"),
	    "W1:67: channels.mattermost.groups: \"town\" is not a channel id "
	    "(26 letters and digits) and will match none: posternctl channels resolve tells the "
	    "id");
	test_bad(MM("dmChannelRetry:{initialDelayMs:5000,maxDelayMs:1000}"),
	    "E1:90: channels.mattermost.dmChannelRetry.initialDelayMs: "
	    "initialDelayMs must be less than or equal to maxDelayMs");
	test_says(MM("textChunkLimit:20000"),
	    "W1:74: channels.mattermost.textChunkLimit: Mattermost takes no "
	    "post longer than 16383");
	test_bad(MM("commands:{callbackUrl:'gw'}"),
	    "E1:81: channels.mattermost.commands.callbackUrl: must begin with "
	    "http:// or https://");
}

/* What a worker would refuse is refused here. */
static void
test_lengths(void **state)
{
	char *text = calloc(1, 4 << 20);
	struct config *cfg;
	size_t n;
	int i;

	assert_non_null(text);
	snprintf(text, 4096, "{channels:{mattermost:{botToken:'tok',"
	    "baseUrl:'https://h',name:'%0257d'}}}", 0);
	test_bad(text, "E1:64: channels.mattermost.name: longer than 256 bytes");
	snprintf(text, 4096, "{channels:{mattermost:{botToken:'tok',"
	    "baseUrl:'https://h',allowFrom:['%01001d']}}}", 0);
	test_bad(text, "E1:70: channels.mattermost.allowFrom[0]: longer than "
		       "1000 bytes");
	n = (size_t)snprintf(text, 4096, "{channels:{mattermost:{"
	    "botToken:'tok',baseUrl:'https://h',oncharPrefixes:[");
	for (i = 0; i < 101; i++)
		n += strlcpy(text + n, "'x',", 8);
	strlcpy(text + n, "]}}}", 8);
	test_bad(text, "E1:74: channels.mattermost.oncharPrefixes: more than "
		       "100 entries");
	n = (size_t)snprintf(text, 4096, "{channels:{mattermost:{"
	    "botToken:'tok',baseUrl:'https://h',groups:{");
	for (i = 0; i < 20000; i++)
		n += (size_t)snprintf(text + n, 80,
		    "c%025d:{requireMention:true},", i);
	strlcpy(text + n, "}}}}", 8);
	cfg = test_load(text);
	assert_null(cfg);
	assert_non_null(strstr(test_said(), "E0:0: account default: is told "));
	assert_non_null(strstr(test_said(), ", and 1047552 are the most"));
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_strict),
	    cmocka_unit_test(test_patterns),
	    cmocka_unit_test(test_all_errors),
	    cmocka_unit_test(test_shared),
	    cmocka_unit_test(test_capabilities),
	    cmocka_unit_test(test_callbacks),
	    cmocka_unit_test(test_policies),
	    cmocka_unit_test(test_lengths),
	};

	return cmocka_run_group_tests(
	    tests, test_config_setup, test_config_teardown);
}
