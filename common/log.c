#include "config.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"

static const char *log_role = "postern";
static int log_verbose;
static int log_json;
static log_sink_fn log_sink;
static void *log_sink_arg;

void
log_init(const char *role, int verbose)
{
	log_role = role;
	log_verbose = verbose;
}

void
log_set_sink(log_sink_fn fn, void *arg)
{
	log_sink = fn;
	log_sink_arg = arg;
}

void
log_set_verbose(int verbose)
{
	log_verbose = verbose;
}

int
log_get_verbose(void)
{
	return log_verbose;
}

void
log_set_json(int on)
{
	log_json = on;
}

void
log_time(char *buf, size_t size)
{
	struct timespec ts;
	struct tm tm;
	size_t len;

	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	len = strftime(buf, size, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf + len, size - len, ".%03ldZ", ts.tv_nsec / 1000000);
}

static const char *
level_name(int prio)
{
	return prio <= LOG_CRIT ? "crit" : prio == LOG_ERR ? "error" :
	    prio == LOG_WARNING ? "warn" : prio == LOG_DEBUG ? "debug" :
	    "info";
}

/* write(2) and not stdio: stdio and dprintf call fstat, which a jail kills. */
static void
log_stderr(int prio, const char *line)
{
	char buf[LOG_LINE_MAX + 128], when[48];

	log_time(when, sizeof(when));
	if (log_json && *line == '{')
		snprintf(buf, sizeof(buf),
		    "{\"time\":\"%s\",\"level\":\"%s\",%s\n", when,
		    level_name(prio), line + 1);
	else
		snprintf(buf, sizeof(buf), "%s %s\n", when, line);
	if (write(STDERR_FILENO, buf, strlen(buf)) == -1)
		return;
}

struct linebuf {
	char buf[LOG_LINE_MAX];
	size_t len;
	size_t room; /* what may be used before the line is closed */
};

/*
 * The next character of s, cleaned, into out (at most 4 bytes and a NUL);
 * returns how many bytes of s it was. Broken UTF-8, controls (C1 too) and
 * what reorders a line on a terminal become '?'.
 */
static size_t
clean_char(const char *s, char out[5])
{
	const unsigned char *u = (const unsigned char *)s;
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	uint32_t cp;
	size_t n, i;

	strlcpy(out, "?", 5);
	n = u[0] < 0x80 ? 1 : u[0] < 0xc2 ? 0 : u[0] < 0xe0 ? 2 :
	    u[0] < 0xf0 ? 3 : u[0] < 0xf5 ? 4 : 0;
	if (n == 0)
		return 1;
	cp = n == 1 ? u[0] : u[0] & (0x7fu >> n);
	for (i = 1; i < n; i++) {
		if ((u[i] & 0xc0) != 0x80)
			return 1;
		cp = cp << 6 | (u[i] & 0x3f);
	}
	if (cp < least[n] || cp > 0x10ffff || (cp >= 0xd800 && cp < 0xe000))
		return 1;
	if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0) ||
	    (cp >= 0x200e && cp <= 0x200f) || (cp >= 0x2028 && cp <= 0x202e) ||
	    (cp >= 0x2066 && cp <= 0x2069))
		return n;
	memcpy(out, s, n);
	out[n] = '\0';
	return n;
}

void
log_clean(char *dst, const char *src, size_t size)
{
	size_t len = 0, n;
	char ch[5];

	while (*src != '\0') {
		src += clean_char(src, ch);
		if ((n = strlen(ch)) >= size - len)
			break;
		memcpy(dst + len, ch, n);
		len += n;
	}
	dst[len] = '\0';
}

/* All of s or nothing. */
static int
put(struct linebuf *b, const char *s)
{
	size_t n = strlen(s);

	if (b->len + n > b->room)
		return 0;
	memcpy(b->buf + b->len, s, n + 1);
	b->len += n;
	return 1;
}

static void
put_clean(struct linebuf *b, const char *s, int escape)
{
	char ch[7] = "\\";

	while (*s != '\0') {
		s += clean_char(s, ch + 1);
		if (!put(b, escape && (ch[1] == '"' || ch[1] == '\\') ?
			ch : ch + 1))
			return;
	}
}

/* A value that does not fit is cut, but its quotes are closed. */
static void
put_quoted(struct linebuf *b, const char *s)
{
	if (b->len + 2 > b->room)
		return;
	put(b, "\"");
	b->room--;
	put_clean(b, s, 1);
	b->room++;
	put(b, "\"");
}

