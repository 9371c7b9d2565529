#include "config.h"

#include <curl/curl.h>
#include <json-c/json.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "tests/bench/floor.h"

#define TIMEOUT_MS 30000

static const char *
text_of(struct json_object *o, const char *key)
{
	struct json_object *v;
	const char *s;

	if (!json_object_object_get_ex(o, key, &v))
		return "";
	return (s = json_object_get_string(v)) != NULL ? s : "";
}

static size_t
on_me(char *p, size_t size, size_t n, void *arg)
{
	struct bot *bot = arg;
	struct json_object *o = json_tokener_parse(p);

	/* The simulator writes it in one piece. */
	if (o == NULL)
		return 0;
	(void)strlcpy(bot->id, text_of(o, "id"), sizeof(bot->id));
	(void)snprintf(bot->mention, sizeof(bot->mention), "@%s",
	    text_of(o, "username"));
	json_object_put(o);
	return n;
}

static void
perform(CURL *easy, const char *what)
{
	CURLcode rc = curl_easy_perform(easy);

	if (rc != CURLE_OK)
		fatalx("%s: %s", what, curl_easy_strerror(rc));
}

static void
identify(struct bot *bot, const char *url)
{
	CURL *easy = curl_easy_init();
	char me[256];

	(void)snprintf(me, sizeof(me), "%s/api/v4/users/me", url);
	curl_easy_setopt(easy, CURLOPT_URL, me);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, bot->head);
	curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_me);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, bot);
	perform(easy, "users/me");
	curl_easy_cleanup(easy);
}

static void
send_all(struct bot *bot, const char *p, size_t len)
{
	CURLcode rc;
	size_t n;

	while (len > 0) {
		rc = curl_easy_send(bot->easy, p, len, &n);
		if (rc != CURLE_OK)
			fatalx("websocket: %s", curl_easy_strerror(rc));
		p += n;
		len -= n;
	}
}

/* 0: nothing there now. */
static size_t
recv_some(struct bot *bot)
{
	CURLcode rc;
	size_t n = 0;

	if (bot->size - bot->len < 4096) {
		bot->size += 65536;
		if ((bot->buf = realloc(bot->buf, bot->size)) == NULL)
			fatal("realloc");
	}
	bot->buf[bot->len] = '\0';
	rc = curl_easy_recv(bot->easy, bot->buf + bot->len,
	    bot->size - bot->len - 1, &n);
	if (rc == CURLE_AGAIN)
		return 0;
	if (rc != CURLE_OK || n == 0)
		fatalx("websocket: %s", curl_easy_strerror(rc));
	bot->len += n;
	bot->buf[bot->len] = '\0';
	return n;
}

static void
consume(struct bot *bot, size_t n)
{
	bot->len -= n;
	memmove(bot->buf, bot->buf + n, bot->len);
}

static void
posted(struct bot *bot, struct json_object *event)
{
	struct json_object *data, *post;
	const char *text;
	int direct;

	if (!json_object_object_get_ex(event, "data", &data))
		return;
	post = json_tokener_parse(text_of(data, "post"));
	text = text_of(post, "message");
	direct = strcmp(text_of(data, "channel_type"), "D") == 0;
	if (strcmp(text_of(post, "user_id"), bot->id) != 0 &&
	    (direct || strstr(text, bot->mention) != NULL))
		floor_question(bot, text_of(post, "channel_id"), text);
	json_object_put(post);
}

/* Bytes of the frame at the head of the buffer, 0 when it is not whole. */
static size_t
frame(struct bot *bot, int *op, char **payload, size_t *len)
{
	const unsigned char *p = (const unsigned char *)bot->buf;
	size_t at = 2, i;

	if (bot->len < 2)
		return 0;
	*op = p[0] & 15;
	*len = p[1] & 127;
	if (*len >= 126) {
		at = *len == 126 ? 4 : 10;
		if (bot->len < at)
			return 0;
		for (*len = 0, i = 2; i < at; i++)
			*len = *len << 8 | p[i];
	}
	*payload = bot->buf + at;
	return bot->len < at + *len ? 0 : at + *len;
}

static void
text_frame(struct bot *bot, struct json_tokener *tok, char *p, size_t len)
{
	struct json_object *o;

	json_tokener_reset(tok);
	if ((o = json_tokener_parse_ex(tok, p, (int)len)) == NULL)
		return;
	if (strcmp(text_of(o, "event"), "posted") == 0)
		posted(bot, o);
	json_object_put(o);
}

void
bot_read(struct bot *bot)
{
	static struct json_tokener *tok;
	static const char pong[] = {(char)0x8a, (char)0x80, 0, 0, 0, 0};
	size_t n, len;
	char *p;
	int op;

	if (tok == NULL)
		tok = json_tokener_new();
	while (recv_some(bot) > 0)
		while ((n = frame(bot, &op, &p, &len)) > 0) {
			if (op == 1)
				text_frame(bot, tok, p, len);
			else if (op == 9)
				send_all(bot, pong, sizeof(pong));
			consume(bot, n);
		}
}

/* Until the upgrade's answer and the first frame after it are there. */
static void
await_hello(struct bot *bot)
{
	struct pollfd pfd = {bot->fd, POLLIN, 0};
	size_t n, len;
	char *end, *p;
	int op, up = 0;

	for (;;) {
		if (up && (n = frame(bot, &op, &p, &len)) > 0) {
			consume(bot, n);
			return;
		}
		if (!up && bot->buf != NULL &&
		    (end = strstr(bot->buf, "\r\n\r\n")) != NULL) {
			if (strncmp(bot->buf, "HTTP/1.1 101", 12) != 0)
				fatalx("websocket refused: %s", bot->buf);
			consume(bot, (size_t)(end + 4 - bot->buf));
			up = 1;
			continue;
		}
		if (recv_some(bot) == 0 && poll(&pfd, 1, TIMEOUT_MS) != 1)
			fatalx("websocket: no hello");
	}
}

void
bot_connect(struct bot *bot, const char *url, const char *token)
{
	char line[512];

	memset(bot, 0, sizeof(*bot));
	(void)snprintf(line, sizeof(line), "Authorization: Bearer %s", token);
	bot->head = curl_slist_append(NULL, line);
	bot->head = curl_slist_append(
	    bot->head, "Content-Type: application/json");
	identify(bot, url);
	bot->easy = curl_easy_init();
	curl_easy_setopt(bot->easy, CURLOPT_URL, url);
	curl_easy_setopt(bot->easy, CURLOPT_CONNECT_ONLY, 1L);
	perform(bot->easy, "connect");
	curl_easy_getinfo(bot->easy, CURLINFO_ACTIVESOCKET, &bot->fd);
	(void)snprintf(line, sizeof(line),
	    "GET /api/v4/websocket HTTP/1.1\r\nHost: floor\r\n"
	    "Upgrade: websocket\r\nConnection: Upgrade\r\n"
	    "Sec-WebSocket-Version: 13\r\n"
	    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	    "Authorization: Bearer %s\r\n\r\n", token);
	send_all(bot, line, strlen(line));
	await_hello(bot);
}
