#include "config.h"

#include <event2/event.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/add.h"
#include "common/chan_int.h"
#include "common/log.h"
#include "common/loop.h"

static void
waiting_arm(struct chan *c)
{
	struct waiting *w, *first = NULL;

	TAILQ_FOREACH(w, &c->waiting, entry)
		if (first == NULL || w->deadline.ms < first->deadline.ms)
			first = w;
	if (first == NULL) {
		event_del(c->timer);
		return;
	}
	c->timer_at = first->deadline;
	loop_timer(c->timer, monotime_left(first->deadline));
}

static void
waiting_end(struct chan *c, struct waiting *w, const char *type,
    struct json_object *msg, int fd)
{
	chan_reply_fn fn = w->fn;
	void *arg = w->arg;

	TAILQ_REMOVE(&c->waiting, w, entry);
	free(w);
	fn(arg, type, msg, fd);
}

void
chan_on_timer(int fd, short what, void *arg)
{
	struct chan *c = arg;
	struct waiting *w;
	int again = 1;

	/* A callback may change the list: start over after each. */
	while (again && !c->dead) {
		again = 0;
		TAILQ_FOREACH(w, &c->waiting, entry) {
			if (monotime_left(w->deadline) > 0)
				continue;
			c->busy++;
			waiting_end(c, w, "", NULL, -1);
			c->busy--;
			again = 1;
			break;
		}
	}
	if (c->dead) {
		if (c->busy == 0)
			chan_free(c);
		return;
	}
	waiting_arm(c);
}

int
chan_request(struct chan *c, struct json_object *msg, int fd, int timeout_ms,
    chan_reply_fn fn, void *arg)
{
	struct waiting *w;
	int64_t id = ++c->next_id;

	add_int(msg, "id", id);
	if (chan_send(c, msg, fd) == -1)
		return -1;
	if ((w = calloc(1, sizeof(*w))) == NULL)
		fatal("calloc");
	w->id = id;
	w->deadline = monotime_add(monotime_now(), timeout_ms);
	w->fn = fn;
	w->arg = arg;
	TAILQ_INSERT_TAIL(&c->waiting, w, entry);
	if (!evtimer_pending(c->timer, NULL) ||
	    w->deadline.ms < c->timer_at.ms) {
		c->timer_at = w->deadline;
		loop_timer(c->timer, timeout_ms);
	}
	return 0;
}

void
chan_forget(struct chan *c, chan_reply_fn fn, void *arg)
{
	struct waiting *w, *tmp;

	for (w = TAILQ_FIRST(&c->waiting); w != NULL; w = tmp) {
		tmp = TAILQ_NEXT(w, entry);
		if (w->fn == fn && w->arg == arg) {
			TAILQ_REMOVE(&c->waiting, w, entry);
			free(w);
		}
	}
}

/* Answers come in any order; one that nobody waits for any more is late. */
void
chan_wait_answer(struct chan *c, struct json_object *msg, int fd)
{
	struct json_object *id = NULL;
	struct waiting *w;

	if (!json_object_object_get_ex(msg, "id", &id) ||
	    !json_object_is_type(id, json_type_int)) {
		if (fd != -1)
			close(fd);
		chan_ended(c, "reply without id");
		return;
	}
	TAILQ_FOREACH(w, &c->waiting, entry) {
		if (w->id == json_object_get_int64(id)) {
			waiting_end(c, w, chan_msg_type(msg), msg, fd);
			return;
		}
	}
	if (fd != -1)
		close(fd);
}

void
chan_wait_drop(struct chan *c)
{
	struct waiting *w;

	while ((w = TAILQ_FIRST(&c->waiting)) != NULL)
		waiting_end(c, w, "", NULL, -1);
}
