#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/add.h"
#include "common/chan.h"
#include "common/log.h"
#include "common/secret.h"
#include "daemon/conf.h"
#include "daemon/feed.h"
#include "daemon/links.h"
#include "daemon/listeners.h"
#include "daemon/supervisor.h"

#define ENDPOINTS_MAX 256 /* of one worker */

/* Where systems keep their certificate bundle. */
static const char *const ca_bundles[] = {
    "/etc/ssl/certs/ca-certificates.crt", /* Debian, Alpine, Arch */
    "/etc/ssl/cert.pem",                  /* OpenBSD */
    "/etc/pki/tls/certs/ca-bundle.crt",   /* Fedora */
    NULL,
};

static int
ca_open(const char *file)
{
	size_t i;
	int fd;

	if (file != NULL)
		return open(file, O_RDONLY | O_CLOEXEC);
	for (i = 0; ca_bundles[i] != NULL; i++)
		if ((fd = open(ca_bundles[i], O_RDONLY | O_CLOEXEC)) != -1)
			return fd;
	return -1;
}

static void
feed_fd(struct proc *p, const char *name, int fd)
{
	struct json_object *msg = chan_msg("fd");

	add_str(msg, "name", name);
	chan_send(p->chan, msg, fd);
}

/* Without it the worker parks itself; the reason is told here. */
static void
feed_ca(struct proc *p, const char *file)
{
	int fd = ca_open(file);

	if (fd == -1) {
		log_warn("%s: %s", proc_label(p),
		    file == NULL ? "no system certificate bundle" : file);
		return;
	}
	feed_fd(p, "ca", fd);
}

static void
feed_listen(struct proc *p)
{
	int fd = fcntl(p->sup->listen_fd, F_DUPFD_CLOEXEC, 3);

	if (fd == -1)
		log_warn("control socket");
	else
		feed_fd(p, "listen", fd);
}

/* Read once, by the worker; a file that is gone is told by its silence. */
static void
feed_file(struct proc *p, const char *name, const char *path)
{
	int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);

	if (fd == -1)
		log_warn("%s: %s", proc_label(p), path == NULL ? name : path);
	else
		feed_fd(p, name, fd);
}

static void
feed_secret(struct proc *p, const char *name, const struct secret *s)
{
	if (s != NULL)
		chan_send_secret(p->chan, name, secret_bytes(s));
}

/* Whom the control worker answers is decided by the socket's mode. */
static struct json_object *
control_config(const struct supervisor *sup)
{
	struct json_object *o = json_object_new_object();

	add_bool(o, "rootless", sup->rootless);
	add_int(o, "uid", geteuid());
	return o;
}

static struct json_object *
store_config(const struct config *cf)
{
	struct json_object *o = json_object_new_object();

	add_int(o, "retentionDays", cf->retention_days);
	return o;
}

static struct json_object *
config_of(const struct proc *p)
{
	switch (p->role) {
	case ROLE_ACCOUNT:
		return config_account_json(p->sup->config, p->account);
	case ROLE_AGENT:
		return config_agent_json(p->sup->config, p->agent);
	case ROLE_DIALER:
		return config_dialer_json(p->sup->config);
	case ROLE_CALLBACK:
		return config_callback_json(p->sup->config);
	case ROLE_CONTROL:
		return control_config(p->sup);
	case ROLE_STORE:
		return store_config(p->sup->config);
	default:
		return json_object_new_object();
	}
}

static void
feed_listeners(struct proc *p, enum listen_for purpose, const char *name)
{
	size_t i, n;
	int fd;

	for (i = 0, n = listeners_count(); i < n; i++) {
		if ((fd = listeners_fd(i, purpose)) == -1)
			continue;
		if ((fd = fcntl(fd, F_DUPFD_CLOEXEC, 3)) == -1)
			log_warn("%s socket", role_name(p->role));
		else
			feed_fd(p, name, fd);
	}
}

