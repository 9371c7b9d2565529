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

#include "common/secret.h"
#include "daemon/config_private.h"
#include "tests/unit/test_config_util.h"

#define ACCOUNTS                                                               \
	"channels:{mattermost:{baseUrl:'https://h',accounts:{"                 \
	"default:{botToken:'d'},work:{botToken:'w'}}}}"
#define PROVIDERS                                                              \
	"models:{providers:{one:{baseUrl:'https://m.example/v1/',apiKey:'k',"  \
	"models:[{id:'big',contextWindow:1000,maxTokens:50,"                   \
	"input:['text','image']}]},two:{baseUrl:'http://127.0.0.1:11434/v1',"  \
	"api:'openai-completions'}}}"

static const struct config_agent *
agent_of(struct config *cfg, const char *id)
{
	const struct config_agent *a = config_agent_find(cfg, id);

	if (a == NULL)
		fail_msg("no agent %s\n%s", id, test_said());
	return a;
}

static void
test_echo(void **state)
{
	struct config *cfg = test_load("{" ACCOUNTS ",agents:{list:["
	    "{id:'Helper Bot',name:'Help'},{id:'b',runtime:'echo'}]}}");

	assert_non_null(cfg);
	assert_int_equal(cfg->nagents, 2);
	assert_string_equal(cfg->agents[0].id, "helper-bot");
	assert_string_equal(test_json(cfg->agents[0].json, "runtime"),
	    "\"echo\"");
	assert_string_equal(test_json(cfg->agents[0].json, "model"), "null");
	assert_int_equal(cfg->default_agent, 0);
	assert_int_equal(config_agent_endpoints(&cfg->agents[0], NULL, 0), 0);
	config_free(cfg);
}

static void
test_model(void **state)
{
	struct config *cfg = test_load("{" ACCOUNTS "," PROVIDERS ",agents:{"
	    "defaults:{model:{primary:'one/big',fallbacks:[]},prompt:'P',"
	    "timeoutSeconds:5},list:[{id:'a'},{id:'b',default:true,"
	    "model:'two/llama/3:8b',systemPrompt:'Q',timeoutSeconds:7,"
	    "identity:{name:'Bee',emoji:'x'},groupChat:{mentionPatterns:['z']}"
	    "},{id:'c',runtime:'echo'},{id:'d',runtime:{type:'embedded'}}]}}");
	const struct config_agent *a, *b;
	unsigned ids[1];

	assert_non_null(cfg);
	a = agent_of(cfg, "a");
	assert_int_equal(a->model, 1);
	assert_string_equal(secret_bytes(a->key), "k");
	assert_string_equal(test_json(a->json, "model.baseUrl"),
	    "\"https://m.example/v1\"");
	assert_string_equal(test_json(a->json, "model.model"), "\"big\"");
	assert_string_equal(test_json(a->json, "model.contextWindow"), "1000");
	assert_string_equal(test_json(a->json, "model.maxTokens"), "50");
	assert_string_equal(test_json(a->json, "model.images"), "true");
	assert_string_equal(test_json(a->json, "prompt"), "\"P\"");
	assert_string_equal(test_json(a->json, "deadlineMs"), "5000");
	assert_int_equal(config_agent_endpoints(a, ids, 1), 1);
	assert_int_equal(ids[0], a->endpoint);
	b = agent_of(cfg, "b");
	assert_null(b->key);
	assert_int_equal(b->url.port, 11434);
	assert_string_equal(test_json(b->json, "model.model"),
	    "\"llama/3:8b\"");
	assert_string_equal(test_json(b->json, "model.contextWindow"),
	    "128000");
	assert_string_equal(test_json(b->json, "model.images"), "false");
	assert_string_equal(test_json(b->json, "prompt"), "\"Q\"");
	assert_string_equal(test_json(b->json, "deadlineMs"), "7000");
	assert_string_equal(b->name, "Bee");
	assert_int_equal(cfg->default_agent, 1);
	assert_int_equal(agent_of(cfg, "c")->model, 0);
	assert_int_equal(agent_of(cfg, "d")->model, 1);
	assert_int_not_equal(a->endpoint, agent_of(cfg, "d")->endpoint);
	config_free(cfg);
	/* A model without a provider is that of the one that lists it. */
	cfg = test_load("{" PROVIDERS ",agents:{defaults:{model:'big'}}}");
	assert_string_equal(
	    test_json(agent_of(cfg, "main")->json, "model.provider"),
	    "\"one\"");
	config_free(cfg);
}

