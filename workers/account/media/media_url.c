#include "config.h"

#include <errno.h>
#include <event2/event.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/add.h"
#include "common/chan.h"
#include "common/fields.h"
#include "common/log.h"
#include "common/loop.h"
#include "workers/account/account.h"
#include "workers/account/api.h"
#include "workers/account/media/media_in.h"
#include "workers/account/media/media_url.h"
#include "workers/account/storelink.h"
#include "workers/net/net.h"
#include "workers/net/url.h"

#define HOSTS_MAX 64
#define HOST_CAP 2 /* connections */
#define URL_MAX 2048

struct media_host {
	struct net_endpoint *ep;
	const char *host; /* of the configuration */
	uint16_t port;
	int tls;
	int id;
};

struct media_hosts {
	struct json_object *config;
	struct media_host list[HOSTS_MAX];
	size_t n;
};

struct url_fetch {
	struct account *a;
	struct media_host *host;
	char *path;
	media_url_fn fn;
	void *arg;
	struct event *timer;
	struct media_file file;
	char media[65];
	const char *why;
};

struct media_hosts *
media_hosts_new(struct json_object *config)
{
	struct json_object *list = NULL;
	struct media_hosts *hs;
	struct media_host *h;
	struct fields f;
	size_t i;

	if ((hs = calloc(1, sizeof(*hs))) == NULL)
		fatal("calloc");
	hs->config = json_object_get(config);
	if (!json_object_object_get_ex(config, "mediaEndpoints", &list) ||
	    !json_object_is_type(list, json_type_array))
		return hs;
	for (i = 0; i < json_object_array_length(list) && hs->n < HOSTS_MAX;
	     i++) {
		h = &hs->list[hs->n++];
		fields_open(&f, json_object_array_get_idx(list, i));
		h->host = fields_str(&f, "host", 255);
		h->port = (uint16_t)fields_int(&f, "port", 1, 65535);
		h->tls = fields_bool(&f, "tls");
		h->id = (int)fields_int(&f, "endpoint", 0, INT32_MAX);
		if (fields_end(&f) == -1)
			fatalx("init: mediaEndpoints: %s", fields_error(&f));
	}
	return hs;
}

void
media_hosts_start(struct account *a, struct media_hosts *hs)
{
	struct net_endpoint_opts o = {.name = "media", .base = "",
	    .cap = HOST_CAP};
	size_t i;

	for (i = 0; i < hs->n; i++) {
		o.https = hs->list[i].tls;
		o.host = hs->list[i].host;
		o.port = hs->list[i].port;
		hs->list[i].ep = net_endpoint_new(a->net, hs->list[i].id, &o);
	}
}

int
media_hosts_any(const struct account *a)
{
	return a->media_hosts->n > 0;
}

/* The host, and the rest of url in *path (a new string); NULL: none. */
static struct media_host *
url_host(struct account *a, const char *url, char **path)
{
	const char *rest = strstr(url, "://");
	struct media_host *h;
	struct base_url u;
	char origin[512];
	size_t i, len;

	rest = rest == NULL ? url : rest + 3;
	rest += strcspn(rest, "/?#");
	len = (size_t)(rest - url);
	if (len >= sizeof(origin) || strlen(url) > URL_MAX)
		return NULL;
	memcpy(origin, url, len);
	origin[len] = '\0';
	if (base_url_parse(&u, origin) == -1)
		return NULL;
	for (i = 0; i < a->media_hosts->n; i++) {
		h = &a->media_hosts->list[i];
		if (h->ep == NULL || h->tls != u.https || h->port != u.port ||
		    strcasecmp(h->host, u.host) != 0)
			continue;
		if (path != NULL && asprintf(path, "%s%.*s",
			*rest == '/' ? "" : "/", (int)strcspn(rest, "#"),
			rest) == -1)
			fatal("asprintf");
		return h;
	}
	return NULL;
}

