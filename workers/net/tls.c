#include "config.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "workers/net/internal.h"

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
	struct ca *ca = ca_new();
	BIO *bio = BIO_new_mem_buf(dummy_pem, sizeof(dummy_pem) - 1);
	X509 *cert;

	if (ctx == NULL || bio == NULL ||
	    (cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)) == NULL)
		fatalx("OpenSSL does not work");
	SSL_CTX_set1_cert_store(ctx, ca_store(ca));
	X509_free(cert);
	BIO_free(bio);
	SSL_CTX_free(ctx);
	ca_free(ca);
}

CURLcode
tls_ctx_cb(CURL *easy, void *ctxp, void *arg)
{
	struct net *n = arg;
	SSL_CTX *ctx = ctxp;

	SSL_CTX_set1_cert_store(ctx, ca_store(n->ca));
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
