/*
 * TLS of the listener: OpenSSL below libevent, 1.2 at least. The files of
 * certificate and key come as descriptors, and are read once in the jail.
 */
#ifndef CALLBACK_TLS_H
#define CALLBACK_TLS_H

struct bufferevent;
struct callback;

/* Outside the jail: what OpenSSL wants to read of the system. */
void tls_prepare(void);
/* Read and close. The first thing wrong is fatal. */
void tls_cert(struct callback *, int fd);
void tls_key(struct callback *, int fd);
/* All has come: does the key fit? */
void tls_check(struct callback *);
/* A connection, with TLS or without. NULL: fd was closed. */
struct bufferevent *tls_bufferevent(struct callback *, int fd);
void tls_free(struct bufferevent *);

#endif
