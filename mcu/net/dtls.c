#include "mcu/net/dtls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/time.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "mcu/base/clock.h"
#include "mcu/base/metrics.h"
#include "mcu/net/dtls_identity.h"

enum {
	MAX_FINGERPRINT = 8 + 64 * 3,
	RECORD_BYTES = 2048, /* larger than a datagram that we take */
	IP_UDP_OVERHEAD = 48,	  /* IPv6 and UDP */
	DGRAM_OVERHEAD_CTRL = 49, /* BIO_CTRL_DGRAM_GET_MTU_OVERHEAD */
};

METRIC_COUNTER(m_handshakes, "mcu_dtls_handshakes_total", "DTLS handshakes that succeeded");
METRIC_COUNTER(m_failed, "mcu_dtls_failed_total", "DTLS handshakes that failed");

struct dtls {
	SSL *ssl;
	enum transport_setup setup;
	enum dtls_state state;
	const char *reason;
	dtls_output_fn *output;
	dtls_data_fn *data;
	void *obj;
	const uint8_t *in; /* the datagram being read */
	size_t in_len;
	struct srtp_keys local, remote;
	char fingerprint[MAX_FINGERPRINT];
};

/* OpenSSL reads and writes whole datagrams through this: a memory BIO would glue
 * the records of a flight together. */
static int bio_write(BIO *b, const char *p, int len)
{
	struct dtls *d = BIO_get_data(b);

	if (len > 0 && len <= TRANSPORT_MTU + IP_UDP_OVERHEAD)
		d->output(d->obj, (const uint8_t *)p, (size_t)len);
	return len;
}

static int bio_read(BIO *b, char *p, int cap)
{
	struct dtls *d = BIO_get_data(b);
	size_t n = d->in_len;

	BIO_clear_retry_flags(b);
	if (!d->in || cap <= 0) {
		BIO_set_retry_read(b);
		return -1;
	}
	if (n > (size_t)cap)
		n = (size_t)cap;
	memcpy(p, d->in, n);
	d->in = NULL; /* what does not fit is lost, as with a socket */
	return (int)n;
}

static long bio_ctrl(BIO *b, int cmd, long num, void *ptr)
{
	struct dtls *d = BIO_get_data(b);

	(void)num;
	(void)ptr;
	switch (cmd) {
	case BIO_CTRL_FLUSH:
	case BIO_CTRL_DUP: return 1;
	case BIO_CTRL_PENDING: return d->in ? (long)d->in_len : 0;
	case BIO_CTRL_DGRAM_QUERY_MTU:
	case BIO_CTRL_DGRAM_GET_FALLBACK_MTU: return TRANSPORT_MTU;
	case DGRAM_OVERHEAD_CTRL: return IP_UDP_OVERHEAD;
	}
	return 0;
}

static int bio_create(BIO *b)
{
	BIO_set_init(b, 1);
	return 1;
}

static BIO_METHOD *method;

__attribute__((constructor)) static void make_method(void)
{
	method = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "mcu datagrams");
	if (!method)
		abort();
	BIO_meth_set_write(method, bio_write);
	BIO_meth_set_read(method, bio_read);
	BIO_meth_set_ctrl(method, bio_ctrl);
	BIO_meth_set_create(method, bio_create);
}

/* A self-signed certificate is what WebRTC wants; the fingerprint decides. */
static int accept_any(int ok, X509_STORE_CTX *store)
{
	(void)ok;
	(void)store;
	return 1;
}

