/*
 * The opening handshake of a websocket (RFC 6455 4.1), as pure functions
 * over buffers: they allocate nothing and call nothing.
 */
#ifndef WORKERS_NET_WS_UPGRADE_H
#define WORKERS_NET_WS_UPGRADE_H

#include <stddef.h>
#include <stdint.h>

#define WS_KEY_LEN 24	  /* base64 of 16 bytes */
#define WS_ACCEPT_LEN 28  /* base64 of SHA-1 */
#define WS_HEAD_MAX 16384 /* bytes of the server's answer, without frames */
#define WS_HEADERS_MAX 64 /* lines of it */

/* accept: WS_ACCEPT_LEN + 1 bytes, the answer that key demands. */
int ws_upgrade_accept(const char *key, char *accept);

struct ws_answer {
	int status;	     /* 0: not HTTP */
	size_t head_len;     /* bytes up to and with the empty line */
	int64_t retry_after; /* seconds, -1 absent */
	const char *why;     /* static text when it was refused */
};

/*
 * Read len bytes of an answer. 0: not whole yet; 1: switched; -1: refused,
 * see status and why. Strict: CRLF, at most WS_HEAD_MAX bytes, a single
 * right Sec-WebSocket-Accept, no extension and no subprotocol.
 */
int ws_upgrade_parse(
    const char *buf, size_t len, const char *accept, struct ws_answer *);

#endif
