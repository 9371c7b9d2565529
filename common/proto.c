#include "config.h"

#include <string.h>

#include "common/proto.h"

#define A SIDE_A
#define B SIDE_B
#define END                                                                    \
	{                                                                      \
		NULL, A, 0, 0, 0                                               \
	}

/*
 * The supervisor runs as root: what it reads (from B) is small and flat.
 */
static const struct proto_msg supervisor_msgs[] = {
    {"init", A, PROTO_INIT, 0, PROTO_TEXT},
    {"secret", A, PROTO_ANY, 0, 16384},
    {"fd", A, PROTO_ANY, PROTO_FD, PROTO_SMALL},
    {"link", A, PROTO_ANY, PROTO_FD, PROTO_NORMAL},
    {"unlink", A, PROTO_ANY, 0, PROTO_SMALL},
    {"start", A, PROTO_INIT, 0, PROTO_SMALL},
    {"ping", A, PROTO_ANY, PROTO_REQUEST, PROTO_SMALL},
    {"verbose", A, PROTO_ANY, 0, PROTO_SMALL},
    {"stop", A, PROTO_ANY, 0, PROTO_SMALL},
    {"ctl.reply", A, PROTO_RUN, PROTO_REPLY, PROTO_TEXT},
    {"hello", B, PROTO_INIT, 0, PROTO_SMALL},
    {"ready", B, PROTO_ANY, 0, PROTO_SMALL},
    {"pong", B, PROTO_ANY, PROTO_REPLY, PROTO_SMALL},
    {"log", B, PROTO_ANY, 0, PROTO_SMALL},
    {"state", B, PROTO_ANY, 0, PROTO_SMALL},
    {"ctl", B, PROTO_RUN, PROTO_REQUEST, PROTO_SMALL},
    {"broken", B, PROTO_ANY, 0, PROTO_SMALL},
    {"check", B, PROTO_RUN, 0, PROTO_SMALL},
    {"check.end", B, PROTO_RUN, 0, PROTO_SMALL},
    END,
};

static const struct proto_msg dial_msgs[] = {
    {"dial", B, PROTO_RUN, PROTO_REQUEST, PROTO_SMALL},
    {"dial.ok", A, PROTO_RUN, PROTO_REPLY | PROTO_FD, PROTO_SMALL},
    {"dial.err", A, PROTO_RUN, PROTO_REPLY, PROTO_SMALL},
    END,
};

static const struct proto_msg store_account_msgs[] = {
    {"load", B, PROTO_RUN, PROTO_REQUEST, PROTO_SMALL},
    {"inbox.put", B, PROTO_RUN, PROTO_REQUEST, PROTO_TEXT},
    {"drops", B, PROTO_RUN, 0, PROTO_TEXT},
    {"posts.find", B, PROTO_RUN, PROTO_REQUEST, PROTO_NORMAL},
    {"mark", B, PROTO_RUN, 0, PROTO_SMALL},
    {"turn.begin", B, PROTO_RUN, 0, PROTO_SMALL},
    {"turn.commit", B, PROTO_RUN, PROTO_REQUEST, PROTO_TEXT},
    {"turn.retry", B, PROTO_RUN, PROTO_REQUEST, PROTO_NORMAL},
    {"turn.dead", B, PROTO_RUN, PROTO_REQUEST, PROTO_TEXT},
    {"outbox.put", B, PROTO_RUN, PROTO_REQUEST, PROTO_TEXT},
    {"tool.put", B, PROTO_RUN, PROTO_REQUEST, PROTO_TEXT},
    {"outbox.done", B, PROTO_RUN, 0, PROTO_SMALL},
    {"outbox.dead", B, PROTO_RUN, 0, PROTO_NORMAL},
    {"access.load", B, PROTO_RUN, PROTO_REQUEST, PROTO_SMALL},
    {"command.list", B, PROTO_RUN, PROTO_REQUEST, PROTO_SMALL},
    {"command.set", B, PROTO_RUN, PROTO_REQUEST, PROTO_SMALL},
    {"pairing.ask", B, PROTO_RUN, PROTO_REQUEST, PROTO_NORMAL},
    {"pairing.notified", B, PROTO_RUN, PROTO_REQUEST, PROTO_NORMAL},
    {"loop.reset", B, PROTO_RUN, PROTO_REQUEST, PROTO_SMALL},
    {"cron.load", B, PROTO_RUN, PROTO_REQUEST, PROTO_SMALL},
    {"cron.fire", B, PROTO_RUN, PROTO_REQUEST, PROTO_TEXT},
    {"media.new", B, PROTO_RUN, PROTO_REQUEST, PROTO_SMALL},
    {"media.put", B, PROTO_RUN, PROTO_REQUEST, PROTO_SMALL},
    {"media.drop", B, PROTO_RUN, 0, PROTO_SMALL},
    {"session.open", B, PROTO_RUN, PROTO_REQUEST, PROTO_SMALL},
    {"note.put", B, PROTO_RUN, PROTO_REQUEST, PROTO_SMALL},
    {"inbox.row", A, PROTO_RUN, 0, PROTO_TEXT},
    {"outbox.row", A, PROTO_RUN, 0, PROTO_TEXT},
    {"mark.row", A, PROTO_RUN, 0, PROTO_SMALL},
    {"load.end", A, PROTO_RUN, PROTO_REPLY, PROTO_SMALL},
    {"grant.row", A, PROTO_RUN, 0, PROTO_SMALL},
    {"cron.row", A, PROTO_RUN, 0, PROTO_TEXT},
    {"cron.gone", A, PROTO_RUN, 0, PROTO_SMALL},
    {"inbox.ok", A, PROTO_RUN, PROTO_REPLY, PROTO_NORMAL},
    {"posts.found", A, PROTO_RUN, PROTO_REPLY, PROTO_NORMAL},
    {"tool.ok", A, PROTO_RUN, PROTO_REPLY, PROTO_TEXT},
    {"access", A, PROTO_RUN, PROTO_REPLY, PROTO_TEXT},
    {"command", A, PROTO_RUN, PROTO_REPLY, PROTO_TEXT},
    {"cron", A, PROTO_RUN, PROTO_REPLY, PROTO_TEXT},
    {"pairing", A, PROTO_RUN, PROTO_REPLY, PROTO_SMALL},
    {"media", A, PROTO_RUN, PROTO_REPLY, PROTO_SMALL},
    {"media.file", A, PROTO_RUN, PROTO_REPLY | PROTO_FD, PROTO_SMALL},
    {"session.info", A, PROTO_RUN, PROTO_REPLY, PROTO_NORMAL},
    {"ok", A, PROTO_RUN, PROTO_REPLY, PROTO_NORMAL},
    {"err", A, PROTO_RUN, PROTO_REPLY, PROTO_SMALL},
    END,
};

