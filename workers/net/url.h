/*
 * The parts of a base URL, of a Mattermost or a model server.
 *
 * Pure. The configuration was checked by the supervisor; this takes it
 * apart for the HTTP client and refuses what that could not use.
 */
#ifndef WORKERS_NET_URL_H
#define WORKERS_NET_URL_H

#include <stdint.h>

struct base_url {
	int https;
	char host[256]; /* IPv6 without its brackets */
	uint16_t port;
	char base[512]; /* "" or "/v1", never with a '/' at its end */
};

/* 0, or -1: not http(s), user info, query, fragment, or too long. */
int base_url_parse(struct base_url *, const char *text);

#endif
