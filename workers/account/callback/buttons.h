/*
 * Interactive buttons and menus as Mattermost wants them: props.attachments
 * with signed contexts, from what an agent or an operator writes:
 *
 *	buttons       rows of {text|name|label, callback_data|value|id,
 *		      style, disabled, context}, or one flat row
 *	presentation  {title, blocks: [{type: text context buttons select
 *		      divider, ...}]}
 *
 * Ids keep only letters and digits (a server routes no others), are made
 * unlike each other, and equal context.action_id. Entries without an id or
 * a name are left out. Every context carries the channel, an expiry and a
 * nonce that all buttons of a message share, so that one click uses it up.
 */
#ifndef ACCOUNT_BUTTONS_H
#define ACCOUNT_BUTTONS_H

#include <stdint.h>

struct json_object;

#define BUTTONS_MAX 25		/* of one message */
#define BUTTONS_PROPS_MAX 7500	/* bytes: Mattermost 5.37 takes 8000 */
#define BUTTONS_LIFE_S 86400	/* how long a click is taken */
#define BUTTON_NAME_MAX 128	/* bytes of a label */
#define BUTTON_VALUE_MAX 512	/* bytes of a value */
#define BUTTON_ID_MAX 64

/* Members of our contexts. */
#define CTX_TOKEN "_token"
#define CTX_ACTION "action_id"
#define CTX_VALUE "callback_data"
#define CTX_CHANNEL "__openclaw_channel_id"
#define CTX_EXPIRES "postern_expires" /* s since the epoch */
#define CTX_NONCE "postern_nonce"
#define CTX_PICKER "oc_model_picker" /* only the picker's own */

#define NONCE_SIZE 33

struct buttons_opts {
	const char *secret;  /* signed_context_secret() */
	const char *url;     /* of the account's interactions */
	const char *channel; /* where the message goes */
	const char *nonce;   /* NULL: may be clicked again */
	int64_t expires;     /* s since the epoch */
	const char *text;    /* of the attachment, NULL: none */
};

/* A fresh one. */
void buttons_nonce(char nonce[NONCE_SIZE]);

/* text, then what presentation has to say; a new string. */
char *buttons_text(const char *text, struct json_object *presentation);

/*
 * {"attachments": [..]}: the caller owns it. NULL with *why NULL when there
 * is nothing to click, else *why is a static text: too many, too large.
 */
struct json_object *buttons_props(const struct buttons_opts *,
    struct json_object *buttons, struct json_object *presentation,
    const char **why);

/* An action of one's own context, signed; context is consumed. */
struct json_object *buttons_action(const struct buttons_opts *,
    const char *id, const char *name, const char *style,
    struct json_object *context);

/* The id with what a server does not route left out. */
void buttons_clean_id(const char *from, char *to, unsigned size);

/* A member that is text, a number or a truth value; else "". Borrowed. */
const char *buttons_scalar(struct json_object *, const char *key);

#endif
