/*
 * The configuration as the supervisor uses it.
 *
 * config_load() reads one JSON5 file, checks all of it against the table
 * of config_keys.c, resolves the secrets and works out what each worker is
 * told. It never exits and never stops at the first mistake: everything it
 * has to say is in struct config_errors. What it returns is read-only.
 *
 * No struct here that can be printed holds a secret: those are struct
 * secret, and the JSON made here is without them.
 *
 * (The file is conf.h because "config.h" is the one that configure makes.)
 */
#ifndef DAEMON_CONF_H
#define DAEMON_CONF_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct json_object;
struct secret;

/* config_errors.c */

/* CONFIG_PARKED: one account cannot run as it is; the others can. */
enum config_severity {
	CONFIG_INFO,
	CONFIG_WARNING,
	CONFIG_PARKED,
	CONFIG_ERROR
};

struct config_message {
	enum config_severity severity;
	char *file;
	int line, column; /* from 1; 0: the message is about the whole file */
	char *text;	  /* "key.path: what is wrong" */
};

struct config_errors {
	struct config_message *msgs; /* in order of line and column */
	size_t len;
	size_t errors, parked, warnings; /* how many of each */
};

/* Empty; free() also of one that is, and leaves it so. */
void config_errors_init(struct config_errors *);
void config_errors_free(struct config_errors *);
/* "file:line:column: text", cut to len when it does not fit. */
void config_message_text(
    const struct config_message *, char *buf, size_t len);
/* One a line, those of at least this severity. */
void config_errors_print(
    const struct config_errors *, FILE *, enum config_severity least);

/* The configuration. */

enum config_source { CONFIG_FROM_NONE, CONFIG_FROM_CONFIG, CONFIG_FROM_ENV };

/* A server address, taken apart. */
struct config_url {
	char *text; /* scheme://host[:port][/path], no slash at the end */
	char *host; /* lower case, an IPv6 address without brackets */
	char *path; /* "" or "/mm" */
	uint16_t port;
	int tls;
};

struct config_proxy {
	char *host; /* NULL: no proxy */
	uint16_t port;
	struct secret *auth; /* "user:password" or NULL */
};

struct config_media {
	char *host;
	uint16_t port;
	int tls;
	unsigned endpoint;
};

/* Of a slash command that an administrator made. */
struct config_command_token {
	char *trigger; /* "command:[team/]trigger": the name of the secret */
	struct secret *token;
};

/* An address of ours that the operator has named, to be tested. */
struct config_probe {
	const char *what; /* "commands" or "buttons" */
	struct config_url url;
	unsigned endpoint;
};

struct config_account {
	char *id;   /* normalised: [a-z0-9_-], at most 64 bytes */
	char *name; /* label for people, the id when none is set */
	int enabled; /* start a worker: switched on and complete */
	int lacking; /* switched on, and without an address to connect to */
	struct config_url url;
	unsigned endpoint; /* of url */
	struct config_media *media;
	size_t nmedia;
	unsigned file_max; /* bytes of an attachment */
	struct config_proxy proxy;
	char *ca_file; /* absolute path, or NULL: the system's store */
	struct secret *token; /* NULL: parked, its JSON has "problem" */
	enum config_source token_source, url_source;
	int has_token; /* one is there, or would be if it were switched on */
	size_t *agents; /* those bound to it, indices into config.agents */
	size_t nagents;
	struct config_command_token *tokens;
	size_t ntokens;
	struct config_probe probes[2];
	size_t nprobes;
	int buttons, commands; /* may be called back for these */
	int callbacks;         /* has either */
	/* Private to the configuration. */
	struct json_object *json;
	char *ca_stamp;
};

struct config_agent {
	char *id;
	char *name;
	int model;	   /* 1: runtime model, 0: echo */
	struct config_url url; /* text is NULL for echo */
	unsigned endpoint; /* 0 for echo */
	struct config_proxy proxy;
	char *ca_file;
	struct secret *key; /* NULL: this provider needs none */
	/* Private to the configuration. */
	struct json_object *json;
	char *ca_stamp;
};

struct config_listen {
	char *host; /* a numeric address */
	uint16_t port;
};

struct config {
	char *path;
	struct config_account *accounts; /* in order of id */
	size_t naccounts;
	size_t default_account; /* index; naccounts when there is none */
	struct config_agent *agents; /* in order of the file, never empty */
	size_t nagents;
	size_t default_agent;

