/* SHA1_Init and its like are deprecated in OpenSSL 3, but a copied midstate is
 * by far the cheapest HMAC: EVP_MAC_dup allocates and costs as much as the hash. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "mcu/net/srtp_cipher.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

enum { SHA1_BLOCK = 64, SHA1_BYTES = 20 };

struct srtp_cipher {
	EVP_CIPHER_CTX *aes;
	bool gcm;
	uint8_t tag; /* octets */
	uint8_t salt[16];
	SHA_CTX inner, outer; /* HMAC-SHA1 after the key blocks */
};

static void hmac_key(struct srtp_cipher *c, const uint8_t key[SRTP_AUTH_BYTES])
{
	uint8_t pad[SHA1_BLOCK];

	for (int i = 0; i < SHA1_BLOCK; i++)
		pad[i] = (uint8_t)((i < SRTP_AUTH_BYTES ? key[i] : 0) ^ 0x36);
	SHA1_Init(&c->inner);
	SHA1_Update(&c->inner, pad, sizeof pad);
	for (int i = 0; i < SHA1_BLOCK; i++)
		pad[i] ^= 0x36 ^ 0x5c;
	SHA1_Init(&c->outer);
	SHA1_Update(&c->outer, pad, sizeof pad);
	OPENSSL_cleanse(pad, sizeof pad);
}

/* Over n octets of p and then the 4 of b. */
static void hmac(const struct srtp_cipher *c, const uint8_t *p, size_t n, const uint8_t b[4],
		 uint8_t tag[SHA1_BYTES])
{
	SHA_CTX h = c->inner;

	SHA1_Update(&h, p, n);
	SHA1_Update(&h, b, 4);
	SHA1_Final(tag, &h);
	h = c->outer;
	SHA1_Update(&h, tag, SHA1_BYTES);
	SHA1_Final(tag, &h);
}

int srtp_cipher_new(struct srtp_cipher **out, const struct srtp_keys *master, enum srtp_use use,
		    bool open)
{
	struct srtp_session_keys k;
	struct srtp_cipher *c;
	const EVP_CIPHER *kind;
	int err;

	if (!srtp_profile_name(master->profile))
		return -EINVAL;
	c = calloc(1, sizeof *c);
	if (!c)
		return -ENOMEM;
	err = srtp_derive(&k, master, use);
	if (err)
		goto out;
	c->gcm = master->profile == SRTP_PROFILE_GCM;
	c->tag = c->gcm ? SRTP_GCM_TAG : SRTP_CM_TAG;
	if (master->profile == SRTP_PROFILE_CM32 && use == SRTP_USE_RTP)
		c->tag = SRTP_CM32_TAG;
	kind = c->gcm ? EVP_aes_128_gcm() : EVP_aes_128_ctr();
	memcpy(c->salt, k.salt, sizeof k.salt);
	hmac_key(c, k.auth);
	c->aes = EVP_CIPHER_CTX_new();
	if (!c->aes)
		err = -ENOMEM;
	else if (!EVP_CipherInit_ex(c->aes, kind, NULL, k.key, NULL, !(open && c->gcm)))
		err = -EIO;
out:
	OPENSSL_cleanse(&k, sizeof k);
	if (err)
		srtp_cipher_free(&c);
	else
		*out = c;
	return err;
}

void srtp_cipher_free(struct srtp_cipher **c)
{
	if (!*c)
		return;
	EVP_CIPHER_CTX_free((*c)->aes);
	OPENSSL_cleanse(*c, sizeof **c);
	free(*c);
	*c = NULL;
}

size_t srtp_cipher_tag_bytes(const struct srtp_cipher *c)
{
	return c->tag;
}

/* RFC 7714 sections 8.1 and 9.1: 12 octets; RFC 3711 section 4.1.1: 16. */
static bool set_iv(struct srtp_cipher *c, uint32_t ssrc, uint64_t index)
{
	uint8_t iv[16], x[16] = { 0 };
	int at = c->gcm ? 2 : 4; /* of the SSRC; the index follows */

	srtp_put32(x + at, ssrc);
	x[at + 4] = (uint8_t)(index >> 40);
	x[at + 5] = (uint8_t)(index >> 32);
	srtp_put32(x + at + 6, (uint32_t)index);
	for (int i = 0; i < 16; i++)
		iv[i] = c->salt[i] ^ x[i];
	return EVP_CipherInit_ex(c->aes, NULL, NULL, NULL, iv, -1) == 1;
}

/* out NULL: additional authenticated data. */
static bool run(struct srtp_cipher *c, uint8_t *out, const uint8_t *in, size_t n)
{
	int len;

	return n == 0 || EVP_CipherUpdate(c->aes, out, &len, in, (int)n) == 1;
}

static bool gcm_tag(struct srtp_cipher *c, uint8_t *tag)
{
	int len;

	return EVP_CipherFinal_ex(c->aes, tag, &len) == 1 &&
	       EVP_CIPHER_CTX_ctrl(c->aes, EVP_CTRL_AEAD_GET_TAG, SRTP_GCM_TAG, tag) == 1;
}

int srtp_cipher_protect_rtp(struct srtp_cipher *c, uint8_t *out, const uint8_t *hdr, size_t hdr_len,
			    const uint8_t *payload, size_t n, uint32_t ssrc, uint64_t index)
{
	uint8_t tag[SHA1_BYTES], roc[4];
	uint8_t *body = out + hdr_len, *end = body + n;

	memcpy(out, hdr, hdr_len);
	if (!set_iv(c, ssrc, index))
		return -EIO;
	if (c->gcm) {
		if (!run(c, NULL, hdr, hdr_len) || !run(c, body, payload, n) || !gcm_tag(c, end))
			return -EIO;
		return (int)(hdr_len + n + SRTP_GCM_TAG);
	}
	if (!run(c, body, payload, n))
		return -EIO;
	srtp_put32(roc, (uint32_t)(index >> 16));
	hmac(c, out, hdr_len + n, roc, tag);
	memcpy(end, tag, c->tag);
	return (int)(hdr_len + n + c->tag);
}

