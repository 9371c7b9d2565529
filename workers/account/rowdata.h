/*
 * What the inbox keeps of an accepted inbound: all that its turn, or its
 * command, needs to know, also after a restart.
 *
 *  agent session base parent   session keys; parent "" unless it may inherit
 *  notes        session whose notes the turn shows, or ""
 *  text context sender post    as the agent gets them
 *  actor surface               who and where
 *  addressed history merge     bool: meant for the bot; may be given what
 *                              was said before; may be answered together
 *                              with others
 *  command args spoken         of a command; no turn then
 *  think model shortcuts       directives within the text, for this turn
 *  reset                       bool: the session begins anew with this turn
 *  deadline_ms                 of this turn, when it is sooner than the
 *                              agent's
 */
#ifndef ACCOUNT_ROWDATA_H
#define ACCOUNT_ROWDATA_H

#include "workers/account/command/command.h"
#include "workers/account/policy.h"

struct inbound;
struct json_object;
struct verdict;

/* sender: the name to show. The caller owns it. */
struct json_object *rowdata_make(const struct policy *,
    const struct inbound *, const struct verdict *, const char *sender);
/* COMMAND_NONE when the row is a turn. */
enum command_id rowdata_command(struct json_object *);
int rowdata_bool(struct json_object *, const char *key);

/*
 * The model that word names for this agent, as its server calls it: one that
 * the provider lists, the agent's own, a number of the list, or, when
 * nothing is listed, any. NULL: none of them.
 */
const char *rowdata_model(const struct agent *, const char *word);

#endif
