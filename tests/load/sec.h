/* SRTP and SRTCP (RFC 3711, RFC 7714) of one peer, both directions, in two
 * kinds: libsrtp2 as the reference, and a small one on OpenSSL's EVP whose cost
 * does not grow with the number of peers. */
#ifndef TESTS_LOAD_SEC_H
#define TESTS_LOAD_SEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sec;

enum sec_kind { SEC_EVP, SEC_LIBSRTP };
enum sec_profile { SEC_NONE, SEC_GCM, SEC_CM };
enum { SEC_OVERHEAD = 24, SEC_KEY = 16, SEC_GCM_SALT = 12, SEC_CM_SALT = 14 };

struct sec_master {
	uint8_t key[SEC_KEY], salt[SEC_CM_SALT];
};

struct sec *sec_new(enum sec_kind kind, enum sec_profile profile, const struct sec_master *tx,
		    const struct sec_master *rx);
void sec_free(struct sec **s);

/* In place. protect needs SEC_OVERHEAD octets behind len. The new length; 0:
 * refused (open: forged, replayed or malformed). EVP protects whatever it is
 * given, well-formed or not. */
size_t sec_protect_rtp(struct sec *s, uint8_t *p, size_t len);
size_t sec_protect_rtcp(struct sec *s, uint8_t *p, size_t len);
size_t sec_open_rtp(struct sec *s, uint8_t *p, size_t len);
size_t sec_open_rtcp(struct sec *s, uint8_t *p, size_t len);

/* The kinds implement this. */
struct sec_ops {
	size_t (*protect_rtp)(struct sec *s, uint8_t *p, size_t len);
	size_t (*protect_rtcp)(struct sec *s, uint8_t *p, size_t len);
	size_t (*open_rtp)(struct sec *s, uint8_t *p, size_t len);
	size_t (*open_rtcp)(struct sec *s, uint8_t *p, size_t len);
	void (*free)(struct sec *s);
};

struct sec {
	const struct sec_ops *ops;
	bool replayed; /* why the last one could not be opened */
};

struct sec *sec_evp_new(enum sec_profile profile, const struct sec_master *tx,
			const struct sec_master *rx);
struct sec *sec_lib_new(enum sec_profile profile, const struct sec_master *tx,
			const struct sec_master *rx);

#endif
