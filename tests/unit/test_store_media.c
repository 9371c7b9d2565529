/* The media folder: who may put and get what, and what is left behind. */
#include "config.h"

#include <sys/stat.h>

#include <dirent.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/monotime.h"
#include "tests/unit/test_store_rig.h"
#include "tests/unit/test_store_util.h"
#include "workers/store/media.h"

#define FILE_1 "f1aaaaaaaaaaaaaaaaaaaaaaaa"
#define FILE_2 "f2aaaaaaaaaaaaaaaaaaaaaaaa"

static struct client a;

static int
setup(void **state)
{
	rig_setup(state);
	service_start(rig_sv);
	rig_open(&a, "account", "a", "{\"agents\":[\"main\"]}");
	return 0;
}

static int
teardown(void **state)
{
	client_close(&a);
	return rig_teardown(state);
}

static int
files(void)
{
	DIR *d = opendir(MEDIA_DIR);
	struct dirent *de;
	int n = 0;

	while ((de = readdir(d)) != NULL)
		n += de->d_name[0] != '.';
	closedir(d);
	return n;
}

/* media.new of a file that is not there; its name. */
static const char *
begin(const char *file)
{
	static char id[MEDIA_ID + 1];
	char text[128];

	snprintf(text, sizeof(text), "{\"file\":\"%s\"}", file);
	assert_string_equal(call(&a, "media.new", text), "media.file");
	assert_int_not_equal(a.fd, -1);
	strlcpy(id, ts_str(a.reply, "media"), sizeof(id));
	return id;
}

/* It is full, and will not be written to any more. */
static void
end(void)
{
	close(a.fd);
	a.fd = -1;
}

static const char *
put_file(const char *id, const char *file, int size)
{
	char text[512];

	end();
	snprintf(text, sizeof(text),
	    "{\"media\":\"%s\",\"file\":\"%s\",\"event\":\"e\","
	    "\"name\":\"n\",\"type\":\"text/plain\",\"claimed\":\"\","
	    "\"size\":%d}", id, file, size);
	return call(&a, "media.put", text);
}

static const char *
get(struct client *cl, const char *id)
{
	char text[128];

	snprintf(text, sizeof(text), "{\"media\":\"%s\"}", id);
	return call(cl, "media.get", text);
}

static void
fill(const char *file)
{
	const char *id = begin(file);

	assert_int_equal(write(a.fd, "hello", 5), 5);
	assert_string_equal(put_file(id, file, 5), "media");
	assert_string_equal(ts_str(a.reply, "media"), id);
}

static void
test_put_and_get(void **state)
{
	struct client agent, other;
	char buf[8] = "", id[MEDIA_ID + 1];
	struct stat sb;

	fill(FILE_1);
	strlcpy(id, ts_str(a.reply, "media"), sizeof(id));
	rig_open(&agent, "agent", "main", NULL);
	rig_open(&other, "agent", "other", NULL);
	assert_string_equal(get(&agent, id), "media.file");
	assert_string_equal(ts_str(agent.reply, "name"), "n");
	assert_int_equal(ts_int(agent.reply, "size"), 5);
	assert_int_equal(read(agent.fd, buf, sizeof(buf)), 5);
	assert_string_equal(buf, "hello");
	assert_int_equal(write(agent.fd, "x", 1), -1);
	assert_int_equal(fstat(agent.fd, &sb), 0);
	assert_int_equal(sb.st_mode & 07777, 0600);
	/* Not bound to the account; not an id; nobody's. */
	assert_string_equal(get(&other, id), "err");
	assert_string_equal(get(&agent, "../postern.db"), "err");
	assert_string_equal(
	    get(&agent, "00000000000000000000000000000000"), "err");
	/* The account is away: nobody can tell whose agent it is. */
	service_unlink(rig_sv, "account", "a");
	assert_string_equal(get(&agent, id), "err");
	client_close(&agent);
	client_close(&other);
}

static void
test_known_is_not_asked_again(void **state)
{
	struct client b;
	char id[MEDIA_ID + 1];

	fill(FILE_1);
	strlcpy(id, ts_str(a.reply, "media"), sizeof(id));
	assert_string_equal(
	    call(&a, "media.new", "{\"file\":\"" FILE_1 "\"}"), "media");
	assert_string_equal(ts_str(a.reply, "media"), id);
	assert_int_equal(a.fd, -1);
	/* Another account has its own. */
	rig_open(&b, "account", "b", NULL);
	assert_string_equal(
	    call(&b, "media.new", "{\"file\":\"" FILE_1 "\"}"), "media.file");
	client_close(&b);
	/* Its file has gone: as if it had never been there. */
	media_remove(id);
	fill(FILE_1);
	assert_string_not_equal(ts_str(a.reply, "media"), id);
}

