/*
 * A websocket of ours against a server that plays a script, with what the
 * callbacks have heard.
 */
#ifndef TESTS_UNIT_WS_RIG_H
#define TESTS_UNIT_WS_RIG_H

#include "tests/unit/net_fixture.h"

struct ws_rig {
	struct fixture f;
	struct net_endpoint *ep;
	struct ws *ws;
	int opened, texts, drained, closed;
	char last[256];
	size_t last_len, bytes;
	enum ws_end end;
	int code;
	int64_t retry_after;
	char why[256];
	/* What the text callback does. */
	int echo_left;
	int abort_at;
	int pause_at;
};

extern char ws_long_text[200001];

/* Group setups: all that follows goes without TLS, or with it. */
int ws_rig_plain(void **state);
int ws_rig_tls(void **state);

/*
 * Connects; nothing has come back yet. script: a name in ws_rig.c.
 * max: bytes of a message, 0 for the default; connect_ms: the same.
 */
struct ws_rig *ws_rig_up(
    const char *script, const char *path, size_t max, int64_t connect_ms);
void ws_rig_down(struct ws_rig *);

#endif
