#include "config.h"

#include <sys/socket.h>
#include <netinet/in.h>

#include <arpa/inet.h>
#include <err.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <json-c/json.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/signed_context.h"
#include "workers/callback/proof.h"

/*
 * callbacks PORT TOKEN CONNECTIONS COUNT RATE: COUNT hooks, each another,
 * over so many connections; RATE a second, or 0 for as fast as they are
 * answered. Prints answers a second, and the 99th percentile of the time to
 * an answer in ms; fails on any other answer than 200.
 *
 * callbacks timing [COMPARISONS]: is there a difference between comparing
 * tokens, and signatures of buttons, that are alike in none and in more or
 * less of their bytes? Prints the largest |t| of Welch's test, as dudect does
 * it, 4.5 and more says yes; and what it is for a comparison that ends at the
 * first difference, so that one sees that this machine can tell.
 */

#define CONNECTIONS_MAX 1024
#define TOTAL_S 120

struct client {
	struct bufferevent *bev;
	double began;
	int busy;
	struct client *next; /* idle */
};

static struct event_base *base;
static struct client clients[CONNECTIONS_MAX], *idle;
static struct event *pacer;
static const char *token;
static long count, rate, sent, answered, due;
static double *times, began;
static unsigned seed;

static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void
ask(struct client *c)
{
	char body[256];
	int n = snprintf(body, sizeof(body),
	    "{\"message\":\"hook %ld\",\"sessionKey\":\"bench\","
	    "\"idempotencyKey\":\"%u-%ld\"}", sent, seed, sent);

	evbuffer_add_printf(bufferevent_get_output(c->bev),
	    "POST /hooks/agent HTTP/1.1\r\nHost: x\r\n"
	    "Authorization: Bearer %s\r\nContent-Type: application/json\r\n"
	    "Content-Length: %d\r\n\r\n%s", token, n, body);
	c->began = now();
	c->busy = 1;
	sent++;
}

static void
pace(evutil_socket_t fd, short what, void *arg)
{
	struct client *c;

	due = (long)((now() - began) * (double)rate);
	while (sent < due && sent < count && (c = idle) != NULL) {
		idle = c->next;
		ask(c);
	}
}

static void
on_read(struct bufferevent *bev, void *arg)
{
	struct evbuffer *in = bufferevent_get_input(bev);
	struct client *c = arg;
	size_t len = evbuffer_get_length(in);
	const char *s = (const char *)evbuffer_pullup(in, -1), *end;

	end = memmem(s, len, "\r\n\r\n", 4);
	if (end == NULL || memchr(end, '}', len - (size_t)(end - s)) == NULL)
		return;
	if (strncmp(s, "HTTP/1.1 200", 12) != 0)
		errx(1, "answer %ld: %.*s", answered, (int)len, s);
	evbuffer_drain(in, len);
	times[answered++] = now() - c->began;
	c->busy = 0;
	if (answered == count)
		event_base_loopbreak(base);
	else if (rate == 0 && sent < count)
		ask(c);
	else {
		c->next = idle;
		idle = c;
	}
}

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	struct client *c = arg;

	if (what & BEV_EVENT_CONNECTED)
		return;
	if (c->busy || rate == 0)
		errx(1, "a connection ended after %ld answers", answered);
}

