#include "tests/load/stun.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "tests/load/util.h"

enum { HDR = 20, HMAC_BYTES = 20, COOKIE = 0x2112a442, FINGERPRINT_XOR = 0x5354554e };
enum {
	A_USERNAME = 0x0006,
	A_INTEGRITY = 0x0008,
	A_ERROR = 0x0009,
	A_XOR_MAPPED = 0x0020,
	A_PRIORITY = 0x0024,
	A_USE_CANDIDATE = 0x0025,
	A_FINGERPRINT = 0x8028,
	A_CONTROLLING = 0x802a,
};

static uint32_t crc32_of(const uint8_t *p, size_t n)
{
	uint32_t crc = ~0U;

	for (size_t i = 0; i < n; i++) {
		crc ^= p[i];
		for (int k = 0; k < 8; k++)
			crc = crc >> 1 ^ (0xedb88320U & (0U - (crc & 1)));
	}
	return ~crc;
}

/* HMAC over the message up to the attribute at the offset `at`, with the
 * length field as if the message ended after it (RFC 8489 section 14.5). */
static void integrity(const uint8_t *msg, size_t at, const char *pwd, uint8_t tag[HMAC_BYTES])
{
	uint8_t copy[STUN_MAX_BYTES * 2];
	unsigned len = HMAC_BYTES;

	memcpy(copy, msg, at);
	put16(copy + 2, (uint32_t)(at - HDR + 4 + HMAC_BYTES));
	HMAC(EVP_sha1(), pwd, (int)strlen(pwd), copy, at, tag, &len);
}

bool stun_parse(struct stun_msg *m, const uint8_t *p, size_t len)
{
	size_t at = HDR;

	memset(m, 0, sizeof *m);
	if (len < HDR || len > STUN_MAX_BYTES * 2 || p[0] > 3 || get32(p + 4) != COOKIE ||
	    get16(p + 2) != len - HDR || len % 4)
		return false;
	*m = (struct stun_msg){ .type = get16(p), .txid = p + 8, .raw = p, .len = len };
	while (at + 4 <= len) {
		uint16_t type = get16(p + at);
		size_t n = get16(p + at + 2);

		if (at + 4 + n > len)
			return false;
		if (type == A_USERNAME) {
			m->username = (const char *)p + at + 4;
			m->username_len = n;
		} else if (type == A_USE_CANDIDATE) {
			m->use_candidate = true;
		} else if (type == A_ERROR && n >= 4) {
			m->error = p[at + 6] * 100 + p[at + 7];
		} else if (type == A_INTEGRITY && n == HMAC_BYTES && !m->integrity_at) {
			m->integrity_at = at;
		}
		at += 4 + ((n + 3) & ~(size_t)3);
	}
	return true;
}

bool stun_authentic(const struct stun_msg *m, const char *pwd)
{
	uint8_t tag[HMAC_BYTES];

	if (!m->integrity_at)
		return false;
	integrity(m->raw, m->integrity_at, pwd, tag);
	return !CRYPTO_memcmp(tag, m->raw + m->integrity_at + 4, HMAC_BYTES);
}

static size_t put_attr(uint8_t *out, size_t at, uint32_t type, const void *value, size_t n)
{
	size_t padded = (n + 3) & ~(size_t)3;

	put16(out + at, type);
	put16(out + at + 2, (uint32_t)n);
	memset(out + at + 4, 0, padded);
	if (n)
		memcpy(out + at + 4, value, n);
	return at + 4 + padded;
}

static void put_header(uint8_t *out, uint32_t type, const uint8_t *txid)
{
	put16(out, type);
	put16(out + 2, 0);
	put32(out + 4, COOKIE);
	memcpy(out + 8, txid, STUN_TXID);
}

/* Appends MESSAGE-INTEGRITY and FINGERPRINT. */
static size_t finish(uint8_t *out, size_t at, const char *pwd)
{
	uint8_t tag[HMAC_BYTES], crc[4];

	integrity(out, at, pwd, tag);
	at = put_attr(out, at, A_INTEGRITY, tag, sizeof tag);
	put16(out + 2, (uint32_t)(at + 8 - HDR));
	put32(crc, crc32_of(out, at) ^ FINGERPRINT_XOR);
	return put_attr(out, at, A_FINGERPRINT, crc, sizeof crc);
}

size_t stun_write_request(uint8_t *out, const struct stun_request *r)
{
	uint8_t priority[4], tie[8];
	size_t at = HDR;

	put_header(out, STUN_REQUEST, r->txid);
	at = put_attr(out, at, A_USERNAME, r->username, strlen(r->username));
	put32(priority, r->priority);
	at = put_attr(out, at, A_PRIORITY, priority, sizeof priority);
	put32(tie, (uint32_t)(r->tie_breaker >> 32));
	put32(tie + 4, (uint32_t)r->tie_breaker);
	at = put_attr(out, at, A_CONTROLLING, tie, sizeof tie);
	if (r->use_candidate)
		at = put_attr(out, at, A_USE_CANDIDATE, NULL, 0);
	return finish(out, at, r->pwd);
}

size_t stun_write_success(uint8_t *out, const struct stun_msg *m, const struct sockaddr_in *mapped,
			  const char *pwd)
{
	uint8_t value[8] = { 0, 1 };

	put_header(out, STUN_SUCCESS, m->txid);
	put16(value + 2, ntohs(mapped->sin_port) ^ (uint32_t)COOKIE >> 16);
	put32(value + 4, ntohl(mapped->sin_addr.s_addr) ^ COOKIE);
	return finish(out, put_attr(out, HDR, A_XOR_MAPPED, value, sizeof value), pwd);
}
