#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* cmocka wants the four above. */
#include <cmocka.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "tests/unit/net_fixture.h"

static EVP_PKEY *ca_key, *leaf_key, *other_ca_key;
static X509 *ca_cert, *other_ca_cert, *middle_cert, *self_cert;
static X509 *crowd[CERT_CAS - 2];

static void
extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert_non_null(ext);
	X509_add_ext(cert, ext, -1);
	X509_EXTENSION_free(ext);
}

static X509 *
make(const char *cn, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key,
    const char *san, long days)
{
	static long serial;
	X509 *cert = X509_new();
	X509_NAME *name = X509_get_subject_name(cert);

	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), ++serial);
	X509_gmtime_adj(X509_getm_notBefore(cert), -86400L * 30);
	X509_gmtime_adj(X509_getm_notAfter(cert), 86400L * days);
	X509_NAME_add_entry_by_txt(
	    name, "CN", MBSTRING_ASC, (const unsigned char *)cn, -1, -1, 0);
	X509_set_issuer_name(
	    cert, issuer != NULL ? X509_get_subject_name(issuer) : name);
	X509_set_pubkey(cert, key);
	extension(cert, cert, NID_subject_key_identifier, "hash");
	extension(cert, issuer != NULL ? issuer : cert,
	    NID_authority_key_identifier, "keyid");
	if (san != NULL)
		extension(cert, cert, NID_subject_alt_name, san);
	else
		extension(
		    cert, cert, NID_basic_constraints, "critical,CA:TRUE");
	assert_true(X509_sign(cert, issuer_key, EVP_sha256()) > 0);
	return cert;
}

static void
certs_init(void)
{
	char name[32];
	int i;

	if (ca_key != NULL)
		return;
	ca_key = EVP_EC_gen("P-256");
	leaf_key = EVP_EC_gen("P-256");
	other_ca_key = EVP_EC_gen("P-256");
	ca_cert = make("Test CA", ca_key, NULL, ca_key, NULL, 100);
	other_ca_cert =
	    make("Other CA", other_ca_key, NULL, other_ca_key, NULL, 100);
	middle_cert =
	    make("Middle CA", other_ca_key, ca_cert, ca_key, NULL, 100);
	self_cert =
	    make("self", leaf_key, NULL, leaf_key, "DNS:chat.test", 100);
	/* One more of our CA's name, with another key. */
	for (i = 0; i < CERT_CAS - 2; i++) {
		snprintf(name, sizeof(name), "CA %d", i);
		if (i == 0)
			strlcpy(name, "Test CA", sizeof(name));
		crowd[i] =
		    make(name, other_ca_key, NULL, other_ca_key, NULL, 100);
	}
}

SSL_CTX *
cert_server(int kind)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	X509 *cert;

	certs_init();
	if (kind == CERT_SELF) {
		cert = self_cert;
		X509_up_ref(cert);
	} else if (kind == CERT_CHAIN) {
		cert = make("leaf", leaf_key, middle_cert, other_ca_key,
		    "DNS:chat.test", 100);
		assert_int_equal(SSL_CTX_add1_chain_cert(ctx, middle_cert), 1);
	} else
		cert = make("leaf", leaf_key,
		    kind == CERT_UNKNOWN_CA ? other_ca_cert : ca_cert,
		    kind == CERT_UNKNOWN_CA ? other_ca_key : ca_key,
		    kind == CERT_OTHER_NAME ? "DNS:elsewhere.test"
					    : "DNS:chat.test,IP:127.0.0.1",
		    kind == CERT_EXPIRED ? -1 : 100);
	assert_int_equal(SSL_CTX_use_certificate(ctx, cert), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(ctx, leaf_key), 1);
	X509_free(cert);
	if (kind == CERT_CHAIN)
		assert_int_equal(SSL_CTX_add1_chain_cert(ctx, middle_cert), 1);
	return ctx;
}

int
cert_ca_fd(void)
{
	FILE *f = tmpfile();
	int fd, i;

	certs_init();
	assert_non_null(f);
	for (i = 0; i < CERT_CAS - 2; i++)
		assert_int_equal(PEM_write_X509(f, crowd[i]), 1);
	fputs("Comments are passed over.\n", f);
	assert_int_equal(PEM_write_X509(f, ca_cert), 1);
	assert_int_equal(PEM_write_X509(f, self_cert), 1);
	fflush(f);
	rewind(f);
	fd = dup(fileno(f));
	fclose(f);
	return fd;
}

const char *
cert_pin(void)
{
	static char pin[64];
	unsigned char *der = NULL, md[32];
	int n;

	certs_init();
	n = i2d_PUBKEY(leaf_key, &der);
	assert_int_equal(EVP_Digest(der, n, md, NULL, EVP_sha256(), NULL), 1);
	OPENSSL_free(der);
	strlcpy(pin, "sha256//", sizeof(pin));
	EVP_EncodeBlock((unsigned char *)pin + 8, md, 32);
	return pin;
}

static void __attribute__((destructor)) certs_free(void)
{
	int i;

	X509_free(ca_cert);
	X509_free(other_ca_cert);
	X509_free(middle_cert);
	X509_free(self_cert);
	for (i = 0; i < CERT_CAS - 2; i++)
		X509_free(crowd[i]);
	EVP_PKEY_free(ca_key);
	EVP_PKEY_free(leaf_key);
	EVP_PKEY_free(other_ca_key);
}
