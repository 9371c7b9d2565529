#include "config.h"

#include "workers/account/command/cmd_int.h"

#define SHOW (CMD_AT_ONCE | CMD_SHOWS)

/* In the order of the list that people see. */
static const struct cmd table[] = {
    {COMMAND_NEW, 0, cmd_new, "[model] [message]",
	"forget this conversation and begin a new one", NULL},
    {COMMAND_RESET, 0, cmd_new, "", "the same as /new", NULL},
    {COMMAND_STOP, CMD_AT_ONCE, cmd_stop, "",
	"stop the answer that is being written", NULL},
    {COMMAND_STATUS, SHOW, cmd_status, "",
	"what this conversation uses", NULL},
    {COMMAND_MODEL, 0, cmd_model, "[name|default]",
	"show or set the model of this conversation", NULL},
    {COMMAND_MODELS, SHOW, cmd_models, "[provider]",
	"the models to choose from", NULL},
    {COMMAND_THINK, 0, cmd_think, "[off|minimal|low|medium|high|default]",
	"how long the model thinks before it answers", NULL},
    {COMMAND_ACTIVATION, 0, cmd_activation, "[mention|always|default]",
	"when the bot answers in this channel", NULL},
    {COMMAND_CONTEXT, SHOW, cmd_context, "",
	"what the model remembers of this conversation", NULL},
    {COMMAND_USAGE, SHOW, cmd_usage, "",
	"tokens that this conversation has used", NULL},
    {COMMAND_WHOAMI, SHOW, cmd_whoami, "", "who you are to the bot", NULL},
    {COMMAND_HELP, SHOW, cmd_help, "", "the commands used most", NULL},
    {COMMAND_COMMANDS, SHOW, cmd_commands, "", "all commands", NULL},

    {COMMAND_VERBOSE, CMD_AT_ONCE, NULL, "", NULL,
	"What is shown while the bot works is set by `streaming` in the "
	"configuration; it cannot be changed from here."},
    {COMMAND_REASONING, CMD_AT_ONCE, NULL, "", NULL,
	"The model's reasoning is never posted; there is nothing to switch."},
    {COMMAND_QUEUE, CMD_AT_ONCE, NULL, "", NULL,
	"Messages of one conversation are answered one after the other; "
	"there is no other way to queue them."},
    {COMMAND_COMPACT, CMD_AT_ONCE, NULL, "", NULL,
	"The conversation is cut to the model's window by itself; /new "
	"begins an empty one."},
    {COMMAND_FAST, CMD_AT_ONCE, NULL, "", NULL,
	"There is no fast mode here; /model and /think choose."},
    {COMMAND_TRACE, CMD_AT_ONCE, NULL, "", NULL,
	"There is no trace in the conversation; the operator has the log."},
};
#define NTABLE (sizeof(table) / sizeof(table[0]))

const struct cmd *
cmd_find(enum command_id id)
{
	size_t i;

	for (i = 0; i < NTABLE; i++)
		if (table[i].id == id)
			return &table[i];
	return NULL;
}

const struct cmd *
cmd_table(size_t *n)
{
	*n = NTABLE;
	return table;
}
