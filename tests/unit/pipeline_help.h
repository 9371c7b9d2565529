/* What the tests of the pipeline share: one event, its facts, its verdict. */
#ifndef TESTS_UNIT_PIPELINE_HELP_H
#define TESTS_UNIT_PIPELINE_HELP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "workers/account/pipeline.h"

#define BOT "b10123456789abcdefghijklmn"
#define USER "u10123456789abcdefghijklmn"
#define CHANNEL "c10123456789abcdefghijklmn"
#define POST "p10123456789abcdefghijklmn"
#define ROOT "r10123456789abcdefghijklmn"

static const struct bot_identity bot = {BOT, "bot"};

struct fixture {
	struct policy *p;
	struct inbound *in;
	struct channel_info channel;
	struct facts facts;
	struct verdict v;
};

/* A post in an open channel. members: JSON, of the configuration. */
static inline void
setup(struct fixture *f, const char *members, const char *text)
{
	struct json_object *o;
	const char *why = "";
	char config[1024];

	memset(f, 0, sizeof(*f));
	snprintf(config, sizeof(config),
	    "{\"account\":\"a\",\"groupPolicy\":\"open\",\"dmPolicy\":\"open\","
	    "\"allowFrom\":[\"*\"]%s%s}",
	    *members == '\0' ? "" : ",", members);
	o = json_tokener_parse(config);
	f->p = policy_compile(o, &why);
	json_object_put(o);
	if (f->p == NULL)
		fail_msg("%s: %s", config, why);
	f->in = inbound_new(INBOUND_POST);
	strlcpy(f->in->account, "a", sizeof(f->in->account));
	strlcpy(f->in->actor_id, USER, MM_ID_SIZE);
	strlcpy(f->in->channel_id, CHANNEL, MM_ID_SIZE);
	strlcpy(f->in->post_id, POST, MM_ID_SIZE);
	f->in->create_at = 1795341160956;
	f->in->actor_is_bot = TRI_NO;
	inbound_set(&f->in->actor_name, "alice");
	inbound_set(&f->in->text, text);
	f->channel = (struct channel_info){
	    'O', "town", "Town Square", "t10123456789abcdefghijklmn"};
}

static inline enum reason
run(struct fixture *f)
{
	verdict_clear(&f->v);
	decide(f->p, &bot, &f->channel, &f->facts, f->in, &f->v);
	return f->v.reason;
}

static inline void
teardown(struct fixture *f)
{
	verdict_clear(&f->v);
	inbound_free(f->in);
	policy_free(f->p);
}

/* For facts.participates: in ROOT of CHANNEL, and nowhere else. */
static int pipeline_asked;

static inline int
takes_part(void *arg, const char *channel_id, const char *root_id)
{
	pipeline_asked++;
	assert_string_equal(channel_id, CHANNEL);
	return strcmp(root_id, ROOT) == 0;
}

#endif
