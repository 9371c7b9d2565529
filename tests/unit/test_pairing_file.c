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
#include <unistd.h>

#include "ctl/pairing_file.h"

#define U1 "u10123456789abcdefghijklmn"
#define U2 "u20123456789abcdefghijklmn"

static char dir[64];

static int
setup(void **state)
{
	strlcpy(dir, "/tmp/postern-pairing-XXXXXX", sizeof(dir));
	return mkdtemp(dir) == NULL ? -1 : 0;
}

static const char *const names[] = {"mattermost-pairing.json",
    "mattermost-allowFrom.json", "mattermost-work-bot-allowFrom.json",
    "mattermost--allowFrom.json", "telegram-pairing.json", "other.json"};

static const char *
path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static int
teardown(void **state)
{
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(path_of(names[i]));
	return rmdir(dir);
}

static void
put(const char *name, const char *text)
{
	FILE *f = fopen(path_of(name), "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void
test_user_id(void **state)
{
	static const char *const good[] = {U1, " " U1 " ", "mattermost:" U1,
	    "MATTERMOST:" U1, "user:" U1, "U10123456789ABCDEFGHIJKLMN"};
	static const char *const bad[] = {"", "*", "@alice", U1 "x", "u1",
	    "u1012345678 abcdefghijklmn", "mattermost:", "slack:" U1};
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_non_null(pairing_user_id(good[i]));
		assert_string_equal(pairing_user_id(good[i]), U1);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_null(pairing_user_id(bad[i]));
}

static void
test_time(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} table[] = {
	    {"1970-01-01T00:00:01Z", 1000},
	    {"1970-01-01T00:00:00.007Z", 7},
	    {"2026-05-20T14:03:05.123Z", 1779285785123},
	    {"2026-05-20T14:03:05.12345Z", 1779285785123},
	    {"2026-05-20T14:03:05.1Z", 1779285785100},
	    {"2026-05-20T14:03:05", 0},
	    {"2026-05-20T14:03:05+02:00", 0},
	    {"yesterday", 0},
	    {"", 0},
	};
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		assert_int_equal(pairing_time(table[i].text), table[i].ms);
	assert_string_equal(
	    pairing_iso(1779285785123), "2026-05-20T14:03:05.123Z");
	assert_string_equal(pairing_iso(7), "1970-01-01T00:00:00.007Z");
}

static const char *
grants(const struct pairing_parts *ps, const char *account)
{
	size_t i;

	for (i = 0; i < ps->n; i++)
		if (strcmp(ps->parts[i].account, account) == 0)
			return json_object_to_json_string_ext(
			    ps->parts[i].grants, JSON_C_TO_STRING_PLAIN);
	return "";
}

static const char *
requests(const struct pairing_parts *ps, const char *account)
{
	size_t i;

	for (i = 0; i < ps->n; i++)
		if (strcmp(ps->parts[i].account, account) == 0)
			return json_object_to_json_string_ext(
			    ps->parts[i].requests, JSON_C_TO_STRING_PLAIN);
	return "";
}

static void
test_directory(void **state)
{
	struct pairing_parts ps = {0};

	put("mattermost-allowFrom.json",
	    "{\"version\":1,\"allowFrom\":[\"" U1 "\",\"@x\",5]}");
	put("mattermost-work-bot-allowFrom.json",
	    "{\"allowFrom\":[\"" U2 "\"]}");
	put("mattermost--allowFrom.json", "{\"allowFrom\":[\"" U2 "\"]}");
	put("mattermost-pairing.json",
	    "{\"requests\":[{\"id\":\"" U1 "\",\"code\":\"ABCDEFGH\","
	    "\"createdAt\":\"1970-01-01T00:00:01Z\",\"meta\":{\"name\":\"n\","
	    "\"accountId\":\"work-bot\"}},{\"id\":\"" U2 "\",\"code\":"
	    "\"ABCDEFGJ\",\"createdAt\":\"1970-01-01T00:00:02Z\","
	    "\"lastSeenAt\":\"1970-01-01T00:00:03Z\"},{},7]}");
	put("telegram-pairing.json", "not JSON");
	assert_int_equal(pairing_file_read(dir, NULL, &ps), 0);
	assert_int_equal(ps.n, 2);
	assert_int_equal(ps.skipped, 4);
	assert_string_equal(grants(&ps, "default"), "[\"" U1 "\"]");
	assert_string_equal(grants(&ps, "work-bot"), "[\"" U2 "\"]");
	assert_string_equal(requests(&ps, "work-bot"),
	    "[{\"user\":\"" U1 "\",\"code\":\"ABCDEFGH\",\"name\":\"n\","
	    "\"created\":1000,\"seen\":1000}]");
	assert_string_equal(requests(&ps, "default"),
	    "[{\"user\":\"" U2 "\",\"code\":\"ABCDEFGJ\",\"name\":\"\","
	    "\"created\":2000,\"seen\":3000}]");
	pairing_parts_free(&ps);
	/* All of it for one account. */
	memset(&ps, 0, sizeof(ps));
	assert_int_equal(pairing_file_read(dir, "one", &ps), 0);
	assert_int_equal(ps.n, 1);
	pairing_parts_free(&ps);
}

static void
test_bad_files(void **state)
{
	struct pairing_parts ps = {0};

	assert_int_equal(pairing_file_read(dir, NULL, &ps), -1);
	assert_int_equal(pairing_file_read(path_of("none"), NULL, &ps), -1);
	put("other.json", "{\"allowFrom\":");
	assert_int_equal(
	    pairing_file_read(path_of("other.json"), NULL, &ps), -1);
	put("other.json", "{\"allowFrom\":{}}");
	assert_int_equal(
	    pairing_file_read(path_of("other.json"), NULL, &ps), -1);
	put("other.json", "[]");
	assert_int_equal(
	    pairing_file_read(path_of("other.json"), NULL, &ps), -1);
	/* By any name, when it is asked for by name. */
	put("other.json", "{\"allowFrom\":[\"" U1 "\"]}");
	assert_int_equal(
	    pairing_file_read(path_of("other.json"), NULL, &ps), 0);
	assert_string_equal(grants(&ps, "default"), "[\"" U1 "\"]");
	pairing_parts_free(&ps);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_user_id),
	    cmocka_unit_test(test_time),
	    cmocka_unit_test_setup_teardown(test_directory, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_bad_files, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
