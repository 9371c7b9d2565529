#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "workers/agent/answer.h"
#include "workers/agent/classify.h"
#include "workers/agent/delta.h"

#define MESSAGE_MAX 200 /* bytes of the server's words in detail */

static const struct {
	const char *code;
	int transient;
	const char *text;
} kinds[] = {
    {"auth", 0, "The model's server refused my access key."},
    {"rate", 1, "The model is over its rate limit. Please try later."},
    {"server", 1, "The model's server has a problem. Please try later."},
    {"network", 1, "The model's server cannot be reached."},
    {"protocol", 0, "The model's server gave an answer I cannot read."},
    {"cut", 1, "The model's answer broke off."},
    {"deadline", 0, "The model took too long."},
    {"cancelled", 0, "Stopped."},
    {"busy", 1, "I am busy with too many messages. Please try later."},
    {"config", 0, "The model's server does not accept the request."},
};

/* How servers name their failures inside a stream (code or type). */
static const struct {
	const char *name;
	int status;
} names[] = {
    {"invalid_api_key", 401},
    {"authentication_error", 401},
    {"permission_error", 403},
    {"insufficient_quota", 402},
    {"billing_error", 402},
    {"rate_limit_exceeded", 429},
    {"rate_limit_error", 429},
    {"requests", 429},
    {"tokens", 429},
    {"invalid_request_error", 400},
    {"context_length_exceeded", 400},
    {"exceed_context_size_error", 400},
    {"model_not_found", 404},
    {"not_found_error", 404},
};

void
classify_own(struct verdict *v, const char *code, const char *detail)
{
	size_t i, last = sizeof(kinds) / sizeof(kinds[0]) - 1;

	for (i = 0; i < last && strcmp(kinds[i].code, code) != 0; i++)
		;
	memset(v, 0, sizeof(*v));
	v->code = kinds[i].code;
	v->transient = kinds[i].transient;
	v->text = kinds[i].text;
	if (detail != NULL)
		snprintf(v->detail, sizeof(v->detail), "%s", detail);
}

static int
status_of_name(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcasecmp(names[i].name, name) == 0)
			return names[i].status;
	return 0;
}

/* The detail goes into a frame and a log: one line of ASCII. */
static void
make_plain(char *s)
{
	for (; *s != '\0'; s++)
		if (*s < ' ' || *s > '~')
			*s = '?';
}

/* A key does not belong into a log, not even a part of one. */
static void
hide_keys(char *s)
{
	static const char *const marks[] = {"sk-", "Bearer "};
	size_t i;
	char *p;

	for (i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		for (p = s; (p = strstr(p, marks[i])) != NULL;) {
			p += strlen(marks[i]);
			while (*p > ' ' && *p != '"' && *p != '\'')
				*p++ = '*';
		}
}

static void
set_detail(struct verdict *v, int status, const struct delta *err)
{
	const char *code = err == NULL ? "" : err->err_code;
	const char *msg = err == NULL ? "" : err->err_message;
	size_t n, used = 0;
	int r = 0;

	if (status != 0)
		r = snprintf(v->detail, sizeof(v->detail), "HTTP %d ", status);
	used = (size_t)r;
	n = answer_prefix(code, strlen(code), 48);
	if (n > 0)
		used += (size_t)snprintf(v->detail + used,
		    sizeof(v->detail) - used, "[%.*s] ", (int)n, code);
	n = answer_prefix(msg, strlen(msg), MESSAGE_MAX);
	snprintf(v->detail + used, sizeof(v->detail) - used, "%.*s", (int)n,
	    msg);
	n = strlen(v->detail);
	if (n > 0 && v->detail[n - 1] == ' ')
		v->detail[n - 1] = '\0';
	make_plain(v->detail);
	hide_keys(v->detail);
}

static void
by_status(struct verdict *v, int status)
{
	if (status == 401 || status == 403)
		classify_own(v, "auth", NULL);
	else if (status == 402) {
		classify_own(v, "rate", NULL);
		v->transient = 0;
		v->text = "The model's account has no credit left.";
	} else if (status == 429)
		classify_own(v, "rate", NULL);
	else if (status >= 500 || status == 408 || status == 409 ||
	    status == 425)
		classify_own(v, "server", NULL);
	else
		classify_own(v, "config", NULL);
}

void
classify_status(struct verdict *v, int status, const struct delta *err,
    const char *retry_after, const char *retry_after_ms, int64_t now)
{
	int64_t ms = 0;
	int named = err == NULL ? 0 : status_of_name(err->err_code);

	/* 429 "insufficient_quota": waiting does not help. */
	by_status(v, status == 429 && named == 402 ? 402 : status);
	set_detail(v, status, err);
	if (!v->transient)
		return;
	if (retry_after_ms != NULL)
		ms = strtonum(retry_after_ms, 0, CLASSIFY_RETRY_MAX, NULL);
	if (ms == 0 && retry_after != NULL)
		ms = classify_retry_after(retry_after, now);
	v->retry_ms = (int)ms;
}

void
classify_error(struct verdict *v, const struct delta *err)
{
	int status = (int)err->err_status;

	if (status == 0)
		status = status_of_name(err->err_code);
	by_status(v, status == 0 ? 500 : status);
	set_detail(v, (int)err->err_status, err);
}

void
classify_network(struct verdict *v, int began, const char *why)
{
	classify_own(v, began ? "cut" : "network", why);
	make_plain(v->detail);
	hide_keys(v->detail);
}

int
classify_too_long(int status, const struct delta *err)
{
	if ((status != 400 && status != 413) || err == NULL)
		return 0;
	return strcmp(err->err_code, "context_length_exceeded") == 0 ||
	    strcmp(err->err_code, "exceed_context_size_error") == 0 ||
	    strstr(err->err_message, "maximum context length") != NULL;
}

/* "Wed, 21 Oct 2015 07:28:00 GMT" in ms since the epoch, or -1. */
static int64_t
http_date(const char *s)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct tm tm;
	char mon[4], zone[4];
	const char *m;

	memset(&tm, 0, sizeof(tm));
	if (sscanf(s, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d %3[A-Z]",
		&tm.tm_mday, mon, &tm.tm_year, &tm.tm_hour, &tm.tm_min,
		&tm.tm_sec, zone) != 7 ||
	    strcmp(zone, "GMT") != 0 || strlen(mon) != 3 ||
	    (m = strstr(months, mon)) == NULL || (m - months) % 3 != 0)
		return -1;
	tm.tm_mon = (int)(m - months) / 3;
	tm.tm_year -= 1900;
	return (int64_t)timegm(&tm) * 1000;
}

int
classify_retry_after(const char *value, int64_t now)
{
	const char *err;
	int64_t ms, at;

	ms = strtonum(value, 0, INT32_MAX, &err) * 1000;
	if (err != NULL) {
		if ((at = http_date(value)) < 0)
			return 0;
		ms = at - now;
	}
	if (ms < 0)
		return 0;
	return ms > CLASSIFY_RETRY_MAX ? CLASSIFY_RETRY_MAX : (int)ms;
}
