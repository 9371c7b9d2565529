#include "config.h"

#include <curl/curl.h>
#include <json-c/json.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "tests/bench/floor.h"

/*
 * The floor of every figure: a bare libcurl loop. It makes the HTTP calls a
 * turn needs, one after another, and nothing else: no store, no rules, no
 * second look at anything.
 *
 *	floor SERVER-URL [MODEL-URL]
 *
 * reads the tokens of its bots from its input, one a line up to an empty
 * one, prints "connected" when their websockets are there, and ends with its
 * input. Without a model the question itself is the answer.
 */

struct call {
	CURL *easy; /* kept, and its connection with it */
	char *got;
	size_t len, size;
};

static struct call model, post;
static struct curl_slist *model_head; /* NULL: no model */

static size_t
on_data(char *p, size_t size, size_t n, void *arg)
{
	struct call *c = arg;

	if (c->size - c->len <= n) {
		c->size = 2 * (c->len + n) + 4096;
		if ((c->got = realloc(c->got, c->size)) == NULL)
			fatal("realloc");
	}
	memcpy(c->got + c->len, p, n);
	c->len += n;
	c->got[c->len] = '\0';
	return n;
}

static void
call_init(struct call *c, const char *base, const char *path)
{
	char url[512];

	if ((c->easy = curl_easy_init()) == NULL)
		fatalx("curl_easy_init");
	(void)snprintf(url, sizeof(url), "%s%s", base, path);
	curl_easy_setopt(c->easy, CURLOPT_URL, url);
	curl_easy_setopt(c->easy, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(c->easy, CURLOPT_WRITEDATA, c);
	curl_easy_setopt(c->easy, CURLOPT_FAILONERROR, 1L);
}

/* Takes body. */
static void
call(struct call *c, struct curl_slist *head, struct json_object *body)
{
	CURLcode rc;

	c->len = 0;
	curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, head);
	curl_easy_setopt(c->easy, CURLOPT_POSTFIELDS,
	    json_object_to_json_string_ext(body,
		JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	if ((rc = curl_easy_perform(c->easy)) != CURLE_OK)
		fatalx("%s", curl_easy_strerror(rc));
	json_object_put(body);
}

static void
answer(struct bot *bot, const char *channel, const char *text)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(
	    o, "channel_id", json_object_new_string(channel));
	json_object_object_add(o, "message", json_object_new_string(text));
	call(&post, bot->head, o);
}

static void
ask_model(const char *text)
{
	struct json_object *o = json_object_new_object();
	struct json_object *list = json_object_new_array();
	struct json_object *m = json_object_new_object();

	json_object_object_add(m, "role", json_object_new_string("user"));
	json_object_object_add(m, "content", json_object_new_string(text));
	json_object_array_add(list, m);
	json_object_object_add(o, "model", json_object_new_string("test"));
	json_object_object_add(o, "stream", json_object_new_boolean(1));
	json_object_object_add(o, "messages", list);
	call(&model, model_head, o);
}

static const char *
delta_text(struct json_object *o)
{
	struct json_object *v;

	if (!json_object_object_get_ex(o, "choices", &v) ||
	    (v = json_object_array_get_idx(v, 0)) == NULL ||
	    !json_object_object_get_ex(v, "delta", &v) ||
	    !json_object_object_get_ex(v, "content", &v) || v == NULL)
		return "";
	return json_object_get_string(v);
}

/* The whole text of a stream of chunks. */
static char *
stream_text(char *got)
{
	size_t size = strlen(got) + 1;
	char *line, *text = calloc(1, size);
	struct json_object *o;

	if (text == NULL)
		fatal("calloc");
	while ((line = strsep(&got, "\n")) != NULL) {
		if (strncmp(line, "data: {", 7) != 0 ||
		    (o = json_tokener_parse(line + 6)) == NULL)
			continue;
		(void)strlcat(text, delta_text(o), size);
		json_object_put(o);
	}
	return text;
}

void
floor_question(struct bot *bot, const char *channel, const char *text)
{
	char *reply;

	if (model_head == NULL) {
		answer(bot, channel, text);
		return;
	}
	ask_model(text);
	reply = stream_text(model.got);
	answer(bot, channel, reply);
	free(reply);
}

static struct bot *
bots_read(const char *url, size_t *n)
{
	struct bot *bots = NULL;
	char line[256];

	for (*n = 0; fgets(line, sizeof(line), stdin) != NULL; (*n)++) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '\0')
			break;
		bots = reallocarray(bots, *n + 1, sizeof(*bots));
		if (bots == NULL)
			fatal("reallocarray");
		bot_connect(&bots[*n], url, line);
	}
	return bots;
}

static void
loop(struct bot *bots, size_t n)
{
	struct pollfd *pfd = calloc(n + 1, sizeof(*pfd));
	size_t i;

	if (pfd == NULL)
		fatal("calloc");
	for (i = 0; i < n; i++)
		pfd[i] = (struct pollfd){bots[i].fd, POLLIN, 0};
	pfd[n] = (struct pollfd){STDIN_FILENO, POLLIN, 0};
	while (pfd[n].revents == 0) {
		if (poll(pfd, n + 1, -1) == -1)
			fatal("poll");
		for (i = 0; i < n; i++)
			if (pfd[i].revents != 0)
				bot_read(&bots[i]);
	}
	free(pfd);
}

int
main(int argc, char *argv[])
{
	struct bot *bots;
	size_t n;

	if (argc < 2)
		fatalx("usage: floor server-url [model-url] < tokens");
	curl_global_init(CURL_GLOBAL_DEFAULT);
	bots = bots_read(argv[1], &n);
	call_init(&post, argv[1], "/api/v4/posts");
	if (argc > 2) {
		call_init(&model, argv[2], "/chat/completions");
		model_head = curl_slist_append(
		    NULL, "Content-Type: application/json");
	}
	puts("connected");
	fflush(stdout);
	loop(bots, n);
	return 0;
}
