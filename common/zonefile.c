#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/zone.h"
#include "common/zonefile.h"

/* The format: RFC 8536, tzfile(5). */

#define ZONE_DIR "/usr/share/zoneinfo"
#define LOCALTIME "/etc/localtime"
#define FILE_MAX_BYTES (256 * 1024)
#define HEAD 44

/* One data block: where its parts begin, and how many entries they have. */
struct block {
	size_t width; /* of a time: 4 or 8 bytes */
	uint32_t isut, isstd, leaps, times, types, chars;
	const unsigned char *at, *of_time, *type; /* parts */
	size_t size;
};

static uint32_t
be32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3];
}

static int64_t
be_time(const unsigned char *p, size_t width)
{
	if (width == 4)
		return (int32_t)be32(p);
	return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

static int
read_block(const unsigned char *p, size_t left, size_t width, struct block *b)
{
	if (left < HEAD || memcmp(p, "TZif", 4) != 0)
		return -1;
	b->width = width;
	b->isut = be32(p + 20);
	b->isstd = be32(p + 24);
	b->leaps = be32(p + 28);
	b->times = be32(p + 32);
	b->types = be32(p + 36);
	b->chars = be32(p + 40);
	if (b->times > FILE_MAX_BYTES || b->leaps > FILE_MAX_BYTES ||
	    b->isut > 256 || b->isstd > 256 || b->types > 256 ||
	    b->types == 0 || b->chars > FILE_MAX_BYTES)
		return -1;
	b->at = p + HEAD;
	b->of_time = b->at + b->times * width;
	b->type = b->of_time + b->times;
	b->size = HEAD + b->times * (width + 1) + b->types * 6 + b->chars +
	    b->leaps * (width + 4) + b->isstd + b->isut;
	return b->size <= left ? 0 : -1;
}

static int
offset_of(const struct block *b, unsigned type, int32_t *offset)
{
	if (type >= b->types)
		return -1;
	*offset = (int32_t)be32(b->type + type * 6);
	return 0;
}

/* Before the first time the first type is in force. */
static int
write_times(const struct block *b, int64_t from, char *text, size_t len)
{
	int32_t last, offset;
	size_t n;
	uint32_t i;
	int64_t at;

	if (offset_of(b, 0, &last) == -1)
		return -1;
	for (i = 0; i < b->times; i++) {
		if (be_time(b->at + i * b->width, b->width) > from)
			break;
		if (offset_of(b, b->of_time[i], &last) == -1)
			return -1;
	}
	n = (size_t)snprintf(text, len, "%d", (int)last);
	for (; i < b->times && n < len; i++) {
		at = be_time(b->at + i * b->width, b->width);
		if (offset_of(b, b->of_time[i], &offset) == -1)
			return -1;
		if (offset == last)
			continue;
		n += (size_t)snprintf(text + n, len - n, " %lld:%d",
		    (long long)at, (int)offset);
		last = offset;
	}
	return n < len ? 0 : -1;
}

/* "\nCET-1CEST,M3.5.0,M10.5.0/3\n" */
static int
write_rule(const unsigned char *p, size_t left, char *text, size_t len)
{
	const unsigned char *end;
	size_t n = strlen(text);

	if (left < 2 || *p != '\n' ||
	    (end = memchr(p + 1, '\n', left - 1)) == NULL)
		return -1;
	return (size_t)snprintf(text + n, len - n, ";%.*s",
		   (int)(end - p - 1), (const char *)p + 1) < len - n ? 0 : -1;
}

int
zonefile_parse(const unsigned char *data, size_t size, int64_t from,
    char *text, size_t len, const char **why)
{
	const unsigned char *p = data;
	struct zone *zone;
	struct block b;

	*why = "the file of the time zone cannot be read";
	if (read_block(p, size, 4, &b) == -1)
		return -1;
	if (data[4] >= '2') {
		p += b.size;
		if (read_block(p, size - b.size, 8, &b) == -1)
			return -1;
	}
	if (b.leaps > 0) {
		*why = "time zones that count leap seconds are of no use here";
		return -1;
	}
	if (write_times(&b, from, text, len) == -1)
		return -1;
	if (b.width == 4) {
		if (strlcat(text, ";", len) >= len)
			return -1;
	} else if (write_rule(p + b.size, size - (size_t)(p - data) - b.size,
		       text, len) == -1)
		return -1;
	if ((zone = zone_parse(text, why)) == NULL)
		return -1;
	zone_free(zone);
	return 0;
}

/* A name that stays below the directory. */
static int
is_name(const char *s)
{
	return *s != '\0' && *s != '/' && *s != '.' && strlen(s) <= 100 &&
	    strstr(s, "..") == NULL && strstr(s, "/.") == NULL &&
	    s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			"0123456789_+-/")] == '\0';
}

static int
read_path(const char *path, int64_t from, char *text, size_t len,
    const char **why)
{
	unsigned char *data;
	size_t n;
	FILE *f;
	int rc;

	if ((f = fopen(path, "re")) == NULL) {
		*why = "there is no such time zone on this host";
		return -1;
	}
	if ((data = malloc(FILE_MAX_BYTES)) == NULL)
		fatal("malloc");
	n = fread(data, 1, FILE_MAX_BYTES, f);
	fclose(f);
	rc = zonefile_parse(data, n, from, text, len, why);
	free(data);
	return rc;
}

int
zonefile_read(const char *name, int64_t from, char *text, size_t len,
    const char **why)
{
	const char *dir = getenv("TZDIR");
	char path[PATH_MAX], rule[256];
	struct zone *zone;
	const char *no;

	if (strcmp(name, "localtime") == 0)
		return read_path(LOCALTIME, from, text, len, why);
	if (strcasecmp(name, "UTC") == 0 || strcasecmp(name, "Z") == 0)
		return strlcpy(text, "0;", len) < len ? 0 : -1;
	*why = "there is no such time zone on this host";
	if (is_name(name)) {
		if (dir == NULL || *dir == '\0')
			dir = ZONE_DIR;
		if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, name) <
			sizeof(path) &&
		    read_path(path, from, text, len, why) == 0)
			return 0;
	}
	if ((size_t)snprintf(rule, sizeof(rule), "0;%s", name) >=
		sizeof(rule) ||
	    *name == '\0' || (zone = zone_parse(rule, &no)) == NULL)
		return -1;
	zone_free(zone);
	return strlcpy(text, rule, len) < len ? 0 : -1;
}

const char *
zonefile_local(void)
{
	static char path[PATH_MAX];
	const char *tz = getenv("TZ"), *p;

	if (tz != NULL && *tz != '\0')
		return *tz == ':' ? tz + 1 : tz;
	if (realpath(LOCALTIME, path) == NULL)
		return "UTC";
	if ((p = strstr(path, "/zoneinfo/")) == NULL ||
	    !is_name(p + strlen("/zoneinfo/")))
		return "localtime";
	return p + strlen("/zoneinfo/");
}