static const struct proto_msg store_agent_msgs[] = {
    {"session.load", B, PROTO_RUN, PROTO_REQUEST, PROTO_SMALL},
    {"media.get", B, PROTO_RUN, PROTO_REQUEST, PROTO_SMALL},
    {"session", A, PROTO_RUN, PROTO_REPLY, PROTO_TEXT},
    {"media.file", A, PROTO_RUN, PROTO_REPLY | PROTO_FD, PROTO_SMALL},
    {"err", A, PROTO_RUN, PROTO_REPLY, PROTO_SMALL},
    END,
};

static const struct proto_msg store_control_msgs[] = {
    {"explain", B, PROTO_RUN, PROTO_REQUEST, PROTO_SMALL},
    {"dead.list", B, PROTO_RUN, PROTO_REQUEST, PROTO_SMALL},
    {"stats", B, PROTO_RUN, PROTO_REQUEST, PROTO_SMALL},
    {"dead.retry", B, PROTO_RUN, PROTO_REQUEST, PROTO_SMALL},
    {"session.list", B, PROTO_RUN, PROTO_REQUEST, PROTO_SMALL},
    {"session.show", B, PROTO_RUN, PROTO_REQUEST, PROTO_SMALL},
    {"session.reset", B, PROTO_RUN, PROTO_REQUEST, PROTO_SMALL},
    {"pairing.list", B, PROTO_RUN, PROTO_REQUEST, PROTO_SMALL},
    {"pairing.approve", B, PROTO_RUN, PROTO_REQUEST, PROTO_SMALL},
    {"pairing.revoke", B, PROTO_RUN, PROTO_REQUEST, PROTO_SMALL},
    {"pairing.import", B, PROTO_RUN, PROTO_REQUEST, PROTO_NORMAL},
    {"cron.list", B, PROTO_RUN, PROTO_REQUEST, PROTO_SMALL},
    {"cron.add", B, PROTO_RUN, PROTO_REQUEST, PROTO_NORMAL},
    {"cron.set", B, PROTO_RUN, PROTO_REQUEST, PROTO_NORMAL},
    {"cron.rm", B, PROTO_RUN, PROTO_REQUEST, PROTO_SMALL},
    {"data", A, PROTO_RUN, PROTO_REPLY, PROTO_TEXT},
    {"err", A, PROTO_RUN, PROTO_REPLY, PROTO_SMALL},
    END,
};

static const struct proto_msg turn_msgs[] = {
    {"turn.start", B, PROTO_RUN, 0, PROTO_TEXT},
    {"turn.cancel", B, PROTO_RUN, 0, PROTO_SMALL},
    {"tool.result", B, PROTO_RUN, PROTO_REPLY, PROTO_TEXT},
    {"turn.text", A, PROTO_RUN, 0, PROTO_TEXT},
    {"turn.tool", A, PROTO_RUN, 0, PROTO_NORMAL},
    {"tool.call", A, PROTO_RUN, PROTO_REQUEST, PROTO_TEXT},
    {"turn.thinking", A, PROTO_RUN, 0, PROTO_SMALL},
    {"turn.final", A, PROTO_RUN, 0, PROTO_TEXT},
    {"turn.error", A, PROTO_RUN, 0, PROTO_NORMAL},
    END,
};

