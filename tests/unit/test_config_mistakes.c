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

/*
 * What somebody gets wrong on the first day. Each is told with its place,
 * the key, and what helps; E refuses the file, P one account of it, W and N
 * are for posternd -n to say.
 */

#define TOKEN "botToken:'abcdefghijklmnopqrstuvwxyz',"
#define HEAD "{channels:{mattermost:{" TOKEN
#define URL HEAD "baseUrl:'https://h',"
#define TAIL "}}}"
#define MODEL(ref, provider)                                                   \
	"{agents:{defaults:{model:'" ref "'}},models:{providers:{" provider "}}}"

static const struct mistake {
	const char *text, *said;
} mistakes[] = {
    /* The syntax of the file. */
    {"", "E1:1: the text ends where a value should be: the file is one object, "
	 "{ channels: { ... } }"},
    {"channels:\n  mattermost:\n", "E1:1: 'c' where a value should be: the "
	 "file is one object, { channels: { ... } }"},
    {"# mine\n{}", "E1:1: '#' where a value should be: a comment begins with "
	 "//: the file is one object, { channels: { ... } }"},
    {HEAD "dmPolicy:open" TAIL, "E1:71: 'o' where a value should be: text "
	 "belongs in quotes"},
    {HEAD "enabled:True" TAIL, "E1:70: 'T' where a value should be: it is "
	 "true, false or null"},
    {HEAD "accounts:{my-bot:{}}" TAIL, "E1:74: '-' where ':' should be: such "
	 "a name belongs in quotes"},
    {"{channels:{mattermost:{botToken:'x'\nbaseUrl:'y'}}}", "E2:1: 'b' where "
	 "',' or '}' should be: a comma is missing"},
    {"{channels:{\nmattermost:{}", "E2:14: the text ends where ',' or '}' "
	 "should be: what opens in line 1 does not end"},
    {"{channels:{mattermost:{botToken:'x}}}", "E1:33: this string does not "
	 "end"},
    {"{channels:{mattermost:{botToken:\xe2\x80\x9cx\xe2\x80\x9d}}}",
	"E1:33: '\xe2\x80\x9c' where a value should be: a quote is \" or '"},
    /* Names. */
    {HEAD "dmPolcy:'open'" TAIL, "E1:62: channels.mattermost.dmPolcy: unknown "
	 "key (did you mean \"dmPolicy\"?)"},
    {HEAD "dm_policy:'open'" TAIL, "E1:62: channels.mattermost.dm_policy: "
	 "unknown key (did you mean \"dmPolicy\"?)"},
    {"{chanels:{}}", "W1:2: chanels: unknown key, ignored (did you mean "
	 "\"channels\"?)"},
    {URL "dmPolicy:'open',dmPolicy:'pairing'" TAIL, "E1:98: "
	 "channels.mattermost.dmPolicy: is here twice, first in line 1"},
    /* Types. */
    {HEAD "enabled:'true'" TAIL, "E1:70: channels.mattermost.enabled: must be "
	 "true or false, not a string"},
    {HEAD "allowFrom:'*'" TAIL, "E1:72: channels.mattermost.allowFrom: must be "
	 "a list of ids, not a string"},
    {HEAD "groups:['a']" TAIL, "E1:69: channels.mattermost.groups: must be an "
	 "object, not an array"},
    {HEAD "dmPolicy:'public'" TAIL, "E1:71: channels.mattermost.dmPolicy: must "
	 "be one of \"pairing\", \"allowlist\", \"open\", \"disabled\""},
    {HEAD "textChunkLimit:'4000'" TAIL, "E1:77: "
	 "channels.mattermost.textChunkLimit: must be a whole number from 1 to "
	 "1000000, not a string"},
    /* The server and the token. */
    {"{channels:{mattermost:{baseUrl:'https://h'}}}", "P1:23: "
	 "channels.mattermost: botToken is missing, and MATTERMOST_BOT_TOKEN "
	 "is not set"},
    {"{channels:{mattermost:{" TOKEN TAIL, "P1:23: channels.mattermost: "
	 "baseUrl is missing, and MATTERMOST_URL is not set"},
    {"{channels:{mattermost:{botToken:'YOUR_TOKEN',baseUrl:'https://h'}}}",
	"N1:33: channels.mattermost.botToken: is not like the tokens of "
	"Mattermost (26 small letters and digits)"},
    {"{channels:{mattermost:{botToken:'Bearer abc',baseUrl:'https://h'}}}",
	"W1:33: channels.mattermost.botToken: has a blank in it: only the token "
	"itself belongs here, without \"Bearer\""},
    {"{channels:{mattermost:{botToken:'$NOT_SET',baseUrl:'https://h'}}}",
	"P1:33: channels.mattermost.botToken: environment variable NOT_SET is "
	"not set"},
    {"{channels:{mattermost:{botToken:{env:'X'},baseUrl:'https://h'}}}",
	"P1:34: channels.mattermost.botToken.env: unknown key: it is { source: "
	"\"env\", id: \"NAME\" } or { source: \"file\", path: \"/...\" }"},
    {HEAD "baseUrl:'http://chat.example.com'" TAIL, "W1:70: "
	 "channels.mattermost.baseUrl: the token crosses the network "
	 "unencrypted: use https"},
    {HEAD "baseUrl:'chat.example.com'" TAIL, "E1:70: "
	 "channels.mattermost.baseUrl: must begin with http:// or https://"},
    {HEAD "baseUrl:'wss://chat.example.com'" TAIL, "E1:70: "
	 "channels.mattermost.baseUrl: must begin with http:// or https://"},
    {HEAD "baseUrl:'https://h/team/channels/town-square'" TAIL, "W1:70: "
	 "channels.mattermost.baseUrl: is the address of a conversation: leave "
	 "out what follows the server"},
    {HEAD "baseUrl:'https://u:p@h'" TAIL, "E1:70: "
	 "channels.mattermost.baseUrl: must not hold a user name or password"},
    {URL "caFile:'ca.pem'" TAIL, "E1:89: channels.mattermost.caFile: must be "
	 "an absolute path"},
    {URL "caFile:'/etc/passwd'" TAIL, "E1:89: channels.mattermost.caFile: "
	 "/etc/passwd: holds no certificate in PEM form"},
    {"{channels:{mattermost:{accounts:{a:{" TOKEN "baseUrl:'https://h'},\n"
     "b:{" TOKEN "baseUrl:'https://h'}}}}}", "W2:3: accounts a and b are the "
	 "same bot on the same server: it will answer twice"},
    /* Who may talk. */
    {URL "dmPolicy:'open'" TAIL, "E1:91: channels.mattermost.dmPolicy=\"open\" "
	 "requires channels.mattermost.allowFrom to include \"*\""},
    {URL "dmPolicy:'allowlist',allowFrom:['*']" TAIL, "W1:91: "
	 "channels.mattermost.dmPolicy: \"allowlist\" lets everybody in, for "
	 "channels.mattermost.allowFrom has \"*\""},
    {URL "dmPolicy:'allowlist'" TAIL, "W1:91: channels.mattermost.dmPolicy: "
	 "\"allowlist\" with an empty allowFrom drops every direct message"},
    {URL "allowFrom:['@alice']" TAIL, "W1:93: channels.mattermost.allowFrom: "
	 "\"@alice\" is not a user id (26 letters and digits) and will match "
	 "nobody: posternctl channels resolve tells the id"},
    {URL "groups:{'town-square':{}}" TAIL, "W1:90: channels.mattermost.groups: "
	 "\"town-square\" is not a channel id (26 letters and digits) and will "
	 "match none: posternctl channels resolve tells the id"},
    {URL TAIL, "N1:23: channels.mattermost.groupPolicy: \"allowlist\" with "
	 "neither groupAllowFrom nor allowFrom drops every message in channels: "
	 "name people there, or say \"open\""},
    /* Agents and models. */
    {MODEL("gpt-4o", ""), "E1:26: agents.defaults.model: \"gpt-4o\" names no "
	 "provider of models.providers: give its baseUrl and apiKey there, or "
	 "set runtime: \"echo\""},
    {MODEL("p/m", "p:{apiKey:'k'}"), "E1:55: models.providers.p.baseUrl: is "
	 "missing: the address of the server, which often ends in /v1"},
    {MODEL("p/m", "p:{baseUrl:'https://h',api:'anthropic-messages'}"),
	"E1:80: models.providers.p.api: only \"openai-completions\" is spoken "
	"here"},
    {MODEL("p/m", "p:{baseUrl:'https://h',models:[{id:'n'}]}"), "N1:26: "
	 "agents.defaults.model: \"m\" is not among models.providers.p.models"},
    {"{agents:{list:[{id:'a',default:true},{id:'b',default:true}]}}",
	"W1:54: agents.list[1].default: \"a\" is the default agent already"},
    {"{bindings:[{agentId:'x',match:{channel:'mattermost'}}]}",
	"E1:21: bindings[0].agentId: there is no agent \"x\""},
    /* The host. */
    {"{hooks:{enabled:true}}", "E1:8: hooks.token: hooks are on and this is "
	 "missing"},
    {"{hooks:{enabled:true,token:'abc'}}", "W1:28: hooks.token: can be "
	 "guessed: 16 characters at least, as of openssl rand -hex 16"},
    {"{gateway:{tls:{enabled:true,certPath:'/etc/passwd',keyPath:"
     "'/etc/passwd'}}}", "E1:60: gateway.tls.keyPath: /etc/passwd: holds no "
	 "private key in PEM form"},
    {"{gateway:{bind:'0.0.0.0'}}", "E1:16: gateway.bind: must be one of "
	 "\"auto\", \"loopback\", \"lan\", \"tailnet\", \"custom\""},
    {"{log:{destination:'postern.log'}}", "E1:19: log.destination: must be "
	 "\"syslog\", \"stderr\" or an absolute path"},
    {"{log:{level:'verbose'}}", "E1:13: log.level: must be one of \"error\", "
	 "\"warning\", \"info\", \"debug\", \"trace\""},
    {"{store:{path:'data'}}", "E1:14: store.path: must be an absolute path"},
    {"{postern:{metrics:':9100'}}", "E1:19: postern.metrics: must be "
	 "address:port or an absolute path"},
};

