/* SHA1_Init and its like are deprecated in OpenSSL 3, but a copied midstate is
 * by far the cheapest HMAC: EVP_MAC_dup allocates and costs as much as the hash. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "mcu/net/srtp_cipher.h"
#include "mcu/base/hot.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <nettle/gcm.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

enum { SHA1_BLOCK = 64, SHA1_BYTES = 20, AES_BLOCK = 16, GCM_IV = 12 };

/* GCM by nettle: for a packet of sound EVP takes five times as long, most of it to
 * look up parameters by name and in contexts that lie all over the memory. */
struct gcm {
	struct gcm_ctx ctx;
	struct aes128_ctx aes;
	struct gcm_key key; /* last: of its four kilobytes few are used where CLMUL is */
};

/* AES-CM by OpenSSL. */
struct cm {
	EVP_CIPHER_CTX *aes;
	SHA_CTX inner, outer; /* HMAC-SHA1 after the key blocks */
};

struct srtp_cipher {
	bool is_gcm;
	uint8_t tag; /* octets */
	uint8_t salt[16];
	union {
		struct cm cm;
		struct gcm gcm; /* there only if is_gcm */
	};
};

static size_t bytes_of(bool gcm)
{
	return gcm ? sizeof(struct srtp_cipher)
		   : offsetof(struct srtp_cipher, cm) + sizeof(struct cm);
}

