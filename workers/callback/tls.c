#include "config.h"

#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "workers/callback/callback.h"
#include "workers/callback/tls.h"

#define FILE_MAX_BYTES (256u * 1024)

void
tls_prepare(void)
{
	if (OPENSSL_init_ssl(OPENSSL_INIT_LOAD_SSL_STRINGS |
		    OPENSSL_INIT_LOAD_CRYPTO_STRINGS, NULL) != 1)
		fatalx("OpenSSL");
}

static const char *
why(void)
{
	const char *s = ERR_reason_error_string(ERR_peek_last_error());

	return s == NULL ? "not usable" : s;
}

static SSL_CTX *
context(struct callback *cb)
{
	if (cb->ssl != NULL)
		return cb->ssl;
	if ((cb->ssl = SSL_CTX_new(TLS_server_method())) == NULL)
		fatalx("TLS: %s", why());
	SSL_CTX_set_min_proto_version(cb->ssl, TLS1_2_VERSION);
	SSL_CTX_set_options(cb->ssl,
	    SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
		SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_mode(cb->ssl, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(cb->ssl, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(cb->ssl, 0);
	return cb->ssl;
}

/* The whole of a file, freezero() it. */
static char *
slurp(int fd, size_t *len)
{
	char *buf = malloc(FILE_MAX_BYTES);
	ssize_t n;

	if (buf == NULL)
		fatal("malloc");
	*len = 0;
	while (*len < FILE_MAX_BYTES &&
	    (n = read(fd, buf + *len, FILE_MAX_BYTES - *len)) > 0)
		*len += (size_t)n;
	close(fd);
	return buf;
}

void
tls_cert(struct callback *cb, int fd)
{
	SSL_CTX *ctx = context(cb);
	size_t len;
	char *buf = slurp(fd, &len);
	BIO *bio = BIO_new_mem_buf(buf, (int)len);
	X509 *x = bio == NULL ? NULL :
		PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL);

	if (x == NULL || SSL_CTX_use_certificate(ctx, x) != 1)
		fatalx("gateway.tls.certPath: %s", why());
	X509_free(x);
	while ((x = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL)
		if (SSL_CTX_add0_chain_cert(ctx, x) != 1)
			fatalx("gateway.tls.certPath: %s", why());
	ERR_clear_error();
	BIO_free(bio);
	free(buf);
}

/* Nobody is there to type a password. */
static int
no_password(char *buf, int size, int rw, void *arg)
{
	return 0;
}

void
tls_key(struct callback *cb, int fd)
{
	SSL_CTX *ctx = context(cb);
	size_t len;
	char *buf = slurp(fd, &len);
	BIO *bio = BIO_new_mem_buf(buf, (int)len);
	EVP_PKEY *key = bio == NULL ? NULL :
		PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);

	if (key == NULL || SSL_CTX_use_PrivateKey(ctx, key) != 1)
		fatalx("gateway.tls.keyPath: %s", why());
	EVP_PKEY_free(key);
	BIO_free(bio);
	freezero(buf, FILE_MAX_BYTES);
}

void
tls_check(struct callback *cb)
{
	if (!cb->tls)
		return;
	if (cb->ssl == NULL || SSL_CTX_check_private_key(cb->ssl) != 1)
		fatalx("gateway.tls: the key is not that of the certificate");
}

struct bufferevent *
tls_bufferevent(struct callback *cb, int fd)
{
	struct bufferevent *bev;
	SSL *ssl;

	if (!cb->tls) {
		bev = bufferevent_socket_new(
		    cb->base, fd, BEV_OPT_CLOSE_ON_FREE);
		if (bev == NULL)
			fatalx("bufferevent_socket_new");
		return bev;
	}
	if ((ssl = SSL_new(cb->ssl)) == NULL) {
		close(fd);
		return NULL;
	}
	bev = bufferevent_openssl_socket_new(cb->base, fd, ssl,
	    BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
	if (bev == NULL) {
		SSL_free(ssl);
		close(fd);
		return NULL;
	}
	bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
	return bev;
}

void
tls_free(struct bufferevent *bev)
{
	bufferevent_free(bev);
	ERR_clear_error();
}