static void
test_wrong_puts(void **state)
{
	char id[MEDIA_ID + 1];

	strlcpy(id, begin(FILE_1), sizeof(id));
	assert_int_equal(write(a.fd, "hello", 5), 5);
	assert_string_equal(put_file(id, FILE_1, 6), "err");
	assert_string_equal(ts_str(a.reply, "code"), "denied");
	assert_string_equal(
	    put_file("00000000000000000000000000000000", FILE_1, 5), "err");
	assert_string_equal(put_file("../x", FILE_1, 5), "err");
	assert_string_equal(put_file(id, FILE_1, 5), "media");
	/* Once is enough. */
	assert_string_equal(put_file(id, FILE_1, 5), "err");
	assert_int_equal(files(), 1);
}

/* Two at once of the same file: the first one put is kept. */
static void
test_twice(void **state)
{
	char one[MEDIA_ID + 1], two[MEDIA_ID + 1];

	strlcpy(one, begin(FILE_1), sizeof(one));
	strlcpy(two, begin(FILE_1), sizeof(two));
	assert_string_equal(put_file(two, FILE_1, 0), "media");
	assert_string_equal(put_file(one, FILE_1, 0), "media");
	assert_string_equal(ts_str(a.reply, "media"), two);
	assert_int_equal(files(), 1);
}

static void
test_unfinished_go(void **state)
{
	char text[128];
	int i;

	for (i = 0; i < PEER_MEDIA + 3; i++)
		begin(FILE_1);
	assert_int_equal(files(), PEER_MEDIA);
	snprintf(text, sizeof(text), "{\"media\":\"%s\"}", begin(FILE_2));
	tell(&a, "media.drop", text);
	fill(FILE_2);
	assert_int_equal(files(), PEER_MEDIA);
	/* With the link go those that were not put. */
	service_unlink(rig_sv, "account", "a");
	assert_int_equal(files(), 1);
}

/* The folder is bounded: the oldest make room. */
static void
test_room(void **state)
{
	const int size = 600 << 20; /* nothing but a hole */
	const char *id;

	fill(FILE_1);
	rig_run_ms(2); /* older by the clock */
	id = begin(FILE_2);
	assert_int_equal(ftruncate(a.fd, size), 0);
	assert_string_equal(put_file(id, FILE_2, size), "media");
	assert_int_equal(files(), 2);
	id = begin("f3");
	assert_int_equal(ftruncate(a.fd, size), 0);
	assert_string_equal(put_file(id, "f3", size), "media");
	assert_string_equal(ts_str(a.reply, "media"), id);
	assert_int_equal(files(), 1);
}

/* A file with nothing in it but its length. */
static void
fill_hole(const char *file, int size)
{
	const char *id = begin(file);

	assert_int_equal(ftruncate(a.fd, size), 0);
	assert_string_equal(put_file(id, file, size), "media");
}

/* Of who has most: the others keep theirs. */
static void
test_room_of_others(void **state)
{
	const int size = 600 << 20;

	fill(FILE_1);
	client_close(&a);
	rig_run_ms(2);
	rig_open(&a, "account", "b", NULL);
	fill_hole("f2", size);
	fill_hole("f3", size);
	fill_hole("f4", size);
	assert_int_equal(files(), 2);
	client_close(&a);
	rig_open(&a, "account", "a", NULL);
	assert_string_equal(
	    call(&a, "media.new", "{\"file\":\"" FILE_1 "\"}"), "media");
}

/* Nor for one that would fill the folder many times. */
static void
test_larger_than_all(void **state)
{
	char text[512];
	const char *id;

	fill(FILE_1);
	id = begin(FILE_2);
	assert_int_equal(pwrite(a.fd, "x", 1, 1LL << 40), 1);
	end();
	snprintf(text, sizeof(text),
	    "{\"media\":\"%s\",\"file\":\"" FILE_2 "\",\"event\":\"e\","
	    "\"name\":\"n\",\"type\":\"\",\"claimed\":\"\","
	    "\"size\":%lld}", id, (1LL << 40) + 1);
	assert_string_equal(call(&a, "media.put", text), "err");
	assert_string_equal(ts_str(a.reply, "code"), "denied");
	assert_string_equal(
	    call(&a, "media.new", "{\"file\":\"" FILE_1 "\"}"), "media");
}

