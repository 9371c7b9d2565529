#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <event2/event.h>
#include <json-c/json.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/add.h"
#include "common/fields.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/privdrop.h"
#include "workers/worker.h"

#define SUPERVISOR_FD 3
#define FLUSH_MS 200 /* for the last words of a dying worker */
#define MEMORY_FILE "/proc/self/statm" /* not there on every system */

struct worker {
	const struct worker_role *role;
	struct event_base *base;
	struct chan *up; /* to the supervisor */
	const char *name;
	void *state;
	unsigned lost; /* log lines */
	int check; /* of posternd -nn */
	int again; /* what it is stopped for */
	int memory_fd; /* of MEMORY_FILE, or -1 */
	struct privdrop drop;
};

#ifdef WITH_SANITIZERS
static int chrooted;

/* The leak check reads /proc, which a worker under root has left behind. */
int __lsan_is_turned_off(void);

int
__lsan_is_turned_off(void)
{
	return chrooted;
}
#endif

static void
usage(const char *prog)
{
	fprintf(stderr,
	    "%s is started by posternd(8); it does nothing by itself.\n",
	    prog);
	exit(2);
}

static unsigned
number(const char *s, const char *prog)
{
	const char *errstr;
	unsigned n;

	n = (unsigned)strtonum(s, 0, INT_MAX, &errstr);
	if (errstr != NULL)
		usage(prog);
	return n;
}

static void
args_parse(struct worker *w, int argc, char *argv[])
{
	int ch;

	while ((ch = getopt(argc, argv, "n:u:g:c:f:Rjkv")) != -1) {
		switch (ch) {
		case 'n':
			w->name = optarg;
			break;
		case 'u':
			w->drop.uid = number(optarg, argv[0]);
			break;
		case 'g':
			w->drop.gid = number(optarg, argv[0]);
			break;
		case 'c':
			w->drop.dir = optarg;
			break;
		case 'f':
			w->drop.file_max = number(optarg, argv[0]);
			break;
		case 'R':
			w->drop.rootless = 1;
			break;
		case 'j':
			log_set_json(1);
			break;
		case 'k':
			w->drop.keep_root_dir = 1;
			break;
		case 'v':
			log_set_verbose(1);
			break;
		default:
			usage(argv[0]);
		}
	}
	if (argc != optind)
		usage(argv[0]);
}

/*
 * The log goes up the channel: a jail has no syslog. A supervisor that does
 * not keep up costs lines, never memory.
 */
static void
log_up(int prio, const char *line, void *arg)
{
	struct worker *w = arg;
	struct json_object *msg;

	if (chan_full(w->up) && prio > LOG_CRIT) {
		w->lost++;
		return;
	}
	msg = chan_msg("log");
	add_int(msg, "prio", prio);
	add_str(msg, "line", line);
	if (chan_send(w->up, msg, -1) == 0 && prio <= LOG_CRIT)
		chan_flush(w->up, FLUSH_MS);
}

static void
up_drained(struct chan *c, void *arg)
{
	struct worker *w = arg;
	unsigned lost = w->lost;

	w->lost = 0;
	if (lost > 0)
		log_event(LOG_WARNING, "log.lost", "lines", LOG_NUM(lost),
		    NULL);
}

static void
up_closed(struct chan *c, const char *why, void *arg)
{
	/* Without a supervisor there is nobody to work for. */
	_exit(strcmp(why, "hangup") == 0 ? 0 : 1);
}

static void
need(int there, const char *what)
{
	if (!there)
		fatalx("the supervisor sent %s, which this role has not",
		    what);
}

static void
shape(struct fields *f, const char *type)
{
	if (fields_end(f) == -1)
		fatalx("%s: %s", type, fields_error(f));
}

static void
on_init(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct worker *w = arg;
	struct json_object *config;
	struct fields f;

	fields_open(&f, msg);
	config = fields_obj(&f, "config");
	w->check = fields_opt_bool(&f, "check", 0);
	shape(&f, "init");
	w->role->init(w, config);
}

