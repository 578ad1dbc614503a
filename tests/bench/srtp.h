/* SRTP (RFC 3711, RFC 7714) reduced to what a floor needs: one stream's session
 * keys, OpenSSL contexts keyed once, no key derivation, no replay list. */
#ifndef TESTS_BENCH_SRTP_H
#define TESTS_BENCH_SRTP_H

#include <stddef.h>
#include <stdint.h>

enum srtp_profile { SRTP_GCM, SRTP_CM }; /* AEAD_AES_128_GCM, AES_CM_128_HMAC_SHA1_80 */
enum { SRTP_MAX_OVERHEAD = 20 };	 /* tag, and for RTCP the index */

struct srtp_keys {
	uint8_t key[16], salt[14], auth[20]; /* GCM: 12 octets of salt, no auth */
};

struct srtp;

/* open: for srtcp_open(); otherwise for the two protectors. */
struct srtp *srtp_new(enum srtp_profile profile, const struct srtp_keys *k, int open);
void srtp_free(struct srtp *s);

/* pkt holds the header of hdr octets; encrypts payload to behind it and appends
 * the tag. index: roll-over counter << 16 | sequence number. Returns the length. */
size_t srtp_protect(struct srtp *s, uint8_t *pkt, size_t hdr, const uint8_t *payload, size_t n,
		    uint64_t index);
/* In place, n octets of RTCP. Returns the length. */
size_t srtcp_protect(struct srtp *s, uint8_t *pkt, size_t n, uint32_t index);
/* Authenticates and decrypts in place: the RTCP's length, or 0 if it is forged. */
size_t srtcp_open(struct srtp *s, uint8_t *pkt, size_t n);

#endif