static void
client_start(struct client *c, int port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	sin.sin_port = htons((uint16_t)port);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd == -1 || connect(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1)
		err(1, "connect");
	evutil_make_socket_nonblocking(fd);
	c->bev = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(c->bev, on_read, NULL, on_event, c);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static int
load(int argc, char *argv[])
{
	struct timeval tv = {0, 500}, total = {TOTAL_S, 0};
	long n = strtol(argv[3], NULL, 10), i;

	token = argv[2];
	count = strtol(argv[4], NULL, 10);
	rate = strtol(argv[5], NULL, 10);
	if (n < 1 || n > CONNECTIONS_MAX || count < 1)
		errx(2, "numbers");
	seed = (unsigned)getpid() ^ (unsigned)time(NULL);
	times = calloc((size_t)count, sizeof(*times));
	base = event_base_new();
	if (times == NULL || base == NULL)
		err(1, "calloc");
	for (i = 0; i < n; i++)
		client_start(&clients[i], (int)strtol(argv[1], NULL, 10));
	began = now();
	for (i = 0; i < n; i++) {
		if (rate == 0 && sent < count) {
			ask(&clients[i]);
			continue;
		}
		clients[i].next = idle;
		idle = &clients[i];
	}
	if (rate > 0) {
		pacer = event_new(base, -1, EV_PERSIST, pace, NULL);
		event_add(pacer, &tv);
	}
	event_base_loopexit(base, &total);
	event_base_dispatch(base);
	if (answered < count)
		errx(1, "%ld of %ld answers", answered, count);
	began = now() - began;
	qsort(times, (size_t)count, sizeof(*times), compare);
	printf("%.1f %.3f\n", (double)count / began,
	    times[count * 99 / 100] * 1000);
	return 0;
}

/* Timing: two classes, interleaved by chance, the slow tail cut off. */

#define COMPARISONS 1000000
#define LEAKS 4.5
#define TRIES 3

/* What is compared: so many bytes, so often for one measurement. */
struct subject {
	int len, batch;
	int (*compare)(const char *shown, int len);
};

static const char key[] =
    "495fab2303295954f15b41374c74806a600657e0d2834e514023aa49ac814081";
static char right[SIGNED_HEX_SIZE];
static struct json_object *context;
static struct proof known;

static int
compare_proof(const char *shown, int len)
{
	struct proof p;

	proof_make(&p, shown, (size_t)len);
	return proof_equal(&known, &p);
}

static int
compare_signature(const char *shown, int len)
{
	return signed_context_verify(key, context, shown);
}

/* How one must not do it. */
static int
compare_plainly(const char *shown, int len)
{
	const volatile char *have = right;
	int i;

	for (i = 0; i < len; i++)
		if (have[i] != shown[i])
			return 0;
	return 1;
}

static const struct subject subjects[] = {
    {64, 20, compare_proof},
    {64, 4, compare_signature},
};
static const struct subject plain = {64, 20, compare_plainly};

static double
measure(const struct subject *s, const char *shown)
{
	struct timespec a, b;
	volatile int sink = 0;
	int i;

	clock_gettime(CLOCK_MONOTONIC, &a);
	for (i = 0; i < s->batch; i++)
		sink += s->compare(shown, s->len);
	clock_gettime(CLOCK_MONOTONIC, &b);
	return (double)(b.tv_sec - a.tv_sec) * 1e9 +
	    (double)(b.tv_nsec - a.tv_nsec);
}

static double
welch(double *x[2], size_t n[2])
{
	double mean[2], var[2], d;
	size_t i;
	int k;

	for (k = 0; k < 2; k++) {
		for (mean[k] = 0, i = 0; i < n[k]; i++)
			mean[k] += x[k][i];
		mean[k] /= (double)n[k];
		for (var[k] = 0, i = 0; i < n[k]; i++) {
			d = x[k][i] - mean[k];
			var[k] += d * d;
		}
		var[k] /= (double)(n[k] - 1);
	}
	return (mean[0] - mean[1]) /
	    sqrt(var[0] / (double)n[0] + var[1] / (double)n[1]);
}

static double
timing_of(const struct subject *s, int alike, long comparisons)
{
	size_t n[2] = {0, 0}, rounds, i, k, m;
	/* Both are read from one place: where a line of the cache ends tells. */
	_Alignas(64) char place[SIGNED_HEX_SIZE], shown[2][SIGNED_HEX_SIZE];
	double *x[2], *all, t, cut;

	rounds = (size_t)(comparisons / s->batch);
	memset(shown, 'x', sizeof(shown));
	shown[0][s->len] = shown[1][s->len] = '\0';
	memcpy(shown[1], right, (size_t)alike);
	x[0] = calloc(rounds, sizeof(double));
	x[1] = calloc(rounds, sizeof(double));
	all = calloc(rounds, sizeof(double));
	if (x[0] == NULL || x[1] == NULL || all == NULL)
		err(1, "calloc");
	for (i = 0; i < rounds; i++) {
		k = arc4random_uniform(2);
		memcpy(place, shown[k], sizeof(place));
		all[i] = x[k][n[k]] = measure(s, place);
		n[k]++;
	}
	/* What the rest of the machine did is no message. */
	qsort(all, rounds, sizeof(*all), compare);
	cut = all[rounds * 9 / 10];
	for (k = 0; k < 2; k++) {
		for (m = 0, i = 0; i < n[k]; i++)
			if (x[k][i] <= cut)
				x[k][m++] = x[k][i];
		n[k] = m;
	}
	t = welch(x, n);
	free(x[0]);
	free(x[1]);
	free(all);
	return fabs(t);
}

static int
timing(long comparisons)
{
	static const int alike[] = {1, 8, 16, 32, 48, 63, 64};
	double most = 0, t, again;
	size_t i, k, n;

	if (comparisons < 1000)
		errx(2, "too few comparisons");
	context = json_tokener_parse(
	    "{\"action_id\":\"a\",\"callback_data\":\"b\"}");
	if (signed_context_sign(key, context, right) == -1)
		errx(1, "sign");
	proof_init();
	proof_make(&known, right, strlen(right));
	for (k = 0; k < sizeof(subjects) / sizeof(subjects[0]); k++)
		for (i = 0; i < sizeof(alike) / sizeof(alike[0]); i++) {
			t = timing_of(&subjects[k], alike[i], comparisons);
			/* A real difference comes again, the machine's not. */
			for (n = 1; n < TRIES && t >= LEAKS; n++) {
				again = timing_of(
				    &subjects[k], alike[i], comparisons);
				if (again < t)
					t = again;
			}
			if (t > most)
				most = t;
		}
	printf("%.2f %.2f\n", most, timing_of(&plain, 64, comparisons));
	return 0;
}

int
main(int argc, char *argv[])
{
	if ((argc == 2 || argc == 3) && strcmp(argv[1], "timing") == 0)
		return timing(argc == 2 ? COMPARISONS :
					  strtol(argv[2], NULL, 10));
	if (argc != 6)
		errx(2, "usage: callbacks port token connections count rate");
	return load(argc, argv);
}
