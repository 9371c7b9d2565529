/*
 * The state of one account worker, shared by the files of this folder and
 * by nobody else.
 *
 * A message passes: conn (the websocket) or gapfill (REST) -> intake
 * (decode, dedupe, decide, inbox) -> lanes -> turn (agent, draft) -> outbox.
 */
#ifndef ACCOUNT_ACCOUNT_H
#define ACCOUNT_ACCOUNT_H

#include <stdint.h>

#include "common/monotime.h"
#include "workers/account/inbound.h"
#include "workers/account/outtext.h"
#include "workers/account/preview/stream_cfg.h"
#include "workers/account/preview/typing.h"
#include "workers/account/tool/message_tool.h"

struct agents;
struct channels;
struct cold;
struct conn;
struct drops;
struct figures;
struct event;
struct event_base;
struct gapfill;
struct intake;
struct jobs;
struct lanes;
struct media_hosts;
struct net;
struct names;
struct net_endpoint;
struct outbox;
struct pending;
struct places;
struct policy;
struct resolver;
struct slash;
struct secret;
struct storelink;
struct users;
struct chan;
struct worker;

struct account {
	struct worker *worker;
	struct event_base *base;
	struct net *net;
	struct net_endpoint *ep;
	struct secret *token;
	char *id; /* of the account */
	char *problem; /* why it cannot run as configured, or NULL */

	/* The bot, from GET /users/me; "" before. */
	char bot_id[MM_ID_SIZE];
	char bot_name[MM_NAME_MAX + 1];
	int64_t bot_update_at;
	/* Of puts; after a refusal all that are under way are refused too. */
	int64_t put_epoch;
	/* clock.c: the server's time, and when it was that; 0 not known. */
	int64_t server_at;
	struct monotime server_seen;

	/* Configuration. */
	struct out_cfg out;
	struct stream_cfg stream;
	struct typing_cfg typing;
	struct media_hosts *media_hosts;
	int64_t media_max; /* bytes of one attachment, both ways */
	int64_t fill_age_ms; /* older missed posts are not answered */

	struct tool_cfg tools;

	/* Counters for status. */
	uint64_t n_events, n_accepted, n_answers, n_resumes, n_fills;
	int64_t last_in, last_out; /* wall clock ms, 0 never */
	int close_code; /* of the last session that worked, 0 none has ended */

	struct policy *policy;
	struct storelink *store;
	struct agents *agents;
	struct channels *channels;
	struct users *users;
	struct drops *drops;
	struct figures *figures;
	struct intake *intake;
	struct jobs *jobs;
	struct conn *conn;
	struct event *trim; /* trim.h */
	struct gapfill *fill;
	struct lanes *lanes;
	struct outbox *outbox;
	struct resolver *resolver;
	struct slash *slash;
	struct names *names;
	struct places *threads; /* standing.h */
	struct places *loops;
	struct places *gates;     /* gates.h */
	struct pending *pending;  /* what was said since */
	struct cold *cold; /* threads that are asked for, see recover.h */
	int64_t debounce_ms;      /* messages.inbound; 0: off */
	struct chan *ctl; /* the link to the control worker */
	int linked; /* the first links have come: missing agents are missing */
	int stopping;
};

#endif