static void
test_model_errors(void **state)
{
	test_bad("{agents:{defaults:{model:'openai/gpt'}}}",
	    "E1:26: agents.defaults.model: \"openai/gpt\" names no provider of "
	    "models.providers: give its baseUrl and apiKey there, or set "
	    "runtime: \"echo\"");
	test_bad("{agents:{list:[{id:'a',model:'x/y'}]}}",
	    "E1:30: agents.list[0].model: \"x/y\" names no provider of "
	    "models.providers: give its baseUrl and apiKey there, or set "
	    "runtime: \"echo\"");
	test_bad("{agents:{defaults:{runtime:'model'}}}",
	    "E1:28: agents.defaults.runtime: \"model\" needs a model");
	test_bad("{models:{providers:{p:{}}},agents:{defaults:{model:'p/m'}}}",
	    "E1:23: models.providers.p.baseUrl: is missing: the address of the "
	    "server, which often ends in /v1");
	test_bad("{models:{providers:{p:{baseUrl:'x'}}},"
		 "agents:{defaults:{model:'p/m'}}}",
	    "E1:32: models.providers.p.baseUrl: must begin with http:// or "
	    "https://");
	test_bad("{models:{providers:{p:{baseUrl:'https://h',api:'anthropic-"
		 "messages'}}},agents:{defaults:{model:'p/m'}}}",
	    "E1:48: models.providers.p.api: only \"openai-completions\" is "
	    "spoken here");
	/* A provider that nobody uses may be anything. */
	test_silent("{channels:{mattermost:{enabled:false}},models:{providers:"
		    "{p:{api:'google',apiKey:'$UNSET'}}}}", "p");
	test_bad("{agents:{list:[{}]}}", "E1:16: agents.list[0].id: is missing");
	test_bad("{agents:{list:[{id:'a'},{id:'A'}]}}",
	    "E1:25: agents.list[1].id: another agent has the id \"a\"");
	test_bad("{agents:{list:[{id:'prototype'}]}}",
	    "E1:16: agents.list[0].id: \"prototype\" cannot be an id");
	test_bad("{agents:{entries:{a:{},b:{}}}}",
	    "E1:18: agents.entries: none of them has default: true");
	test_bad("{models:{providers:{p:{baseUrl:'https://h',tlsPin:'x'}}},"
		 "agents:{defaults:{model:'p/m'}}}",
	    "E1:51: models.providers.p.tlsPin: must be sha256// and the base64 "
	    "of the key's SHA-256");
}

static void
bound(const char *text, const char *account, const char *agents,
    const char *dflt)
{
	struct config *cfg = test_load(text);
	const struct config_account *a;
	char list[128] = "";
	size_t i;

	if (cfg == NULL)
		fail_msg("%s\n%s", text, test_said());
	a = config_account_find(cfg, account);
	for (i = 0; i < a->nagents; i++) {
		strlcat(list, i == 0 ? "" : " ", sizeof(list));
		strlcat(list, cfg->agents[a->agents[i]].id, sizeof(list));
	}
	assert_string_equal(list, agents);
	assert_string_equal(test_json(a->json, "defaultAgent"), dflt);
	config_free(cfg);
}

#define AGENTS                                                                 \
	"agents:{entries:{x:{default:true},y:{identity:{name:'Yo'}},z:{}}}"

