#include "config.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/add.h"
#include "common/chan.h"
#include "common/fields.h"
#include "common/log.h"
#include "workers/net/internal.h"

static const struct chan_handler handlers[] = {
    {NULL, NULL}, /* the dialer only answers */
};

static void
on_dialer_closed(struct chan *c, const char *why, void *arg)
{
	struct net *n = arg;

	log_event(LOG_WARNING, "dialer.lost", "reason", why, NULL);
	dial_unlink(n);
}

static void
on_drained(struct chan *c, void *arg)
{
	struct net *n = arg;
	struct net_endpoint *ep;

	TAILQ_FOREACH (ep, &n->endpoints, entry)
		ep->dirty = 1;
	net_kick(n);
	ws_start_all(n);
}

void
dial_link(struct net *n, int fd)
{
	n->dialer = chan_new(
	    n->base, fd, PROTO_DIAL, SIDE_B, handlers, on_dialer_closed, n);
	chan_set_drain(n->dialer, on_drained);
}

/* Every dial under way ends now, and counts against nobody. */
void
dial_unlink(struct net *n)
{
	struct chan *c = n->dialer;

	n->dialer = NULL;
	chan_free(c);
}

static void
dial_failed(struct net_dial *d, int counted, const char *why)
{
	if (d->ws != NULL)
		ws_dial_failed(d->ws, why);
	else if (d->ep != NULL)
		endpoint_dial_failed(d->ep, d->round, counted, why);
}

static void
dial_error(struct net_dial *d, struct json_object *msg)
{
	const char *stage, *text;
	struct fields f;
	char why[NET_ERROR_MAX];
	int busy, err;

	fields_open(&f, msg);
	fields_int(&f, "ep", 0, INT32_MAX);
	stage = fields_str(&f, "stage", 16);
	err = (int)fields_int(&f, "errno", 0, INT32_MAX);
	text = fields_str(&f, "text", 200);
	busy = fields_bool(&f, "busy");
	if (fields_end(&f) == -1) {
		dial_failed(d, 1, "dialer: bad answer");
		return;
	}
	/* The resolver's numbers are not of errno. */
	if (d->ep != NULL && strcmp(stage, "connect") == 0)
		d->ep->err = err;
	snprintf(why, sizeof(why), "%s: %s", stage, text);
	dial_failed(d, !busy, why);
}

static void
on_dialed(void *arg, const char *type, struct json_object *msg, int fd)
{
	struct net_dial *d = arg;

	LIST_REMOVE(d, entry);
	if (msg == NULL) {
		if (d->net->dialer == NULL)
			dial_failed(d, 0, "dialer: restarted");
		else
			dial_failed(d, 1, "dialer: no answer");
	} else if (strcmp(type, "dial.ok") != 0)
		dial_error(d, msg);
	else if (fd == -1) {
		/* Our descriptor table was full when it came. */
		dial_failed(d, 1, "dialer: no descriptor left");
	} else if (d->ws != NULL)
		ws_dialed(d->ws, fd);
	else if (d->ep != NULL)
		endpoint_dialed(d->ep, fd);
	else
		close(fd);
	free(d);
}

int
dial_send(struct net *n, struct net_endpoint *ep, struct ws *ws)
{
	struct json_object *msg;
	struct net_dial *d;

	if (n->dialer == NULL || chan_full(n->dialer))
		return -1;
	if ((d = calloc(1, sizeof(*d))) == NULL)
		fatal("calloc");
	d->net = n;
	d->ws = ws;
	if (ws == NULL) {
		d->ep = ep;
		d->round = ep->round;
	}
	msg = chan_msg("dial");
	add_int(msg, "ep", ep->id);
	LIST_INSERT_HEAD(&n->dials, d, entry);
	n->stats.dials++;
	chan_request(n->dialer, msg, -1, NET_DIAL_WAIT_MS, on_dialed, d);
	return 0;
}

void
dial_forget_ws(struct net *n, const struct ws *ws)
{
	struct net_dial *d;

	LIST_FOREACH(d, &n->dials, entry)
	if (d->ws == ws)
		d->ws = NULL;
}
