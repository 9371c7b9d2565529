#include "config.h"

#include <sys/socket.h>
#include <sys/types.h>

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
/* cmocka wants the four above. */
#include <cmocka.h>

#include "tests/unit/net_fixture.h"
#include "workers/net/ws_upgrade.h"

#define CONNS_MAX 20000

struct server {
	int fd;
	uint16_t port;
	serve_fn fn;
	void *arg;
	SSL_CTX *ctx;
	pthread_t acceptor;
	pthread_mutex_t lock;
	pthread_cond_t quiet;
	int accepted;
	int open;
	int fds[CONNS_MAX];
};

static void
peer_done(struct peer *p)
{
	struct server *s = p->srv;

	if (p->ssl != NULL && p->fd != -1)
		SSL_shutdown(p->ssl);
	SSL_free(p->ssl);
	free(p->body);
	pthread_mutex_lock(&s->lock);
	if (p->fd != -1)
		close(p->fd);
	s->fds[p->nth] = -1;
	s->open--;
	pthread_cond_broadcast(&s->quiet);
	pthread_mutex_unlock(&s->lock);
	free(p);
}

static void *
peer_main(void *arg)
{
	struct peer *p = arg;

	if (p->srv->ctx != NULL) {
		p->ssl = SSL_new(p->srv->ctx);
		SSL_set_fd(p->ssl, p->fd);
		if (SSL_accept(p->ssl) != 1) {
			peer_done(p);
			return NULL;
		}
	}
	p->srv->fn(p, p->srv->arg);
	peer_done(p);
	return NULL;
}

static void
peer_spawn(struct server *s, int fd)
{
	pthread_attr_t attr;
	struct peer *p = calloc(1, sizeof(*p));
	pthread_t tid;

	if (p == NULL)
		abort();
	p->srv = s;
	p->fd = fd;
	pthread_mutex_lock(&s->lock);
	p->nth = s->accepted++;
	s->fds[p->nth] = fd;
	s->open++;
	pthread_mutex_unlock(&s->lock);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&tid, &attr, peer_main, p) != 0)
		abort();
	pthread_attr_destroy(&attr);
}

static void *
acceptor_main(void *arg)
{
	struct server *s = arg;
	int fd, on = 1;

	while ((fd = accept(s->fd, NULL, NULL)) != -1) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		peer_spawn(s, fd);
	}
	return NULL;
}

struct server *
server_new(serve_fn fn, void *arg, SSL_CTX *ctx)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};
	socklen_t len = sizeof(sin);
	struct server *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->fn = fn;
	s->arg = arg;
	s->ctx = ctx;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->quiet, NULL);
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_return_code(
	    bind(s->fd, (struct sockaddr *)&sin, sizeof(sin)), errno);
	assert_return_code(listen(s->fd, 256), errno);
	getsockname(s->fd, (struct sockaddr *)&sin, &len);
	s->port = ntohs(sin.sin_port);
	assert_int_equal(
	    pthread_create(&s->acceptor, NULL, acceptor_main, s), 0);
	return s;
}

void
server_hang_up(struct server *s)
{
	int i;

	pthread_mutex_lock(&s->lock);
	for (i = 0; i < s->accepted; i++)
		if (s->fds[i] != -1)
			shutdown(s->fds[i], SHUT_RDWR);
	pthread_mutex_unlock(&s->lock);
}

void
server_free(struct server *s)
{
	shutdown(s->fd, SHUT_RDWR);
	pthread_join(s->acceptor, NULL);
	close(s->fd);
	server_hang_up(s);
	pthread_mutex_lock(&s->lock);
	while (s->open > 0)
		pthread_cond_wait(&s->quiet, &s->lock);
	pthread_mutex_unlock(&s->lock);
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->quiet);
	SSL_CTX_free(s->ctx);
	free(s);
}

uint16_t
server_port(const struct server *s)
{
	return s->port;
}

int
server_accepted(struct server *s)
{
	int n;

	pthread_mutex_lock(&s->lock);
	n = s->accepted;
	pthread_mutex_unlock(&s->lock);
	return n;
}

int
server_open(struct server *s)
{
	int n;

	pthread_mutex_lock(&s->lock);
	n = s->open;
	pthread_mutex_unlock(&s->lock);
	return n;
}

static ssize_t
raw_read(struct peer *p, void *buf, size_t len)
{
	if (p->fd == -1)
		return 0;
	if (p->ssl != NULL)
		return SSL_read(p->ssl, buf, (int)len);
	return recv(p->fd, buf, len, 0);
}

size_t
peer_read(struct peer *p, void *buf, size_t len)
{
	size_t got = 0, n;
	ssize_t r;

	n = p->buf_len < len ? p->buf_len : len;
	memcpy(buf, p->buf, n);
	memmove(p->buf, p->buf + n, p->buf_len - n);
	p->buf_len -= n;
	for (got = n; got < len; got += r)
		if ((r = raw_read(p, (char *)buf + got, len - got)) <= 0)
			break;
	return got;
}

int
peer_head(struct peer *p)
{
	char *end = NULL;
	size_t n;
	ssize_t r;

	for (;;) {
		p->buf[p->buf_len] = '\0';
		if ((end = strstr(p->buf, "\r\n\r\n")) != NULL)
			break;
		if (p->buf_len >= sizeof(p->head) - 1)
			return 0;
		r = raw_read(
		    p, p->buf + p->buf_len, sizeof(p->head) - 1 - p->buf_len);
		if (r <= 0)
			return 0;
		p->buf_len += r;
	}
	n = end + 4 - p->buf;
	memcpy(p->head, p->buf, n);
	p->head[n] = '\0';
	memmove(p->buf, p->buf + n, p->buf_len - n);
	p->buf_len -= n;
	p->served++;
	return sscanf(p->head, "%15s %511s", p->method, p->path) == 2;
}