static void
test_bindings(void **state)
{
	const char *text = "{" ACCOUNTS "," AGENTS ",bindings:["
	    "{agentId:'y',match:{channel:'mattermost'}},"
	    "{agentId:'nobody',match:{channel:'slack',peer:{kind:'thread'}}},"
	    "{agentId:'z',match:{channel:'Mattermost',accountId:'*',"
	    "peer:{kind:'dm',id:'*'}}}]}";
	struct config *cfg = test_load(text);
	const struct config_account *a;

	assert_non_null(cfg);
	a = config_account_find(cfg, "default");
	assert_string_equal(test_json(a->json, "bindings.0"),
	    "{\"agentId\":\"y\",\"match\":{\"channel\":\"mattermost\","
	    "\"accountId\":\"default\",\"teamId\":null,\"peer\":null}}");
	assert_string_equal(test_json(a->json, "bindings.1.match.peer"),
	    "{\"kind\":\"direct\",\"id\":\"*\"}");
	assert_string_equal(test_json(a->json, "agents.0.id"), "\"y\"");
	assert_string_equal(test_json(a->json, "agents.0.name"), "\"Yo\"");
	a = config_account_find(cfg, "work");
	assert_string_equal(test_json(a->json, "bindings.0.agentId"), "\"z\"");
	config_free(cfg);
	bound(text, "default", "y z", "null");
	bound(text, "work", "z x", "\"x\"");
	bound("{" ACCOUNTS "," AGENTS "}", "work", "x", "\"x\"");
	bound("{" ACCOUNTS "," AGENTS ",bindings:[{agentId:'z',match:{"
	      "channel:'mattermost',accountId:'*',teamId:'t'}}]}",
	    "work", "z x", "\"x\"");
	test_bad("{" AGENTS ",bindings:[{agentId:'q',match:{"
		 "channel:'mattermost'}}]}",
	    "E1:87: bindings[0].agentId: there is no agent \"q\"");
	test_bad("{" AGENTS ",bindings:[{match:{channel:'mattermost'}}]}",
	    "E1:78: bindings[0].agentId: is missing");
	test_bad("{" AGENTS ",bindings:[{agentId:'x'}]}",
	    "E1:78: bindings[0].match.channel: is missing");
	test_bad("{" AGENTS ",bindings:[{agentId:'x',match:{"
		 "channel:'mattermost',peer:{kind:'user',id:'1'}}}]}",
	    "E1:124: bindings[0].match.peer: needs an id and a kind: "
	    "\"direct\", \"group\" or \"channel\"");
	test_says("{" ACCOUNTS "," AGENTS ",bindings:[{agentId:'x',match:{"
		  "channel:'mattermost',accountId:'wrok'}}]}",
	    "W1:227: bindings[0].match.accountId: there is no account "
	    "\"wrok\"");
}

/* Ids stay with (owner, origin) for the life of the process. */
static void
test_endpoints(void **state)
{
	const char *text = "{channels:{mattermost:{botToken:'t',baseUrl:"
	    "'https://h',mediaHosts:['cdn.example','http://cdn2:81','[::1]:5']"
	    ",accounts:{a:{},b:{baseUrl:'https://b'}}}}}";
	struct config *one = test_load(text), *two = test_load(text), *other;
	const struct config_account *a, *b;
	unsigned ids[8] = {0};
	size_t i;

	assert_non_null(one);
	assert_non_null(two);
	a = config_account_find(one, "a");
	assert_int_equal(config_account_endpoints(a, ids, 8), 4);
	assert_int_equal(ids[0], a->endpoint);
	assert_int_equal(ids[1], a->media[0].endpoint);
	assert_int_equal(config_account_endpoints(a, ids, 1), 4);
	assert_string_equal(test_json(a->json, "mediaEndpoints.0"),
	    "{\"host\":\"cdn.example\",\"port\":443,\"tls\":true,"
	    "\"endpoint\":2}");
	assert_int_equal(a->media[1].port, 81);
	assert_int_equal(a->media[1].tls, 0);
	assert_string_equal(a->media[2].host, "::1");
	assert_string_equal(test_json(one->dialer_json, "endpoints"),
	    test_json(two->dialer_json, "endpoints"));
	/* The same origin is another endpoint for another owner. */
	b = config_account_find(one, "default");
	assert_string_equal(a->url.text, b->url.text);
	assert_int_not_equal(a->endpoint, b->endpoint);
	for (i = 0; i < 3; i++)
		assert_int_not_equal(a->media[i].endpoint,
		    b->media[i].endpoint);

	other = test_load("{channels:{mattermost:{botToken:'t',accounts:{"
	    "a:{baseUrl:'https://new'},b:{baseUrl:'https://b/sub'}}}}}");
	assert_int_not_equal(config_account_find(other, "a")->endpoint,
	    a->endpoint);
	assert_int_equal(config_account_find(other, "b")->endpoint,
	    config_account_find(one, "b")->endpoint);
	config_free(one);
	config_free(two);
	config_free(other);
	test_bad(MM("mediaHosts:['a/b']"),
	    "E1:71: channels.mattermost.mediaHosts: must be host, host:port or "
	    "an address of those alone");
}

static int
same(const char *text, const char *id)
{
	struct config *one = test_load("{" ACCOUNTS "}");
	struct config *two = test_load(text);
	int rc;

	assert_non_null(one);
	assert_non_null(two);
	rc = config_account_same(
	    config_account_find(one, id), config_account_find(two, id));
	config_free(one);
	config_free(two);
	return rc;
}

