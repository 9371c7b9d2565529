/*
 * What the files of the configuration share while one file is read.
 */
#ifndef DAEMON_CONFIG_PRIVATE_H
#define DAEMON_CONFIG_PRIVATE_H

#include <sys/types.h>

#include <stddef.h>

#include "common/monotime.h"
#include "daemon/conf.h"
#include "daemon/config_keys.h"
#include "daemon/config_tree.h"

#define CONFIG_PATH_MAX 512 /* bytes of a key path in a message */
#define CONFIG_POST_MAX 16383 /* characters of a post: Mattermost 5.0 */
#define CONFIG_BUTTONS "inlineButtons" /* of capabilities */

/* What a reference to a secret came to. */
enum config_got { CONFIG_GOT, CONFIG_MISSING, CONFIG_FAILED };

struct config_followed {
	struct config_followed *next;
	const struct cval *ref;
	enum config_got got;
	struct secret *secret;
};

struct config_ctx {
	const char *file;
	mode_t mode;   /* of the file; 0 when it is no regular file */
	int told_mode; /* its mode was complained about */
	int lenient;   /* what is wrong now parks one account only */
	struct config_errors *errs;
	struct config *cfg;
	struct cval *root;
	char *ignored; /* keys without meaning here, ", " between them */
	size_t ignored_count;
	struct config_followed *followed;
	struct monotime programs_end; /* of all that give secrets */
	struct json_object *shared; /* members of every account's JSON */
};