int dtls_context_new(SSL_CTX **out, EVP_PKEY *key, X509 *cert)
{
	SSL_CTX *c = SSL_CTX_new(DTLS_method());

	if (!c)
		return -ENOMEM;
	SSL_CTX_set_options(c, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
				       SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_verify(c, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, accept_any);
	SSL_CTX_set_read_ahead(c, 1);
	if (!SSL_CTX_set_min_proto_version(c, DTLS1_2_VERSION) ||
	    !SSL_CTX_set_cipher_list(c, "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES128") ||
	    !SSL_CTX_set1_groups_list(c, "X25519:P-256:P-384") ||
	    SSL_CTX_use_certificate(c, cert) != 1 || SSL_CTX_use_PrivateKey(c, key) != 1) {
		SSL_CTX_free(c);
		return -EIO;
	}
	*out = c;
	return 0;
}

/* RFC 6347 section 4.2.4.1 starts at 1 s, made for the whole Internet and a lost
 * flight costs a join just that; a media path answers sooner. Microseconds. */
static unsigned retry_us(SSL *ssl, unsigned last)
{
	enum { FIRST = 250000, MOST = 4000000 };

	(void)ssl;
	return last == 0 ? FIRST : last < MOST / 2 ? last * 2 : MOST;
}

static const char *profile_list(unsigned profiles)
{
	if (profiles == DTLS_PROFILE_GCM)
		return "SRTP_AEAD_AES_128_GCM";
	if (profiles == DTLS_PROFILE_CM)
		return "SRTP_AES128_CM_SHA1_80";
	return "SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80";
}

static int setup_ssl(struct dtls *d, const struct dtls_identity *id, unsigned profiles)
{
	BIO *bio;

	d->ssl = SSL_new(id->ctx);
	bio = BIO_new(method);
	if (!d->ssl || !bio) {
		BIO_free(bio);
		return -ENOMEM;
	}
	BIO_set_data(bio, d);
	SSL_set_bio(d->ssl, bio, bio);
	if (SSL_set_tlsext_use_srtp(d->ssl, profile_list(profiles))) /* 0 is success */
		return -EIO;
	DTLS_set_timer_cb(d->ssl, retry_us);
	DTLS_set_link_mtu(d->ssl, TRANSPORT_MTU + IP_UDP_OVERHEAD);
	if (d->setup == TRANSPORT_ACTIVE)
		SSL_set_connect_state(d->ssl);
	else
		SSL_set_accept_state(d->ssl);
	return 0;
}

int dtls_new(struct dtls **out, const struct dtls_identity *id, enum transport_setup setup,
	     const char *peer_fingerprint, unsigned profiles, dtls_output_fn *output, void *obj)
{
	int err = dtls_fingerprint_check(peer_fingerprint);
	struct dtls *d;

	if (err)
		return err;
	if (setup != TRANSPORT_ACTIVE && setup != TRANSPORT_PASSIVE)
		return -EINVAL;
	d = calloc(1, sizeof *d);
	if (!d)
		return -ENOMEM;
	d->setup = setup;
	d->state = DTLS_HANDSHAKE;
	d->output = output;
	d->obj = obj;
	strncpy(d->fingerprint, peer_fingerprint, sizeof d->fingerprint - 1);
	err = setup_ssl(d, id, profiles);
	if (err)
		dtls_free(&d);
	else
		*out = d;
	return err;
}

void dtls_free(struct dtls **d)
{
	if (!*d)
		return;
	SSL_free((*d)->ssl);
	ERR_clear_error();
	OPENSSL_cleanse(*d, sizeof **d);
	free(*d);
	*d = NULL;
}

static enum dtls_state close_with(struct dtls *d, const char *reason)
{
	d->state = DTLS_CLOSED;
	d->reason = reason;
	return d->state;
}

/* Two buffers of 17 KB that nearly all connections never use again; reading makes
 * them anew, writing does not. */
static void release_buffers(struct dtls *d)
{
	if (!d->data && d->state == DTLS_CONNECTED)
		SSL_free_buffers(d->ssl);
}

void dtls_goodbye(struct dtls *d)
{
	if (d->state == DTLS_CONNECTED && SSL_alloc_buffers(d->ssl))
		SSL_shutdown(d->ssl);
	ERR_clear_error();
	close_with(d, TRANSPORT_CLOSED_PEER);
}

static bool peer_matches(const struct dtls *d)
{
	X509 *cert = SSL_get1_peer_certificate(d->ssl);
	char have[MAX_FINGERPRINT];
	const EVP_MD *md;
	const char *hex;
	bool ok;

	ok = cert && !dtls_fingerprint_parse(d->fingerprint, &md, &hex) &&
	     !dtls_fingerprint_of(cert, md, have, sizeof have) && !strcasecmp(have, hex);
	X509_free(cert);
	return ok;
}

static void split_keys(struct dtls *d, enum srtp_profile profile, const uint8_t *m)
{
	size_t salt = srtp_profile_salt_bytes(profile);
	struct srtp_keys *client = d->setup == TRANSPORT_ACTIVE ? &d->local : &d->remote;
	struct srtp_keys *server = d->setup == TRANSPORT_ACTIVE ? &d->remote : &d->local;

	client->profile = server->profile = profile;
	memcpy(client->key, m, SRTP_KEY_BYTES);
	memcpy(server->key, m + SRTP_KEY_BYTES, SRTP_KEY_BYTES);
	memcpy(client->salt, m + 2 * SRTP_KEY_BYTES, salt);
	memcpy(server->salt, m + 2 * SRTP_KEY_BYTES + salt, salt);
}

/* RFC 5764 section 4.2. */
static bool export_keys(struct dtls *d)
{
	static const char label[] = "EXTRACTOR-dtls_srtp";
	SRTP_PROTECTION_PROFILE *p = SSL_get_selected_srtp_profile(d->ssl);
	uint8_t m[2 * (SRTP_KEY_BYTES + SRTP_SALT_BYTES)];
	enum srtp_profile profile;
	size_t n;

	if (!p || !srtp_profile_name((enum srtp_profile)p->id))
		return false;
	profile = (enum srtp_profile)p->id;
	n = 2 * (SRTP_KEY_BYTES + srtp_profile_salt_bytes(profile));
	if (SSL_export_keying_material(d->ssl, m, n, label, sizeof label - 1, NULL, 0, 0) != 1)
		return false;
	split_keys(d, profile, m);
	OPENSSL_cleanse(m, sizeof m);
	return true;
}

static void alert(struct dtls *d)
{
	SSL_shutdown(d->ssl);
	metric_add(&m_failed, 1);
}

static enum dtls_state finish_handshake(struct dtls *d)
{
	if (!peer_matches(d)) {
		alert(d);
		return close_with(d, TRANSPORT_CLOSED_FINGERPRINT);
	}
	if (!export_keys(d)) {
		alert(d);
		return close_with(d, TRANSPORT_CLOSED_PROFILE);
	}
	metric_add(&m_handshakes, 1);
	return d->state = DTLS_CONNECTED;
}

/* Wants more input, or is done, or has failed. Junk records are ignored by
 * OpenSSL itself, as DTLS demands (RFC 6347 section 4.1.2.7). */
static enum dtls_state step_handshake(struct dtls *d)
{
	int r = SSL_do_handshake(d->ssl), e;

	if (r == 1)
		return finish_handshake(d);
	e = SSL_get_error(d->ssl, r);
	ERR_clear_error();
	if (e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE)
		return d->state;
	metric_add(&m_failed, 1);
	return close_with(d, TRANSPORT_CLOSED_DTLS);
}

/* Reading also serves alerts and the peer's retransmitted last flight. A datagram
 * may hold several records. */
static enum dtls_state step_connected(struct dtls *d)
{
	uint8_t record[RECORD_BYTES];
	int r, e;

	while ((r = SSL_read(d->ssl, record, sizeof record)) > 0) {
		if (d->data)
			d->data(d->obj, record, (size_t)r);
		if (d->state != DTLS_CONNECTED) /* said goodbye in there */
			return d->state;
	}
	e = SSL_get_error(d->ssl, r);
	ERR_clear_error();
	if (e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE)
		return d->state;
	return close_with(d, e == SSL_ERROR_ZERO_RETURN ? TRANSPORT_CLOSED_PEER
							: TRANSPORT_CLOSED_DTLS);
}

void dtls_on_data(struct dtls *d, dtls_data_fn *fn)
{
	d->data = fn;
}

int dtls_send(struct dtls *d, const uint8_t *p, size_t len)
{
	int r;

	if (d->state != DTLS_CONNECTED)
		return -ENOTCONN;
	if (!SSL_alloc_buffers(d->ssl))
		return -ENOMEM;
	r = SSL_write(d->ssl, p, (int)len);
	ERR_clear_error();
	return r == (int)len ? 0 : -EIO;
}

enum dtls_state dtls_start(struct dtls *d)
{
	if (d->state == DTLS_HANDSHAKE)
		step_handshake(d);
	return d->state;
}

enum dtls_state dtls_input(struct dtls *d, const uint8_t *p, size_t len)
{
	ERR_clear_error();
	d->in = p;
	d->in_len = len;
	if (d->state == DTLS_HANDSHAKE)
		step_handshake(d);
	/* The last flight and an alert may share a datagram. */
	if (d->state == DTLS_CONNECTED)
		step_connected(d);
	release_buffers(d);
	d->in = NULL;
	return d->state;
}

int64_t dtls_timeout_in_ns(struct dtls *d)
{
	struct timeval tv;

	if (d->state != DTLS_HANDSHAKE || !DTLSv1_get_timeout(d->ssl, &tv))
		return -1;
	return (int64_t)tv.tv_sec * NS_PER_S + (int64_t)tv.tv_usec * 1000;
}

/* OpenSSL gives up after 12 tries. */
enum dtls_state dtls_timeout(struct dtls *d)
{
	if (d->state == DTLS_HANDSHAKE && DTLSv1_handle_timeout(d->ssl) < 0) {
		metric_add(&m_failed, 1);
		close_with(d, TRANSPORT_CLOSED_DTLS);
	}
	ERR_clear_error();
	return d->state;
}

const char *dtls_closed_reason(const struct dtls *d)
{
	return d->reason;
}

void dtls_keys(const struct dtls *d, struct srtp_keys *local, struct srtp_keys *remote)
{
	*local = d->local;
	*remote = d->remote;
}
