#include "config.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/grow.h"
#include "common/log.h"
#include "workers/net/internal.h"

/*
 * The certificates that are trusted. A system's bundle has some 150, which
 * cost 0.8 MB and 30 ms when they are all parsed, in every worker; a worker
 * needs one or two. So they are kept as DER with an index by subject, and
 * parsed into OpenSSL's store when a chain first asks for them.
 */

#define CA_FILE_MAX (8u * 1024 * 1024)
#define CA_CERTS_MAX 4096

struct ca_entry {
	unsigned long hash; /* X509_NAME_hash() of the subject */
	uint32_t off, len;
	int loaded;
};

struct ca {
	X509_STORE *store;
	unsigned char *der;
	size_t der_len;
	struct ca_entry *entries;
	size_t n;
};

static int ca_index = -1; /* of the store's extra data */

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

/* Steps into or over one DER element. 0, or -1 when it is none. */
static int
der_step(const unsigned char **p, long *left, int into)
{
	const unsigned char *start = *p;
	long len;
	int tag, class;

	if (ASN1_get_object(p, &len, &tag, &class, *left) & 0x80)
		return -1;
	if (!into)
		*p += len;
	*left -= *p - start;
	if (into)
		*left = len;
	return *left < 0 ? -1 : 0;
}

/*
 * The subject of a certificate, without parsing its key, which is what
 * takes the time. RFC 5280 4.1: version, serial, signature, issuer,
 * validity, subject.
 */
static X509_NAME *
subject_of(const unsigned char *der, size_t len)
{
	const unsigned char *p = der;
	long left = (long)len;
	int skip = 4;

	if (der_step(&p, &left, 1) == -1 || der_step(&p, &left, 1) == -1)
		return NULL;
	if (left > 0 && *p == 0xa0) /* [0]: absent in version 1 */
		skip = 5;
	while (skip-- > 0)
		if (left <= 0 || der_step(&p, &left, 0) == -1)
			return NULL;
	return d2i_X509_NAME(NULL, &p, left);
}

static void
entry_add(struct ca *ca, const unsigned char *der, size_t len)
{
	struct ca_entry *e;
	X509_NAME *name = subject_of(der, len);

	if (name == NULL)
		return;
	ca->der = realloc(ca->der, ca->der_len + len);
	if (ca->der == NULL)
		fatal("realloc");
	ca->entries = grow(ca->entries, ca->n, sizeof(*e));
	e = &ca->entries[ca->n++];
	e->hash = X509_NAME_hash(name);
	e->off = (uint32_t)ca->der_len;
	e->len = (uint32_t)len;
	e->loaded = 0;
	memcpy(ca->der + e->off, der, len);
	ca->der_len += len;
	X509_NAME_free(name);
}

/* Parses what may be the certificate of that name. */
static void
load(X509_STORE_CTX *ctx, const X509_NAME *name)
{
	X509_STORE *store = X509_STORE_CTX_get0_store(ctx);
	struct ca *ca = X509_STORE_get_ex_data(store, ca_index);
	unsigned long hash = X509_NAME_hash((X509_NAME *)(uintptr_t)name);
	const unsigned char *p;
	struct ca_entry *e;
	X509 *cert;

	for (e = ca->entries; e < ca->entries + ca->n; e++) {
		if (e->loaded || e->hash != hash)
			continue;
		e->loaded = 1;
		p = ca->der + e->off;
		if ((cert = d2i_X509(NULL, &p, e->len)) == NULL)
			continue;
		X509_STORE_add_cert(store, cert);
		X509_free(cert);
	}
}

static int
get_issuer(X509 **issuer, X509_STORE_CTX *ctx, X509 *cert)
{
	load(ctx, X509_get_issuer_name(cert));
	return X509_STORE_CTX_get1_issuer(issuer, ctx, cert);
}

#if OPENSSL_VERSION_NUMBER < 0x30000000L
#define CONST_NAME X509_NAME
#else
#define CONST_NAME const X509_NAME
#endif

static STACK_OF(X509) * lookup_certs(X509_STORE_CTX *ctx, CONST_NAME *name)
{
	load(ctx, name);
	return X509_STORE_CTX_get1_certs(ctx, name);
}

struct ca *
ca_new(void)
{
	struct ca *ca;

	if ((ca = calloc(1, sizeof(*ca))) == NULL ||
	    (ca->store = X509_STORE_new()) == NULL)
		fatalx("out of memory");
	if (ca_index == -1)
		ca_index =
		    X509_STORE_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	if (ca_index == -1 ||
	    X509_STORE_set_ex_data(ca->store, ca_index, ca) != 1)
		fatalx("X509_STORE_set_ex_data");
	/* A configured certificate is an anchor even if it is no root. */
	X509_STORE_set_flags(ca->store, X509_V_FLAG_PARTIAL_CHAIN);
	X509_STORE_set_get_issuer(ca->store, get_issuer);
	X509_STORE_set_lookup_certs(ca->store, lookup_certs);
	return ca;
}

void
ca_free(struct ca *ca)
{
	if (ca == NULL)
		return;
	X509_STORE_free(ca->store);
	free(ca->der);
	free(ca->entries);
	free(ca);
}

X509_STORE *
ca_store(struct ca *ca)
{
	return ca->store;
}

static void
pem_take(struct ca *ca, BIO *bio)
{
	unsigned char *der;
	char *name, *header;
	long len;

	while (PEM_read_bio(bio, &name, &header, &der, &len) == 1) {
		if (len > 0 && ca->n < CA_CERTS_MAX &&
		    (strcmp(name, PEM_STRING_X509) == 0 ||
			strcmp(name, PEM_STRING_X509_OLD) == 0))
			entry_add(ca, der, len);
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_free(der);
	}
	ERR_clear_error();
}

int
ca_load(struct ca *ca, int fd)
{
	size_t len, before = ca->n;
	char *pem;
	BIO *bio;

	pem = read_all(fd, &len);
	close(fd);
	if (pem == NULL || (bio = BIO_new_mem_buf(pem, (int)len)) == NULL) {
		free(pem);
		log_warnx("the CA file cannot be read");
		return -1;
	}
	pem_take(ca, bio);
	BIO_free(bio);
	free(pem);
	if (ca->n == before) {
		log_warnx("the CA file has no certificate");
		return -1;
	}
	return (int)(ca->n - before);
}