/* config_errors.c: at may be NULL (the whole file). */
void config_say(struct config_ctx *, enum config_severity,
    const struct cval *at, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* The same at the name of a member. */
void config_say_key(struct config_ctx *, enum config_severity,
    const struct cval *member, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void config_say_at(struct config_ctx *, enum config_severity, int line,
    int column, const char *fmt, ...) __attribute__((format(printf, 5, 6)));
void config_errors_sort(struct config_errors *);

/* config_check.c: hold the tree against the table. */
void config_check(struct config_ctx *);
/* ".name" or "[\"odd name\"]" after path. */
void config_path_join(
    char *buf, size_t len, const char *path, const struct cval *member);

/* config_legacy.c: bring old spellings into their new form. */
void config_legacy(struct config_ctx *);

/* config_commands.c */
void config_commands_get(struct config_ctx *, struct config_account *,
    const struct cval *eff, const char *path);
void config_commands_clear(struct config_account *);
int config_commands_same(
    const struct config_account *, const struct config_account *);
/* [{provider, id, name}] of all models.providers. */
struct json_object *config_models_json(struct config_ctx *);

/* config_secret.c */

/*
 * The secret that v stands for. CONFIG_MISSING: v is NULL or blank.
 * CONFIG_FAILED has been said. path is for messages.
 */
enum config_got config_secret_get(struct config_ctx *, const struct cval *v,
    const char *path, struct secret **out);
/* Drop what config_secret_get() remembers of references. */
void config_secret_forget(struct config_ctx *);
/* A secret stands in the file itself: who else can read it? */
void config_secret_literal(
    struct config_ctx *, const struct cval *at, const char *path);

/* config_secret_file.c */

#define CONFIG_SECRET_FILE_MAX (256u * 1024) /* bytes, of many secrets */

/* A secret that is being looked for, and how messages call it. */
struct config_want {
	struct config_ctx *ctx;
	const struct cval *at;
	const char *path;
};

/* Copy what was found; from says where, for messages. */
enum config_got config_secret_take(const struct config_want *, const char *s,
    size_t len, const char *from, struct secret **out);
/* A file, or the string in its JSON that pointer (RFC 6901) leads to. */
enum config_got config_secret_file(const struct config_want *,
    const char *file, const char *pointer, struct secret **out);

/* config_exec.c */

#define CONFIG_EXEC_MS 10000
/* All of one reading together: who waits for posternd waits for them. */
#define CONFIG_EXEC_ALL_MS 30000

struct config_exec {
	const char *const *argv; /* argv[0] is an absolute path */
	const char *const *env;	 /* names of variables to hand on, or NULL */
	const char *input;	 /* for its standard input, or NULL */
	size_t input_len;
	struct monotime deadline;
};
/*
 * Run a program and read at most max bytes of what it writes. The output
 * (the caller's, freezero() it with *len) or NULL with why filled.
 */
char *config_exec_run(const struct config_exec *, size_t max, size_t *len,
    char *why, size_t why_len);

/* config_url.c */

/*
 * Address rules of Mattermost: space and slashes at the ends and one
 * /api/v4 go. 0, or -1 when nothing is left. Writes to out.
 */
int config_base_url(const char *in, char *out, size_t len);
/* Take an http(s) address apart; NULL, or what is wrong with it. */
const char *config_url_parse(const char *text, struct config_url *);
void config_url_free(struct config_url *);
/* The value at v: an error is said and -1 returned. */
int config_proxy_get(struct config_ctx *, const struct cval *v,
    const char *path, struct config_proxy *);
void config_proxy_free(struct config_proxy *);
/* host[:port], a URL's authority; def is the port when none is given. */
int config_host_port(
    const char *text, size_t len, uint16_t def, char **host, uint16_t *port);
enum config_pem { CONFIG_PEM_CERT, CONFIG_PEM_KEY };
/*
 * An absolute path to a file that can be read and holds such a thing in PEM:
 * a copy and its stamp. Else an error is said.
 */
void config_pem_get(struct config_ctx *, const struct cval *v,
    const char *path, enum config_pem, char **file, char **stamp);
/* NULL, or the pin when it is in order. */
const char *config_pin_get(
    struct config_ctx *, const struct cval *v, const char *path);

/* config_callback.c */

/*
 * The listener's port. The environment of the peer goes before the file:
 * OPENCLAW_GATEWAY_PORT; OPENCLAW_PROFILE when the file has none.
 */
int config_gateway_port(const struct cval *root);
/* Where buttons of an account call: the caller frees. */
char *config_interaction_url(
    const struct cval *root, const struct cval *account, const char *id);
/* Where slash commands of an account call: the caller frees. */
char *config_command_url(
    const struct cval *root, const struct cval *account);

/* config_probe.c */

/* The addresses of account that are to be tested; after its buttons. */
void config_probes(struct config_ctx *, struct config_account *,
    const struct cval *account);
struct json_object *config_probes_json(const struct config_account *);
/* Say what servers must be told of addresses that are private. */
void config_untrusted(struct config_ctx *);

/* config_gateway.c: cfg->gateway and callback_json, after the accounts. */
void config_gateway(struct config_ctx *);

/* config_endpoint.c */

/* The id that (owner, origin) has in this process, a new one if need be. */
unsigned config_endpoint_id(
    const char *owner, const char *host, uint16_t port, int tls);

/* config_accounts.c: which accounts there are. */
void config_accounts(struct config_ctx *);

/* config_account.c: one account. own is NULL when it is the top itself. */
void config_account_build(struct config_ctx *, struct config_account *,
    const struct cval *top, const struct cval *own);
void config_account_clear(struct config_account *);
/* Normalised id in buf; -1 when it cannot be one. */
int config_id_normalise(const char *in, char *buf, size_t len);

/* config_account_check.c: what does not fit together, or cannot match. */
struct config_scope {
	const char *path;	    /* "channels.mattermost[.accounts.x]" */
	const struct cval *own;	    /* the account's part, or NULL */
	const struct cval *top;	    /* channels.mattermost */
	const struct cval *account; /* both together */
};
void config_account_check(struct config_ctx *, const struct config_scope *);
/* Addresses where no server comes through; when it is known what is on. */
void config_account_check_callbacks(struct config_ctx *,
    const struct config_scope *, const struct config_account *);
/* 1 when there is more than white space. */
int config_is_given(const struct cval *account, const char *path);

/* config_agent.c */
void config_agents(struct config_ctx *);
void config_agent_clear(struct config_agent *);

/* config_binding.c: who is bound to whom, once both are there. */
void config_bindings(struct config_ctx *);

/* config_shared.c */

/* Say of each of these patterns whether it can be searched for. */
void config_patterns(
    struct config_ctx *, const struct cval *list, const char *path);
/* Make ctx->shared, before the accounts. */
void config_shared(struct config_ctx *);
void config_shared_add(struct config_ctx *, struct json_object *account);

/* config_limits.c: does what the workers are told fit a frame? */
void config_limits(struct config_ctx *);

/* config_json.c */

/*
 * v as JSON with all members that the table has, defaults filled in; null
 * for what is absent without a default. Secrets are left out.
 */
struct json_object *config_json_fill(struct config_ctx *,
    const struct config_key *, const struct cval *v);
/* Members of an object; s may be NULL for null. The object takes v over. */
void config_json_str(struct json_object *, const char *key, const char *);
void config_json_int(struct json_object *, const char *key, int64_t);
void config_json_bool(struct json_object *, const char *key, int);
void config_json_add(
    struct json_object *, const char *key, struct json_object *);
/* "proxy": without the password. */
void config_json_proxy(struct json_object *, const struct config_proxy *);
/* Borrowed; NULL when it is null or not there. */
struct json_object *config_json_get(struct json_object *, const char *key);
/* The member name of from as the member key of to. */
void config_json_copy(struct json_object *to, const char *key,
    struct json_object *from, const char *name);

/* config_system.c: log, store, postern. */
void config_system(struct config_ctx *);

/* asprintf() that does not fail; the caller frees. */
char *config_printf(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));

#endif
