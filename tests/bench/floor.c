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
 * The floor of every figure: a bot of one account that is a bare libcurl
 * loop. It makes the HTTP calls a turn needs, and nothing else. No store, no
 * rules, no processes, no second look at anything.
 *
 *	floor SERVER-URL [MODEL-URL]
 *
 * reads the bot's token from its input, prints "connected" when the websocket
 * is there, and ends with its input. Without a model the question itself is
 * the answer.
 */

struct call {
	CURL *easy; /* kept, and its connection with it */
	char *got;
	size_t len, size;
};

static struct call model, post;
static int has_model;

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
call_init(struct call *c, const char *base, const char *path,
    struct curl_slist *head)
{
	char url[512];

	if ((c->easy = curl_easy_init()) == NULL)
		fatalx("curl_easy_init");
	(void)snprintf(url, sizeof(url), "%s%s", base, path);
	curl_easy_setopt(c->easy, CURLOPT_URL, url);
	curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, head);
	curl_easy_setopt(c->easy, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(c->easy, CURLOPT_WRITEDATA, c);
	curl_easy_setopt(c->easy, CURLOPT_FAILONERROR, 1L);
}

/* Takes body. */
static void
call(struct call *c, struct json_object *body)
{
	CURLcode rc;

	c->len = 0;
	curl_easy_setopt(c->easy, CURLOPT_POSTFIELDS,
	    json_object_to_json_string_ext(body,
		JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	if ((rc = curl_easy_perform(c->easy)) != CURLE_OK)
		fatalx("%s", curl_easy_strerror(rc));
	json_object_put(body);
}

static void
answer(const char *channel, const char *text)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(
	    o, "channel_id", json_object_new_string(channel));
	json_object_object_add(o, "message", json_object_new_string(text));
	call(&post, o);
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
	call(&model, o);
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
floor_question(const char *channel, const char *text)
{
	char *reply;

	if (!has_model) {
		answer(channel, text);
		return;
	}
	ask_model(text);
	reply = stream_text(model.got);
	answer(channel, reply);
	free(reply);
}

int
main(int argc, char *argv[])
{
	struct pollfd pfd[2];
	struct bot bot;
	char token[256];

	if (argc < 2 || fgets(token, sizeof(token), stdin) == NULL)
		fatalx("usage: floor server-url [model-url] < token");
	token[strcspn(token, "\n")] = '\0';
	curl_global_init(CURL_GLOBAL_DEFAULT);
	bot_connect(&bot, argv[1], token);
	call_init(&post, argv[1], "/api/v4/posts", bot.head);
	if ((has_model = argc > 2))
		call_init(&model, argv[2], "/chat/completions",
		    curl_slist_append(NULL, "Content-Type: application/json"));
	puts("connected");
	fflush(stdout);
	pfd[0] = (struct pollfd){bot.fd, POLLIN, 0};
	pfd[1] = (struct pollfd){STDIN_FILENO, POLLIN, 0};
	while (pfd[1].revents == 0) {
		if (poll(pfd, 2, -1) == -1)
			fatal("poll");
		if (pfd[0].revents != 0)
			bot_read(&bot);
	}
	return 0;
}
