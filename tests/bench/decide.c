#include "config.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/log.h"
#include "workers/account/decode.h"
#include "workers/account/pipeline.h"

/*
 * What the decision about a typical post costs: authorise, gate, normalise
 * and what stands between them, in microseconds, median of many batches.
 * Also the decoding of its event before that. Two numbers on one line.
 */

#define BATCHES 200
#define BATCH 200
#define ID(c) c "10123456789abcdefghijklmn"

static const struct bot_identity bot = {ID("b"), "helper"};

static const char config[] =
    "{\"account\":\"a\",\"groupPolicy\":\"allowlist\","
    "\"groupAllowFrom\":[\"" ID("v") "\",\"" ID("w") "\",\"" ID("u") "\"],"
    "\"dmPolicy\":\"pairing\"}";

static const char text[] =
    "@helper could you look at https://ci.example.com/build/4711 please? "
    "The tests of the **parser** fail since this morning, and I do not see "
    "what `parse_number()` has to do with it. Thanks, @anna may know more.";

static double
now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static int
cmp(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static char *
event_text(void)
{
	struct json_object *post = json_object_new_object();
	struct json_object *data = json_object_new_object();
	struct json_object *ev = json_object_new_object();
	char *s;

	json_object_object_add(post, "id", json_object_new_string(ID("p")));
	json_object_object_add(
	    post, "create_at", json_object_new_int64(1795341160956));
	json_object_object_add(
	    post, "update_at", json_object_new_int64(1795341160956));
	json_object_object_add(post, "edit_at", json_object_new_int64(0));
	json_object_object_add(post, "delete_at", json_object_new_int64(0));
	json_object_object_add(
	    post, "user_id", json_object_new_string(ID("u")));
	json_object_object_add(
	    post, "channel_id", json_object_new_string(ID("c")));
	json_object_object_add(post, "root_id", json_object_new_string(""));
	json_object_object_add(post, "message", json_object_new_string(text));
	json_object_object_add(post, "type", json_object_new_string(""));
	json_object_object_add(post, "props", json_object_new_object());
	json_object_object_add(
	    data, "channel_type", json_object_new_string("O"));
	json_object_object_add(
	    data, "channel_name", json_object_new_string("town"));
	json_object_object_add(
	    data, "channel_display_name", json_object_new_string("Town"));
	json_object_object_add(
	    data, "sender_name", json_object_new_string("@alice"));
	json_object_object_add(
	    data, "team_id", json_object_new_string(ID("t")));
	json_object_object_add(data, "post",
	    json_object_new_string(json_object_to_json_string_ext(
		post, JSON_C_TO_STRING_PLAIN)));
	json_object_object_add(ev, "event", json_object_new_string("posted"));
	json_object_object_add(ev, "data", data);
	json_object_object_add(ev, "seq", json_object_new_int(7));
	s = strdup(json_object_to_json_string_ext(ev, JSON_C_TO_STRING_PLAIN));
	json_object_put(post);
	json_object_put(ev);
	return s;
}

static double
time_decide(const struct policy *p, struct inbound *in)
{
	struct channel_info channel = {'O', "town", "Town", ID("t")};
	struct verdict v;
	double t0 = now_us();
	int i;

	for (i = 0; i < BATCH; i++) {
		decide(p, &bot, &channel, NULL, in, &v);
		if (v.kind != VERDICT_ACCEPT)
			fatalx("dropped: %s", reason_name(v.reason));
		verdict_clear(&v);
	}
	return (now_us() - t0) / BATCH;
}

static double
time_decode(const char *event, struct inbound **in)
{
	struct event ev;
	double t0 = now_us();
	int i;

	for (i = 0; i < BATCH; i++) {
		inbound_free(*in);
		*in = NULL;
		if (decode_message(event, strlen(event), "a", &ev) !=
		    EVENT_POSTED)
			fatalx("not decoded");
		*in = ev.in;
		ev.in = NULL;
		event_clear(&ev);
	}
	return (now_us() - t0) / BATCH;
}

int
main(void)
{
	double decide_us[BATCHES], decode_us[BATCHES];
	struct json_object *o = json_tokener_parse(config);
	struct inbound *in = NULL;
	struct policy *p;
	const char *why = "";
	char *event = event_text();
	int i;

	if ((p = policy_compile(o, &why)) == NULL)
		fatalx("%s", why);
	for (i = 0; i < BATCHES; i++) {
		decode_us[i] = time_decode(event, &in);
		in->actor_is_bot = TRI_NO;
		decide_us[i] = time_decide(p, in);
	}
	qsort(decide_us, BATCHES, sizeof(double), cmp);
	qsort(decode_us, BATCHES, sizeof(double), cmp);
	printf("%.3f %.3f\n", decide_us[BATCHES / 2], decode_us[BATCHES / 2]);
	inbound_free(in);
	policy_free(p);
	json_object_put(o);
	free(event);
	return 0;
}
