/*
 * The two halves of the floor: its websockets (floor_ws.c) and its calls
 * (floor.c). Everything ends the program when it goes wrong.
 */
#ifndef TESTS_BENCH_FLOOR_H
#define TESTS_BENCH_FLOOR_H

#include <curl/curl.h>
#include <stddef.h>

struct bot {
	CURL *easy;              /* the websocket's connection */
	curl_socket_t fd;
	struct curl_slist *head; /* of its posts */
	char id[32];
	char mention[80];        /* "@name" */
	char *buf;               /* read but not yet a whole frame */
	size_t len, size;
};

/* Asks who it is, opens the websocket, waits for the hello. */
void bot_connect(struct bot *, const char *url, const char *token);
/* Reads what there is; every question goes to floor_question(). */
void bot_read(struct bot *);
void floor_question(struct bot *, const char *channel, const char *text);

#endif
