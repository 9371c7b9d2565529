#include "config.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "common/fields.h"
#include "common/grow.h"
#include "common/log.h"
#include "common/proto.h"
#include "workers/store/peer.h"

#define PEER_AGENTS 4096

static const char *const names[] = {"account", "agent", "control"};

const char *
peer_kind_name(enum peer_kind kind)
{
	return names[kind];
}

int
peer_kind(const char *name)
{
	int i;

	for (i = 0; i <= PEER_CONTROL; i++)
		if (strcmp(name, names[i]) == 0)
			return i;
	return -1;
}

static int
peer_add_agent(struct peer *p, struct json_object *id)
{
	const char *s = json_object_get_string(id);

	if (!json_object_is_type(id, json_type_string) || *s == '\0' ||
	    strlen(s) > STORE_ID)
		return -1;
	if ((p->agents[p->n_agents++] = strdup(s)) == NULL)
		fatal("strdup");
	return 0;
}

static int
peer_read_opts(struct peer *p, struct json_object *opts)
{
	struct json_object *agents;
	struct fields f;
	size_t i, n;

	if (opts == NULL)
		return 0;
	fields_open(&f, opts);
	agents = fields_opt_arr(&f, "agents", PEER_AGENTS);
	if (fields_end(&f) == -1)
		return -1;
	n = agents == NULL ? 0 : json_object_array_length(agents);
	if (n == 0)
		return 0;
	if ((p->agents = calloc(n, sizeof(*p->agents))) == NULL)
		fatal("calloc");
	for (i = 0; i < n; i++)
		if (peer_add_agent(p, json_object_array_get_idx(agents, i)) ==
		    -1)
			return -1;
	return 0;
}

struct peer *
peer_new(enum peer_kind kind, const char *id, struct json_object *opts)
{
	struct peer *p;

	if ((p = calloc(1, sizeof(*p))) == NULL)
		fatal("calloc");
	p->kind = kind;
	if (strlcpy(p->id, id, sizeof(p->id)) >= sizeof(p->id) ||
	    (kind != PEER_CONTROL && *id == '\0') ||
	    peer_read_opts(p, opts) == -1) {
		peer_free(p);
		return NULL;
	}
	return p;
}

void
peer_free(struct peer *p)
{
	size_t i;

	if (p == NULL)
		return;
	for (i = 0; i < p->n_agents; i++)
		free(p->agents[i]);
	for (i = 0; i < PEER_MEDIA; i++)
		if (p->media[i].id[0] != '\0')
			media_remove(p->media[i].id);
	free(p->agents);
	free(p->claims);
	free(p);
}

int
peer_has_agent(const struct peer *p, const char *agent)
{
	size_t i;

	for (i = 0; i < p->n_agents; i++)
		if (strcmp(p->agents[i], agent) == 0)
			return 1;
	return 0;
}

static int
peer_claims(const struct peer *p, int64_t seq)
{
	size_t i;

	for (i = 0; i < p->n_claims; i++)
		if (p->claims[i] == seq)
			return 1;
	return 0;
}

int
peer_claim(struct peer *p, int64_t seq)
{
	if (peer_claims(p, seq))
		return 0;
	if (p->n_claims == PROTO_CLAIMS)
		return -1;
	p->claims = grow(p->claims, p->n_claims, sizeof(*p->claims));
	p->claims[p->n_claims++] = seq;
	return 0;
}

void
peer_release(struct peer *p, int64_t seq)
{
	size_t i;

	for (i = 0; i < p->n_claims; i++) {
		if (p->claims[i] == seq) {
			p->claims[i] = p->claims[--p->n_claims];
			return;
		}
	}
}

int
peers_claim(const struct peer_list *list, const char *account, int64_t seq)
{
	const struct peer *p;

	TAILQ_FOREACH (p, list, entry)
		if (p->kind == PEER_ACCOUNT && strcmp(p->id, account) == 0 &&
		    peer_claims(p, seq))
			return 1;
	return 0;
}

static void
media_free(struct peer *p, struct peer_media *m)
{
	media_remove(m->id);
	p->dropped -= m->dropped;
	memset(m, 0, sizeof(*m));
}

int
peer_media_sweep(struct peer *p)
{
	struct peer_media *m;

	if (p->dropped == 0)
		return 0;
	for (m = p->media; m < p->media + PEER_MEDIA; m++)
		if (m->dropped && !media_is_written(m->id))
			media_free(p, m);
	return p->dropped > 0;
}

/* The one to take: a free one, else the oldest that is not written to. */
static struct peer_media *
media_place(struct peer *p)
{
	struct peer_media *m, *old = NULL;
	int i;

	for (i = 0; i < PEER_MEDIA; i++)
		if (p->media[i].id[0] == '\0')
			return &p->media[i];
	for (i = 0; i < PEER_MEDIA; i++) {
		m = &p->media[i];
		if ((old == NULL || m->age < old->age) &&
		    !media_is_written(m->id))
			old = m;
	}
	if (old != NULL)
		media_free(p, old);
	return old;
}

int
peer_media_add(struct peer *p, const char *id)
{
	struct peer_media *m;

	peer_media_sweep(p);
	if ((m = media_place(p)) == NULL)
		return -1;
	strlcpy(m->id, id, sizeof(m->id));
	m->age = p->n_media++;
	return 0;
}

static struct peer_media *
media_slot(const struct peer *p, const char *id)
{
	int i;

	for (i = 0; i < PEER_MEDIA; i++)
		if (*id != '\0' && !p->media[i].dropped &&
		    strcmp(p->media[i].id, id) == 0)
			return (struct peer_media *)&p->media[i];
	return NULL;
}

int
peer_media_has(const struct peer *p, const char *id)
{
	return media_slot(p, id) != NULL;
}

void
peer_media_done(struct peer *p, const char *id)
{
	struct peer_media *m = media_slot(p, id);

	if (m != NULL)
		m->id[0] = '\0';
}

void
peer_media_drop(struct peer *p, const char *id)
{
	struct peer_media *m = media_slot(p, id);

	if (m != NULL)
		p->dropped += m->dropped = 1;
	peer_media_sweep(p);
}
