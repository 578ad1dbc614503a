/* SRTP on OpenSSL's EVP: one keyed context per direction and kind of packet. */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tests/load/sec.h"
#include "tests/load/util.h"

enum { GCM_TAG = 16, CM_TAG = 10, RTCP_HDR = 8, RTCP_INDEX = 4, AUTH_KEY = 20, MAX_SSRCS = 16 };
enum { LABEL_RTP = 0, LABEL_RTCP = 3 }; /* key; +1: authentication, +2: salt */

/* Session keys of one direction for RTP or for RTCP. */
struct keys {
	EVP_CIPHER_CTX *aes;
	uint8_t salt[16], auth[AUTH_KEY];
};

struct stream {
	uint32_t ssrc, roc;
	uint16_t highest;
};

struct direction {
	struct keys rtp, rtcp;
	struct stream stream[MAX_SSRCS];
	int streams;
	uint32_t rtcp_index;
};

struct evp {
	struct sec sec;
	enum sec_profile profile;
	struct direction tx, rx;
};

static struct evp *evp_of(struct sec *s)
{
	return (struct evp *)s;
}

/* RFC 3711 section 4.3.1 with key derivation rate 0: AES-CM of zeros. */
static void derive(const struct sec_master *m, size_t salt_len, uint8_t label, uint8_t *out,
		   size_t n)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	uint8_t iv[16] = { 0 };
	int len;

	memcpy(iv, m->salt, salt_len);
	iv[7] ^= label;
	memset(out, 0, n);
	if (!c || !EVP_EncryptInit_ex(c, EVP_aes_128_ctr(), NULL, m->key, iv) ||
	    !EVP_EncryptUpdate(c, out, &len, out, (int)n))
		bot_die("OpenSSL: key derivation");
	EVP_CIPHER_CTX_free(c);
}

static void keys_init(struct keys *k, enum sec_profile profile, const struct sec_master *m,
		      uint8_t label, bool encrypt)
{
	size_t salt = profile == SEC_GCM ? SEC_GCM_SALT : SEC_CM_SALT;
	const EVP_CIPHER *c = profile == SEC_GCM ? EVP_aes_128_gcm() : EVP_aes_128_ctr();
	uint8_t key[SEC_KEY];

	derive(m, salt, label, key, sizeof key);
	derive(m, salt, (uint8_t)(label + 1), k->auth, sizeof k->auth);
	derive(m, salt, (uint8_t)(label + 2), k->salt, salt);
	k->aes = EVP_CIPHER_CTX_new();
	if (!k->aes || !EVP_CipherInit_ex(k->aes, c, NULL, key, NULL, encrypt))
		bot_die("OpenSSL lacks the cipher");
}

/* RFC 7714 sections 8.1 and 9.1; RFC 3711 section 4.1.1. */
static void set_iv(struct keys *k, enum sec_profile profile, uint32_t ssrc, uint64_t index)
{
	uint8_t iv[16], x[16] = { 0 };
	int at = profile == SEC_GCM ? 2 : 4;

	put32(x + at, ssrc);
	put16(x + at + 4, (uint32_t)(index >> 32));
	put32(x + at + 6, (uint32_t)index);
	for (int i = 0; i < 16; i++)
		iv[i] = k->salt[i] ^ x[i];
	if (!EVP_CipherInit_ex(k->aes, NULL, NULL, NULL, iv, -1))
		bot_die("OpenSSL: IV");
}

static void crypt_octets(struct keys *k, uint8_t *out, const uint8_t *in, size_t n)
{
	int len;

	if (n && !EVP_CipherUpdate(k->aes, out, &len, in, (int)n))
		bot_die("OpenSSL: cipher");
}

static void take_tag(struct keys *k, uint8_t *tag)
{
	int len;

	if (!EVP_CipherFinal_ex(k->aes, tag, &len) ||
	    !EVP_CIPHER_CTX_ctrl(k->aes, EVP_CTRL_AEAD_GET_TAG, GCM_TAG, tag))
		bot_die("OpenSSL: tag");
}

static bool tag_fits(struct keys *k, uint8_t *tag)
{
	uint8_t none[16];
	int len;

	return EVP_CIPHER_CTX_ctrl(k->aes, EVP_CTRL_AEAD_SET_TAG, GCM_TAG, tag) &&
	       EVP_CipherFinal_ex(k->aes, none, &len) > 0;
}

