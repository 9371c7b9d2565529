/*
 * The real postern-store, as its supervisor starts it: in its jail, killed
 * at any moment, and how fast it is.
 */
#include "config.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/chan.h"
#include "common/loop.h"
#include "common/monotime.h"
#include "tests/unit/net_proc.h"
#include "tests/unit/test_store_client.h"
#include "tests/unit/test_store_util.h"

#define NOBODY "65534"
#define ROUNDS 12
#define WINDOW 32 /* requests under way for each account */

static struct event_base *base;
static int jailed; /* with a uid of its own and chroot */
static char program[PATH_MAX];
static char home[1024];

static void
store_start(struct proc *p)
{
	struct monotime end = monotime_add(monotime_now(), 10000);
	const char *const plain[] = {"postern-store", "-R", "-c", home, NULL};
	const char *const in_jail[] = {
	    "postern-store", "-u", NOBODY, "-g", NOBODY, "-c", home, NULL};

	proc_run(p, base, program, jailed ? in_jail : plain,
	    "{\"retentionDays\":30}");
	proc_go(p);
	while (!p->ready) {
		assert_false(p->closed);
		assert_true(monotime_left(end) > 0);
		event_base_loop(base, EVLOOP_ONCE);
	}
}

static void
store_link(struct proc *p, struct client *cl, const char *kind, const char *id,
    const char *opts)
{
	int sp[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sp), 0);
	proc_link(p, kind, id, opts, sp[0]);
	client_start(cl, base, kind, sp[1]);
}

static int
store_stop(struct proc *p, struct rusage *ru)
{
	chan_send(p->sup, chan_msg("stop"), -1);
	while (!p->closed)
		event_base_loop(base, EVLOOP_ONCE);
	return proc_wait(p, ru);
}

static int
setup(void **state)
{
	if (*program == '\0')
		assert_non_null(realpath("postern-store", program));
	ts_enter();
	assert_non_null(getcwd(home, sizeof(home)));
	base = loop_new();
	return 0;
}

static int
teardown(void **state)
{
	if (jailed)
		unsetenv("ASAN_OPTIONS");
	jailed = 0;
	event_base_free(base);
	ts_leave();
	return 0;
}

