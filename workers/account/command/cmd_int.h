/*
 * One command while it runs: shared by cmd.c and the handlers.
 */
#ifndef ACCOUNT_CMD_INT_H
#define ACCOUNT_CMD_INT_H

#include "common/strbuf.h"
#include "workers/account/command/cmd.h"
#include "workers/account/inbound.h"
#include "workers/account/sessinfo.h"

struct agent;
struct event;

struct cmd_run {
	struct account *a;
	struct row *row;
	enum command_id id;
	const struct agent *agent; /* NULL: not configured any more */
	const char *args;	   /* blanks at both ends left out */
	struct sessinfo info;
	int denied; /* who gave it may not any more */
	int dead;   /* it becomes a dead letter */
	/* What comes out of it. */
	struct strbuf out; /* the answer; empty: none */
	int reset;
	const char *model;    /* to set; NULL: leave */
	const char *thinking; /* to set; NULL: leave */
	int gate;	      /* to set to mention */
	enum tri mention;
	struct json_object *ends; /* array: rows that end with this one */
	/* Until it is committed. */
	struct json_object *commit;
	struct json_object *items;
	struct event *again;
};

struct cmd {
	enum command_id id;
	unsigned flags;
	void (*run)(struct cmd_run *);
	const char *args; /* for the list, "" none */
	const char *help; /* NULL: not listed */
	const char *none; /* instead of run: why it does nothing here */
};

#define CMD_AT_ONCE 0x1u
#define CMD_SHOWS 0x2u /* changes nothing: cmd_show() */

/* Static. NULL when the id has no row; *n: rows of the whole table. */
const struct cmd *cmd_find(enum command_id);
const struct cmd *cmd_table(size_t *n);

/* cmd_show.c */
void cmd_help(struct cmd_run *);
void cmd_commands(struct cmd_run *);
void cmd_status(struct cmd_run *);
void cmd_whoami(struct cmd_run *);
void cmd_models(struct cmd_run *);
void cmd_context(struct cmd_run *);
void cmd_usage(struct cmd_run *);

/* cmd_set.c */
void cmd_new(struct cmd_run *);
void cmd_stop(struct cmd_run *);
void cmd_model(struct cmd_run *);
void cmd_think(struct cmd_run *);
void cmd_activation(struct cmd_run *);

/* printf into the answer. */
void cmd_say(struct cmd_run *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* A name as code, so that nothing in it is Markdown. */
void cmd_code(struct cmd_run *, const char *text);

#endif
