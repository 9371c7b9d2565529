#include "config.h"

#include <sys/queue.h>

#include <curl/curl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "tests/bench/floor.h"

/*
 * The floor of every figure: a bot of one libcurl loop that makes the HTTP
 * calls a turn needs, and nothing else. No store, no rules, no processes, no
 * second look at anything: what it takes, nobody can save.
 *
 *	floor SERVER-URL [MODEL-URL] < tokens, one a line
 *
 * Prints "connected" when every account has its websocket, and ends with its
 * input. Without a model the question itself is the answer.
 */

struct call {
	SLIST_ENTRY(call) entry; /* spare ones keep their handle */
	CURL *easy;
	struct bot *bot;
	int model; /* a call of the model, not a post */
	char channel[32];
	char *body;
	char *got;
	size_t len;
};

static SLIST_HEAD(, call) spare = SLIST_HEAD_INITIALIZER(spare);
static CURLM *multi;
static char *posts_url;
static char *model_url;
static struct curl_slist *model_head;

static size_t
on_data(char *p, size_t size, size_t n, void *arg)
{
	struct call *c = arg;

	if ((c->got = realloc(c->got, c->len + n + 1)) == NULL)
		fatal("realloc");
	memcpy(c->got + c->len, p, n);
	c->len += n;
	c->got[c->len] = '\0';
	return n;
}

static struct call *
call_new(struct bot *bot, const char *channel)
{
	struct call *c = SLIST_FIRST(&spare);

	if (c != NULL)
		SLIST_REMOVE_HEAD(&spare, entry);
	else if ((c = calloc(1, sizeof(*c))) == NULL ||
	    (c->easy = curl_easy_init()) == NULL)
		fatalx("out of memory");
	c->bot = bot;
	c->len = 0;
	(void)strlcpy(c->channel, channel, sizeof(c->channel));
	return c;
}

/* Takes o. */
static void
call_go(struct call *c, const char *url, struct curl_slist *head,
    struct json_object *o)
{
	c->body = strdup(json_object_to_json_string_ext(
	    o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
	if (c->body == NULL)
		fatal("strdup");
	curl_easy_setopt(c->easy, CURLOPT_URL, url);
	curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, head);
	curl_easy_setopt(c->easy, CURLOPT_POSTFIELDS, c->body);
	curl_easy_setopt(c->easy, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(c->easy, CURLOPT_WRITEDATA, c);
	curl_easy_setopt(c->easy, CURLOPT_PRIVATE, c);
	if (curl_multi_add_handle(multi, c->easy) != CURLM_OK)
		fatalx("curl_multi_add_handle");
}

static void
answer(struct bot *bot, const char *channel, const char *text)
{
	struct call *c = call_new(bot, channel);
	struct json_object *o = json_object_new_object();

	c->model = 0;
	json_object_object_add(
	    o, "channel_id", json_object_new_string(channel));
	json_object_object_add(o, "message", json_object_new_string(text));
	call_go(c, posts_url, bot->head, o);
}

static void
ask_model(struct bot *bot, const char *channel, const char *text)
{
	struct call *c = call_new(bot, channel);
	struct json_object *o = json_object_new_object();
	struct json_object *list = json_object_new_array();
	struct json_object *m = json_object_new_object();

	c->model = 1;
	json_object_object_add(m, "role", json_object_new_string("user"));
	json_object_object_add(m, "content", json_object_new_string(text));
	json_object_array_add(list, m);
	json_object_object_add(o, "model", json_object_new_string("test"));
	json_object_object_add(o, "stream", json_object_new_boolean(1));
	json_object_object_add(o, "messages", list);
	call_go(c, model_url, model_head, o);
}

void
floor_question(struct bot *bot, const char *channel, const char *text)
{
	if (model_url != NULL)
		ask_model(bot, channel, text);
	else
		answer(bot, channel, text);
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
	char *line, *text = calloc(1, strlen(got) + 1);
	struct json_object *o;

	if (text == NULL)
		fatal("calloc");
	while ((line = strsep(&got, "\n")) != NULL) {
		if (strncmp(line, "data: {", 7) != 0 ||
		    (o = json_tokener_parse(line + 6)) == NULL)
			continue;
		(void)strcat(text, delta_text(o));
		json_object_put(o);
	}
	return text;
}

static void
call_done(struct call *c, CURLcode rc)
{
	char *text;
	long status = 0;

	curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
	if (rc != CURLE_OK || status >= 300)
		fatalx("%s: %ld %s", c->model ? "model" : "post", status,
		    rc != CURLE_OK ? curl_easy_strerror(rc) : c->got);
	curl_multi_remove_handle(multi, c->easy);
	free(c->body);
	c->body = NULL;
	SLIST_INSERT_HEAD(&spare, c, entry);
	if (!c->model || c->got == NULL)
		return;
	text = stream_text(c->got);
	answer(c->bot, c->channel, text);
	free(text);
}

static void
run_calls(void)
{
	CURLMsg *m;
	void *c;
	int n;

	curl_multi_perform(multi, &n);
	while ((m = curl_multi_info_read(multi, &n)) != NULL) {
		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &c);
		call_done(c, m->data.result);
	}
}

static struct bot *
bots_read(const char *url, size_t *n)
{
	struct bot *bots = NULL;
	char line[256];

	*n = 0;
	while (fgets(line, sizeof(line), stdin) != NULL && line[0] != '\n') {
		line[strcspn(line, "\n")] = '\0';
		bots = reallocarray(bots, *n + 1, sizeof(*bots));
		if (bots == NULL)
			fatal("reallocarray");
		bot_connect(&bots[(*n)++], url, line);
	}
	return bots;
}

static char *
url_of(const char *base, const char *path)
{
	char *s;

	if (asprintf(&s, "%s%s", base, path) == -1)
		fatal("asprintf");
	return s;
}

int
main(int argc, char *argv[])
{
	struct curl_waitfd *fds;
	struct bot *bots;
	size_t n, i;

	if (argc < 2)
		fatalx("usage: floor server-url [model-url] < tokens");
	curl_global_init(CURL_GLOBAL_DEFAULT);
	multi = curl_multi_init();
	posts_url = url_of(argv[1], "/api/v4/posts");
	if (argc > 2) {
		model_url = url_of(argv[2], "/chat/completions");
		model_head = curl_slist_append(
		    NULL, "Content-Type: application/json");
	}
	bots = bots_read(argv[1], &n);
	if ((fds = calloc(n + 1, sizeof(*fds))) == NULL)
		fatal("calloc");
	puts("connected");
	fflush(stdout);
	for (i = 0; i < n; i++)
		fds[i] = (struct curl_waitfd){bots[i].fd, CURL_WAIT_POLLIN, 0};
	fds[n] = (struct curl_waitfd){0, CURL_WAIT_POLLIN, 0};
	while (fds[n].revents == 0) {
		run_calls();
		curl_multi_poll(multi, fds, n + 1, 60000, NULL);
		for (i = 0; i < n; i++)
			if (fds[i].revents != 0)
				bot_read(&bots[i]);
	}
	return 0;
}
