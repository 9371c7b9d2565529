/*
 * Slash commands as objects: who may manage them, how they are found; and
 * what commands and actions share. api_commands.c has their REST calls,
 * api_execute.c runs them, api_actions.c runs buttons and menus.
 */
#ifndef MMSIM_COMMAND_H
#define MMSIM_COMMAND_H

#include "tests/mmsim/api.h"

#define RESPONSE_URL_USES 5
#define RESPONSE_URL_S 1800

struct command {
	char id[ID_LEN + 1];
	char token[ID_LEN + 1];
	struct team *team;
	struct user *creator;
	int64_t create_at;
	int64_t update_at;
	int64_t delete_at;
	char *trigger;
	char *method; /* P or G */
	char *username;
	char *icon_url;
	int auto_complete;
	char *hint;
	char *desc;
	char *display_name;
	char *description;
	char *url;
};

/* The live command of the trigger in the team, or NULL. */
struct command *command_find(const struct team *, const char *trigger);
void commands_reset(void);

/* api_execute.c */
void command_execute(struct req *);
void command_webhook(struct req *);
void execute_reset(void);

/* api_actions.c */
void action_click(struct req *);
void actions_reset(void);
/* A new cookie for an action of an ephemeral post (malloced). */
char *action_cookie(struct channel *, struct json_object *integration);

/*
 * respond.c: an ephemeral message of 'from' (a user id) to one user.
 * props is JSON text; root may be "".
 */
void ephemeral_send(struct user *to, struct channel *, const char *root,
    const char *text, const char *props);
/* malloced: <url|text> as Markdown; mentions: <!channel>, <@id>. */
char *slack_links(const char *);
char *slack_mentions(const char *);
/* base64("ID:USER:MS:SIGNATURE"), malloced; id is what a client gets. */
char *trigger_new(const struct user *, char id[ID_LEN + 1]);
/* The first JSON value of a text; -1 when it is none (null is *o NULL). */
int json_first(const char *text, size_t len, struct json_object **o);

extern const struct route routes_commands[];

#endif