const char *
peer_header(struct peer *p, const char *name, char *buf, size_t size)
{
	char *line;
	size_t n = strlen(name);

	for (line = strstr(p->head, "\r\n"); line != NULL;
	     line = strstr(line, "\r\n")) {
		line += 2;
		if (strncasecmp(line, name, n) != 0 || line[n] != ':')
			continue;
		line += n + 1 + strspn(line + n + 1, " ");
		snprintf(buf, size, "%.*s", (int)strcspn(line, "\r"), line);
		return buf;
	}
	return NULL;
}

int
peer_request(struct peer *p)
{
	char len[32];

	free(p->body);
	p->body = NULL;
	p->body_len = 0;
	if (!peer_head(p))
		return 0;
	if (peer_header(p, "Content-Length", len, sizeof(len)) == NULL)
		return 1;
	p->body_len = strtoul(len, NULL, 10);
	if ((p->body = malloc(p->body_len + 1)) == NULL)
		abort();
	p->body[p->body_len] = '\0';
	return peer_read(p, p->body, p->body_len) == p->body_len;
}

void
peer_write(struct peer *p, const void *buf, size_t len)
{
	ssize_t r;

	while (len > 0 && p->fd != -1) {
		if (p->ssl != NULL)
			r = SSL_write(p->ssl, buf, (int)len);
		else
			r = send(p->fd, buf, len, MSG_NOSIGNAL);
		if (r <= 0)
			return;
		buf = (const char *)buf + r;
		len -= r;
	}
}

void
peer_printf(struct peer *p, const char *fmt, ...)
{
	char buf[16384];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(buf))
		abort();
	peer_write(p, buf, n);
}

void
peer_answer(struct peer *p, int status, const char *body)
{
	char head[256];
	int n;

	n = snprintf(head, sizeof(head),
	    "HTTP/1.1 %d X\r\nContent-Type: application/json\r\n"
	    "Content-Length: %zu\r\n\r\n",
	    status, strlen(body));
	peer_write(p, head, n);
	peer_write(p, body, strlen(body));
}

static void
peer_close(struct peer *p)
{
	pthread_mutex_lock(&p->srv->lock);
	close(p->fd);
	p->srv->fds[p->nth] = -1;
	p->fd = -1;
	pthread_mutex_unlock(&p->srv->lock);
}

void
peer_reset(struct peer *p)
{
	struct linger l = {1, 0};

	setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	peer_close(p);
}

void
peer_fin(struct peer *p)
{
	peer_close(p);
}

void
peer_start_tls(struct peer *p, SSL_CTX *ctx)
{
	p->ssl = SSL_new(ctx);
	SSL_CTX_free(ctx);
	SSL_set_fd(p->ssl, p->fd);
	SSL_accept(p->ssl);
}

int
peer_gone(struct peer *p)
{
	char byte;
	ssize_t n = recv(p->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	return n == 0 || (n == -1 && errno != EAGAIN);
}

void
peer_ws_accept(struct peer *p, const char *key)
{
	char accept[WS_ACCEPT_LEN + 1];

	if (ws_upgrade_accept(key, accept) == -1)
		return;
	peer_printf(p,
	    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
	    "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
	    accept);
}

int
peer_ws_upgrade(struct peer *p)
{
	char key[64];

	if (!peer_head(p) ||
	    peer_header(p, "Sec-WebSocket-Key", key, sizeof(key)) == NULL)
		return 0;
	peer_ws_accept(p, key);
	return 1;
}

void
peer_ws_frame(struct peer *p, int first, int mask, const void *data, size_t len)
{
	unsigned char head[14], key[4] = {1, 2, 3, 4};
	char *frame = malloc(len + sizeof(head));
	size_t n = 2, i;

	if (frame == NULL)
		abort();
	head[0] = (unsigned char)first;
	head[1] = mask ? 0x80 : 0;
	if (len < 126)
		head[1] |= (unsigned char)len;
	else if (len < 65536) {
		head[1] |= 126;
		head[n++] = (unsigned char)(len >> 8);
		head[n++] = (unsigned char)len;
	} else {
		head[1] |= 127;
		for (i = 0; i < 8; i++)
			head[n++] =
			    (unsigned char)((uint64_t)len >> (56 - 8 * i));
	}
	if (mask) {
		memcpy(head + n, key, 4);
		n += 4;
	}
	memcpy(frame, head, n);
	memcpy(frame + n, data, len);
	for (i = 0; mask && i < len; i++)
		frame[n + i] ^= key[i % 4];
	peer_write(p, frame, n + len);
	free(frame);
}

int
peer_ws_read(struct peer *p)
{
	unsigned char head[2], ext[8], key[4];
	size_t len, i, n;

	free(p->body);
	p->body = NULL;
	p->body_len = 0;
	if (peer_read(p, head, 2) != 2 || !(head[1] & 0x80))
		return -1; /* a client must mask */
	len = head[1] & 0x7f;
	if (len >= 126) {
		n = len == 126 ? 2 : 8;
		if (peer_read(p, ext, n) != n)
			return -1;
		for (len = 0, i = 0; i < n; i++)
			len = len << 8 | ext[i];
	}
	if (peer_read(p, key, 4) != 4 || (p->body = malloc(len + 1)) == NULL)
		return -1;
	if (peer_read(p, p->body, len) != len)
		return -1;
	for (i = 0; i < len; i++)
		p->body[i] ^= key[i % 4];
	p->body[len] = '\0';
	p->body_len = len;
	return head[0] & 0x0f;
}