static const struct proto_msg control_account_msgs[] = {
    {"status", B, PROTO_RUN, PROTO_REQUEST, PROTO_SMALL},
    {"send", B, PROTO_RUN, PROTO_REQUEST, PROTO_TEXT},
    {"sign", B, PROTO_RUN, PROTO_REQUEST, PROTO_NORMAL},
    {"send.file", B, PROTO_RUN, PROTO_FD, PROTO_SMALL},
    {"send.cancel", B, PROTO_RUN, 0, PROTO_SMALL},
    {"react", B, PROTO_RUN, PROTO_REQUEST, PROTO_SMALL},
    {"read", B, PROTO_RUN, PROTO_REQUEST, PROTO_SMALL},
    {"directory", B, PROTO_RUN, PROTO_REQUEST, PROTO_SMALL},
    {"probe", B, PROTO_RUN, PROTO_REQUEST, PROTO_SMALL},
    {"cron.run", B, PROTO_RUN, PROTO_REQUEST, PROTO_SMALL},
    {"send.progress", A, PROTO_RUN, 0, PROTO_SMALL},
    {"data", A, PROTO_RUN, PROTO_REPLY, PROTO_TEXT},
    {"err", A, PROTO_RUN, PROTO_REPLY, PROTO_NORMAL},
    END,
};

static const struct proto_msg control_agent_msgs[] = {
    {"status", B, PROTO_RUN, PROTO_REQUEST, PROTO_SMALL},
    {"data", A, PROTO_RUN, PROTO_REPLY, PROTO_NORMAL},
    {"err", A, PROTO_RUN, PROTO_REPLY, PROTO_SMALL},
    END,
};

/* A secret goes with the link: a new link starts without any. */
static const struct proto_msg callback_account_msgs[] = {
    {"cb.command", A, PROTO_RUN, PROTO_REQUEST, PROTO_TEXT},
    {"cb.action", A, PROTO_RUN, PROTO_REQUEST, PROTO_TEXT},
    {"cb.hook", A, PROTO_RUN, PROTO_REQUEST, PROTO_TEXT},
    {"cb.secret", B, PROTO_RUN, 0, PROTO_SMALL},
    {"cb.commands", B, PROTO_RUN, 0, PROTO_TEXT},
    {"cb.bye", B, PROTO_RUN, PROTO_REQUEST, PROTO_SMALL},
    {"cb.left", A, PROTO_RUN, PROTO_REPLY, PROTO_SMALL},
    {"cb.reply", B, PROTO_RUN, PROTO_REPLY, PROTO_TEXT},
    END,
};

static const struct proto_msg control_callback_msgs[] = {
    {"status", B, PROTO_RUN, PROTO_REQUEST, PROTO_SMALL},
    {"data", A, PROTO_RUN, PROTO_REPLY, PROTO_NORMAL},
    {"err", A, PROTO_RUN, PROTO_REPLY, PROTO_SMALL},
    END,
};

static const struct proto_msg client_msgs[] = {
    {"file", B, PROTO_RUN, PROTO_FD, PROTO_SMALL},
    {"req", B, PROTO_RUN, PROTO_REQUEST, PROTO_NORMAL},
    {"progress", A, PROTO_RUN, 0, PROTO_SMALL},
    {"res", A, PROTO_RUN, PROTO_REPLY, PROTO_TEXT},
    END,
};

static const struct proto protos[PROTO_MAX] = {
    [PROTO_SUPERVISOR] = {"supervisor", {16, 4}, supervisor_msgs},
    [PROTO_DIAL] = {"dial", {4, 4}, dial_msgs},
    [PROTO_STORE_ACCOUNT] = {"store-account", {16, 16}, store_account_msgs},
    [PROTO_STORE_AGENT] = {"store-agent", {16, 4}, store_agent_msgs},
    [PROTO_STORE_CONTROL] = {"store-control", {16, 4}, store_control_msgs},
    [PROTO_TURN] = {"turn", {16, 16}, turn_msgs},
    [PROTO_CONTROL_ACCOUNT] = {"control-account", {16, 16},
	control_account_msgs},
    [PROTO_CONTROL_AGENT] = {"control-agent", {16, 4}, control_agent_msgs},
    [PROTO_CALLBACK_ACCOUNT] = {"callback-account", {16, 16},
	callback_account_msgs},
    [PROTO_CONTROL_CALLBACK] = {"control-callback", {16, 4},
	control_callback_msgs},
    [PROTO_CLIENT] = {"client", {16, 8}, client_msgs},
};

const struct proto *
proto_get(enum proto_kind kind)
{
	return &protos[kind];
}

const struct proto_msg *
proto_find(const struct proto *p, enum proto_side from, const char *type)
{
	const struct proto_msg *m;

	for (m = p->msgs; m->type != NULL; m++)
		if (m->from == from && m->type[0] == type[0] &&
		    strcmp(m->type, type) == 0)
			return m;
	return NULL;
}

uint32_t
proto_max(const struct proto *p, enum proto_side from)
{
	const struct proto_msg *m;
	uint32_t max = 0;

	for (m = p->msgs; m->type != NULL; m++)
		if (m->from == from && m->max > max)
			max = m->max;
	return max;
}
