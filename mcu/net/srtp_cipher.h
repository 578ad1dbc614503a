/* The transforms of SRTP and SRTCP on nettle (GCM) and OpenSSL (AES-CM), keyed once:
 * initialisation vectors, encryption, tags. Knows nothing of sequence numbers, streams or
 * replay: those are srtp_out.h's and srtp_in.h's. No allocation after _new().
 * Owner: those two. Not thread-safe. */
#ifndef MCU_NET_SRTP_CIPHER_H
#define MCU_NET_SRTP_CIPHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/net/srtp_keys.h"

struct srtp_cipher;

enum {
	SRTP_GCM_TAG = 16,
	SRTP_CM_TAG = 10,
	SRTP_CM32_TAG = 4, /* of RTP; RTCP has the long one (RFC 3711 5.2, RFC 4568 6.2) */
	SRTP_RTCP_HDR = 8,   /* what stays in the clear */
	SRTP_RTCP_INDEX = 4, /* E bit and index */
	SRTP_MAX_OVERHEAD = SRTP_GCM_TAG + SRTP_RTCP_INDEX,
};

#define SRTP_RTCP_E_BIT 0x80000000U

/* use: which keys to derive. 0, -EINVAL, -ENOMEM, -EIO. */
int srtp_cipher_new(struct srtp_cipher **out, const struct srtp_keys *master, enum srtp_use use);
/* Fetches into the processor's cache what protecting a packet takes. */
void srtp_cipher_prefetch(const struct srtp_cipher *c);
void srtp_cipher_free(struct srtp_cipher **c);

size_t srtp_cipher_tag_bytes(const struct srtp_cipher *c);

/* out: room for hdr_len + n + tag octets; overlaps no input. index: ROC << 16 |
 * sequence number. Returns the length or -EIO. */
int srtp_cipher_protect_rtp(struct srtp_cipher *c, uint8_t *out, const uint8_t *hdr, size_t hdr_len,
			    const uint8_t *payload, size_t n, uint32_t ssrc, uint64_t index);
/* out: room for n + index + tag octets; n >= SRTP_RTCP_HDR. The length or -EIO. */
int srtp_cipher_protect_rtcp(struct srtp_cipher *c, uint8_t *out, const uint8_t *p, size_t n,
			     uint32_t ssrc, uint32_t index);
/* In place. len: all octets, at least hdr_len (what stays in the clear) + tag.
 * Returns the length in plain text or -EACCES (the packet is then destroyed), -EIO. */
int srtp_cipher_open_rtp(struct srtp_cipher *c, uint8_t *p, size_t len, size_t hdr_len,
			 uint32_t ssrc, uint64_t index);
/* In place. n: all octets, at least SRTP_RTCP_HDR + index + tag. word: the E bit
 * and index as srtp_cipher_rtcp_word read them. Returns the length in plain text
 * or -EACCES (the packet is then destroyed), -EIO. */
int srtp_cipher_open_rtcp(struct srtp_cipher *c, uint8_t *p, size_t n, uint32_t ssrc);
/* Where the E bit and index are; n as above. */
uint32_t srtp_cipher_rtcp_word(const struct srtp_cipher *c, const uint8_t *p, size_t n);

static inline uint32_t srtp_get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void srtp_put32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

#endif
