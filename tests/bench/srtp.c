#define OPENSSL_SUPPRESS_DEPRECATED /* SHA1_*: copying a midstate is the cheapest HMAC */
#include "tests/bench/srtp.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include "tests/bench/floor.h"

enum { GCM_TAG = 16, CM_TAG = 10, RTCP_HDR = 8, RTCP_INDEX = 4 };

struct srtp {
	enum srtp_profile profile;
	EVP_CIPHER_CTX *aes;
	SHA_CTX inner, outer; /* HMAC-SHA1 after the key blocks */
	uint8_t salt[16];
};

static void put32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void hmac_key(struct srtp *s, const uint8_t key[20])
{
	uint8_t pad[64];

	for (int i = 0; i < 64; i++)
		pad[i] = (uint8_t)((i < 20 ? key[i] : 0) ^ 0x36);
	SHA1_Init(&s->inner);
	SHA1_Update(&s->inner, pad, 64);
	for (int i = 0; i < 64; i++)
		pad[i] ^= 0x36 ^ 0x5c;
	SHA1_Init(&s->outer);
	SHA1_Update(&s->outer, pad, 64);
}

/* HMAC over a and then the 4 octets of b. */
static void hmac(const struct srtp *s, const uint8_t *a, size_t n, const uint8_t b[4],
		 uint8_t tag[20])
{
	SHA_CTX h = s->inner;

	SHA1_Update(&h, a, n);
	SHA1_Update(&h, b, 4);
	SHA1_Final(tag, &h);
	h = s->outer;
	SHA1_Update(&h, tag, 20);
	SHA1_Final(tag, &h);
}

struct srtp *srtp_new(enum srtp_profile profile, const struct srtp_keys *k, int open)
{
	struct srtp *s = calloc(1, sizeof *s);
	const EVP_CIPHER *c = profile == SRTP_GCM ? EVP_aes_128_gcm() : EVP_aes_128_ctr();

	if (!s || !(s->aes = EVP_CIPHER_CTX_new()))
		die("out of memory");
	s->profile = profile;
	memcpy(s->salt, k->salt, profile == SRTP_GCM ? 12 : 14);
	hmac_key(s, k->auth);
	if (!EVP_CipherInit_ex(s->aes, c, NULL, k->key, NULL, !(open && profile == SRTP_GCM)))
		die("OpenSSL lacks the cipher");
	return s;
}

void srtp_free(struct srtp *s)
{
	EVP_CIPHER_CTX_free(s->aes);
	free(s);
}

/* RFC 7714 sections 8.1 and 9.1; RFC 3711 section 4.1.1. */
static void set_iv(struct srtp *s, uint32_t ssrc, uint64_t index)
{
	uint8_t iv[16], x[16] = { 0 };
	int at = s->profile == SRTP_GCM ? 2 : 4; /* of the SSRC; the index follows */

	put32(x + at, ssrc);
	x[at + 4] = (uint8_t)(index >> 40);
	x[at + 5] = (uint8_t)(index >> 32);
	put32(x + at + 6, (uint32_t)index);
	for (int i = 0; i < 16; i++)
		iv[i] = s->salt[i] ^ x[i];
	if (!EVP_CipherInit_ex(s->aes, NULL, NULL, NULL, iv, -1))
		die("cipher: IV");
}

static void crypt(struct srtp *s, uint8_t *out, const uint8_t *in, size_t n)
{
	int len;

	if (!EVP_CipherUpdate(s->aes, out, &len, in, (int)n))
		die("cipher");
}

static void gcm_tag(struct srtp *s, uint8_t *tag)
{
	int len;

	if (!EVP_CipherFinal_ex(s->aes, tag, &len) ||
	    !EVP_CIPHER_CTX_ctrl(s->aes, EVP_CTRL_AEAD_GET_TAG, GCM_TAG, tag))
		die("cipher: tag");
}

size_t srtp_protect(struct srtp *s, uint8_t *pkt, size_t hdr, const uint8_t *payload, size_t n,
		    uint64_t index)
{
	uint8_t tag[20], roc[4];

	set_iv(s, get32(pkt + 8), index);
	if (s->profile == SRTP_GCM) {
		crypt(s, NULL, pkt, hdr);
		crypt(s, pkt + hdr, payload, n);
		gcm_tag(s, pkt + hdr + n);
		return hdr + n + GCM_TAG;
	}
	crypt(s, pkt + hdr, payload, n);
	put32(roc, (uint32_t)(index >> 16));
	hmac(s, pkt, hdr + n, roc, tag);
	memcpy(pkt + hdr + n, tag, CM_TAG);
	return hdr + n + CM_TAG;
}

size_t srtcp_protect(struct srtp *s, uint8_t *pkt, size_t n, uint32_t index)
{
	uint8_t tag[20], e[RTCP_INDEX];

	put32(e, index | 0x80000000U);
	set_iv(s, get32(pkt + 4), index);
	if (s->profile == SRTP_GCM) {
		crypt(s, NULL, pkt, RTCP_HDR);
		crypt(s, NULL, e, RTCP_INDEX);
		crypt(s, pkt + RTCP_HDR, pkt + RTCP_HDR, n - RTCP_HDR);
		gcm_tag(s, pkt + n);
		memcpy(pkt + n + GCM_TAG, e, RTCP_INDEX);
		return n + GCM_TAG + RTCP_INDEX;
	}
	crypt(s, pkt + RTCP_HDR, pkt + RTCP_HDR, n - RTCP_HDR);
	hmac(s, pkt, n, e, tag);
	memcpy(pkt + n, e, RTCP_INDEX);
	memcpy(pkt + n + RTCP_INDEX, tag, CM_TAG);
	return n + RTCP_INDEX + CM_TAG;
}

size_t srtcp_open(struct srtp *s, uint8_t *pkt, size_t n)
{
	size_t over = RTCP_INDEX + (s->profile == SRTP_GCM ? GCM_TAG : CM_TAG);
	uint8_t tag[20], *e;
	int len;

	if (n < RTCP_HDR + over)
		return 0;
	n -= over;
	e = pkt + n + (s->profile == SRTP_GCM ? GCM_TAG : 0);
	if (s->profile == SRTP_CM) {
		hmac(s, pkt, n, e, tag);
		if (CRYPTO_memcmp(tag, e + RTCP_INDEX, CM_TAG))
			return 0;
	}
	set_iv(s, get32(pkt + 4), get32(e) & 0x7fffffffU);
	if (s->profile == SRTP_GCM) {
		crypt(s, NULL, pkt, RTCP_HDR);
		crypt(s, NULL, e, RTCP_INDEX);
	}
	crypt(s, pkt + RTCP_HDR, pkt + RTCP_HDR, n - RTCP_HDR);
	if (s->profile == SRTP_GCM &&
	    (!EVP_CIPHER_CTX_ctrl(s->aes, EVP_CTRL_AEAD_SET_TAG, GCM_TAG, pkt + n) ||
	     EVP_CipherFinal_ex(s->aes, tag, &len) <= 0))
		return 0;
	return n;
}