static int
is_plain(const char *s)
{
	if (*s == '\0')
		return 0;
	for (; *s != '\0'; s++)
		if ((unsigned char)*s <= 0x20 || *s == '"' || *s == '=' ||
		    *s == '\\' || (unsigned char)*s >= 0x7f)
			return 0;
	return 1;
}

static void
put_pair(struct linebuf *b, const char *key, const char *value)
{
	/* Key, quotes, colon, comma; a cut value must have some room. */
	if (b->len + strlen(key) + 16 > b->room)
		return;
	if (log_json) {
		if (b->len > 1)
			put(b, ",");
		put_quoted(b, key);
		put(b, ":");
		put_quoted(b, value);
		return;
	}
	put(b, " ");
	put(b, key);
	put(b, "=");
	if (is_plain(value))
		put_clean(b, value, 0);
	else
		put_quoted(b, value);
}

static void
begin_line(struct linebuf *b, const char *name)
{
	b->len = 0;
	b->buf[0] = '\0';
	b->room = sizeof(b->buf) - 2; /* the NUL and a closing brace */
	if (log_json) {
		put(b, "{");
		put_pair(b, "role", log_role);
		put_pair(b, "event", name);
		return;
	}
	put_clean(b, log_role, 0);
	put(b, ": ");
	put_clean(b, name, 0);
}

static void
line_out(int prio, const char *line)
{
	static int inside;
	int saved = errno;

	/* What goes wrong in the sink itself is said beside it. */
	if (log_sink != NULL && !inside) {
		inside = 1;
		log_sink(prio, line, log_sink_arg);
		inside = 0;
	} else
		log_stderr(prio, line);
	errno = saved;
}

static void
end_line(struct linebuf *b, int prio)
{
	b->room++;
	if (log_json)
		put(b, "}");
	line_out(prio, b->buf);
}

void
log_relay(int prio, const char *line)
{
	char clean[LOG_LINE_MAX];

	if (prio == LOG_DEBUG && !log_verbose)
		return;
	/* It comes from a process that may be captured. */
	log_clean(clean, line, sizeof(clean));
	line_out(prio, clean);
}

void
log_event(int prio, const char *name, ...)
{
	struct linebuf b;
	const char *key, *value;
	va_list ap;

	if (prio == LOG_DEBUG && !log_verbose)
		return;
	begin_line(&b, name);
	va_start(ap, name);
	while ((key = va_arg(ap, const char *)) != NULL) {
		value = va_arg(ap, const char *);
		if (value != NULL)
			put_pair(&b, key, value);
	}
	va_end(ap);
	end_line(&b, prio);
}

static void log_text(int, const char *, const char *, va_list)
    __attribute__((format(printf, 3, 0)));

static void
log_text(int prio, const char *suffix, const char *fmt, va_list ap)
{
	struct linebuf b;
	char text[LOG_LINE_MAX];

	vsnprintf(text, sizeof(text), fmt, ap);
	if (suffix != NULL) {
		strlcat(text, ": ", sizeof(text));
		strlcat(text, suffix, sizeof(text));
	}
	if (log_json) {
		begin_line(&b, "log");
		put_pair(&b, "text", text);
	} else
		begin_line(&b, text);
	end_line(&b, prio);
}

#define LOG_VA(prio, suffix)                                                   \
	do {                                                                   \
		va_list ap;                                                    \
		va_start(ap, fmt);                                             \
		log_text(prio, suffix, fmt, ap);                               \
		va_end(ap);                                                    \
	} while (0)

void
log_warn(const char *fmt, ...)
{
	LOG_VA(LOG_WARNING, strerror(errno));
}

void
log_warnx(const char *fmt, ...)
{
	LOG_VA(LOG_WARNING, NULL);
}

void
log_debug(const char *fmt, ...)
{
	if (log_verbose)
		LOG_VA(LOG_DEBUG, NULL);
}

int
log_get_json(void)
{
	return log_json;
}

/* A failure while the last words are said must not start them again. */
static void
dying(void)
{
	static int once;

	if (once++)
		_exit(1);
}

void
fatal(const char *fmt, ...)
{
	const char *why = strerror(errno);

	dying();
	LOG_VA(LOG_CRIT, why);
	_exit(1);
}

void
fatalx(const char *fmt, ...)
{
	dying();
	LOG_VA(LOG_CRIT, NULL);
	_exit(1);
}

const char *
log_num(char *buf, long long n)
{
	snprintf(buf, 24, "%lld", n);
	return buf;
}
