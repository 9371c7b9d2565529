#include "config.h"

#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/add.h"
#include "common/log.h"
#include "ctl/ask.h"
#include "ctl/client.h"
#include "ctl/commands.h"
#include "ctl/output.h"
#include "ctl/parse.h"

/*
 * Lists may be long: each page is printed before the next is asked for, and
 * only ids are kept, to show nobody of two teams twice.
 */

#define ID_WIDTH 34 /* "channel:" and an id */
#define NAME_WIDTH 24
#define ID_LEN 26

struct seen {
	char (*ids)[ID_LEN + 1]; /* open addressing, "" is free */
	size_t size, used;
};

struct list {
	const struct invocation *inv;
	const char *kind;
	const char *account; /* NULL: the default one */
	struct seen seen;
	size_t printed, limit;
	int begun; /* the list in JSON */
	char failed[512]; /* why the last account did */
};

static size_t
slot_of(const struct seen *s, const char *id)
{
	size_t h = 5381, i;

	for (i = 0; id[i] != '\0'; i++)
		h = h * 33 + (unsigned char)id[i];
	for (h %= s->size; s->ids[h][0] != '\0'; h = (h + 1) % s->size)
		if (strcmp(s->ids[h], id) == 0)
			break;
	return h;
}

static void
grow(struct seen *s)
{
	struct seen more = {NULL, s->size == 0 ? 1024 : 2 * s->size, s->used};
	size_t i;

	if ((more.ids = calloc(more.size, sizeof(*more.ids))) == NULL)
		fatal("calloc");
	for (i = 0; i < s->size; i++)
		if (s->ids[i][0] != '\0')
			memcpy(more.ids[slot_of(&more, s->ids[i])], s->ids[i],
			    sizeof(*more.ids));
	free(s->ids);
	*s = more;
}

/* 1 when it has not been shown yet. */
static int
is_new(struct seen *s, const char *full)
{
	const char *colon = strchr(full, ':');
	const char *id = colon == NULL ? full : colon + 1;
	size_t at;

	if (2 * s->used >= s->size)
		grow(s);
	at = slot_of(s, id);
	if (s->ids[at][0] != '\0')
		return 0;
	strlcpy(s->ids[at], id, sizeof(s->ids[at]));
	s->used++;
	return 1;
}

static void
print_row(struct list *l, struct json_object *o)
{
	char line[1024];

	if (l->inv->given & OPT_JSON) {
		printf("%s%s", l->printed == 0 ? "" : ",\n",
		    json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
			JSON_C_TO_STRING_NOSLASHESCAPE));
		return;
	}
	if (l->printed == 0)
		printf("%-*s  %-*s  %s\n", ID_WIDTH, "ID", NAME_WIDTH, "NAME",
		    "SHOWN AS");
	snprintf(line, sizeof(line), "%-*s  %-*s  %s", ID_WIDTH,
	    json_str(o, "id"), NAME_WIDTH, json_str(o, "name"),
	    json_str(o, "handle"));
	output_text(line);
}

/* 1 when that was enough. */
static int
print_page(struct list *l, struct json_object *rows)
{
	struct json_object *o;
	size_t i;

	for (i = 0; rows != NULL && i < json_object_array_length(rows); i++) {
		o = json_object_array_get_idx(rows, i);
		if (!is_new(&l->seen, json_str(o, "id")))
			continue;
		print_row(l, o);
		if (++l->printed == l->limit)
			return 1;
	}
	if (isatty(STDERR_FILENO) && !isatty(STDOUT_FILENO))
		fprintf(stderr, "\r%zu entries ", l->printed);
	fflush(stdout);
	return 0;
}

static void
begin(struct list *l)
{
	if (!l->begun && l->inv->given & OPT_JSON)
		printf("[");
	l->begun = 1;
}

/* No list, and the peer's form of saying so. */
static void
fail_json(const struct list *l)
{
	struct json_object *o, *error;

	if (!(l->inv->given & OPT_JSON))
		return;
	o = json_object_new_object();
	error = json_object_new_object();
	add_bool(o, "ok", 0);
	ask_str(error, "type", "cli_error");
	ask_str(error, "message", l->failed);
	add_obj(o, "error", error);
	output_json(o);
	json_object_put(o);
}