/* The line is there, as a whole. */
static int
says(const char *line)
{
	const char *said = test_said(), *at = said;
	size_t n = strlen(line);

	while ((at = strstr(at, line)) != NULL) {
		if ((at == said || at[-1] == '\n') &&
		    (at[n] == '\n' || at[n] == '\0'))
			return 1;
		at += n;
	}
	return 0;
}

static void
test_mistakes(void **state)
{
	const struct mistake *m;
	struct config *cfg;
	int bad = 0;

	for (m = mistakes;
	     m < mistakes + sizeof(mistakes) / sizeof(mistakes[0]); m++) {
		cfg = test_load(m->text);
		if (!says(m->said) || (cfg == NULL) != (m->said[0] == 'E')) {
			print_error("%s\nwanted %s\nsaid %s\n", m->text,
			    m->said, test_said());
			bad++;
		}
		config_free(cfg);
	}
	assert_int_equal(bad, 0);
}

/* One mistake, and not what follows from it. */
static void
test_not_twice(void **state)
{
	test_silent("{channels:{mattermost:{" TOKEN "baseUrl:5}}}",
	    "baseUrl is missing");
	test_silent("{channels:{mattermost:{botToken:5,baseUrl:'https://h'}}}",
	    "botToken is missing");
	test_silent("{channels:{mattermost:{accounts:[{}]}}}", "is missing");
	test_silent(URL TAIL, "tokens of Mattermost");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_mistakes),
	    cmocka_unit_test(test_not_twice),
	};

	return cmocka_run_group_tests(
	    tests, test_config_setup, test_config_teardown);
}
