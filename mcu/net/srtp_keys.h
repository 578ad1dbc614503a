/* SRTP profiles, master keys as DTLS exports them, and the key derivation of
 * RFC 3711 section 4.3 (RFC 7714 section 11 for AES-GCM). Pure. */
#ifndef MCU_NET_SRTP_KEYS_H
#define MCU_NET_SRTP_KEYS_H

#include <stddef.h>
#include <stdint.h>

enum srtp_profile {
	SRTP_PROFILE_CM = 1,  /* AES_CM_128_HMAC_SHA1_80, RFC 5764 */
	SRTP_PROFILE_CM32 = 2, /* AES_CM_128_HMAC_SHA1_32: short tags on RTP; SDES only */
	SRTP_PROFILE_GCM = 7, /* AEAD_AES_128_GCM, RFC 7714 */
};

enum { SRTP_KEY_BYTES = 16, SRTP_SALT_BYTES = 14, SRTP_AUTH_BYTES = 20 };

/* A master key. salt: 14 octets with AES-CM, 12 with GCM (the rest is zero). */
struct srtp_keys {
	enum srtp_profile profile;
	uint8_t key[SRTP_KEY_BYTES];
	uint8_t salt[SRTP_SALT_BYTES];
};

/* What is derived for RTP, or for RTCP. auth: AES-CM only. */
struct srtp_session_keys {
	uint8_t key[SRTP_KEY_BYTES];
	uint8_t salt[SRTP_SALT_BYTES];
	uint8_t auth[SRTP_AUTH_BYTES];
};

enum srtp_use { SRTP_USE_RTP = 0, SRTP_USE_RTCP = 3 }; /* the first KDF label of each */

/* "AEAD_AES_128_GCM" …; NULL: unknown. */
const char *srtp_profile_name(enum srtp_profile p);
size_t srtp_profile_salt_bytes(enum srtp_profile p);

/* 0 or -EIO (OpenSSL refuses). */
int srtp_derive(struct srtp_session_keys *out, const struct srtp_keys *master, enum srtp_use use);

#endif
