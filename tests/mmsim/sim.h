/*
 * The simulated server as a whole: its loop, listeners, settings and the
 * counters that the control endpoint reports.
 */
#ifndef MMSIM_SIM_H
#define MMSIM_SIM_H

#include <stdint.h>

struct event_base;
struct http_server;
struct req;

#define SIM_VERSION "5.37.0"

struct sim {
	struct event_base *base;
	struct http_server *mm;
	struct http_server *model;
	char url[80];
	char model_url[80];
	char version_id[80];
	/* Settings that a control request can change. */
	int max_post_size;  /* runes */
	int max_props_size; /* characters of JSON */
	int64_t max_file_size;
	int edit_limit;     /* seconds, -1: none */
	int reliable;       /* EnableReliableWebSockets */
	int nagle;          /* on websockets, as the real server */
	/* Counters. */
	uint64_t requests;
	uint64_t pending_hits;
	uint64_t ws_accepted;
	uint64_t ws_resumed;
	uint64_t ws_failed_resumes;
	uint64_t events;
	uint64_t deletes;
	uint64_t edits;
};

extern struct sim sim;

/* Settings and counters as after the start. */
void sim_defaults(void);

#endif