static void
on_secret(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct worker *w = arg;
	const char *name, *value;
	struct fields f;

	fields_open(&f, msg);
	name = fields_str(&f, "name", 256);
	value = fields_str(&f, "value", 8192);
	shape(&f, "secret");
	need(w->role->secret != NULL, "a secret");
	w->role->secret(w, name, value);
	explicit_bzero((char *)(uintptr_t)value, strlen(value));
}

static void
on_fd(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct worker *w = arg;
	const char *name;
	struct fields f;

	fields_open(&f, msg);
	name = fields_str(&f, "name", 64);
	shape(&f, "fd");
	need(w->role->fd != NULL, "a descriptor");
	w->role->fd(w, name, fd);
}

static void
on_link(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct worker *w = arg;
	struct json_object *opts;
	const char *kind, *peer;
	struct fields f;

	fields_open(&f, msg);
	kind = fields_str(&f, "kind", 32);
	peer = fields_str(&f, "peer", 128);
	opts = fields_opt_obj(&f, "opts");
	shape(&f, "link");
	need(w->role->link != NULL, "a link");
	w->role->link(w, kind, peer, opts, fd);
}

static void
on_unlink(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct worker *w = arg;
	const char *kind, *peer;
	struct fields f;

	fields_open(&f, msg);
	kind = fields_str(&f, "kind", 32);
	peer = fields_str(&f, "peer", 128);
	shape(&f, "unlink");
	need(w->role->unlink != NULL, "an unlink");
	w->role->unlink(w, kind, peer);
}

static void
on_start(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct worker *w = arg;

	chan_set_state(c, PROTO_RUN);
	if (w->role->start != NULL)
		w->role->start(w);
}

/* From a file that was opened before the jail: two numbers of pages. */
static void
add_memory(struct worker *w, struct json_object *msg)
{
	long long total, resident, shared, page = sysconf(_SC_PAGESIZE);
	char buf[128];
	ssize_t n = -1;

	if (w->memory_fd != -1)
		n = pread(w->memory_fd, buf, sizeof(buf) - 1, 0);
	if (n <= 0)
		return;
	buf[n] = '\0';
	if (sscanf(buf, "%lld %lld %lld", &total, &resident, &shared) != 3)
		return;
	add_int(msg, "resident", resident * page);
	add_int(msg, "private", (resident - shared) * page);
}

static void
on_ping(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct json_object *pong = chan_reply_msg("pong", msg);

	add_memory(arg, pong);
	chan_send(c, pong, -1);
}

static void
on_verbose(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct fields f;
	int on;

	fields_open(&f, msg);
	on = fields_bool(&f, "on");
	shape(&f, "verbose");
	log_set_verbose(on);
}

static void
on_stop(struct chan *c, struct json_object *msg, int fd, void *arg)
{
	struct worker *w = arg;
	struct fields f;

	fields_open(&f, msg);
	w->again = fields_opt_bool(&f, "again", 0);
	shape(&f, "stop");
	if (w->role->stop != NULL)
		w->role->stop(w);
	else
		worker_exit(w);
}

static const struct chan_handler up_handlers[] = {
    {"init", on_init},
    {"secret", on_secret},
    {"fd", on_fd},
    {"link", on_link},
    {"unlink", on_unlink},
    {"start", on_start},
    {"ping", on_ping},
    {"verbose", on_verbose},
    {"stop", on_stop},
    {NULL, NULL},
};

static void
say_hello(struct worker *w)
{
	struct json_object *msg = chan_msg("hello");

	add_str(msg, "version", PACKAGE_VERSION);
	add_int(msg, "proto", PROTO_VERSION);
	add_int(msg, "pid", getpid());
	add_str(msg, "sandbox", sandbox_describe());
	chan_send(w->up, msg, -1);
}

/* Only the supervisor orders the end; a terminal's ^C must not. */
static void
signals_ignore(void)
{
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
}

/*
 * From here on what is said goes up. Standard error is the supervisor's own:
 * a captured worker could fill it, or shut it down for all.
 */
