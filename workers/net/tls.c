#include "config.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "workers/net/internal.h"

#define CA_FILE_MAX (8u * 1024 * 1024)

/*
 * Never trusted: tls_ctx_cb() puts our own store in its place. It is here
 * because libcurl 8.17 and later take "no CA file" to mean their built-in
 * path, which a jail has not. The key was thrown away.
 */
static const char dummy_pem[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBkTCCATagAwIBAgIUaMHZ6mhBcV4ezpE01mMf1jswMQIwCgYIKoZIzj0EAwIw\n"
    "HjEcMBoGA1UEAwwTcG9zdGVybiBwbGFjZWhvbGRlcjAgFw0yNjExMjIxMTMwMjFa\n"
    "GA8yMTI2MTAyOTExMzAyMVowHjEcMBoGA1UEAwwTcG9zdGVybiBwbGFjZWhvbGRl\n"
    "cjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABNMoBbVnB6oH7lMCw+8kbncJDfNb\n"
    "heNoiqr8Q3vhsDz5U93BqPfpthcF5+fSrctlwEsXk9ikpK2xeqJzFVshVQajUDBO\n"
    "MB0GA1UdDgQWBBQl/LsNmvYw5ntrbqQk2henKjOyQzAfBgNVHSMEGDAWgBQl/LsN\n"
    "mvYw5ntrbqQk2henKjOyQzAMBgNVHRMBAf8EAjAAMAoGCCqGSM49BAMCA0kAMEYC\n"
    "IQC5rJJkUyxpetRZo4yhlJAUhjaos5udtGB+TBNgkfrxHAIhANU1w+taJbMAtV1Q\n"
    "YMgpP2SWkjuD/+ZPFzUcYNbSzqLl\n"
    "-----END CERTIFICATE-----\n";

const struct curl_blob tls_dummy_ca = {
    (void *)(uintptr_t)dummy_pem, sizeof(dummy_pem) - 1, CURL_BLOB_NOCOPY};

/* What OpenSSL loads at first use comes now, while it may still do so. */
void
tls_warm_up(void)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	X509_STORE *store = tls_store_new();
	BIO *bio = BIO_new_mem_buf(dummy_pem, sizeof(dummy_pem) - 1);
	X509 *cert;

	if (ctx == NULL || bio == NULL ||
	    (cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)) == NULL)
		fatalx("OpenSSL does not work");
	X509_STORE_add_cert(store, cert);
	SSL_CTX_set1_cert_store(ctx, store);
	X509_free(cert);
	BIO_free(bio);
	X509_STORE_free(store);
	SSL_CTX_free(ctx);
}

X509_STORE *
tls_store_new(void)
{
	X509_STORE *store = X509_STORE_new();

	if (store == NULL)
		fatalx("out of memory");
	/* A configured certificate is an anchor even if it is no root. */
	X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
	return store;
}

static char *
read_all(int fd, size_t *len)
{
	char *buf = NULL, *p;
	size_t size = 0;
	ssize_t n;

	*len = 0;
	do {
		if (size - *len < 4096) {
			size = size == 0 ? 256 * 1024 : size * 2;
			if (size > CA_FILE_MAX ||
			    (p = realloc(buf, size)) == NULL) {
				free(buf);
				return NULL;
			}
			buf = p;
		}
		if ((n = read(fd, buf + *len, size - *len)) == -1) {
			free(buf);
			return NULL;
		}
		*len += n;
	} while (n > 0);
	return buf;
}

int
tls_store_load(X509_STORE *store, int fd)
{
	char *pem;
	X509 *cert;
	BIO *bio;
	size_t len;
	int count = 0;

	pem = read_all(fd, &len);
	close(fd);
	if (pem == NULL || (bio = BIO_new_mem_buf(pem, len)) == NULL) {
		free(pem);
		log_warnx("the CA file cannot be read");
		return -1;
	}
	while ((cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
		if (X509_STORE_add_cert(store, cert) == 1)
			count++;
		X509_free(cert);
	}
	ERR_clear_error();
	BIO_free(bio);
	free(pem);
	if (count == 0) {
		log_warnx("the CA file has no certificate");
		return -1;
	}
	return count;
}

CURLcode
tls_ctx_cb(CURL *easy, void *ctxp, void *arg)
{
	struct net *n = arg;
	SSL_CTX *ctx = ctxp;

	SSL_CTX_set1_cert_store(ctx, n->store);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1)
		return CURLE_SSL_CONNECT_ERROR;
	return CURLE_OK;
}

int
tls_pin_check(const char *pin)
{
	static const char head[] = "sha256//";
	unsigned char raw[33];
	const char *b64 = pin + sizeof(head) - 1;

	if (strncmp(pin, head, sizeof(head) - 1) != 0 || strlen(b64) != 44 ||
	    b64[43] != '=' || b64[42] == '=')
		return -1;
	/* 44 characters are 33 bytes for this function, padding included. */
	return EVP_DecodeBlock(raw, (const unsigned char *)b64, 44) == 33 ? 0
									  : -1;
}
