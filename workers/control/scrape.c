#include "config.h"

#include <sys/queue.h>
#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/loop.h"
#include "workers/control/control.h"

/*
 * Just enough HTTP for a collector of metrics: one request on a connection,
 * of which the method and the path count, and one answer.
 */

#define READERS_MAX 8
#define READER_MS 10000   /* for the request, and again for the answer */
#define REQUEST_MAX 8192  /* bytes of a request's head */
#define TYPE                                                                   \
	"application/openmetrics-text; version=1.0.0; charset=utf-8"

struct reader {
	TAILQ_ENTRY(reader) entry;
	struct scrape *scrape;
	struct bufferevent *bev;
	struct event *timer;
	int asked; /* figures are being gathered: it must not be freed */
	int gone;
	int answered;
};

struct scrape {
	struct control *control;
	int fd;
	struct event *accept;
	TAILQ_HEAD(, reader) readers;
	unsigned n;
	int closed;
};

static void
scrape_free(struct scrape *s)
{
	if (s->closed && s->n == 0)
		free(s);
}

static void
reader_free(struct reader *r)
{
	struct scrape *s = r->scrape;

	r->gone = 1;
	if (r->asked)
		return; /* until the figures are there */
	TAILQ_REMOVE(&s->readers, r, entry);
	s->n--;
	event_free(r->timer);
	bufferevent_free(r->bev);
	free(r);
	scrape_free(s);
}

static void
on_late(evutil_socket_t fd, short what, void *arg)
{
	reader_free(arg);
}

static void
answer(struct reader *r, const char *status, const char *type,
    struct evbuffer *body, const char *more)
{
	struct evbuffer *out = bufferevent_get_output(r->bev);

	r->answered = 1;
	bufferevent_disable(r->bev, EV_READ);
	evbuffer_add_printf(out,
	    "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
	    "%sConnection: close\r\n\r\n",
	    status, type, evbuffer_get_length(body), more);
	evbuffer_add_buffer(out, body);
	loop_timer(r->timer, READER_MS);
}

static void
answer_text(struct reader *r, const char *status, const char *text,
    const char *more)
{
	struct evbuffer *body = evbuffer_new();

	if (body == NULL)
		fatalx("out of memory");
	evbuffer_add_printf(body, "%s\n", text);
	answer(r, status, "text/plain; charset=utf-8", body, more);
	evbuffer_free(body);
}

static void
gathered(void *arg, struct json_object *data)
{
	struct reader *r = arg;
	struct evbuffer *body;

	r->asked = 0;
	if (r->gone) {
		json_object_put(data);
		reader_free(r);
		return;
	}
	if (data == NULL) {
		answer_text(r, "503 Service Unavailable",
		    "no answer from the supervisor", "");
		return;
	}
	if ((body = evbuffer_new()) == NULL)
		fatalx("out of memory");
	metrics_write(body, data);
	json_object_put(data);
	answer(r, "200 OK", TYPE, body, "");
	evbuffer_free(body);
}

static int
is_path(const char *target, const char *path)
{
	size_t n = strlen(path);

	return strncmp(target, path, n) == 0 &&
	    (target[n] == ' ' || target[n] == '?');
}

static void
request(struct reader *r, const char *line)
{
	if (strncmp(line, "GET ", 4) != 0)
		answer_text(r, "405 Method Not Allowed", "only GET",
		    "Allow: GET\r\n");
	else if (!is_path(line + 4, "/metrics"))
		answer_text(r, "404 Not Found", "see /metrics", "");
	else {
		r->asked = 1;
		status_gather(r->scrape->control, gathered, r);
	}
}

static void
on_read(struct bufferevent *bev, void *arg)
{
	struct reader *r = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	struct evbuffer_ptr end;
	char *line;

	if (r->asked || r->answered)
		return;
	end = evbuffer_search(in, "\r\n\r\n", 4, NULL);
	if (end.pos == -1) {
		if (evbuffer_get_length(in) >= REQUEST_MAX)
			reader_free(r);
		return;
	}
	line = evbuffer_readln(in, NULL, EVBUFFER_EOL_CRLF_STRICT);
	if (line == NULL)
		fatalx("out of memory");
	/* What else it says or sends makes no difference. */
	bufferevent_disable(bev, EV_READ);
	event_del(r->timer);
	request(r, line);
	free(line);
}

static void
on_write(struct bufferevent *bev, void *arg)
{
	struct reader *r = arg;

	if (!r->answered)
		return;
	/* It is told that this is the end, and goes. */
	shutdown(bufferevent_getfd(bev), SHUT_WR);
	evbuffer_drain(bufferevent_get_input(bev),
	    evbuffer_get_length(bufferevent_get_input(bev)));
	bufferevent_setcb(bev, NULL, NULL, NULL, NULL);
	reader_free(r);
}

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	reader_free(arg);
}

/* Those that hold a place and ask for nothing must not keep others out. */
static int
has_room(struct scrape *s)
{
	struct reader *r;

	if (s->n < READERS_MAX)
		return 1;
	TAILQ_FOREACH(r, &s->readers, entry)
		if (!r->asked) {
			reader_free(r);
			return 1;
		}
	return 0;
}

static void
reader_new(struct scrape *s, int fd)
{
	struct reader *r;

	if (!has_room(s)) {
		close(fd);
		return;
	}
	if ((r = calloc(1, sizeof(*r))) == NULL)
		fatal("calloc");
	r->scrape = s;
	r->bev = bufferevent_socket_new(
	    s->control->base, fd, BEV_OPT_CLOSE_ON_FREE);
	r->timer = evtimer_new(s->control->base, on_late, r);
	if (r->bev == NULL || r->timer == NULL)
		fatalx("out of memory");
	TAILQ_INSERT_TAIL(&s->readers, r, entry);
	s->n++;
	bufferevent_setcb(r->bev, on_read, on_write, on_event, r);
	bufferevent_setwatermark(r->bev, EV_READ, 0, REQUEST_MAX);
	bufferevent_enable(r->bev, EV_READ | EV_WRITE);
	loop_timer(r->timer, READER_MS);
}

static void
on_accept(evutil_socket_t fd, short what, void *arg)
{
	int conn;

	/* One a turn: it does not matter how fast they come. */
	conn = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (conn != -1)
		reader_new(arg, conn);
}

void
scrape_listen(struct control *co, int fd)
{
	struct scrape *s;

	scrape_close(co);
	if (fd_prepare(fd) == -1)
		fatal("metrics socket");
	if ((s = calloc(1, sizeof(*s))) == NULL)
		fatal("calloc");
	s->control = co;
	s->fd = fd;
	TAILQ_INIT(&s->readers);
	s->accept = event_new(
	    co->base, fd, EV_READ | EV_PERSIST, on_accept, s);
	if (s->accept == NULL)
		fatalx("out of memory");
	event_add(s->accept, NULL);
	co->scrape = s;
}

/* Readers that are being answered are answered to the end. */
void
scrape_close(struct control *co)
{
	struct scrape *s = co->scrape;

	if (s == NULL)
		return;
	co->scrape = NULL;
	event_free(s->accept);
	close(s->fd);
	s->closed = 1;
	scrape_free(s);
}
