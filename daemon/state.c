#include "config.h"

#include <stdio.h>
#include <string.h>

#include "daemon/state.h"

static const struct {
	const char *name;
	int worker; /* a worker may say this of itself */
	int well;
} states[HEALTH_MAX] = {
    [HEALTH_STARTING] = {"starting", 1, 1},
    [HEALTH_UP] = {"up", 1, 1},
    [HEALTH_CONNECTING] = {"connecting", 1, 1},
    [HEALTH_CONNECTED] = {"connected", 1, 1},
    [HEALTH_BACKOFF] = {"backoff", 1, 0},
    [HEALTH_PARKED] = {"parked", 1, 0},
    [HEALTH_FULL] = {"full", 1, 0},
    [HEALTH_DOWN] = {"down", 0, 0},
    [HEALTH_STOPPING] = {"stopping", 1, 1},
};

const char *
health_name(enum health_state s)
{
	return states[s].name;
}

void
health_init(struct health *h, struct health_count *count)
{
	memset(h, 0, sizeof(*h));
	h->state = HEALTH_DOWN;
	h->since = monotime_now();
	h->count = count;
	if (count != NULL) {
		count->total++;
		count->in[h->state]++;
	}
}

void
health_fini(struct health *h)
{
	if (h->count == NULL)
		return;
	h->count->total--;
	h->count->in[h->state]--;
	h->count = NULL;
}

/* A long text of a worker is cut, never refused: it is only shown. */
static void
set_text(char *dst, const char *src)
{
	snprintf(dst, HEALTH_TEXT, "%s", src == NULL ? "" : src);
}

static int
enter(struct health *h, enum health_state to, const char *reason)
{
	int changed = h->state != to;

	if (changed) {
		if (h->count != NULL) {
			h->count->in[h->state]--;
			h->count->in[to]++;
		}
		if (to == HEALTH_CONNECTED)
			h->connected_at = walltime_ms();
		if (h->state == HEALTH_CONNECTED) {
			h->disconnected_at = walltime_ms();
			set_text(h->disconnected, reason);
		}
		h->state = to;
		h->since = monotime_now();
	}
	set_text(h->reason, reason);
	if (!states[to].well && reason != NULL) {
		set_text(h->last_error, reason);
		h->last_error_at = walltime_ms();
	}
	return changed;
}

int
health_event(struct health *h, enum health_event ev, const char *reason)
{
	switch (ev) {
	case HEALTH_EV_SPAWN:
		return enter(h, HEALTH_STARTING, reason);
	case HEALTH_EV_READY:
		/* An account may have spoken before it is ready. */
		if (h->state != HEALTH_STARTING)
			return 0;
		return enter(h, HEALTH_UP, reason);
	case HEALTH_EV_DEATH:
		return enter(h, HEALTH_DOWN, reason);
	case HEALTH_EV_STOP:
		return enter(h, HEALTH_STOPPING, reason);
	}
	return 0;
}

int
health_report(struct health *h, const char *state, const char *reason,
    const char *detail)
{
	unsigned s;

	if (strcmp(state, "open") == 0)
		state = "up"; /* the store's word for it */
	for (s = 0; s < HEALTH_MAX; s++)
		if (strcmp(states[s].name, state) == 0)
			break;
	if (s == HEALTH_MAX || !states[s].worker)
		return -1;
	if (h->state == HEALTH_DOWN || h->state == HEALTH_STOPPING)
		return 0;
	if (detail != NULL)
		set_text(h->detail, detail);
	return enter(h, s, reason);
}

void
health_summary(const struct health_count *c, char *buf, size_t len)
{
	snprintf(buf, len, "%u/%u account%s connected",
	    c->in[HEALTH_CONNECTED], c->total, c->total == 1 ? "" : "s");
}
