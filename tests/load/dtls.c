#include "tests/load/dtls.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tests/load/util.h"

enum { MTU = 1200, FINGERPRINT_TEXT = 32 * 3 };

struct dtls {
	SSL *ssl;
	bool client;
	enum dtls_state state;
	char expected[FINGERPRINT_TEXT];
	char error[160];
	dtls_send_fn *send;
	void *obj;
	const uint8_t *in; /* the datagram that may be read now */
	size_t in_len;
};

static struct {
	EVP_PKEY *key;
	X509 *cert;
	SSL_CTX *ctx;
	BIO_METHOD *bio;
	char fingerprint[FINGERPRINT_TEXT];
} own;

static int bio_write(BIO *b, const char *p, int n)
{
	struct dtls *d = BIO_get_data(b);

	BIO_clear_retry_flags(b);
	if (n > 0)
		d->send(d->obj, (const uint8_t *)p, (size_t)n);
	return n;
}

static int bio_read(BIO *b, char *p, int n)
{
	struct dtls *d = BIO_get_data(b);
	size_t len = d->in_len < (size_t)n ? d->in_len : (size_t)n;

	BIO_clear_retry_flags(b);
	if (!d->in) {
		BIO_set_retry_read(b);
		return -1;
	}
	memcpy(p, d->in, len);
	d->in = NULL;
	return (int)len;
}

static long bio_ctrl(BIO *b, int cmd, long num, void *ptr)
{
	(void)b;
	(void)num;
	(void)ptr;
	return cmd == BIO_CTRL_FLUSH;
}

static int accept_any(int ok, X509_STORE_CTX *store)
{
	(void)ok;
	(void)store;
	return 1;
}

static void print_fingerprint(const X509 *cert, char out[FINGERPRINT_TEXT])
{
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (!X509_digest(cert, EVP_sha256(), md, &n))
		bot_die("OpenSSL: digest");
	for (unsigned i = 0; i < n; i++)
		snprintf(out + (size_t)i * 3, 4, i + 1 < n ? "%02X:" : "%02X", md[i]);
}

static void own_init(void)
{
	X509_NAME *name;

	own.key = EVP_EC_gen("P-256");
	own.cert = X509_new();
	own.bio = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "datagrams");
	own.ctx = SSL_CTX_new(DTLS_method());
	if (!own.key || !own.cert || !own.bio || !own.ctx)
		bot_die("OpenSSL does not start");
	ASN1_INTEGER_set(X509_get_serialNumber(own.cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(own.cert), -86400);
	X509_gmtime_adj(X509_getm_notAfter(own.cert), 30L * 86400);
	X509_set_pubkey(own.cert, own.key);
	name = X509_get_subject_name(own.cert);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"bot", -1, -1,
				   0);
	X509_set_issuer_name(own.cert, name);
	if (!X509_sign(own.cert, own.key, EVP_sha256()))
		bot_die("OpenSSL: sign");
	print_fingerprint(own.cert, own.fingerprint);
	BIO_meth_set_write(own.bio, bio_write);
	BIO_meth_set_read(own.bio, bio_read);
	BIO_meth_set_ctrl(own.bio, bio_ctrl);
	SSL_CTX_set_min_proto_version(own.ctx, DTLS1_2_VERSION);
	SSL_CTX_set_options(own.ctx, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET);
	SSL_CTX_set_verify(own.ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, accept_any);
	if (!SSL_CTX_use_certificate(own.ctx, own.cert) ||
	    !SSL_CTX_use_PrivateKey(own.ctx, own.key))
		bot_die("OpenSSL: certificate");
}

const char *dtls_fingerprint(void)
{
	if (!own.ctx)
		own_init();
	return own.fingerprint;
}

struct dtls *dtls_new(bool client, enum sec_profile only, dtls_send_fn *send, void *obj)
{
	struct dtls *d = bot_alloc(sizeof *d);
	const char *profiles = only == SEC_GCM	? "SRTP_AEAD_AES_128_GCM"
			       : only == SEC_CM ? "SRTP_AES128_CM_SHA1_80"
						: "SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80";
	BIO *bio;

