#include "config.h"

#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "common/log.h"
#include "workers/net/internal.h"

/*
 * How a request ended. libcurl's code, byte counts and errno prove nothing
 * about what the server has read; only our own hinge (committed) does.
 */

static const char *
header(CURL *easy, const char *name)
{
	struct curl_header *h;

	if (easy == NULL ||
	    curl_easy_header(easy, name, 0, CURLH_HEADER, -1, &h) != CURLHE_OK)
		return NULL;
	/* Of a repeated header the last line counts. */
	if (h->amount > 1 && curl_easy_header(easy, name, h->amount - 1,
				 CURLH_HEADER, -1, &h) != CURLHE_OK)
		return NULL;
	return h->value;
}

const char *
net_result_header(const struct net_result *res, const char *name)
{
	return header(res->req->easy, name);
}

int64_t
net_result_date(const struct net_result *res)
{
	const char *value = NULL;
	time_t at;

	if (res->ending == NET_ANSWERED)
		value = net_result_header(res, "Date");
	if (value == NULL || (at = curl_getdate(value, NULL)) <= 0)
		return -1;
	return (int64_t)at * 1000;
}

/* One header must not silence a conversation for days. */
static int64_t
result_seconds(const char *value)
{
	const char *errstr;
	time_t when;
	int64_t ms;

	if (value == NULL)
		return -1;
	ms = strtonum(value, 0, 86400, &errstr) * 1000;
	if (errstr != NULL) {
		if ((when = curl_getdate(value, NULL)) == -1)
			return -1;
		ms = (int64_t)when * 1000 - walltime_ms();
	}
	if (ms < 0)
		return 0;
	return ms < NET_RETRY_MAX ? ms : NET_RETRY_MAX;
}

static const char *
verify_words(long result)
{
	switch (result) {
	case X509_V_OK:
	case X509_V_ERR_UNSPECIFIED: /* libcurl has not asked for it */
		return "certificate is for other names";
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return "certificate has expired";
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return "certificate is not valid yet";
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
		return "unknown issuer";
	default:
		return X509_verify_cert_error_string(result);
	}
}

static const char *
code_words(CURL *easy, CURLcode code, const char *curl_error)
{
	if (*curl_error != '\0')
		return curl_error;
	return curl_easy_strerror(code);
}

void
result_words(CURL *easy, CURLcode code, const char *curl_error, int opened,
    char *buf, size_t size)
{
	long verify = 0, connect = 0;

	curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &verify);
	curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &connect);
	if (code == CURLE_PEER_FAILED_VERIFICATION)
		snprintf(buf, size, "tls: %s", verify_words(verify));
	else if (code == CURLE_SSL_PINNEDPUBKEYNOTMATCH)
		snprintf(buf, size, "tls: key does not match tlsPin");
	else if (connect != 0 && connect / 100 != 2)
		snprintf(buf, size, "proxy: status %ld", connect);
	else if (code == CURLE_SSL_CONNECT_ERROR)
		snprintf(
		    buf, size, "tls: %s", code_words(easy, code, curl_error));
	else if (code == CURLE_OPERATION_TIMEDOUT && opened)
		snprintf(buf, size, "tls: no answer in time");
	else
		snprintf(buf, size, "connect: %s",
		    code_words(easy, code, curl_error));
}

static void
words(struct net_request *req, CURLcode code, char *buf, size_t size)
{
	if (!req->committed)
		result_words(
		    req->easy, code, req->curl_error, req->opened, buf, size);
	else if (req->too_large)
		snprintf(
		    buf, size, "answer: larger than %zu bytes", req->max_body);
	else if (req->too_short)
		snprintf(buf, size, "file: it is shorter than it was");
	else if (req->head_len > NET_HEAD_MAX)
		snprintf(buf, size, "answer: headers too large");
	else if (req->guarded || code == CURLE_GOT_NOTHING)
		snprintf(buf, size, "server: closed without an answer");
	else if (code == CURLE_PARTIAL_FILE)
		snprintf(buf, size, "server: answer cut short");
	else if (code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR)
		snprintf(buf, size, "server: connection lost");
	else
		snprintf(buf, size, "transfer: %s",
		    code_words(req->easy, code, req->curl_error));
}

static int
is_bodyless(const struct net_request *req, int status)
{
	return status == 204 || status == 304 ||
	       strcmp(req->method, "HEAD") == 0;
}

/*
 * libcurl takes a header block that was cut by FIN for a whole answer with
 * an empty body.
 */
static int
is_partial(struct net_result *res, struct net_request *req, CURLcode code)
{
	const char *coding;

	if (code != CURLE_OK || !req->head_done)
		return 1;
	if (is_bodyless(req, res->status))
		return 0;
	coding = header(req->easy, "Transfer-Encoding");
	if (header(req->easy, "Content-Length") == NULL &&
	    (coding == NULL || strcasecmp(coding, "chunked") != 0))
		return 1;
	return req->chunk == NULL && res->len == 0 &&
	       strncasecmp(res->content_type, "application/json", 16) == 0;
}

static int
is_retryable(const struct net_result *res, CURLcode code)
{
	if (res->ending != NET_ANSWERED)
		return code != CURLE_PEER_FAILED_VERIFICATION &&
		       code != CURLE_SSL_PINNEDPUBKEYNOTMATCH;
	return res->status == 408 || res->status == 429 ||
	       (res->status >= 500 && res->status != 501 && res->status != 505);
}

void
result_make(struct net_result *res, struct net_request *req, CURLcode code,
    char *text, size_t size)
{
	memset(res, 0, sizeof(*res));
	res->req = req;
	res->body = req->buf != NULL ? req->buf : "";
	res->len = req->len;
	res->content_type = "";
	res->retry_after_ms = res->ratelimit_reset_ms = -1;
	res->elapsed_ms = monotime_since(req->since);
	if (req->easy != NULL)
		curl_easy_getinfo(
		    req->easy, CURLINFO_RESPONSE_CODE, &req->status);
	if (!req->committed)
		res->ending = NET_NOT_SENT;
	else if (req->status < 200)
		res->ending = NET_MAYBE;
	else
		res->ending = NET_ANSWERED;
	if (res->ending == NET_ANSWERED) {
		res->status = (int)req->status;
		if (header(req->easy, "Content-Type") != NULL)
			res->content_type = header(req->easy, "Content-Type");
		res->retry_after_ms =
		    result_seconds(header(req->easy, "Retry-After"));
		res->ratelimit_reset_ms =
		    result_seconds(header(req->easy, "X-Ratelimit-Reset"));
		res->partial = is_partial(res, req, code);
	}
	res->retryable = is_retryable(res, code);
	if (*text == '\0' && code != CURLE_OK) {
		if (req->easy != NULL)
			words(req, code, text, size);
		else
			strlcpy(text, "request: ended", size);
	}
	if (*text != '\0')
		res->error = text;
	else if (res->partial)
		res->error = "server: answer cut short";
}
