#include "config.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "common/add.h"
#include "ctl/ask.h"
#include "ctl/client.h"
#include "ctl/commands.h"
#include "ctl/output.h"
#include "ctl/pairing_file.h"
#include "ctl/parse.h"

/* Who has asked for access, who has it; the peer's words and JSON. */

static struct json_object *
str(const char *s)
{
	return json_object_new_string(s);
}

/* {"ok": false, "error": text} where JSON is wanted, and the text. */
static int
failed(const struct invocation *inv, const char *text)
{
	struct json_object *o;

	fprintf(stderr, "posternctl: %s\n", text);
	if (inv->given & OPT_JSON) {
		o = json_object_new_object();
		add_bool(o, "ok", 0);
		add_obj(o, "error", str(text));
		output_json(o);
		json_object_put(o);
	}
	return 1;
}

static struct json_object *
meta_of(struct json_object *row)
{
	struct json_object *meta = json_object_new_object();

	if (json_str(row, "name")[0] != '\0')
		add_obj(meta, "name", str(json_str(row, "name")));
	add_obj(meta, "accountId", str(json_str(row, "account")));
	return meta;
}

static struct json_object *
request_json(struct json_object *row)
{
	struct json_object *o = json_object_new_object();

	add_obj(o, "id", str(json_str(row, "user")));
	add_obj(o, "code", str(json_str(row, "code")));
	add_obj(o, "createdAt", str(pairing_iso(json_int(row, "created"))));
	add_obj(o, "lastSeenAt", str(pairing_iso(json_int(row, "seen"))));
	add_obj(o, "meta", meta_of(row));
	return o;
}

static struct json_object *
grant_json(struct json_object *row)
{
	struct json_object *o = json_object_new_object();

	add_obj(o, "id", str(json_str(row, "user")));
	add_obj(o, "approvedAt", str(pairing_iso(json_int(row, "at"))));
	add_obj(o, "meta", meta_of(row));
	return o;
}

static size_t
count(struct json_object *rows)
{
	return rows == NULL ? 0 : json_object_array_length(rows);
}

static struct json_object *
each(struct json_object *rows, struct json_object *(*fn)(struct json_object *))
{
	struct json_object *a = json_object_new_array();
	size_t i;

	for (i = 0; i < count(rows); i++)
		json_object_array_add(
		    a, fn(json_object_array_get_idx(rows, i)));
	return a;
}

static void
print_json(struct json_object *data)
{
	struct json_object *o = json_object_new_object();

	add_obj(o, "channel", str("mattermost"));
	add_obj(o, "requests", each(json_get(data, "requests"), request_json));
	add_obj(o, "grants", each(json_get(data, "grants"), grant_json));
	output_json(o);
	json_object_put(o);
}

static void
add_meta(struct table *t, struct json_object *row)
{
	struct json_object *meta = meta_of(row);

	table_add(t,
	    json_object_to_json_string_ext(meta, JSON_C_TO_STRING_PLAIN));
	json_object_put(meta);
}

static void
print_requests(struct json_object *rows)
{
	static const char *const head[] = {
	    "Code", "mattermostUserId", "Meta", "Requested", NULL};
	struct json_object *o;
	struct table t;
	size_t i;

	if (count(rows) == 0) {
		printf("No pending mattermost pairing requests.\n");
		return;
	}
	table_init(&t, head);
	for (i = 0; i < count(rows); i++) {
		o = json_object_array_get_idx(rows, i);
		table_add(&t, json_str(o, "code"));
		table_add(&t, json_str(o, "user"));
		add_meta(&t, o);
		table_add(&t, output_time(json_int(o, "created")));
	}
	table_print(&t);
}

static void
print_grants(struct json_object *rows)
{
	static const char *const head[] = {
	    "Approved", "Meta", "Since", NULL};
	struct json_object *o;
	struct table t;
	size_t i;

	if (count(rows) == 0)
		return;
	table_init(&t, head);
	for (i = 0; i < count(rows); i++) {
		o = json_object_array_get_idx(rows, i);
		table_add(&t, json_str(o, "user"));
		add_meta(&t, o);
		table_add(&t, output_time(json_int(o, "at")));
	}
	printf("\n");
	table_print(&t);
}

int
cmd_pairing_list(const struct invocation *inv)
{
	struct json_object *args = json_object_new_object();
	struct answer a;

	ask_str(args, "account", inv->account);
	if (ask_daemon(inv, "pairing-list", args, CLIENT_WAIT_MS, &a) == -1)
		return 1;
	if (inv->given & OPT_JSON)
		print_json(a.data);
	else {
		print_requests(json_get(a.data, "requests"));
		print_grants(json_get(a.data, "grants"));
	}
	client_free(&a);
	return 0;
}

static int
not_approved(const struct invocation *inv, const char *why)
{
	char text[256];

	if (strcmp(why, "several") == 0)
		snprintf(text, sizeof(text), "Several accounts have a request "
		    "with code \"%s\". Say which: --account", inv->operand);
	else if (strcmp(why, "full") == 0)
		snprintf(text, sizeof(text),
		    "The account has too many approved senders.");
	else
		snprintf(text, sizeof(text), "No pending pairing request found "
		    "for code \"%s\". Codes are good for one hour; see "
		    "\"pairing list mattermost\".", inv->operand);
	return failed(inv, text);
}

