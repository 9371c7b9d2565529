#include "config.h"

#include <errno.h>
#include <event2/event.h>
#include <json-c/json.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/add.h"
#include "common/chan.h"
#include "common/log.h"
#include "common/loop.h"
#include "workers/agent/agent.h"
#include "workers/agent/attach.h"
#include "workers/agent/media.h"

#define WAIT_MS 1000  /* for a new link to the store */
#define WAITS 5
#define REPLY_MS 5000
#define PREFIX_MAX 192

struct media_load {
	struct agent *agent;
	struct json_object *list;
	media_fn fn;
	void *arg;
	struct event *timer;
	struct json_object *images;
	struct strbuf block;
	size_t next;
	size_t image_bytes;
	int takes_images;
	int waits;
	int asked;
};

static void on_reply(void *, const char *, struct json_object *, int);

static void
load_free(struct media_load *l)
{
	event_free(l->timer);
	strbuf_free(&l->block);
	json_object_put(l->images);
	json_object_put(l->list);
	free(l);
}

void
media_load_cancel(struct media_load *l)
{
	if (l->asked && l->agent->store != NULL)
		chan_forget(l->agent->store, on_reply, l);
	load_free(l);
}

static void
load_end(struct media_load *l)
{
	struct json_object *images = l->images;
	media_fn fn = l->fn;
	void *arg = l->arg;
	char *block;

	strbuf_reserve(&l->block, 0);
	block = l->block.s;
	memset(&l->block, 0, sizeof(l->block));
	l->images = NULL;
	load_free(l);
	fn(arg, block, images);
}

/* What is left of at most max bytes from the start; the caller's. */
static char *
read_file(int fd, size_t max, size_t *len)
{
	char *buf = malloc(max + 1);
	ssize_t n;

	if (buf == NULL)
		fatal("malloc");
	for (*len = 0; *len < max; *len += (size_t)n) {
		n = pread(fd, buf + *len, max - *len, (off_t)*len);
		if (n == -1 && errno == EINTR)
			n = 0;
		else if (n == -1) {
			free(buf);
			return NULL;
		} else if (n == 0)
			break;
	}
	buf[*len] = '\0';
	return buf;
}

/* The end of the line that was begun, and perhaps more lines. */
static void
say(struct media_load *l, const char *how)
{
	strbuf_puts(&l->block, how);
	strbuf_puts(&l->block, "\n");
}

static void
show_text(struct media_load *l, const struct attach *a, int fd)
{
	size_t len, i;
	char *text = read_file(fd, ATTACH_TEXT_MAX, &len);

	if (text == NULL) {
		say(l, ": cannot be read");
		return;
	}
	if (!attach_utf8(text, &len, a->size > (int64_t)len))
		say(l, ": not text throughout");
	else {
		say(l, ":");
		strbuf_puts(&l->block, "| ");
		for (i = 0; i < len; i++) {
			strbuf_add(&l->block, text + i, 1);
			if (text[i] == '\n' && i + 1 < len)
				strbuf_puts(&l->block, "| ");
		}
		if (len == 0 || text[len - 1] != '\n')
			strbuf_puts(&l->block, "\n");
		if (a->size > (int64_t)len)
			say(l, "(the rest is left out)");
	}
	free(text);
}

static char *
data_url(const char *type, const char *bytes, size_t len)
{
	size_t room = PREFIX_MAX + 4 * ((len + 2) / 3) + 1;
	char *url = malloc(room);
	int n;

	if (url == NULL)
		fatal("malloc");
	n = snprintf(url, PREFIX_MAX, "data:%s;base64,", type);
	EVP_EncodeBlock((unsigned char *)url + n,
	    (const unsigned char *)bytes, (int)len);
	return url;
}

static void
show_image(struct media_load *l, const struct attach *a, int fd)
{
	char *bytes, *url;
	size_t len;

	bytes = read_file(fd, ATTACH_IMAGE_MAX, &len);
	if (bytes == NULL || len == 0 || (int64_t)len != a->size)
		say(l, ": cannot be read");
	else if (len > ATTACH_IMAGES_MAX - l->image_bytes)
		say(l, ": too many images to show this one");
	else {
		url = data_url(a->type, bytes, len);
		json_object_array_add(
		    l->images, json_object_new_string(url));
		freezero(url, strlen(url));
		l->image_bytes += len;
		say(l, ": see the image");
	}
	free(bytes);
}

static void
shown(struct media_load *l)
{
	l->next++;
	l->waits = 0;
	loop_timer(l->timer, 0);
}

static void
on_reply(void *arg, const char *type, struct json_object *msg, int fd)
{
	struct media_load *l = arg;
	struct attach a;

	l->asked = 0;
	if (msg == NULL && ++l->waits < WAITS) {
		loop_timer(l->timer, WAIT_MS);
		return;
	}
	/* It was looked at when the turn began. */
	attach_take(&a, json_object_array_get_idx(l->list, l->next));
	attach_line(&l->block, &a);
	if (fd == -1)
		say(l, ": not here any more");
	else if (attach_kind(&a, l->takes_images) == ATTACH_TEXT)
		show_text(l, &a, fd);
	else
		show_image(l, &a, fd);
	if (fd != -1)
		close(fd);
	shown(l);
}

static void
ask(struct media_load *l, const struct attach *a)
{
	struct json_object *msg = chan_msg("media.get");

	add_str(msg, "media", a->media);
	l->asked = 1;
	if (chan_request(
		l->agent->store, msg, -1, REPLY_MS, on_reply, l) == -1)
		on_reply(l, "", NULL, -1);
}

static void
on_timer(int fd, short what, void *arg)
{
	struct media_load *l = arg;
	struct attach a;

	if (l->next == json_object_array_length(l->list)) {
		load_end(l);
		return;
	}
	attach_take(&a, json_object_array_get_idx(l->list, l->next));
	if (attach_kind(&a, l->takes_images) == ATTACH_OTHER) {
		attach_line(&l->block, &a);
		say(l, "");
		shown(l);
	} else if (l->agent->store != NULL)
		ask(l, &a);
	else
		on_reply(l, "", NULL, -1);
}

struct media_load *
media_load_start(struct agent *ag, struct json_object *list, int images,
    media_fn fn, void *arg)
{
	struct media_load *l;

	if ((l = calloc(1, sizeof(*l))) == NULL ||
	    (l->timer = evtimer_new(ag->base, on_timer, l)) == NULL)
		fatal("calloc");
	l->agent = ag;
	l->list = json_object_get(list);
	l->takes_images = images;
	l->images = json_object_new_array();
	l->fn = fn;
	l->arg = arg;
	loop_timer(l->timer, 0);
	return l;
}