int srtp_cipher_protect_rtcp(struct srtp_cipher *c, uint8_t *out, const uint8_t *p, size_t n,
			     uint32_t ssrc, uint32_t index)
{
	uint8_t tag[SHA1_BYTES], word[SRTP_RTCP_INDEX];
	const uint8_t *body = p + SRTP_RTCP_HDR;
	uint8_t *end = out + n;

	srtp_put32(word, index | SRTP_RTCP_E_BIT);
	memcpy(out, p, SRTP_RTCP_HDR);
	if (!set_iv(c, ssrc, index))
		return -EIO;
	if (c->gcm) {
		if (!run(c, NULL, p, SRTP_RTCP_HDR) || !run(c, NULL, word, sizeof word) ||
		    !run(c, out + SRTP_RTCP_HDR, body, n - SRTP_RTCP_HDR) || !gcm_tag(c, end))
			return -EIO;
		memcpy(end + SRTP_GCM_TAG, word, sizeof word);
		return (int)(n + SRTP_GCM_TAG + sizeof word);
	}
	if (!run(c, out + SRTP_RTCP_HDR, body, n - SRTP_RTCP_HDR))
		return -EIO;
	hmac(c, out, n, word, tag);
	memcpy(end, word, sizeof word);
	memcpy(end + sizeof word, tag, SRTP_CM_TAG);
	return (int)(n + sizeof word + SRTP_CM_TAG);
}

/* With GCM the tag comes before the word, with AES-CM behind it. */
uint32_t srtp_cipher_rtcp_word(const struct srtp_cipher *c, const uint8_t *p, size_t n)
{
	return srtp_get32(p + n - SRTP_RTCP_INDEX - (c->gcm ? 0 : SRTP_CM_TAG));
}

/* hdr_len octets in the clear, n of payload, the tag; in place. */
static int open_rtp_gcm(struct srtp_cipher *c, uint8_t *p, size_t hdr_len, size_t n)
{
	uint8_t *body = p + hdr_len, last[16];
	int len;

	if (!run(c, NULL, p, hdr_len) || !run(c, body, body, n) ||
	    EVP_CIPHER_CTX_ctrl(c->aes, EVP_CTRL_AEAD_SET_TAG, SRTP_GCM_TAG, body + n) != 1)
		return -EIO;
	return EVP_CipherFinal_ex(c->aes, last, &len) == 1 ? (int)(hdr_len + n) : -EACCES;
}

int srtp_cipher_open_rtp(struct srtp_cipher *c, uint8_t *p, size_t len, size_t hdr_len,
			 uint32_t ssrc, uint64_t index)
{
	size_t n = len - hdr_len - srtp_cipher_tag_bytes(c);
	uint8_t tag[SHA1_BYTES], roc[4];

	if (!c->gcm) {
		srtp_put32(roc, (uint32_t)(index >> 16));
		hmac(c, p, hdr_len + n, roc, tag);
		if (CRYPTO_memcmp(tag, p + hdr_len + n, c->tag))
			return -EACCES;
	}
	if (!set_iv(c, ssrc, index))
		return -EIO;
	if (c->gcm)
		return open_rtp_gcm(c, p, hdr_len, n);
	return run(c, p + hdr_len, p + hdr_len, n) ? (int)(hdr_len + n) : -EIO;
}

/* RFC 7714 sections 9.2 and 9.3: without the E bit everything is only
 * authenticated. */
static int open_gcm(struct srtp_cipher *c, uint8_t *p, size_t n, bool encrypted)
{
	uint8_t *tag = p + n, *word = tag + SRTP_GCM_TAG, last[16];
	size_t clear = encrypted ? SRTP_RTCP_HDR : n;
	int len;

	if (!run(c, NULL, p, clear) || !run(c, NULL, word, SRTP_RTCP_INDEX) ||
	    !run(c, p + clear, p + clear, n - clear) ||
	    EVP_CIPHER_CTX_ctrl(c->aes, EVP_CTRL_AEAD_SET_TAG, SRTP_GCM_TAG, tag) != 1)
		return -EIO;
	if (EVP_CipherFinal_ex(c->aes, last, &len) != 1)
		return -EACCES;
	return (int)n;
}

int srtp_cipher_open_rtcp(struct srtp_cipher *c, uint8_t *p, size_t n, uint32_t ssrc)
{
	uint32_t word = srtp_cipher_rtcp_word(c, p, n);
	bool encrypted = word & SRTP_RTCP_E_BIT;
	uint8_t tag[SHA1_BYTES];

	n -= SRTP_RTCP_INDEX + srtp_cipher_tag_bytes(c);
	if (!set_iv(c, ssrc, word & ~SRTP_RTCP_E_BIT))
		return -EIO;
	if (c->gcm)
		return open_gcm(c, p, n, encrypted);
	hmac(c, p, n, p + n, tag);
	if (CRYPTO_memcmp(tag, p + n + SRTP_RTCP_INDEX, SRTP_CM_TAG))
		return -EACCES;
	if (encrypted && !run(c, p + SRTP_RTCP_HDR, p + SRTP_RTCP_HDR, n - SRTP_RTCP_HDR))
		return -EIO;
	return (int)n;
}