/* HMAC-SHA1 over p and the four octets of `more`. */
static void authenticate(const struct keys *k, const uint8_t *p, size_t n, const uint8_t more[4],
			 uint8_t tag[20])
{
	static uint8_t copy[65536 + 4];
	unsigned len = 20;

	memcpy(copy, p, n);
	memcpy(copy + n, more, 4);
	HMAC(EVP_sha1(), k->auth, AUTH_KEY, copy, n + 4, tag, &len);
}

/* Octets of the RTP header with its CSRCs and extension; 0: not inside len. */
static size_t header_of(const uint8_t *p, size_t len)
{
	size_t n = 12 + 4 * (size_t)(p[0] & 15);

	if (len < n)
		return 0;
	if (!(p[0] & 0x10))
		return n;
	if (len < n + 4)
		return 0;
	n += 4 + 4 * (size_t)get16(p + n + 2);
	return len < n ? 0 : n;
}

static struct stream *stream_of(struct direction *d, uint32_t ssrc, uint16_t seq)
{
	int i;

	for (i = 0; i < d->streams; i++)
		if (d->stream[i].ssrc == ssrc)
			return &d->stream[i];
	i = d->streams < MAX_SSRCS ? d->streams++ : MAX_SSRCS - 1;
	d->stream[i] = (struct stream){ .ssrc = ssrc, .highest = seq };
	return &d->stream[i];
}

/* RFC 3711 section 3.3.1. */
static uint32_t roc_of(const struct stream *s, uint16_t seq)
{
	if (s->highest < 0x8000)
		return seq - s->highest > 0x8000 ? s->roc - 1 : s->roc;
	return s->highest - 0x8000 > seq ? s->roc + 1 : s->roc;
}

static void stream_note(struct stream *s, uint32_t roc, uint16_t seq)
{
	if (roc == s->roc ? seq > s->highest : roc == s->roc + 1) {
		s->roc = roc;
		s->highest = seq;
	}
}

static size_t evp_protect_rtp(struct sec *base, uint8_t *p, size_t len)
{
	struct evp *e = evp_of(base);
	struct keys *k = &e->tx.rtp;
	uint8_t tag[20], more[4];
	struct stream *s;
	uint32_t roc;
	size_t hdr;

	if (len < 12)
		return 0;
	hdr = header_of(p, len);
	hdr = hdr ? hdr : 12;
	s = stream_of(&e->tx, get32(p + 8), get16(p + 2));
	roc = roc_of(s, get16(p + 2));
	stream_note(s, roc, get16(p + 2));
	set_iv(k, e->profile, s->ssrc, (uint64_t)roc << 16 | get16(p + 2));
	if (e->profile == SEC_GCM) {
		crypt_octets(k, NULL, p, hdr);
		crypt_octets(k, p + hdr, p + hdr, len - hdr);
		take_tag(k, p + len);
		return len + GCM_TAG;
	}
	crypt_octets(k, p + hdr, p + hdr, len - hdr);
	put32(more, roc);
	authenticate(k, p, len, more, tag);
	memcpy(p + len, tag, CM_TAG);
	return len + CM_TAG;
}

static size_t evp_open_rtp(struct sec *base, uint8_t *p, size_t len)
{
	struct evp *e = evp_of(base);
	struct keys *k = &e->rx.rtp;
	size_t tag_len = e->profile == SEC_GCM ? GCM_TAG : CM_TAG, hdr;
	uint8_t tag[20], more[4];
	struct stream *s;
	uint32_t roc;

	if (len < 12 + tag_len || !(hdr = header_of(p, len - tag_len)))
		return 0;
	len -= tag_len;
	s = stream_of(&e->rx, get32(p + 8), get16(p + 2));
	roc = roc_of(s, get16(p + 2));
	if (e->profile == SEC_CM) {
		put32(more, roc);
		memcpy(tag, p + len, CM_TAG);
		authenticate(k, p, len, more, tag);
		if (CRYPTO_memcmp(tag, p + len, CM_TAG))
			return 0;
	}
	set_iv(k, e->profile, s->ssrc, (uint64_t)roc << 16 | get16(p + 2));
	if (e->profile == SEC_GCM)
		crypt_octets(k, NULL, p, hdr);
	crypt_octets(k, p + hdr, p + hdr, len - hdr);
	if (e->profile == SEC_GCM && !tag_fits(k, p + len))
		return 0;
	stream_note(s, roc, get16(p + 2));
	return len;
}