static void
test_same(void **state)
{
	struct config *one, *two;
	char text[512];

	assert_true(same("{" ACCOUNTS "}", "work"));
	assert_true(same("{log:{level:'debug'}," ACCOUNTS "}", "work"));
	assert_false(same("{session:{mainKey:'x'}," ACCOUNTS "}", "work"));
	assert_false(same("{channels:{mattermost:{baseUrl:'https://h',"
			  "accounts:{default:{botToken:'d'},work:{"
			  "botToken:'new'}}}}}", "work"));
	assert_true(same("{channels:{mattermost:{baseUrl:'https://h',"
			 "accounts:{default:{botToken:'d'},work:{"
			 "botToken:'new'}}}}}", "default"));
	assert_false(same("{channels:{mattermost:{baseUrl:'https://h',"
			  "accounts:{default:{botToken:'d'},work:{"
			  "botToken:'w',historyLimit:1}}}}}", "work"));
	/* The CA file's content counts. */
	test_write("ca", "-----BEGIN CERTIFICATE-----\n", 0644);
	snprintf(text, sizeof(text),
	    MM("caFile:'%s'"), test_path("ca"));
	one = test_load(text);
	two = test_load(text);
	assert_true(config_account_same(one->accounts, two->accounts));
	config_free(two);
	test_write("ca", "-----BEGIN CERTIFICATE-----\n2\n", 0644);
	two = test_load(text);
	assert_false(config_account_same(one->accounts, two->accounts));
	config_free(one);
	config_free(two);
	one = test_load("{" PROVIDERS ",agents:{defaults:{model:'one/big'}}}");
	two = test_load("{models:{providers:{one:{baseUrl:'https://m.example/"
	    "v1/',apiKey:'k2',models:[{id:'big',contextWindow:1000,"
	    "maxTokens:50,input:['text','image']}]}}},agents:{defaults:{"
	    "model:'one/big'}}}");
	assert_true(config_agent_same(one->agents, one->agents));
	assert_false(config_agent_same(one->agents, two->agents));
	config_free(one);
	config_free(two);
}

static void
test_tls(void **state)
{
	struct config *cfg;

	test_bad(MM("caFile:'ca.pem'"),
	    "E1:66: channels.mattermost.caFile: must be an absolute path");
	test_bad(MM("caFile:'/nonexistent/ca'"),
	    "E1:66: channels.mattermost.caFile: /nonexistent/ca: No such file "
	    "or directory");
	test_bad(MM("caFile:'/'"),
	    "E1:66: channels.mattermost.caFile: /: not a file");
	test_bad(MM("tlsPin:'sha256//short='"),
	    "E1:66: channels.mattermost.tlsPin: must be sha256// and the "
	    "base64 of the key's SHA-256");
	cfg = test_load(MM("tlsPin:'sha256//"
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=;sha256//"
	    "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB='"));
	assert_non_null(cfg);
	config_free(cfg);
}

