/*
 * mmsim: a simulated Mattermost 5.37 server and a scripted model endpoint,
 * for tests and for trying out. See README.md for the control requests.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>
#include <openssl/ssl.h>

#include "common/log.h"
#include "common/monotime.h"
#include "tests/mmsim/api.h"
#include "tests/mmsim/model.h"
#include "tests/mmsim/sim.h"
#include "tests/mmsim/ws.h"

struct sim sim;

struct options {
	char host[64], model_host[64];
	int port, model_port;
	const char *cert, *key;
	int eof; /* end with stdin */
	int verbose;
};

static void __attribute__((noreturn))
usage(void)
{
	fprintf(stderr, "usage: mmsim [-Ev] [-C ms] [-l host:port] "
	    "[-m host:port] [-T cert.pem key.pem]\n");
	exit(2);
}

static int
host_port(const char *s, char *host, size_t size, int *port)
{
	const char *colon = strrchr(s, ':'), *err;

	if (colon == NULL || (size_t)(colon - s) >= size)
		return -1;
	memcpy(host, s, (size_t)(colon - s));
	host[colon - s] = '\0';
	*port = (int)strtonum(colon + 1, 0, 65535, &err);
	return err ? -1 : 0;
}

static void
options_get(struct options *o, int argc, char **argv)
{
	const char *err;
	int ch;

	memset(o, 0, sizeof(*o));
	strlcpy(o->host, "127.0.0.1", sizeof(o->host));
	strlcpy(o->model_host, "127.0.0.1", sizeof(o->model_host));
	while ((ch = getopt(argc, argv, "C:El:m:T:v")) != -1) {
		switch (ch) {
		case 'C':
			http_clock_ms = strtonum(
			    optarg, -INT32_MAX, INT32_MAX, &err);
			if (err != NULL)
				usage();
			break;
		case 'E':
			o->eof = 1;
			break;
		case 'l':
			if (host_port(optarg, o->host, sizeof(o->host),
				&o->port) == -1)
				usage();
			break;
		case 'm':
			if (host_port(optarg, o->model_host,
				sizeof(o->model_host), &o->model_port) == -1)
				usage();
			break;
		case 'T':
			if (optind >= argc)
				usage();
			o->cert = optarg;
			o->key = argv[optind++];
			break;
		case 'v':
			o->verbose++;
			break;
		default:
			usage();
		}
	}
	if (optind != argc)
		usage();
}

void
sim_defaults(void)
{
	sim.max_post_size = 16383;
	sim.max_props_size = 8000;
	sim.max_file_size = 100 << 20;
	sim.edit_limit = -1;
	sim.reliable = 1;
	sim.nagle = 0;
	sim.requests = sim.pending_hits = sim.ws_accepted = 0;
	sim.ws_resumed = sim.ws_failed_resumes = sim.events = 0;
	sim.deletes = sim.edits = 0;
}

static void
version_make(void)
{
	static const char hex[] = "0123456789abcdef";
	char md5[33];
	int i;

	for (i = 0; i < 32; i++)
		md5[i] = hex[arc4random_uniform(16)];
	md5[32] = '\0';
	snprintf(sim.version_id, sizeof(sim.version_id),
	    SIM_VERSION "..%s.false", md5);
}

static SSL_CTX *
tls_load(const char *cert, const char *key)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	if (ctx == NULL ||
	    SSL_CTX_use_certificate_chain_file(ctx, cert) != 1 ||
	    SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
		fatalx("cannot load %s and %s", cert, key);
	return ctx;
}

static void
signal_cb(evutil_socket_t sig, short what, void *arg)
{
	event_base_loopbreak(sim.base);
}

static void
stdin_cb(evutil_socket_t fd, short what, void *arg)
{
	char junk[256];
	ssize_t n = read(fd, junk, sizeof(junk));

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		event_base_loopbreak(sim.base);
}

static void
reap_cb(evutil_socket_t fd, short what, void *arg)
{
	rec_reap();
}

/* epoll takes no regular file: a redirected stdin is at its end already. */
static void
events_start(int eof)
{
	struct timeval reap = {WS_REAP_S, 0};
	struct event *ev;

	evsignal_add(evsignal_new(sim.base, SIGTERM, signal_cb, NULL), NULL);
	evsignal_add(evsignal_new(sim.base, SIGINT, signal_cb, NULL), NULL);
	ev = event_new(sim.base, -1, EV_PERSIST, reap_cb, NULL);
	event_add(ev, &reap);
	if (!eof)
		return;
	(void)fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
	ev = event_new(sim.base, STDIN_FILENO, EV_READ | EV_PERSIST, stdin_cb,
	    NULL);
	if (event_add(ev, NULL) == -1)
		fatalx("-E: stdin must be a pipe or a terminal");
}

int
main(int argc, char **argv)
{
	struct options o;
	SSL_CTX *ssl = NULL;

	options_get(&o, argc, argv);
	log_init("mmsim", o.verbose);
	signal(SIGPIPE, SIG_IGN);
	sim.base = event_base_new();
	if (sim.base == NULL)
		fatalx("event_base_new");
	sim_defaults();
	version_make();
	api_init();
	state_reset();
	model_reset();
	if (o.cert != NULL)
		ssl = tls_load(o.cert, o.key);
	sim.mm = http_listen(sim.base, o.host, o.port, ssl, api_handle, NULL);
	if (sim.mm == NULL)
		fatal("%s:%d", o.host, o.port);
	http_set_early(sim.mm, upload_early);
	sim.model = http_listen(sim.base, o.model_host, o.model_port, NULL,
	    model_handle, NULL);
	if (sim.model == NULL)
		fatal("%s:%d", o.model_host, o.model_port);
	snprintf(sim.url, sizeof(sim.url), "%s://%s:%d",
	    ssl ? "https" : "http", o.host, http_port(sim.mm));
	snprintf(sim.model_url, sizeof(sim.model_url), "http://%s:%d/v1",
	    o.model_host, http_port(sim.model));
	events_start(o.eof);
	printf("{\"url\":\"%s\",\"model_url\":\"%s\","
	       "\"admin\":\"admin:admin-password\"}\n",
	    sim.url, sim.model_url);
	fflush(stdout);
	event_base_dispatch(sim.base);
	ws_restart(0);
	return 0;
}