static void
up_open(struct worker *w)
{
	w->up = chan_new(w->base, SUPERVISOR_FD, PROTO_SUPERVISOR, SIDE_B,
	    up_handlers, up_closed, w);
	chan_set_state(w->up, PROTO_INIT);
	chan_set_secret(w->up);
	chan_set_drain(w->up, up_drained);
	log_set_sink(log_up, w);
#ifndef WITH_SANITIZERS /* they tell there what they found */
	if (dup2(STDIN_FILENO, STDERR_FILENO) == -1)
		fatal("dup2");
#endif
}

int
worker_main(int argc, char *argv[], const struct worker_role *role)
{
	static struct worker w; /* still there when the process exits */

	memset(&w, 0, sizeof(w));
	w.role = role;
	w.name = "";
	log_init(role->title, 0);
	args_parse(&w, argc, argv);
	signals_ignore();
	tzset();
	w.base = loop_new();
	if (role->prepare != NULL)
		role->prepare(&w);
	w.memory_fd = open(MEMORY_FILE, O_RDONLY | O_CLOEXEC);
	w.drop.threads = role->sandbox == SANDBOX_DIALER;
	w.drop.passes = role->sandbox == SANDBOX_DIALER ||
	    role->sandbox == SANDBOX_STORE;
#ifdef WITH_SANITIZERS
	chrooted = !w.drop.rootless && !w.drop.keep_root_dir;
#endif
	up_open(&w);
	privdrop(&w.drop);
	sandbox_enter(role->sandbox);
	sandbox_selftest(role->sandbox);
	say_hello(&w);
	event_base_dispatch(w.base);
	chan_flush(w.up, FLUSH_MS);
	log_set_sink(NULL, NULL);
	chan_free(w.up);
	event_base_free(w.base);
	return 0;
}

struct event_base *
worker_base(struct worker *w)
{
	return w->base;
}

const char *
worker_name(struct worker *w)
{
	return w->name;
}

void
worker_set_state(struct worker *w, void *state)
{
	w->state = state;
}

void *
worker_state(struct worker *w)
{
	return w->state;
}

void
worker_ready(struct worker *w)
{
	chan_send(w->up, chan_msg("ready"), -1);
}

static void
add_opt(struct json_object *msg, const char *key, const char *value)
{
	char cut[512];

	if (value == NULL)
		return;
	log_clean(cut, value, sizeof(cut));
	json_object_object_add(msg, key, json_object_new_string(cut));
}

void
worker_report(struct worker *w, const char *state, const char *reason,
    const char *detail)
{
	struct json_object *msg = chan_msg("state");

	add_str(msg, "state", state);
	add_opt(msg, "reason", reason);
	add_opt(msg, "detail", detail);
	chan_send(w->up, msg, -1);
}

void
worker_broken(struct worker *w, const char *kind, const char *peer,
    const char *why)
{
	struct json_object *msg;

	if (strcmp(why, "hangup") == 0)
		return;
	msg = chan_msg("broken");
	add_opt(msg, "kind", kind);
	add_opt(msg, "peer", peer);
	add_opt(msg, "why", why);
	chan_send(w->up, msg, -1);
}

int
worker_is_check(const struct worker *w)
{
	return w->check;
}

void
worker_check(struct worker *w, const char *what, const char *state,
    const char *detail)
{
	struct json_object *msg = chan_msg("check");
	char cut[1024];

	add_opt(msg, "what", what);
	add_str(msg, "state", state);
	log_clean(cut, detail, sizeof(cut));
	add_str(msg, "detail", cut);
	chan_send(w->up, msg, -1);
}

void
worker_check_end(struct worker *w)
{
	chan_send(w->up, chan_msg("check.end"), -1);
}

int
worker_ctl(struct worker *w, struct json_object *msg, int64_t ms,
    chan_reply_fn fn, void *arg)
{
	return chan_request(w->up, msg, -1, ms, fn, arg);
}

int
worker_again(const struct worker *w)
{
	return w->again;
}

void
worker_exit(struct worker *w)
{
	event_base_loopbreak(w->base);
}