static void
print_approved(const struct invocation *inv, struct json_object *data)
{
	struct json_object *o;

	if ((inv->given & OPT_JSON) == 0) {
		printf("Approved mattermost sender %s.\n",
		    json_str(data, "user"));
		return;
	}
	o = json_object_new_object();
	add_bool(o, "ok", 1);
	add_obj(o, "channel", str("mattermost"));
	add_obj(o, "id", str(json_str(data, "user")));
	add_obj(o, "meta", meta_of(data));
	add_bool(o, "notified", json_true(data, "notify"));
	output_json(o);
	json_object_put(o);
}

int
cmd_pairing_approve(const struct invocation *inv)
{
	struct json_object *args;
	struct answer a;
	int rc = 0;

	if (strlen(inv->operand) > 64)
		return not_approved(inv, "none");
	args = json_object_new_object();
	ask_str(args, "code", inv->operand);
	ask_str(args, "account", inv->account);
	add_bool(args, "notify", (inv->given & OPT_NO_NOTIFY) == 0);
	if (ask_daemon(inv, "pairing-approve", args, CLIENT_WAIT_MS, &a) == -1)
		return 1;
	if (json_true(a.data, "approved"))
		print_approved(inv, a.data);
	else
		rc = not_approved(inv, json_str(a.data, "why"));
	client_free(&a);
	return rc;
}

/* One question. The rows join all; -1 when there was no answer. */
static int
revoke_some(const struct invocation *inv, const char *who,
    struct json_object *all, size_t *n)
{
	struct json_object *args = json_object_new_object(), *rows;
	struct answer a;
	size_t i;

	ask_str(args, "who", who);
	ask_str(args, "account", inv->account);
	if (ask_daemon(inv, "pairing-revoke", args, CLIENT_WAIT_MS, &a) == -1)
		return -1;
	rows = json_get(a.data, "revoked");
	*n = count(rows);
	for (i = 0; i < *n; i++)
		json_object_array_add(all,
		    json_object_get(json_object_array_get_idx(rows, i)));
	client_free(&a);
	return 0;
}

int
cmd_pairing_revoke(const struct invocation *inv)
{
	const char *who = pairing_user_id(inv->operand);
	struct json_object *all, *o;
	char text[160];
	size_t i, n = 1;

	if (who == NULL)
		who = inv->operand; /* a code */
	if (strlen(who) > 64)
		return failed(inv, "That is neither a user id nor a code.");
	all = json_object_new_array();
	while (n > 0)
		if (revoke_some(inv, who, all, &n) == -1) {
			json_object_put(all);
			return 1;
		}
	for (i = 0; i < count(all) && !(inv->given & OPT_JSON); i++) {
		o = json_object_array_get_idx(all, i);
		printf("%s mattermost sender %s (account %s).\n",
		    strcmp(json_str(o, "what"), "grant") == 0 ?
			"Revoked" : "Rejected the request of",
		    json_str(o, "user"), json_str(o, "account"));
	}
	if (count(all) > 0 && (inv->given & OPT_JSON))
		output_json(all);
	n = count(all);
	json_object_put(all);
	if (n > 0)
		return 0;
	snprintf(text, sizeof(text), "No approved sender and no pending "
	    "request found for \"%.64s\".", inv->operand);
	return failed(inv, text);
}

/* Import */

struct sum {
	int64_t grants, requests, skipped;
};

static struct json_object *
slice(struct json_object *list, size_t from)
{
	struct json_object *a = json_object_new_array();
	size_t i;

	for (i = from; i < count(list) && i < from + PAIRING_BATCH; i++)
		json_object_array_add(a,
		    json_object_get(json_object_array_get_idx(list, i)));
	return a;
}

static int
import_part(const struct invocation *inv, const struct pairing_part *p,
    struct sum *sum)
{
	struct json_object *args;
	struct answer a;
	size_t at = 0;

	do {
		args = json_object_new_object();
		ask_str(args, "account", p->account);
		add_obj(args, "grants", slice(p->grants, at));
		add_obj(args, "requests", slice(p->requests, at));
		if (ask_daemon(inv, "pairing-import", args, CLIENT_WAIT_MS,
			&a) == -1)
			return -1;
		sum->grants += json_int(a.data, "grants");
		sum->requests += json_int(a.data, "requests");
		sum->skipped += json_int(a.data, "skipped");
		client_free(&a);
		at += PAIRING_BATCH;
	} while (at < count(p->grants) || at < count(p->requests));
	return 0;
}

static void
print_sum(const struct invocation *inv, const struct sum *sum)
{
	struct json_object *o;

	if ((inv->given & OPT_JSON) == 0) {
		printf("Imported %lld approved senders and %lld pending "
		       "requests; %lld entries left out.\n",
		    (long long)sum->grants, (long long)sum->requests,
		    (long long)sum->skipped);
		return;
	}
	o = json_object_new_object();
	add_bool(o, "ok", 1);
	add_int(o, "grants", sum->grants);
	add_int(o, "requests", sum->requests);
	add_int(o, "skipped", sum->skipped);
	output_json(o);
	json_object_put(o);
}

int
cmd_pairing_import(const struct invocation *inv)
{
	struct pairing_parts ps = {0};
	struct sum sum = {0};
	int rc;
	size_t i;

	rc = pairing_file_read(inv->operand, inv->account, &ps);
	sum.skipped = ps.skipped;
	for (i = 0; i < ps.n && rc == 0; i++)
		rc = import_part(inv, &ps.parts[i], &sum);
	pairing_parts_free(&ps);
	if (rc == -1)
		return 1;
	print_sum(inv, &sum);
	return 0;
}