int
media_url_known(struct account *a, const char *url)
{
	if (strncasecmp(url, "http://", 7) != 0 &&
	    strncasecmp(url, "https://", 8) != 0)
		return -1;
	return url_host(a, url, NULL) != NULL;
}

static void
fetch_end(struct url_fetch *u, const char *failed)
{
	struct json_object *msg;

	/* The name goes at once; the descriptor keeps the bytes. */
	if (u->media[0] != '\0') {
		msg = chan_msg("media.drop");
		add_str(msg, "media", u->media);
		storelink_tell(u->a, msg);
	}
	if (failed != NULL && u->file.fd != -1)
		close(u->file.fd);
	u->fn(u->a, failed == NULL ? &u->file : NULL, failed, u->arg);
	event_free(u->timer);
	free(u->path);
	free(u);
}

static void
on_timer(int fd, short what, void *arg)
{
	struct url_fetch *u = arg;

	fetch_end(u, u->why);
}

static void
on_chunk(struct net_request *req, const char *data, size_t len, void *arg)
{
	struct url_fetch *u = arg;
	ssize_t n;

	if ((int64_t)len > u->a->media_max - u->file.size)
		u->why = "it is larger than mediaMaxMb allows";
	while (u->why == NULL && len > 0) {
		n = pwrite(u->file.fd, data, len, (off_t)u->file.size);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0) {
			u->why = "it cannot be written down";
			break;
		}
		u->file.size += n;
		data += n;
		len -= (size_t)n;
	}
	if (u->why != NULL) {
		net_request_cancel(req);
		loop_timer(u->timer, 0);
	}
}

static void
on_done(struct net_request *req, const struct net_result *r, void *arg)
{
	struct url_fetch *u = arg;
	char why[128];

	if (r->ending != NET_ANSWERED)
		fetch_end(u, r->error);
	else if (r->status != 200) {
		snprintf(why, sizeof(why), "the host answers %d", r->status);
		fetch_end(u, why);
	} else if (r->partial || u->file.size == 0)
		fetch_end(u, "the answer was cut short");
	else
		fetch_end(u, NULL);
}

static void
new_done(struct account *a, struct json_object *reply, const char *err,
    void *arg)
{
	struct url_fetch *u = arg;
	struct net_request_opts o = {
	    .method = "GET",
	    .path = u->path,
	    .deadline_ms = MEDIA_DEADLINE_MS,
	    .head_ms = MEDIA_HEAD_MS,
	    .idle_ms = MEDIA_IDLE_MS,
	    .no_auth = 1,
	    .chunk = on_chunk,
	    .done = on_done,
	    .arg = u,
	};

	u->file.fd = storelink_take_fd(a);
	if (err != NULL || u->file.fd == -1) {
		fetch_end(u, "the store has no room for it");
		return;
	}
	strlcpy(u->media, api_str(reply, "media"), sizeof(u->media));
	if (net_request_start(u->host->ep, &o) == NULL)
		fetch_end(u, "the URL cannot be used");
}

void
media_url_fetch(
    struct account *a, const char *url, media_url_fn fn, void *arg)
{
	struct json_object *msg = chan_msg("media.new");
	struct url_fetch *u;
	char *name, *end;

	if ((u = calloc(1, sizeof(*u))) == NULL ||
	    (u->timer = evtimer_new(a->base, on_timer, u)) == NULL)
		fatal("calloc");
	u->a = a;
	u->fn = fn;
	u->arg = arg;
	u->file.fd = -1;
	if ((u->host = url_host(a, url, &u->path)) == NULL)
		fatalx("media_url_fetch: a URL that is not known");
	if ((name = strdup(u->path)) == NULL)
		fatal("strdup");
	if ((end = strchr(name, '?')) != NULL)
		*end = '\0';
	media_name(u->file.name, name);
	free(name);
	/* Never the id of an attachment, so it is always a new file. */
	add_str(msg, "file", "url");
	storelink_request(a, msg, new_done, u);
}