void
feed_metrics(struct supervisor *sup)
{
	struct proc *p = proc_find(sup, ROLE_CONTROL, "");
	struct json_object *msg;

	if (p == NULL || !proc_is_wired(p))
		return;
	msg = chan_msg("unlink");
	add_str(msg, "kind", "metrics");
	add_str(msg, "peer", "");
	chan_send(p->chan, msg, -1);
	feed_listeners(p, LISTEN_METRICS, "metrics");
}

void
feed_hook_token(struct proc *p)
{
	const struct secret *s = p->sup->config->gateway.hook_token;

	/* Told to start, it may let somebody in before it says so. */
	if (p->chan != NULL &&
	    (p->phase == PHASE_START || p->phase == PHASE_UP))
		chan_send_secret(p->chan, "hookToken",
		    s == NULL ? "" : secret_bytes(s));
}

static void
feed_callback(struct proc *p)
{
	const struct config *cf = p->sup->config;

	feed_secret(p, "hookToken", cf->gateway.hook_token);
	if (cf->gateway.tls) {
		feed_file(p, "cert", cf->gateway.cert_file);
		feed_file(p, "key", cf->gateway.key_file);
	}
	feed_listeners(p, LISTEN_CALLBACK, "listen");
}

static int
account_uses_tls(const struct config_account *ac)
{
	size_t i;

	for (i = 0; i < ac->nmedia; i++)
		if (ac->media[i].tls)
			return 1;
	for (i = 0; i < ac->nprobes; i++)
		if (ac->probes[i].url.tls)
			return 1;
	return ac->url.tls;
}

void
feed_worker(struct proc *p)
{
	struct json_object *msg = chan_msg("init");
	size_t i;

	add_obj(msg, "config", config_of(p));
	if (p->sup->online != NULL)
		add_bool(msg, "check", 1);
	chan_send(p->chan, msg, -1);
	if (p->account != NULL) {
		feed_secret(p, "token", p->account->token);
		feed_secret(p, "proxy", p->account->proxy.auth);
		for (i = 0; i < p->account->ntokens; i++)
			feed_secret(p, p->account->tokens[i].trigger,
			    p->account->tokens[i].token);
		if (account_uses_tls(p->account))
			feed_ca(p, p->account->ca_file);
	}
	if (p->agent != NULL && p->agent->model) {
		feed_secret(p, "apiKey", p->agent->key);
		feed_secret(p, "proxy", p->agent->proxy.auth);
		if (p->agent->url.tls)
			feed_ca(p, p->agent->ca_file);
	}
	if (p->role == ROLE_CONTROL) {
		feed_listen(p);
		feed_listeners(p, LISTEN_METRICS, "metrics");
	}
	if (p->role == ROLE_CALLBACK)
		feed_callback(p);
}

static struct json_object *
endpoints_of(const struct proc *p)
{
	struct json_object *a = json_object_new_array();
	unsigned ids[ENDPOINTS_MAX];
	size_t i, n;

	if (p->account != NULL)
		n = config_account_endpoints(p->account, ids, ENDPOINTS_MAX);
	else
		n = config_agent_endpoints(p->agent, ids, ENDPOINTS_MAX);
	if (n > ENDPOINTS_MAX)
		n = ENDPOINTS_MAX;
	for (i = 0; i < n; i++)
		json_object_array_add(a, json_object_new_int64(ids[i]));
	return a;
}

/* The agents whose sessions an account's turns may write. */
static struct json_object *
agents_of(const struct proc *p)
{
	struct json_object *a = json_object_new_array();
	struct link *l;

	TAILQ_FOREACH (l, &p->links[SIDE_B], entry[SIDE_B])
		if (l->rule->kind == PROTO_TURN)
			json_object_array_add(a,
			    json_object_new_string(l->end[SIDE_A]->name));
	return a;
}

struct json_object *
feed_link_opts(const struct proc *to, const struct proc *peer)
{
	struct json_object *opts;

	if (to->role == ROLE_DIALER) {
		opts = json_object_new_object();
		add_obj(opts, "endpoints", endpoints_of(peer));
		return opts;
	}
	if (to->role == ROLE_STORE && peer->role == ROLE_ACCOUNT) {
		opts = json_object_new_object();
		add_obj(opts, "agents", agents_of(peer));
		return opts;
	}
	return NULL;
}