/* 1: there is more at cursor; 0: the end; -1: it failed. */
static int
ask_page(struct list *l, char *cursor, size_t len)
{
	struct json_object *args = json_object_new_object();
	struct answer a;
	int more = 0;

	ask_str(args, "account", l->account);
	ask_str(args, "kind", l->kind);
	ask_str(args, "group", l->inv->group_id);
	ask_str(args, "query", l->inv->query);
	ask_str(args, "cursor", *cursor == '\0' ? NULL : cursor);
	if (ask_anyway(l->inv, "directory", args, NULL, 0, CLIENT_SEND_MS,
		&a) == -1) {
		snprintf(l->failed, sizeof(l->failed),
		    "no answer from the daemon");
		return -1;
	}
	if (!a.ok) {
		ask_complain("%s", a.text == NULL ? "refused" : a.text);
		strlcpy(l->failed, a.text == NULL ? "refused" : a.text,
		    sizeof(l->failed));
		client_free(&a);
		return -1;
	}
	begin(l);
	if (json_true(a.data, "cut"))
		fprintf(stderr, "posternctl: more match than a server tells: "
		    "a longer --query finds them\n");
	if (!print_page(l, json_get(a.data, "rows"))) {
		strlcpy(cursor, json_str(a.data, "next"), len);
		more = *cursor != '\0';
	}
	client_free(&a);
	return more;
}

/* All pages of one account; -1 when it failed. */
static int
list_account(struct list *l, const char *account)
{
	char cursor[96] = "";
	int more;

	l->account = account;
	if (l->printed == l->limit)
		return 0;
	while ((more = ask_page(l, cursor, sizeof(cursor))) == 1)
		;
	return more;
}

/* Each that is connected; one that fails is left out. */
static int
list_all(struct list *l)
{
	struct json_object *accounts, *o;
	struct answer a;
	int rc = -1;
	size_t i;

	if (ask_daemon(l->inv, "status", NULL, CLIENT_WAIT_MS, &a) == -1) {
		strlcpy(l->failed, "no answer from the daemon",
		    sizeof(l->failed));
		return -1;
	}
	accounts = json_get(a.data, "accounts");
	for (i = 0; accounts != NULL &&
	     i < json_object_array_length(accounts); i++) {
		o = json_object_array_get_idx(accounts, i);
		if (strcmp(json_str(o, "state"), "connected") == 0 &&
		    list_account(l, json_str(o, "id")) == 0)
			rc = 0;
	}
	/* None of them: the default one says why. */
	if (rc == -1 && l->failed[0] == '\0')
		rc = list_account(l, NULL);
	client_free(&a);
	return rc;
}

static int
list(const struct invocation *inv, const char *kind, int all)
{
	struct list l = {.inv = inv, .kind = kind, .limit = SIZE_MAX};
	const char *err;
	int rc;

	if (inv->limit != NULL) {
		l.limit = (size_t)strtonum(inv->limit, 1, INT_MAX, &err);
		if (err != NULL) {
			ask_complain("limit must be a positive integer.");
			return 2;
		}
	}
	rc = all ? list_all(&l) : list_account(&l, inv->account);
	free(l.seen.ids);
	if (l.begun && inv->given & OPT_JSON)
		printf("]\n"); /* what came before it failed stands */
	else if (rc == -1)
		fail_json(&l);
	else if (l.printed == 0)
		printf("none\n");
	return rc == -1 ? 1 : 0;
}

int
cmd_directory_groups(const struct invocation *inv)
{
	return list(inv, "groups", inv->account == NULL);
}

int
cmd_directory_members(const struct invocation *inv)
{
	return list(inv, "members", 0);
}

int
cmd_directory_peers(const struct invocation *inv)
{
	return list(inv, "peers", 0);
}

int
cmd_directory_self(const struct invocation *inv)
{
	return list(inv, "self", 0);
}