	struct {
		int prio;  /* LOG_ERR .. LOG_DEBUG of <syslog.h> */
		int trace; /* log_set_verbose() level: 0, 1 or 2 */
		int json;
		char *destination; /* "stderr", "syslog" or a path */
	} log;
	char *store_path; /* absolute directory of the database */
	int retention_days;
	char *user, *store_user, *group; /* names, not yet looked up */
	char *run_dir;	      /* absolute */
	char *control_socket; /* absolute */
	struct config_listen metrics; /* host NULL: not there */
	char *metrics_path; /* absolute path of a UNIX socket, or NULL */

	/* The callback listener. */
	struct {
		int wanted; /* slash commands, buttons or hooks are on */
		struct config_listen *listen;
		size_t nlisten;
		int tls;
		char *cert_file, *key_file; /* absolute when tls is 1 */
		char *cert_stamp, *key_stamp;
		char *socket; /* absolute path of a UNIX socket, or NULL */
		char *socket_group; /* "": the group of postern.group */
		struct secret *hook_token;  /* NULL: hooks are off */
	} gateway;

	/* Private to the configuration. */
	struct json_object *dialer_json;
	struct json_object *callback_json;
};

/*
 * Read path. NULL when there was any error; errors is filled either way
 * and may hold parked accounts, warnings and remarks when it succeeds. Runs programs named
 * by {source: "exec"} secrets, 10 seconds each at most. errors must be
 * initialised and is the caller's to free.
 */
struct config *config_load(const char *path, struct config_errors *);
void config_free(struct config *);

/* NULL when there is none of that id. */
const struct config_account *config_account_find(
    const struct config *, const char *id);
const struct config_agent *config_agent_find(
    const struct config *, const char *id);

/* 1 when the slash commands that one has made are good for the other. */
int config_account_same_commands(
    const struct config_account *, const struct config_account *);
/* Where a value was found: "config", "env" or "none". */
const char *config_source_name(enum config_source);
/*
 * The account that id, as a person has written it, names; the default one
 * for "". NULL when there is none: then why says so, and which there are.
 */
const struct config_account *config_account_named(
    const struct config *, const char *id, char *why, size_t len);
/* 1 when it has an address, and says where its token comes from. */
int config_account_is_configured(const struct config_account *);
/*
 * What there is to say of an account without asking it: an object of id,
 * name, server, enabled, configured, botTokenSource, botTokenStatus,
 * baseUrlSource and dmPolicy, the caller's to put. No secrets.
 */
struct json_object *config_account_facts(const struct config_account *);
/* 1 when the callback worker may have something for this account. */
int config_account_is_called(
    const struct config *, const struct config_account *);

/*
 * The configuration of a worker for its init frame, without secrets: a new
 * reference, the caller's to put. postern.json5(5) names the members; all
 * keys of an account are there, canonical and with defaults filled in, null
 * when absent without a default.
 */
struct json_object *config_account_json(
    const struct config *, const struct config_account *);
struct json_object *config_agent_json(
    const struct config *, const struct config_agent *);
struct json_object *config_dialer_json(const struct config *);
struct json_object *config_callback_json(const struct config *);

/*
 * Endpoints. An id stands for (owner, origin): each account, each of its
 * media hosts and each agent's provider has ids of its own even where the
 * origin is the same. Ids are given in order of first appearance and kept
 * for the life of the process, so a reload that leaves an origin alone
 * leaves its id alone, and an id never comes to mean something else.
 *
 * Fill ids[] with what a worker may dial: how many there are, which may be
 * more than max.
 */
size_t config_account_endpoints(
    const struct config_account *, unsigned *ids, size_t max);
size_t config_agent_endpoints(
    const struct config_agent *, unsigned *ids, size_t max);

/*
 * 1 when a worker started with a would be told exactly the same with b:
 * same JSON, same secrets, same CA file unchanged on disk. The reload
 * leaves such a worker alone. a and b are of two loads.
 */
int config_account_same(
    const struct config_account *a, const struct config_account *b);
int config_agent_same(
    const struct config_agent *a, const struct config_agent *b);
/* The same for the callback worker, its sockets aside. */
int config_callback_same(const struct config *a, const struct config *b);

#endif
