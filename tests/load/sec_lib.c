/* SRTP by libsrtp2. */
#include <srtp2/srtp.h>
#include <stdlib.h>
#include <string.h>

#include "tests/load/sec.h"
#include "tests/load/util.h"

struct lib {
	struct sec sec;
	srtp_t tx, rx;
};

static struct lib *lib_of(struct sec *s)
{
	return (struct lib *)s;
}

static size_t run(struct sec *s, srtp_err_status_t (*fn)(srtp_t, void *, int *), srtp_t ctx,
		  uint8_t *p, size_t len)
{
	int n = (int)len;
	srtp_err_status_t status = fn(ctx, p, &n);

	s->replayed = status == srtp_err_status_replay_fail || status == srtp_err_status_replay_old;
	return status == srtp_err_status_ok && n > 0 ? (size_t)n : 0;
}

static size_t lib_protect_rtp(struct sec *s, uint8_t *p, size_t len)
{
	return run(s, srtp_protect, lib_of(s)->tx, p, len);
}

static size_t lib_protect_rtcp(struct sec *s, uint8_t *p, size_t len)
{
	return run(s, srtp_protect_rtcp, lib_of(s)->tx, p, len);
}

static size_t lib_open_rtp(struct sec *s, uint8_t *p, size_t len)
{
	return run(s, srtp_unprotect, lib_of(s)->rx, p, len);
}

static size_t lib_open_rtcp(struct sec *s, uint8_t *p, size_t len)
{
	return run(s, srtp_unprotect_rtcp, lib_of(s)->rx, p, len);
}

static void lib_free(struct sec *s)
{
	srtp_dealloc(lib_of(s)->tx);
	srtp_dealloc(lib_of(s)->rx);
	free(s);
}

static const struct sec_ops OPS = {
	.protect_rtp = lib_protect_rtp,
	.protect_rtcp = lib_protect_rtcp,
	.open_rtp = lib_open_rtp,
	.open_rtcp = lib_open_rtcp,
	.free = lib_free,
};

static srtp_t context(enum sec_profile profile, const struct sec_master *m, srtp_ssrc_type_t type)
{
	uint8_t key[SEC_KEY + SEC_CM_SALT];
	srtp_policy_t p = {
		.ssrc = { type, 0 }, .key = key, .window_size = 1024, .allow_repeat_tx = 1
	};
	srtp_t ctx;

	memcpy(key, m->key, SEC_KEY);
	memcpy(key + SEC_KEY, m->salt, SEC_CM_SALT);
	if (profile == SEC_GCM) {
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&p.rtp);
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&p.rtcp);
	} else {
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&p.rtp);
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&p.rtcp);
	}
	if (srtp_create(&ctx, &p) != srtp_err_status_ok)
		bot_die("libsrtp2 refuses the profile");
	return ctx;
}

struct sec *sec_lib_new(enum sec_profile profile, const struct sec_master *tx,
			const struct sec_master *rx)
{
	static int initialised;
	struct lib *l = bot_alloc(sizeof *l);

	if (!initialised && srtp_init() != srtp_err_status_ok)
		bot_die("libsrtp2 does not start");
	initialised = 1;
	l->sec.ops = &OPS;
	l->tx = context(profile, tx, ssrc_any_outbound);
	l->rx = context(profile, rx, ssrc_any_inbound);
	return &l->sec;
}
