#include "config.h"

#include <event2/event.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/chan_int.h"
#include "common/log.h"
#include "common/loop.h"

static chan_handler_fn
handler_find(const struct chan *c, const struct chan_handler *h,
    const struct proto_msg *m)
{
	if (m->from == c->ours || (m->flags & PROTO_REPLY))
		return NULL;
	for (; h->type != NULL; h++)
		if (strcmp(h->type, m->type) == 0)
			return h->fn;
	fatalx("%s: no handler for %s", c->proto->name, m->type);
}

static void
handlers_set(struct chan *c, const struct chan_handler *handlers)
{
	const struct proto_msg *msgs = c->proto->msgs;
	size_t i, n;

	for (n = 0; msgs[n].type != NULL; n++)
		continue;
	if ((c->handlers = calloc(n, sizeof(*c->handlers))) == NULL)
		fatal("calloc");
	for (i = 0; i < n; i++)
		c->handlers[i] = handler_find(c, handlers, &msgs[i]);
}

struct chan *
chan_new(struct event_base *base, int fd, enum proto_kind kind,
    enum proto_side ours, const struct chan_handler *handlers,
    chan_close_fn on_close, void *arg)
{
	struct chan *c;

	if ((c = calloc(1, sizeof(*c))) == NULL)
		fatal("calloc");
	c->base = base;
	c->fd = fd;
	c->proto = proto_get(kind);
	c->ours = ours;
	c->on_close = on_close;
	c->arg = arg;
	c->state = PROTO_RUN;
	c->max_in = proto_max(c->proto, chan_theirs(c));
	TAILQ_INIT(&c->out);
	TAILQ_INIT(&c->waiting);
	handlers_set(c, handlers);
	if (fd_prepare(fd) == -1)
		fatal("%s: fcntl", c->proto->name);
	c->tok = json_tokener_new_ex(c->proto->depth[chan_theirs(c)]);
	c->rd = event_new(base, fd, EV_READ | EV_PERSIST, chan_on_read, c);
	c->wr = event_new(base, fd, EV_WRITE, chan_on_flush, c);
	c->flush = event_new(base, -1, 0, chan_on_flush, c);
	c->again = event_new(base, -1, 0, chan_on_again, c);
	c->timer = evtimer_new(base, chan_on_timer, c);
	if (c->tok == NULL || c->rd == NULL || c->wr == NULL ||
	    c->flush == NULL || c->again == NULL || c->timer == NULL)
		fatalx("out of memory");
	json_tokener_set_flags(c->tok, JSON_TOKENER_STRICT);
	event_add(c->rd, NULL);
	return c;
}

/* Stop all I/O and tell those who wait; the memory may go later. */
static void
chan_shut(struct chan *c)
{
	c->dead = 1;
	event_del(c->rd);
	event_del(c->wr);
	event_del(c->flush);
	event_del(c->again);
	event_del(c->timer);
	if (c->fd != -1)
		close(c->fd);
	c->fd = -1;
	while (c->nfds > 0)
		close(c->fds[--c->nfds]);
	chan_out_drop(c);
	chan_wait_drop(c);
}

void
chan_free(struct chan *c)
{
	if (c == NULL)
		return;
	if (!c->dead) {
		c->busy++;
		chan_shut(c);
		c->busy--;
	}
	if (c->busy > 0)
		return; /* one of our callers frees it */
	event_free(c->rd);
	event_free(c->wr);
	event_free(c->flush);
	event_free(c->again);
	event_free(c->timer);
	json_tokener_free(c->tok);
	freezero(c->in, c->in_cap);
	free(c->handlers);
	free(c);
}

void
chan_ended(struct chan *c, const char *why)
{
	if (c->dead || c->ended)
		return;
	c->ended = 1;
	c->busy++;
	event_del(c->rd);
	event_del(c->wr);
	event_del(c->flush);
	event_del(c->again);
	c->on_close(c, why, c->arg);
	c->busy--;
	if (c->dead && c->busy == 0)
		chan_free(c);
}

void
chan_violation(struct chan *c, const char *why)
{
	chan_ended(c, why);
}

void
chan_set_state(struct chan *c, unsigned state)
{
	c->state = state;
}

void
chan_set_drain(struct chan *c, chan_drain_fn fn)
{
	c->on_drain = fn;
}

void
chan_set_secret(struct chan *c)
{
	c->secret = 1;
}

int
chan_fd(const struct chan *c)
{
	return c->fd;
}

size_t
chan_queued(const struct chan *c)
{
	return c->queued;
}

int
chan_full(const struct chan *c)
{
	return c->full;
}

void
chan_pause(struct chan *c, int on)
{
	on = on != 0;
	if (c->dead || c->ended || c->paused == on)
		return;
	c->paused = on;
	chan_read_arm(c);
	if (!on)
		event_active(c->again, EV_TIMEOUT, 0);
}
