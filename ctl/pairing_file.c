#include "config.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "common/add.h"
#include "common/grow.h"
#include "ctl/output.h"
#include "ctl/pairing_file.h"

#define FILE_MAX (16 * 1024 * 1024)
#define CHANNEL "mattermost"
#define ALLOW "allowFrom.json"
#define PENDING CHANNEL "-pairing.json"
#define ID_LEN 26

const char *
pairing_user_id(const char *entry)
{
	static char id[ID_LEN + 1];
	size_t i;

	entry += strspn(entry, " \t");
	if (strncasecmp(entry, CHANNEL ":", strlen(CHANNEL) + 1) == 0)
		entry += strlen(CHANNEL) + 1;
	else if (strncasecmp(entry, "user:", 5) == 0)
		entry += 5;
	for (i = 0; i < ID_LEN; i++) {
		id[i] = entry[i];
		if (id[i] >= 'A' && id[i] <= 'Z')
			id[i] += 'a' - 'A';
		if (!((id[i] >= 'a' && id[i] <= 'z') ||
			(id[i] >= '0' && id[i] <= '9')))
			return NULL;
	}
	entry += ID_LEN;
	return entry[strspn(entry, " \t")] == '\0' ? id : NULL;
}

int64_t
pairing_time(const char *iso)
{
	struct tm tm;
	const char *end;
	int64_t ms = 0;
	int scale;

	memset(&tm, 0, sizeof(tm));
	if ((end = strptime(iso, "%Y-%m-%dT%H:%M:%S", &tm)) == NULL)
		return 0;
	if (*end == '.')
		for (end++, scale = 100; *end >= '0' && *end <= '9';
		     end++, scale /= 10)
			ms += (*end - '0') * scale;
	if (strcmp(end, "Z") != 0)
		return 0;
	return (int64_t)timegm(&tm) * 1000 + ms;
}

const char *
pairing_iso(int64_t ms)
{
	static char buf[40];
	time_t t = (time_t)(ms / 1000);
	size_t len;
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL)
		return "";
	len = strftime(buf, sizeof(buf), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf + len, sizeof(buf) - len, ".%03dZ", (int)(ms % 1000));
	return buf;
}

static struct pairing_part *
part_of(struct pairing_parts *ps, const char *account)
{
	struct pairing_part *p;
	size_t i;

	for (i = 0; i < ps->n; i++)
		if (strcmp(ps->parts[i].account, account) == 0)
			return &ps->parts[i];
	ps->parts = grow(ps->parts, ps->n, sizeof(*p));
	p = &ps->parts[ps->n++];
	strlcpy(p->account, account, sizeof(p->account));
	p->grants = json_object_new_array();
	p->requests = json_object_new_array();
	return p;
}

void
pairing_parts_free(struct pairing_parts *ps)
{
	size_t i;

	for (i = 0; i < ps->n; i++) {
		json_object_put(ps->parts[i].grants);
		json_object_put(ps->parts[i].requests);
	}
	free(ps->parts);
}

static void
take_grants(struct pairing_parts *ps, const char *account,
    struct json_object *list)
{
	struct pairing_part *p = part_of(ps, account);
	struct json_object *v;
	const char *id;
	size_t i;

	for (i = 0; i < json_object_array_length(list); i++) {
		v = json_object_array_get_idx(list, i);
		id = json_object_is_type(v, json_type_string) ?
		    pairing_user_id(json_object_get_string(v)) : NULL;
		if (id == NULL)
			ps->skipped++;
		else
			json_object_array_add(
			    p->grants, json_object_new_string(id));
	}
}

static void
take_request(
    struct pairing_parts *ps, const char *account, struct json_object *o)
{
	struct json_object *meta = json_get(o, "meta"), *r;
	const char *id = pairing_user_id(json_str(o, "id"));
	int64_t created = pairing_time(json_str(o, "createdAt"));
	int64_t seen = pairing_time(json_str(o, "lastSeenAt"));