static void
test_start_stop(void **state)
{
	struct client a;
	struct stat st;
	struct proc p;

	store_start(&p);
	assert_string_equal(p.state, "open");
	print_message("sandbox: %s\n", p.sandbox);
	store_link(&p, &a, "account", "a", NULL);
	put(&a, "e1", 100);
	wait_replies(&a, 1);
	assert_string_equal(a.type, "inbox.ok");
	/* What is sent before the stop is committed, and answered. */
	put(&a, "e2", 100);
	tell(&a, "mark", "{\"channel\":\"c7\",\"post\":\"p\",\"at\":1}");
	chan_flush(a.chan, 1000);
	/* The WAL gets its usual length once there is time. */
	client_run_ms(base, 400);
	assert_int_equal(stat("postern.db-wal", &st), 0);
	assert_true(st.st_size >= 4 * 1024 * 1024);
	assert_int_equal(store_stop(&p, NULL), 0);
	wait_replies(&a, 2);
	assert_string_equal(a.type, "inbox.ok");
	client_close(&a);
	assert_int_equal(stat("postern.db", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(stat("postern.db-wal", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);

	store_start(&p);
	store_link(&p, &a, "account", "a", NULL);
	assert_string_equal(call(&a, "load", "{}"), "load.end");
	assert_int_equal(a.n_rows, 4);
	client_close(&a);
	assert_int_equal(store_stop(&p, NULL), 0);
}

static void
test_jailed(void **state)
{
	if (geteuid() != 0)
		skip();
	assert_int_equal(chown(home, atoi(NOBODY), atoi(NOBODY)), 0);
	jailed = 1;
	/* The leak checker cannot trace what is in a jail. */
	setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
	test_start_stop(state);
}

/* Events that walk through put, commit and done, as many as fit. */
struct walk {
	struct client *client;
	const char *account;
	const int *stop;
	int next, limit;
	int puts, commits; /* acknowledged */
	int under_way;
};

struct step {
	struct walk *walk;
	int n;
};

static void walk_on(struct walk *);

static void
walk_done(void *arg, const char *type, struct json_object *msg, int fd)
{
	struct step *s = arg;
	struct walk *w = s->walk;
	char text[256];

	if (strcmp(type, "ok") == 0) {
		w->commits++;
		snprintf(text, sizeof(text),
		    "{\"key\":\"a%d\",\"post\":\"answer%d\"}", s->n, s->n);
		tell(w->client, "outbox.done", text);
	}
	w->under_way--;
	free(s);
	if (msg != NULL)
		walk_on(w);
}

#define WALK_COMMIT                                                            \
	"{\"seq\":%lld,\"session\":\"agent:g:%s:%d\",\"agent\":\"g\","         \
	"\"outcome\":\"answered\",\"transcript\":["                            \
	"{\"role\":\"user\",\"content\":\"a question of usual length\"},"      \
	"{\"role\":\"assistant\",\"content\":\"an answer\"}],\"outbox\":["     \
	"{\"key\":\"a%d\",\"op\":\"post\",\"channel\":\"c\",\"root\":\"r\","   \
	"\"text\":\"an answer\"}%s]}"

static void
walk_put_ok(void *arg, const char *type, struct json_object *msg, int fd)
{
	struct step *s = arg;
	struct walk *w = s->walk;
	char text[1024], kept[128];

	if (strcmp(type, "inbox.ok") != 0) {
		w->under_way--;
		free(s);
		return;
	}
	w->puts++;
	snprintf(text, sizeof(text), "{\"seq\":%lld}",
	    (long long)ts_int(msg, "seq"));
	tell(w->client, "turn.begin", text);
	/* In the crash test a second row stays, to be counted. */
	snprintf(kept, sizeof(kept),
	    ",{\"key\":\"b%d\",\"op\":\"post\",\"channel\":\"c\"}", s->n);
	snprintf(text, sizeof(text), WALK_COMMIT, (long long)ts_int(msg, "seq"),
	    w->account, s->n, s->n, w->stop != NULL ? kept : "");
	chan_request(w->client->chan, client_message("turn.commit", text), -1,
	    10000, walk_done, s);
}

static void
walk_on(struct walk *w)
{
	struct step *s;
	char text[512];

	while (w->under_way < WINDOW && w->next < w->limit &&
	       (w->stop == NULL || !*w->stop)) {
		s = calloc(1, sizeof(*s));
		assert_non_null(s);
		s->walk = w;
		s->n = w->next++;
		w->under_way++;
		snprintf(text, sizeof(text),
		    "{\"kind\":\"post\",\"event\":\"e%d\",\"lane\":\"c\","
		    "\"channel\":\"c\",\"root\":\"\",\"at\":%d,"
		    "\"data\":{\"user\":\"4xp9fdt77pncbef59f4k1qe83o\","
		    "\"text\":\"@bot a question of usual length\"},"
		    "\"mark\":true}",
		    s->n, s->n + 1);
		chan_request(w->client->chan, client_message("inbox.put", text),
		    -1, 10000, walk_put_ok, s);
	}
}

static void
check_invariants(struct walk *walks, int n)
{
	struct db *db = ts_open();
	char sql[512];
	int i;

#define NONE(q) assert_int_equal(ts_sql(db, "SELECT count(*) FROM " q), 0)
	assert_int_equal(
	    ts_sql(db, "SELECT count(*) FROM pragma_integrity_check()"
		       " WHERE integrity_check <> 'ok'"),
	    0);
	/* Done, transcript and outbox: all three or none. */
	NONE("inbox i WHERE (state = 1) <> EXISTS(SELECT 1 FROM outbox o"
	     " WHERE o.key = 'b' || substr(i.event, 2)"
	     " AND o.account = i.account)");
	NONE("inbox i WHERE (state = 1) <> EXISTS(SELECT 1 FROM session s"
	     " WHERE s.key = 'agent:g:' || i.account || ':' ||"
	     " substr(i.event, 2))");
	NONE("(SELECT account, event FROM inbox GROUP BY 1, 2"
	     " HAVING count(*) > 1)");
	assert_int_equal(
	    ts_sql(db, "SELECT count(*) - 2 * (SELECT count(*) FROM inbox"
		       " WHERE state = 1) FROM message"),
	    0);
	for (i = 0; i < n; i++) {
		/* Puts are answered in order: all up to the last are there. */
		snprintf(sql, sizeof(sql),
		    "SELECT count(*) >= %d AND sum(state = 1) >= %d"
		    " FROM inbox WHERE account = '%s'",
		    walks[i].puts, walks[i].commits, walks[i].account);
		assert_int_equal(ts_sql(db, sql), 1);
		snprintf(sql, sizeof(sql),
		    "SELECT (SELECT at FROM mark WHERE account = '%s') ="
		    " (SELECT max(at) FROM inbox WHERE account = '%s')",
		    walks[i].account, walks[i].account);
		assert_int_equal(ts_sql(db, sql), 1);
	}
	db_close(db);
}

static void
test_crash(void **state)
{
	struct walk walks[2] = {{.account = "a"}, {.account = "b"}};
	struct client clients[2];
	struct proc p;
	int round, i, stop, total = 0;

	for (round = 0; round < ROUNDS; round++) {
		stop = 0;
		store_start(&p);
		for (i = 0; i < 2; i++) {
			store_link(&p, &clients[i], "account", walks[i].account,
			    "{\"agents\":[\"g\"]}");
			walks[i].client = &clients[i];
			walks[i].stop = &stop;
			walks[i].limit = 1 << 30;
			walk_on(&walks[i]);
		}
		client_run_ms(base, 10 + (int)arc4random_uniform(60));
		stop = 1;
		assert_int_equal(kill(p.pid, SIGKILL), 0);
		assert_int_equal(proc_wait(&p, NULL), -SIGKILL);
		/* What was on its way before the end counts as well. */
		client_run_ms(base, 5);
		for (i = 0; i < 2; i++)
			client_close(&clients[i]);
		check_invariants(walks, 2);
	}
	for (i = 0; i < 2; i++)
		total += walks[i].commits;
	print_message("%d kills, %d turns committed\n", ROUNDS, total);
	assert_true(total > 10);
}

static int64_t
private_kb(pid_t pid)
{
	char path[64], line[256];
	long long kb;
	int64_t sum = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
	if ((f = fopen(path, "r")) == NULL)
		return -1;
	while (fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "Private_Clean: %lld", &kb) == 1 ||
		    sscanf(line, "Private_Dirty: %lld", &kb) == 1)
			sum += kb;
	fclose(f);
	return sum;
}

static int64_t
cpu_us(const struct rusage *ru)
{
	return (ru->ru_utime.tv_sec + ru->ru_stime.tv_sec) * 1000000LL +
	       ru->ru_utime.tv_usec + ru->ru_stime.tv_usec;
}

/* What the disk alone takes, now: four pages and one fdatasync. */
static int64_t
floor_us(void)
{
	static const char pages[4 * 4096];
	struct monotime start;
	int fd, i;

	fd = open("floor", O_RDWR | O_CREAT, 0600);
	assert_true(fd != -1);
	start = monotime_now();
	for (i = 0; i < 200; i++) {
		assert_int_equal(
		    pwrite(fd, pages, sizeof(pages), 0), sizeof(pages));
		assert_int_equal(fdatasync(fd), 0);
	}
	close(fd);
	return monotime_since(start) * 1000 / 200;
}

/* One at a time: what a single message waits for. */
static void
print_latency(struct client *cl)
{
	struct monotime start = monotime_now();
	char event[32];
	int i, n = cl->replies;

	for (i = 0; i < 500; i++) {
		snprintf(event, sizeof(event), "one%d", i);
		put(cl, event, 200);
		wait_replies(cl, ++n);
	}
	print_message("inbox.put: %lld us alone;",
	    (long long)monotime_since(start) * 1000 / 500);
	print_message(
	    " the disk takes %lld us of that\n", (long long)floor_us());
}

static void
test_rate(void **state)
{
	struct walk w = {.account = "a", .limit = 5000};
	struct monotime start;
	struct client a;
	struct rusage ru;
	struct proc p;
	char event[32];
	int64_t ms;
	int i;

	store_start(&p);
	print_message("idle: %lld kB private\n", (long long)private_kb(p.pid));
	store_link(&p, &a, "account", "a", "{\"agents\":[\"g\"]}");
	start = monotime_now();
	for (i = 0; i < 5000; i++) {
		snprintf(event, sizeof(event), "put%d", i);
		put(&a, event, 200);
		wait_replies(&a, i + 1 - WINDOW);
	}
	wait_replies(&a, 5000);
	ms = monotime_since(start);
	assert_int_equal(a.errs, 0);
	print_message("inbox.put: %lld a second with %d under way\n",
	    5000 * 1000LL / (long long)(ms + 1), WINDOW);
	print_latency(&a);
	print_message("after: %lld kB private\n", (long long)private_kb(p.pid));
	client_close(&a);
	assert_int_equal(store_stop(&p, &ru), 0);
	print_message(
	    "inbox.put: %lld us of CPU each\n", (long long)cpu_us(&ru) / 5500);

	store_start(&p);
	store_link(&p, &a, "account", "a", "{\"agents\":[\"g\"]}");
	w.client = &a;
	start = monotime_now();
	walk_on(&w);
	while (w.under_way > 0)
		event_base_loop(base, EVLOOP_ONCE);
	ms = monotime_since(start);
	assert_int_equal(w.commits, w.limit);
	print_message("whole turns: %lld a second\n",
	    w.limit * 1000LL / (long long)(ms + 1));
	client_close(&a);
	assert_int_equal(store_stop(&p, &ru), 0);
	print_message("whole turn: %lld us of CPU each\n",
	    (long long)cpu_us(&ru) / w.limit);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(test_start_stop),
	    T(test_jailed),
	    T(test_crash),
	    T(test_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
