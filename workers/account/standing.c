#include "config.h"

#include <json-c/json.h>
#include <stdint.h>

#include "common/add.h"
#include "common/chan.h"
#include "common/fields.h"
#include "common/log.h"
#include "common/monotime.h"
#include "workers/account/account.h"
#include "workers/account/places.h"
#include "workers/account/standing.h"
#include "workers/account/storelink.h"

#define THREAD_LIFE_MS (7LL * 24 * 3600 * 1000) /* since the last answer */
#define LOOP_LIFE_MS (3600LL * 1000) /* since the last turn of a bot */

/* Threads where the bot takes part */

void
threads_note(struct account *a, const char *channel, const char *root)
{
	places_set(a->threads, channel, root, 1, walltime_ms());
}

int
threads_participates(void *arg, const char *channel, const char *root)
{
	const struct account *a = arg;

	return (int)places_fresh(
	    a->threads, channel, root, walltime_ms(), THREAD_LIFE_MS);
}

/* Turns of bots alone */

int
loops_turns(void *arg, const char *channel, const char *root)
{
	const struct account *a = arg;

	return (int)places_fresh(
	    a->loops, channel, root, walltime_ms(), LOOP_LIFE_MS);
}

void
loops_count(struct account *a, const char *channel, const char *root, int by)
{
	int64_t n = loops_turns(a, channel, root) + by;

	if (n > 0)
		places_set(a->loops, channel, root, n, walltime_ms());
	else
		places_forget(a->loops, channel, root);
}

void
loops_human(struct account *a, const char *channel, const char *root)
{
	struct json_object *msg;

	if (places_get(a->loops, channel, root) == 0)
		return;
	places_forget(a->loops, channel, root);
	msg = chan_msg("loop.reset");
	add_str(msg, "channel", channel);
	add_str(msg, "root", root);
	storelink_request(a, msg, NULL, NULL);
}

/* From the store */

static int
load(struct places *ps, struct json_object *list, int counted)
{
	size_t i, n = json_object_array_length(list);
	const char *channel, *root;
	struct fields f;
	int64_t v = 1, at;

	for (i = 0; i < n; i++) {
		fields_open(&f, json_object_array_get_idx(list, i));
		channel = fields_str(&f, "channel", MM_ID_LEN);
		root = fields_str(&f, "root", MM_ID_LEN);
		if (counted)
			v = fields_int(&f, "n", 0, INT32_MAX);
		at = fields_int(&f, "at", 0, INT64_MAX);
		if (fields_end(&f) == -1)
			return -1;
		/* What came while this was on its way is newer. */
		if (v > places_get(ps, channel, root))
			places_set(ps, channel, root, v, at);
	}
	return 0;
}

int
standing_load(struct account *a, struct json_object *access)
{
	struct json_object *threads = NULL, *loops = NULL;

	json_object_object_get_ex(access, "threads", &threads);
	json_object_object_get_ex(access, "loops", &loops);
	if (!json_object_is_type(threads, json_type_array) ||
	    !json_object_is_type(loops, json_type_array))
		return -1;
	return load(a->threads, threads, 0) == 0 &&
		load(a->loops, loops, 1) == 0 ? 0 : -1;
}