	if (account == NULL)
		account = json_str(meta, "accountId");
	if (id == NULL || created == 0 || strlen(json_str(o, "code")) > 64 ||
	    strlen(account) > 64 || strlen(json_str(meta, "name")) > 256) {
		ps->skipped++;
		return;
	}
	r = json_object_new_object();
	add_str(r, "user", id);
	add_str(r, "code", json_str(o, "code"));
	add_str(r, "name", json_str(meta, "name"));
	add_int(r, "created", created);
	add_int(r, "seen", seen == 0 ? created : seen);
	json_object_array_add(
	    part_of(ps, *account == '\0' ? "default" : account)->requests, r);
}

/* The account that a file's name tells, "" for none; NULL: not a file of it. */
static const char *
account_in(const char *path)
{
	static char account[65];
	const char *name = strrchr(path, '/');
	size_t head = strlen(CHANNEL) + 1, tail = strlen(ALLOW), len;

	name = name == NULL ? path : name + 1;
	len = strlen(name);
	if (strcmp(name, PENDING) == 0)
		return "";
	if (len < head + tail || strncmp(name, CHANNEL "-", head) != 0 ||
	    strcmp(name + len - tail, ALLOW) != 0)
		return NULL;
	if (len == head + tail)
		return "default";
	len -= head + tail + 1;
	if (len == 0 || len >= sizeof(account) || name[head + len] != '-')
		return NULL;
	memcpy(account, name + head, len);
	account[len] = '\0';
	return account;
}

static int
is_too_large(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_size > FILE_MAX;
}

static int
read_file(const char *path, const char *account, struct pairing_parts *ps)
{
	struct json_object *o, *allow, *requests;
	const char *of = account_in(path);
	size_t i;

	if (is_too_large(path) || (o = json_object_from_file(path)) == NULL) {
		fprintf(stderr, "posternctl: %s: cannot be read as JSON\n",
		    path);
		return -1;
	}
	allow = json_get(o, "allowFrom");
	requests = json_get(o, "requests");
	if (!json_object_is_type(allow, json_type_array))
		allow = NULL;
	if (!json_object_is_type(requests, json_type_array))
		requests = NULL;
	if (allow == NULL && requests == NULL) {
		fprintf(stderr, "posternctl: %s: has neither \"allowFrom\" "
		    "nor \"requests\"\n", path);
		json_object_put(o);
		return -1;
	}
	if (allow != NULL)
		take_grants(ps, account != NULL ? account :
			of == NULL || *of == '\0' ? "default" : of, allow);
	for (i = 0; requests != NULL &&
	     i < json_object_array_length(requests); i++)
		take_request(
		    ps, account, json_object_array_get_idx(requests, i));
	json_object_put(o);
	return 0;
}

static int
read_directory(DIR *dir, const char *path, const char *account,
    struct pairing_parts *ps)
{
	char file[1024];
	struct dirent *d;
	int rc = 0, n = 0;

	while (rc == 0 && (d = readdir(dir)) != NULL) {
		if (account_in(d->d_name) == NULL)
			continue;
		n++;
		if ((size_t)snprintf(file, sizeof(file), "%s/%s", path,
			d->d_name) >= sizeof(file))
			rc = -1;
		else
			rc = read_file(file, account, ps);
	}
	if (rc == 0 && n == 0) {
		fprintf(stderr, "posternctl: %s: has no files of a pairing "
		    "store (" CHANNEL "-*.json)\n", path);
		rc = -1;
	}
	return rc;
}

int
pairing_file_read(
    const char *path, const char *account, struct pairing_parts *ps)
{
	DIR *dir = opendir(path);
	int rc;

	if (dir == NULL && errno == ENOTDIR)
		return read_file(path, account, ps);
	if (dir == NULL) {
		fprintf(stderr, "posternctl: %s: %s\n", path, strerror(errno));
		return -1;
	}
	rc = read_directory(dir, path, account, ps);
	closedir(dir);
	return rc;
}
