/* Keys, packets and libsrtp2 sessions for the tests of SRTP. Included by one file per
 * program. */
#ifndef TESTS_MCU_NET_SRTP_RIG_H
#define TESTS_MCU_NET_SRTP_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <assert.h>
#include <dlfcn.h>
#include <errno.h>
#include <srtp2/srtp.h>
#include <time.h>

#include "mcu/net/srtp_cipher.h"
#include "mcu/net/srtp_in.h"

enum { SSRC = 0x11223344, MAX = 1600, N_PROFILES = 3 };

static const enum srtp_profile profiles[] = { SRTP_PROFILE_GCM, SRTP_PROFILE_CM,
					       SRTP_PROFILE_CM32 };

static uint32_t rnd_state = 1;

static inline uint8_t rnd(void)
{
	rnd_state = rnd_state * 1664525 + 1013904223;
	return (uint8_t)(rnd_state >> 24);
}

static inline void rnd_fill(uint8_t *p, size_t n)
{
	while (n--)
		*p++ = rnd();
}

static inline struct srtp_keys make_keys(enum srtp_profile profile)
{
	struct srtp_keys k = { .profile = profile };

	rnd_fill(k.key, sizeof k.key);
	rnd_fill(k.salt, srtp_profile_salt_bytes(profile));
	return k;
}

static inline srtp_t make_lib(const struct srtp_keys *k, srtp_ssrc_type_t type)
{
	uint8_t key[SRTP_KEY_BYTES + SRTP_SALT_BYTES];
	srtp_policy_t policy;
	srtp_t s;

	memset(&policy, 0, sizeof policy);
	if (k->profile == SRTP_PROFILE_GCM) {
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp);
	} else {
		if (k->profile == SRTP_PROFILE_CM32)
			srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(&policy.rtp);
		else
			srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtp);
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtcp);
	}
	memcpy(key, k->key, SRTP_KEY_BYTES);
	memcpy(key + SRTP_KEY_BYTES, k->salt, srtp_profile_salt_bytes(k->profile));
	policy.key = key;
	policy.ssrc.type = type;
	policy.window_size = 1024;
	policy.allow_repeat_tx = 1;
	assert_int_equal(srtp_create(&s, &policy), srtp_err_status_ok);
	return s;
}

static inline size_t make_header(uint8_t *h, uint32_t ssrc, uint16_t seq, unsigned csrcs,
			  unsigned ext_words)
{
	size_t n = 12 + 4 * csrcs;

	memset(h, 0, n);
	h[0] = (uint8_t)(0x80 | csrcs | (ext_words ? 0x10 : 0));
	h[1] = 96;
	h[2] = (uint8_t)(seq >> 8);
	h[3] = (uint8_t)seq;
	srtp_put32(h + 8, ssrc);
	rnd_fill(h + 12, 4 * csrcs);
	if (ext_words) {
		h[n] = 0xbe;
		h[n + 1] = 0xde;
		h[n + 2] = 0;
		h[n + 3] = (uint8_t)ext_words;
		rnd_fill(h + n + 4, 4 * ext_words);
		n += 4 + 4 * ext_words;
	}
	return n;
}

#endif