static void
test_gateway(void **state)
{
	struct config *cfg = test_load(MM("commands:{native:true},"
	    "interactions:{allowedSourceIps:['10.0.0.0/8','::1']},"
	    "accounts:{off:{botToken:'o',commands:{native:false}}}"));
	struct json_object *json;

	assert_non_null(cfg);
	assert_int_equal(cfg->gateway.wanted, 1);
	assert_int_equal(cfg->gateway.nlisten, 2);
	assert_string_equal(cfg->gateway.listen[0].host, "127.0.0.1");
	assert_int_equal(cfg->gateway.listen[0].port, 18789);
	json = config_callback_json(cfg);
	assert_string_equal(test_json(json, "accounts.0"),
	    "{\"account\":\"default\",\"buttons\":true,\"commands\":true,"
	    "\"commandUrl\":\"http://localhost:18789/"
	    "api/channels/mattermost/command\",\"interactionUrl\":\"http://"
	    "localhost:18789/mattermost/interactions/default\","
	    "\"allowedSourceIps\":[\"10.0.0.0/8\",\"::1\"],\"callbackPath\":"
	    "\"/api/channels/mattermost/command\"}");
	assert_string_equal(test_json(json, "accounts.1.account"), "\"off\"");
	assert_string_equal(test_json(json, "accounts.1.commands"), "false");
	assert_string_equal(test_json(json, "accounts.2"), "null");
	json_object_put(json);
	config_free(cfg);
	cfg = test_load("{gateway:{bind:'custom',customBindHost:'[fd00::5]',"
			"port:5}}");
	assert_string_equal(cfg->gateway.listen[0].host, "fd00::5");
	config_free(cfg);
	cfg = test_load("{gateway:{bind:'lan'}}");
	assert_string_equal(cfg->gateway.listen[0].host, "0.0.0.0");
	config_free(cfg);
	test_bad("{gateway:{bind:'custom',customBindHost:'gw'}}",
	    "E1:40: gateway.customBindHost: bind \"custom\" needs a numeric "
	    "address here");
	test_bad("{gateway:{bind:'tailnet'}}",
	    "E1:16: gateway.bind: for a tailnet use \"custom\" and its address "
	    "in gateway.customBindHost");
	test_bad("{gateway:{trustedProxies:['10.0.0.0/33']}}",
	    "E1:27: gateway.trustedProxies: \"10.0.0.0/33\" is not an address "
	    "or a network (10.0.0.0/8)");
	test_bad(MM("interactions:{allowedSourceIps:['host']}"),
	    "E1:91: channels.mattermost.interactions.allowedSourceIps: "
	    "\"host\" is not an address or a network (10.0.0.0/8)");
	test_says("{gateway:{port:-5}}",
	    "W1:16: gateway.port: not a port, 18789 is used");
	test_bad("{gateway:{tls:{enabled:true,certPath:'/etc/passwd'}}}",
	    "E1:15: gateway.tls.keyPath: TLS is on and this is missing");
	test_bad("{hooks:{enabled:true}}",
	    "E1:8: hooks.token: hooks are on and this is missing");
}

static void
test_system(void **state)
{
	struct config *cfg = test_load("{log:{level:'trace',format:'json',"
	    "destination:'/var/log/p'},store:{path:'/s',"
	    "retentionDays:7},postern:{user:'u',"
	    "runDir:'/r',metrics:'127.0.0.1:9464'}}");

	assert_non_null(cfg);
	assert_int_equal(cfg->log.prio, LOG_DEBUG);
	assert_int_equal(cfg->log.trace, 2);
	assert_int_equal(cfg->log.json, 1);
	assert_string_equal(cfg->log.destination, "/var/log/p");
	assert_string_equal(cfg->store_path, "/s");
	assert_int_equal(cfg->retention_days, 7);
	assert_string_equal(cfg->user, "u");
	assert_string_equal(cfg->store_user, POSTERN_STORE_USER);
	assert_string_equal(cfg->control_socket, "/r/control.sock");
	assert_int_equal(cfg->metrics.port, 9464);
	config_free(cfg);
	test_bad("{log:{destination:'file'}}",
	    "E1:19: log.destination: must be \"syslog\", \"stderr\" or an "
	    "absolute path");
	test_bad("{store:{path:'s'}}",
	    "E1:14: store.path: must be an absolute path");
	test_bad("{postern:{metrics:'9464'}}",
	    "E1:19: postern.metrics: must be address:port or an absolute "
	    "path");
}

/* The peer's own file, with much that is of no use here. */
static void
test_openclaw(void **state)
{
	char path[512], *text = calloc(1, 65536);
	struct config *cfg;
	FILE *f;

	assert_non_null(text);
	snprintf(path, sizeof(path), "%s/tests/vectors/openclaw.json", SRCDIR);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_true(fread(text, 1, 65535, f) > 1000);
	fclose(f);
	cfg = test_good(text);
	assert_int_equal(cfg->naccounts, 2);
	assert_int_equal(cfg->nagents, 2);
	assert_int_equal(cfg->agents[0].model, 1);
	assert_int_equal(cfg->gateway.wanted, 1);
	assert_non_null(strstr(test_said(), "channels.telegram"));
	config_free(cfg);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_endpoints),
	    cmocka_unit_test(test_echo),
	    cmocka_unit_test(test_model),
	    cmocka_unit_test(test_model_errors),
	    cmocka_unit_test(test_bindings),
	    cmocka_unit_test(test_same),
	    cmocka_unit_test(test_tls),
	    cmocka_unit_test(test_gateway),
	    cmocka_unit_test(test_system),
	    cmocka_unit_test(test_openclaw),
	};

	return cmocka_run_group_tests(
	    tests, test_config_setup, test_config_teardown);
}