	dtls_fingerprint();
	d->client = client;
	d->send = send;
	d->obj = obj;
	d->ssl = SSL_new(own.ctx);
	bio = BIO_new(own.bio);
	if (!d->ssl || !bio || SSL_set_tlsext_use_srtp(d->ssl, profiles))
		bot_die("OpenSSL: no DTLS-SRTP");
	BIO_set_data(bio, d);
	BIO_set_init(bio, 1);
	SSL_set_bio(d->ssl, bio, bio);
	DTLS_set_link_mtu(d->ssl, MTU);
	if (client)
		SSL_set_connect_state(d->ssl);
	else
		SSL_set_accept_state(d->ssl);
	return d;
}

void dtls_free(struct dtls **d)
{
	if (!*d)
		return;
	SSL_free((*d)->ssl);
	free(*d);
	*d = NULL;
}

void dtls_expect(struct dtls *d, const char *fingerprint)
{
	snprintf(d->expected, sizeof d->expected, "%s", fingerprint);
}

static void fail(struct dtls *d, const char *what)
{
	unsigned long e = ERR_get_error();

	snprintf(d->error, sizeof d->error, "%s: %s", what,
		 e ? ERR_reason_error_string(e) : "closed");
	ERR_clear_error();
	d->state = DTLS_FAILED;
}

static void verify(struct dtls *d)
{
	X509 *cert = SSL_get1_peer_certificate(d->ssl);
	char text[FINGERPRINT_TEXT] = "";

	if (cert)
		print_fingerprint(cert, text);
	X509_free(cert);
	d->state = DTLS_UP;
	if (strcasecmp(text, d->expected))
		fail(d, "the certificate is not the one of the SDP");
	else if (!SSL_get_selected_srtp_profile(d->ssl))
		fail(d, "no SRTP profile was agreed");
}

enum dtls_state dtls_step(struct dtls *d, const uint8_t *p, size_t len)
{
	uint8_t none[64];
	int n;

	if (d->state == DTLS_FAILED || d->state == DTLS_CLOSED)
		return d->state;
	d->in = p;
	d->in_len = len;
	ERR_clear_error();
	if (!p && SSL_get_state(d->ssl) != TLS_ST_BEFORE)
		DTLSv1_handle_timeout(d->ssl);
	if (d->state == DTLS_HANDSHAKE) {
		n = SSL_do_handshake(d->ssl);
		if (n == 1)
			verify(d);
		else if (SSL_get_error(d->ssl, n) != SSL_ERROR_WANT_READ)
			fail(d, "DTLS handshake");
	} else if (p) {
		n = SSL_read(d->ssl, none, sizeof none);
		if (n <= 0 && SSL_get_error(d->ssl, n) == SSL_ERROR_ZERO_RETURN)
			d->state = DTLS_CLOSED;
		else if (n <= 0 && SSL_get_error(d->ssl, n) == SSL_ERROR_SSL)
			fail(d, "DTLS");
	}
	d->in = NULL;
	return d->state;
}

void dtls_close(struct dtls *d)
{
	if (d->state == DTLS_UP) {
		SSL_shutdown(d->ssl);
		d->state = DTLS_CLOSED;
	}
}

const char *dtls_error(const struct dtls *d)
{
	return d->error;
}

enum sec_profile dtls_keys(struct dtls *d, struct sec_master *tx, struct sec_master *rx)
{
	static const char label[] = "EXTRACTOR-dtls_srtp";
	const SRTP_PROTECTION_PROFILE *p = SSL_get_selected_srtp_profile(d->ssl);
	enum sec_profile profile = p->id == SRTP_AEAD_AES_128_GCM ? SEC_GCM : SEC_CM;
	size_t salt = profile == SEC_GCM ? SEC_GCM_SALT : SEC_CM_SALT;
	uint8_t m[2 * (SEC_KEY + SEC_CM_SALT)];
	struct sec_master *client = d->client ? tx : rx, *server = d->client ? rx : tx;

	if (!SSL_export_keying_material(d->ssl, m, 2 * (SEC_KEY + salt), label, sizeof label - 1,
					NULL, 0, 0))
		bot_die("OpenSSL: cannot export keys");
	memcpy(client->key, m, SEC_KEY);
	memcpy(server->key, m + SEC_KEY, SEC_KEY);
	memcpy(client->salt, m + 2 * SEC_KEY, salt);
	memcpy(server->salt, m + 2 * SEC_KEY + salt, salt);
	return profile;
}