/* What was put stays as it was: nobody can still write to it. */
static void
test_written(void **state)
{
	const char *id = begin(FILE_1);
	int fd = dup(a.fd);

	assert_int_equal(write(fd, "hello", 5), 5);
	assert_string_equal(put_file(id, FILE_1, 5), "err");
	assert_string_equal(ts_str(a.reply, "code"), "denied");
	close(fd);
	assert_string_equal(put_file(id, FILE_1, 5), "media");
}

/* Descriptors that are kept cannot be had without end. */
static void
test_kept_descriptors(void **state)
{
	int fds[PEER_MEDIA], i;
	char text[128];

	for (i = 0; i < PEER_MEDIA; i++) {
		snprintf(text, sizeof(text), "{\"media\":\"%s\"}",
		    begin(FILE_1));
		fds[i] = dup(a.fd);
		end();
		if (i % 2)
			tell(&a, "media.drop", text);
	}
	assert_string_equal(
	    call(&a, "media.new", "{\"file\":\"" FILE_1 "\"}"), "err");
	assert_string_equal(ts_str(a.reply, "code"), "quota");
	assert_int_equal(files(), PEER_MEDIA);
	/* One that is closed makes room for another. */
	close(fds[3]);
	begin(FILE_1);
	end();
	assert_int_equal(files(), PEER_MEDIA);
	fill(FILE_2);
	service_unlink(rig_sv, "account", "a");
	assert_int_equal(files(), 1);
	for (i = 0; i < PEER_MEDIA; i++)
		if (i != 3)
			close(fds[i]);
}

/* Nor files with nothing in them: each counts as a block. */
static void
test_empty_files(void **state)
{
	struct db *db;

	client_close(&a);
	service_stop(rig_sv);
	db = ts_open();
	ts_sql(db, "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL"
		   " SELECT x + 1 FROM c LIMIT 33000) INSERT INTO media"
		   " SELECT x, iif(x <= 1000, 'b', 'a'), x, '', '', '', '', 0,"
		   " x FROM c");
	db_close(db);
	rig_restart();
	rig_open(&a, "account", "a", NULL);
	fill(FILE_1);
	client_close(&a);
	service_stop(rig_sv);
	db = ts_open();
	assert_in_range(
	    ts_sql(db, "SELECT count(*) FROM media"), 20000, 32768);
	assert_int_equal(
	    ts_sql(db, "SELECT count(*) FROM media WHERE account = 'b'"),
	    1000);
	db_close(db);
	rig_restart();
	rig_open(&a, "account", "a", NULL);
}

/* Who has less than the other keeps what still waits for its turn. */
static void
test_waiting_stay(void **state)
{
	const int size = 100 << 20;
	char file[8];
	int i;

	for (i = 0; i < 4; i++) {
		snprintf(file, sizeof(file), "w%d", i);
		fill_hole(file, size);
	}
	client_close(&a);
	rig_open(&a, "account", "b", NULL);
	for (i = 0; i < 30; i++) {
		snprintf(file, sizeof(file), "f%d", i);
		fill_hole(file, size);
	}
	client_close(&a);
	rig_open(&a, "account", "a", NULL);
	for (i = 0; i < 4; i++) {
		char text[64];

		snprintf(text, sizeof(text), "{\"file\":\"w%d\"}", i);
		assert_string_equal(call(&a, "media.new", text), "media");
	}
}

static void
test_sweep(void **state)
{
	char id[MEDIA_ID + 1];

	fill(FILE_1);
	assert_int_not_equal(media_create(id), -1);
	assert_int_equal(files(), 2);
	client_close(&a);
	rig_restart();
	assert_int_equal(files(), 1);
	rig_open(&a, "account", "a", NULL);
	assert_string_equal(
	    call(&a, "media.new", "{\"file\":\"" FILE_1 "\"}"), "media");
}

static void
prune_all(int64_t cutoff)
{
	struct db *db = ts_open();

	ts_prune(db, cutoff);
	db_close(db);
}

static void
test_prune(void **state)
{
	fill(FILE_1);
	fill(FILE_2);
	service_stop(rig_sv);
	prune_all(walltime_ms() - 60000);
	assert_int_equal(files(), 2);
	prune_all(walltime_ms() + 60000);
	assert_int_equal(files(), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	    T(test_put_and_get),
	    T(test_known_is_not_asked_again),
	    T(test_wrong_puts),
	    T(test_twice),
	    T(test_unfinished_go),
	    T(test_room),
	    T(test_room_of_others),
	    T(test_larger_than_all),
	    T(test_written),
	    T(test_kept_descriptors),
	    T(test_empty_files),
	    T(test_waiting_stay),
	    T(test_sweep),
	    T(test_prune),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