static void hmac_key(struct cm *c, const uint8_t key[SRTP_AUTH_BYTES])
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
static void hmac(const struct cm *c, const uint8_t *p, size_t n, const uint8_t b[4],
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

static int cm_new(struct cm *c, const struct srtp_session_keys *k)
{
	hmac_key(c, k->auth);
	c->aes = EVP_CIPHER_CTX_new();
	if (!c->aes)
		return -ENOMEM;
	return EVP_CipherInit_ex(c->aes, EVP_aes_128_ctr(), NULL, k->key, NULL, 1) ? 0 : -EIO;
}

static void gcm_new(struct gcm *g, const struct srtp_session_keys *k)
{
	aes128_set_encrypt_key(&g->aes, k->key);
	gcm_set_key(&g->key, &g->aes, (nettle_cipher_func *)aes128_encrypt);
}

int srtp_cipher_new(struct srtp_cipher **out, const struct srtp_keys *master, enum srtp_use use)
{
	bool gcm = master->profile == SRTP_PROFILE_GCM;
	struct srtp_session_keys k;
	struct srtp_cipher *c;
	int err;

	if (!srtp_profile_name(master->profile))
		return -EINVAL;
	c = hot_calloc(bytes_of(gcm));
	if (!c)
		return -ENOMEM;
	c->is_gcm = gcm;
	err = srtp_derive(&k, master, use);
	if (err)
		goto out;
	c->tag = gcm ? SRTP_GCM_TAG : SRTP_CM_TAG;
	if (master->profile == SRTP_PROFILE_CM32 && use == SRTP_USE_RTP)
		c->tag = SRTP_CM32_TAG;
	memcpy(c->salt, k.salt, sizeof k.salt);
	if (gcm)
		gcm_new(&c->gcm, &k);
	else
		err = cm_new(&c->cm, &k);
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
	size_t bytes;

	if (!*c)
		return;
	if (!(*c)->is_gcm)
		EVP_CIPHER_CTX_free((*c)->cm.aes);
	bytes = bytes_of((*c)->is_gcm);
	OPENSSL_cleanse(*c, bytes);
	hot_free(*c, bytes);
	*c = NULL;
}

/* GCM's lines lie behind each other. */
void srtp_cipher_prefetch(const struct srtp_cipher *c)
{
	enum { LINE = 64, USED = offsetof(struct srtp_cipher, gcm.key) + 2 * AES_BLOCK };

	for (size_t at = 0; at < (c->is_gcm ? USED : bytes_of(false)); at += LINE)
		__builtin_prefetch((const char *)c + at);
}

size_t srtp_cipher_tag_bytes(const struct srtp_cipher *c)
{
	return c->tag;
}

/* RFC 7714 sections 8.1 and 9.1: 12 octets; RFC 3711 section 4.1.1: 16. */
static bool set_iv(struct srtp_cipher *c, uint32_t ssrc, uint64_t index)
{
	uint8_t iv[AES_BLOCK], x[AES_BLOCK] = { 0 };
	int at = c->is_gcm ? 2 : 4; /* of the SSRC; the index follows */

	srtp_put32(x + at, ssrc);
	x[at + 4] = (uint8_t)(index >> 40);
	x[at + 5] = (uint8_t)(index >> 32);
	srtp_put32(x + at + 6, (uint32_t)index);
	for (int i = 0; i < AES_BLOCK; i++)
		iv[i] = c->salt[i] ^ x[i];
	if (!c->is_gcm)
		return EVP_CipherInit_ex(c->cm.aes, NULL, NULL, NULL, iv, -1) == 1;
	gcm_set_iv(&c->gcm.ctx, &c->gcm.key, GCM_IV, iv);
	return true;
}

static bool cm_run(struct cm *c, uint8_t *out, const uint8_t *in, size_t n)
{
	int len;

	return n == 0 || EVP_CipherUpdate(c->aes, out, &len, in, (int)n) == 1;
}

/* What is authenticated only, before the rest: n octets and the 4 of word. nettle
 * takes whole blocks in all calls but the last. */
static void gcm_clear(struct gcm *g, const uint8_t *p, size_t n, const uint8_t word[4])
{
	size_t whole = n / AES_BLOCK * AES_BLOCK, rest = n - whole;
	uint8_t last[AES_BLOCK + SRTP_RTCP_INDEX];

	gcm_update(&g->ctx, &g->key, whole, p);
	memcpy(last, p + whole, rest);
	memcpy(last + rest, word, SRTP_RTCP_INDEX);
	gcm_update(&g->ctx, &g->key, rest + SRTP_RTCP_INDEX, last);
}

/* And the tag behind it. */
static void gcm_seal(struct gcm *g, uint8_t *out, const uint8_t *in, size_t n)
{
	gcm_encrypt(&g->ctx, &g->key, &g->aes, (nettle_cipher_func *)aes128_encrypt, n, out, in);
	gcm_digest(&g->ctx, &g->key, &g->aes, (nettle_cipher_func *)aes128_encrypt, SRTP_GCM_TAG,
		   out + n);
}

/* In place; the tag is elsewhere. */
static bool gcm_open(struct gcm *g, uint8_t *p, size_t n, const uint8_t *tag)
{
	uint8_t own[SRTP_GCM_TAG];

	gcm_decrypt(&g->ctx, &g->key, &g->aes, (nettle_cipher_func *)aes128_encrypt, n, p, p);
	gcm_digest(&g->ctx, &g->key, &g->aes, (nettle_cipher_func *)aes128_encrypt, sizeof own,
		   own);
	return !CRYPTO_memcmp(own, tag, sizeof own);
}

int srtp_cipher_protect_rtp(struct srtp_cipher *c, uint8_t *out, const uint8_t *hdr, size_t hdr_len,
			    const uint8_t *payload, size_t n, uint32_t ssrc, uint64_t index)
{
	uint8_t tag[SHA1_BYTES], roc[4];
	uint8_t *body = out + hdr_len, *end = body + n;

	memcpy(out, hdr, hdr_len);
	if (!set_iv(c, ssrc, index))
		return -EIO;
	if (c->is_gcm) {
		gcm_update(&c->gcm.ctx, &c->gcm.key, hdr_len, hdr);
		gcm_seal(&c->gcm, body, payload, n);
		return (int)(hdr_len + n + SRTP_GCM_TAG);
	}
	if (!cm_run(&c->cm, body, payload, n))
		return -EIO;
	srtp_put32(roc, (uint32_t)(index >> 16));
	hmac(&c->cm, out, hdr_len + n, roc, tag);
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
	if (c->is_gcm) {
		gcm_clear(&c->gcm, p, SRTP_RTCP_HDR, word);
		gcm_seal(&c->gcm, out + SRTP_RTCP_HDR, body, n - SRTP_RTCP_HDR);
		memcpy(end + SRTP_GCM_TAG, word, sizeof word);
		return (int)(n + SRTP_GCM_TAG + sizeof word);
	}
	if (!cm_run(&c->cm, out + SRTP_RTCP_HDR, body, n - SRTP_RTCP_HDR))
		return -EIO;
	hmac(&c->cm, out, n, word, tag);
	memcpy(end, word, sizeof word);
	memcpy(end + sizeof word, tag, SRTP_CM_TAG);
	return (int)(n + sizeof word + SRTP_CM_TAG);
}

/* With GCM the tag comes before the word, with AES-CM behind it. */
uint32_t srtp_cipher_rtcp_word(const struct srtp_cipher *c, const uint8_t *p, size_t n)
{
	return srtp_get32(p + n - SRTP_RTCP_INDEX - (c->is_gcm ? 0 : SRTP_CM_TAG));
}

int srtp_cipher_open_rtp(struct srtp_cipher *c, uint8_t *p, size_t len, size_t hdr_len,
			 uint32_t ssrc, uint64_t index)
{
	size_t n = len - hdr_len - srtp_cipher_tag_bytes(c);
	uint8_t tag[SHA1_BYTES], roc[4], *body = p + hdr_len;

	if (!c->is_gcm) {
		srtp_put32(roc, (uint32_t)(index >> 16));
		hmac(&c->cm, p, hdr_len + n, roc, tag);
		if (CRYPTO_memcmp(tag, body + n, c->tag))
			return -EACCES;
	}
	if (!set_iv(c, ssrc, index))
		return -EIO;
	if (!c->is_gcm)
		return cm_run(&c->cm, body, body, n) ? (int)(hdr_len + n) : -EIO;
	gcm_update(&c->gcm.ctx, &c->gcm.key, hdr_len, p);
	return gcm_open(&c->gcm, body, n, body + n) ? (int)(hdr_len + n) : -EACCES;
}

/* RFC 7714 sections 9.2 and 9.3: without the E bit everything is only
 * authenticated. */
static int open_gcm(struct gcm *g, uint8_t *p, size_t n, bool encrypted)
{
	const uint8_t *tag = p + n, *word = tag + SRTP_GCM_TAG;
	size_t clear = encrypted ? SRTP_RTCP_HDR : n;

	gcm_clear(g, p, clear, word);
	return gcm_open(g, p + clear, n - clear, tag) ? (int)n : -EACCES;
}

int srtp_cipher_open_rtcp(struct srtp_cipher *c, uint8_t *p, size_t n, uint32_t ssrc)
{
	uint32_t word = srtp_cipher_rtcp_word(c, p, n);
	bool encrypted = word & SRTP_RTCP_E_BIT;
	uint8_t tag[SHA1_BYTES];

	n -= SRTP_RTCP_INDEX + srtp_cipher_tag_bytes(c);
	if (!set_iv(c, ssrc, word & ~SRTP_RTCP_E_BIT))
		return -EIO;
	if (c->is_gcm)
		return open_gcm(&c->gcm, p, n, encrypted);
	hmac(&c->cm, p, n, p + n, tag);
	if (CRYPTO_memcmp(tag, p + n + SRTP_RTCP_INDEX, SRTP_CM_TAG))
		return -EACCES;
	if (encrypted && !cm_run(&c->cm, p + SRTP_RTCP_HDR, p + SRTP_RTCP_HDR, n - SRTP_RTCP_HDR))
		return -EIO;
	return (int)n;
}
