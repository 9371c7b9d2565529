/*
 * The agent's message tool: calls of a running turn, executed under this
 * account's policy.
 *
 * A call acts in the turn's conversation, or in another one of the same
 * account where the configuration allows it; never for another account.
 * What it posts goes through the outbox under a key made of the event and
 * the content, so that a turn that runs again posts nothing twice and gets
 * the same results. Errors are answers, in words for the model.
 */
#ifndef ACCOUNT_MESSAGE_TOOL_H
#define ACCOUNT_MESSAGE_TOOL_H

#include <stddef.h>

struct account;
struct json_object;
struct turn;

#define TOOL_BYTES_MAX (256u * 1024) /* of text posted by tools, a turn */
#define TOOL_RESULT_MAX (48u * 1024) /* bytes of a result */

/* What the configuration says: actions, capabilities, tools.message. */
struct tool_cfg {
	int reactions;
	int messages; /* reading */
	int buttons;
	int elsewhere;	    /* crossContext.allowWithinProvider */
	int broadcast;	    /* to several at once */
	char *marker;	    /* put before posts elsewhere, "" for none */
};

/* config: of the account, borrowed; what is absent has its default. */
void tool_cfg_read(struct tool_cfg *, struct json_object *config);

/* options.tools of "turn.start". */
struct json_object *message_tool_offer(const struct account *);
/* A "tool.call". -1: not of its shape. */
int message_tool_call(
    struct account *, const char *agent, struct json_object *msg);
/* 1: it has posted into the conversation of the turn. */
int message_tool_replied(const struct turn *);
/*
 * The agent has ended the turn: a call under way gets no answer. What it has put into the
 * outbox is sent all the same.
 */
void message_tool_end(struct turn *);

#endif
