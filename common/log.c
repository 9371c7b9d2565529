#include "config.h"

#include <errno.h>
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

/* write(2) and not stdio: stdio and dprintf call fstat, which a jail kills. */
static void
log_stderr(const char *line)
{
	char buf[LOG_LINE_MAX + 64];
	struct timespec ts;
	struct tm tm;
	size_t len;

	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	len = strftime(buf, sizeof(buf), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf + len, sizeof(buf) - len, ".%03ldZ %s\n",
	    ts.tv_nsec / 1000000, line);
	len = strlen(buf);
	if (write(STDERR_FILENO, buf, len) == -1)
		return;
}

void
log_relay(int prio, const char *line)
{
	int saved = errno;

	if (prio == LOG_DEBUG && !log_verbose)
		return;
	if (log_sink != NULL)
		log_sink(prio, line, log_sink_arg);
	else
		log_stderr(line);
	errno = saved;
}

struct linebuf {
	char buf[LOG_LINE_MAX];
	size_t len;
};

static void
put_char(struct linebuf *b, char c)
{
	if (b->len < sizeof(b->buf) - 1) {
		b->buf[b->len++] = c;
		b->buf[b->len] = '\0';
	}
}

static void
put_raw(struct linebuf *b, const char *s)
{
	for (; *s != '\0'; s++)
		put_char(b, *s);
}

static void
put_quoted(struct linebuf *b, const char *s)
{
	put_char(b, '"');
	for (; *s != '\0'; s++) {
		unsigned char c = *s;

		if (c == '"' || c == '\\')
			put_char(b, '\\');
		put_char(b, c < 0x20 || c == 0x7f ? '?' : c);
	}
	put_char(b, '"');
}

static int
is_plain(const char *s)
{
	if (*s == '\0')
		return 0;
	for (; *s != '\0'; s++)
		if ((unsigned char)*s <= 0x20 || *s == '"' || *s == '=' ||
		    *s == '\\' || *s == 0x7f)
			return 0;
	return 1;
}

static void
put_pair(struct linebuf *b, const char *key, const char *value)
{
	if (log_json) {
		if (b->len > 1)
			put_char(b, ',');
		put_quoted(b, key);
		put_char(b, ':');
		put_quoted(b, value);
		return;
	}
	put_char(b, ' ');
	put_raw(b, key);
	put_char(b, '=');
	if (is_plain(value))
		put_raw(b, value);
	else
		put_quoted(b, value);
}

static void
begin_line(struct linebuf *b, const char *name)
{
	b->len = 0;
	b->buf[0] = '\0';
	if (log_json) {
		put_char(b, '{');
		put_pair(b, "role", log_role);
		put_pair(b, "event", name);
		return;
	}
	put_raw(b, log_role);
	put_raw(b, ": ");
	put_raw(b, name);
}

static void
end_line(struct linebuf *b, int prio)
{
	if (log_json) {
		if (b->len > sizeof(b->buf) - 3) {
			/* Cut lines still have to parse. */
			b->len = sizeof(b->buf) - 3;
			put_char(b, '"');
		}
		put_char(b, '}');
	}
	log_relay(prio, b->buf);
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

static void
log_text(int prio, const char *suffix, const char *fmt, va_list ap)
{
	struct linebuf b;
	char text[LOG_LINE_MAX];
	size_t i;

	vsnprintf(text, sizeof(text), fmt, ap);
	if (suffix != NULL) {
		size_t len = strlen(text);

		snprintf(text + len, sizeof(text) - len, ": %s", suffix);
	}
	for (i = 0; text[i] != '\0'; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			text[i] = '?';
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
log_info(const char *fmt, ...)
{
	LOG_VA(LOG_INFO, NULL);
}

void
log_debug(const char *fmt, ...)
{
	if (log_verbose)
		LOG_VA(LOG_DEBUG, NULL);
}

void
fatal(const char *fmt, ...)
{
	LOG_VA(LOG_CRIT, strerror(errno));
	_exit(1);
}

void
fatalx(const char *fmt, ...)
{
	LOG_VA(LOG_CRIT, NULL);
	_exit(1);
}

const char *
log_num(char *buf, long long n)
{
	snprintf(buf, 24, "%lld", n);
	return buf;
}
