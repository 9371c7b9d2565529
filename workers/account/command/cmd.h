/*
 * Commands: what people say to the gateway itself, as text or as a slash
 * command of the server.
 *
 * A command is an event of the inbox like any other. It has a row in its
 * lane; when its turn comes the row is handed to cmd_start(), which runs it
 * and commits its answer together with the end of the row, so that it is
 * answered once whatever happens. Only rows whose sender may give commands
 * are commands (rowdata.h).
 */
#ifndef ACCOUNT_CMD_H
#define ACCOUNT_CMD_H

#include "workers/account/command/command.h"

struct account;
struct row;
struct sessinfo;

/* Those that change nothing, and /stop, do not wait for a running turn. */
int cmd_at_once(enum command_id);

/* Run the row's command; lanes_row_done() is called by itself. */
void cmd_start(struct account *, struct row *);

/*
 * The answer of a command that only shows something, for a message that
 * has it within its text. NULL when it is not such a one.
 */
char *cmd_show(struct account *, struct row *, enum command_id,
    const struct sessinfo *);

#endif