static size_t evp_protect_rtcp(struct sec *base, uint8_t *p, size_t len)
{
	struct evp *e = evp_of(base);
	struct keys *k = &e->tx.rtcp;
	uint32_t index = ++e->tx.rtcp_index;
	uint8_t tag[20], trailer[RTCP_INDEX];

	if (len < RTCP_HDR)
		return 0;
	put32(trailer, index | 0x80000000U);
	set_iv(k, e->profile, get32(p + 4), index);
	if (e->profile == SEC_GCM) {
		crypt_octets(k, NULL, p, RTCP_HDR);
		crypt_octets(k, NULL, trailer, RTCP_INDEX);
		crypt_octets(k, p + RTCP_HDR, p + RTCP_HDR, len - RTCP_HDR);
		take_tag(k, p + len);
		memcpy(p + len + GCM_TAG, trailer, RTCP_INDEX);
		return len + GCM_TAG + RTCP_INDEX;
	}
	crypt_octets(k, p + RTCP_HDR, p + RTCP_HDR, len - RTCP_HDR);
	authenticate(k, p, len, trailer, tag);
	memcpy(p + len, trailer, RTCP_INDEX);
	memcpy(p + len + RTCP_INDEX, tag, CM_TAG);
	return len + RTCP_INDEX + CM_TAG;
}

static size_t evp_open_rtcp(struct sec *base, uint8_t *p, size_t len)
{
	struct evp *e = evp_of(base);
	struct keys *k = &e->rx.rtcp;
	size_t over = RTCP_INDEX + (e->profile == SEC_GCM ? GCM_TAG : CM_TAG);
	uint8_t tag[20], *trailer;

	if (len < RTCP_HDR + over)
		return 0;
	len -= over;
	trailer = p + len + (e->profile == SEC_GCM ? GCM_TAG : 0);
	if (e->profile == SEC_CM) {
		authenticate(k, p, len, trailer, tag);
		if (CRYPTO_memcmp(tag, trailer + RTCP_INDEX, CM_TAG))
			return 0;
	}
	set_iv(k, e->profile, get32(p + 4), get32(trailer) & 0x7fffffffU);
	if (e->profile == SEC_GCM) {
		crypt_octets(k, NULL, p, RTCP_HDR);
		crypt_octets(k, NULL, trailer, RTCP_INDEX);
	}
	crypt_octets(k, p + RTCP_HDR, p + RTCP_HDR, len - RTCP_HDR);
	return e->profile == SEC_GCM && !tag_fits(k, p + len) ? 0 : len;
}

static void evp_free(struct sec *base)
{
	struct evp *e = evp_of(base);

	EVP_CIPHER_CTX_free(e->tx.rtp.aes);
	EVP_CIPHER_CTX_free(e->tx.rtcp.aes);
	EVP_CIPHER_CTX_free(e->rx.rtp.aes);
	EVP_CIPHER_CTX_free(e->rx.rtcp.aes);
	free(e);
}

static const struct sec_ops OPS = {
	.protect_rtp = evp_protect_rtp,
	.protect_rtcp = evp_protect_rtcp,
	.open_rtp = evp_open_rtp,
	.open_rtcp = evp_open_rtcp,
	.free = evp_free,
};

struct sec *sec_evp_new(enum sec_profile profile, const struct sec_master *tx,
			const struct sec_master *rx)
{
	bool decrypt = profile == SEC_CM; /* counter mode is its own inverse */
	struct evp *e = bot_alloc(sizeof *e);

	e->sec.ops = &OPS;
	e->profile = profile;
	keys_init(&e->tx.rtp, profile, tx, LABEL_RTP, true);
	keys_init(&e->tx.rtcp, profile, tx, LABEL_RTCP, true);
	keys_init(&e->rx.rtp, profile, rx, LABEL_RTP, decrypt);
	keys_init(&e->rx.rtcp, profile, rx, LABEL_RTCP, decrypt);
	return &e->sec;
}
