/* How long it takes to decode and decide an event. */
#include "config.h"

#include <time.h>

#include "tests/unit/pipeline_help.h"
#include "tests/unit/slow.h"
#include "workers/account/decode.h"

#define FRAME                                                                  \
	"{\"event\":\"posted\",\"data\":{\"channel_display_name\":\"Town "     \
	"Square\",\"channel_name\":\"town-square\",\"channel_type\":\"O\","    \
	"\"mentions\":\"[\\\"" BOT "\\\"]\",\"post\":\"{\\\"id\\\":\\\"" POST  \
	"\\\",\\\"create_at\\\":1795341160956,\\\"update_at\\\":"              \
	"1795341160956,\\\"edit_at\\\":0,\\\"delete_at\\\":0,"                 \
	"\\\"is_pinned\\\":false,\\\"user_id\\\":\\\"" USER                    \
	"\\\",\\\"channel_id\\\":\\\"" CHANNEL                                 \
	"\\\",\\\"root_id\\\":\\\"\\\","                                       \
	"\\\"original_id\\\":\\\"\\\",\\\"message\\\":\\\"@bot could you "     \
	"look at the build of last night? It failed twice.\\\","               \
	"\\\"type\\\":\\\"\\\",\\\"props\\\":{\\\"disable_group_highlight\\\"" \
	":true},\\\"hashtags\\\":\\\"\\\",\\\"pending_post_id\\\":"            \
	"\\\"u:1795341160900\\\",\\\"reply_count\\\":0,\\\"last_reply_at\\\":" \
	"0,\\\"participants\\\":null,\\\"metadata\\\":{}}\","                  \
	"\"sender_name\":\"@alice\",\"set_online\":true,\"team_id\":"          \
	"\"t10123456789abcdefghijklmn\"},\"broadcast\":{\"omit_users\":null,"  \
	"\"user_id\":\"\",\"channel_id\":\"" CHANNEL                           \
	"\",\"team_id\":\"\"},\"seq\":7}\n"

static double
micros(struct timespec a, struct timespec b, int n)
{
	return ((double)(b.tv_sec - a.tv_sec) * 1e6 +
		   (double)(b.tv_nsec - a.tv_nsec) / 1e3) /
	       n;
}

/* How long a typical post takes; the bound is for slow machines and ASan. */
static void
test_speed(void **state)
{
	static const int n = 20000;
	struct timespec a, b, c;
	double decode_us = 0, decide_us = 0;
	struct event ev;
	struct fixture f;
	int i;

	SKIP_WHEN_SLOW();
	setup(&f,
	    "\"agents\":[{\"id\":\"main\",\"name\":\"Claw\","
	    "\"emoji\":\"\xf0\x9f\xa6\x9e\"}],\"allowFrom\":[\"" USER
	    "\"],\"groupPolicy\":\"allowlist\"",
	    "");
	for (i = 0; i < n; i++) {
		clock_gettime(CLOCK_MONOTONIC, &a);
		decode_message(FRAME, sizeof(FRAME) - 1, "a", &ev);
		clock_gettime(CLOCK_MONOTONIC, &b);
		assert_int_equal(ev.type, EVENT_POSTED);
		decide(f.p, &bot, &f.channel, &f.facts, ev.in, &f.v);
		clock_gettime(CLOCK_MONOTONIC, &c);
		assert_int_equal(f.v.kind, VERDICT_ACCEPT);
		verdict_clear(&f.v);
		event_clear(&ev);
		decode_us += micros(a, b, n);
		decide_us += micros(b, c, n);
	}
	print_message(
	    "one post: decode %.2f us, decide %.2f us\n", decode_us, decide_us);
	assert_true(decode_us + decide_us < 500);
	teardown(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_speed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
