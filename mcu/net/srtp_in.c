#include "mcu/net/srtp_in.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <srtp2/srtp.h>

#include "mcu/net/srtp_cipher.h"

enum { RTP_HDR = 12 };

/* Replay of SRTCP, RFC 3711 section 3.3.2: bit k of seen is newest - k. */
struct replay {
	uint32_t ssrc;
	uint32_t newest;
	uint64_t seen;
};

struct srtp_in {
	srtp_t lib; /* publishing legs */
	uint32_t ssrc[SRTP_IN_STREAMS];
	size_t n_ssrcs;
	struct srtp_cipher *rtcp; /* the others */
	struct replay replay[SRTP_IN_STREAMS];
	size_t n_replays;
};

static srtp_err_status_t lib_status;

static srtp_err_status_t create(srtp_t *out, const struct srtp_keys *keys)
{
	size_t salt = srtp_profile_salt_bytes(keys->profile);
	uint8_t key[SRTP_KEY_BYTES + SRTP_SALT_BYTES];
	srtp_policy_t policy;
	srtp_err_status_t st;

	memset(&policy, 0, sizeof policy);
	if (keys->profile == SRTP_PROFILE_GCM) {
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp);
	} else {
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtp);
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtcp);
	}
	memcpy(key, keys->key, SRTP_KEY_BYTES);
	memcpy(key + SRTP_KEY_BYTES, keys->salt, salt);
	policy.ssrc.type = ssrc_any_inbound;
	policy.key = key;
	policy.window_size = SRTP_IN_RTP_WINDOW;
	policy.allow_repeat_tx = 1;
	st = srtp_create(out, &policy);
	OPENSSL_cleanse(key, sizeof key);
	return st;
}

/* Debian's libsrtp2 starts NSS with the first cipher and unloads it with the
 * last one: a session that stays spares every first publisher that. */
static void lib_init(void)
{
	static const struct srtp_keys none = { .profile = SRTP_PROFILE_GCM };
	static srtp_t keeper;

	lib_status = srtp_init();
	if (lib_status == srtp_err_status_ok)
		lib_status = create(&keeper, &none);
}

static int new_lib(struct srtp_in *s, const struct srtp_keys *keys)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	srtp_err_status_t st;

	pthread_once(&once, lib_init);
	if (lib_status != srtp_err_status_ok)
		return -EIO;
	st = create(&s->lib, keys);
	return st == srtp_err_status_ok ? 0 : st == srtp_err_status_alloc_fail ? -ENOMEM : -EIO;
}

int srtp_in_new(struct srtp_in **out, const struct srtp_keys *keys, bool publishes)
{
	struct srtp_in *s;
	int err;

	if (!srtp_profile_name(keys->profile))
		return -EINVAL;
	s = calloc(1, sizeof *s);
	if (!s)
		return -ENOMEM;
	err = publishes ? new_lib(s, keys) : srtp_cipher_new(&s->rtcp, keys, SRTP_USE_RTCP, true);
	if (err)
		srtp_in_free(&s);
	else
		*out = s;
	return err;
}

void srtp_in_free(struct srtp_in **s)
{
	if (!*s)
		return;
	if ((*s)->lib)
		srtp_dealloc((*s)->lib);
	srtp_cipher_free(&(*s)->rtcp);
	free(*s);
	*s = NULL;
}

static int err_of(srtp_err_status_t st)
{
	switch (st) {
	case srtp_err_status_ok: return 0;
	case srtp_err_status_auth_fail: return -EACCES;
	case srtp_err_status_replay_fail:
	case srtp_err_status_replay_old: return -EALREADY;
	case srtp_err_status_alloc_fail: return -ENOMEM;
	default: return -EBADMSG;
	}
}

/* libsrtp2 keeps a context per SSRC for ever: the number is bounded here. An
 * SSRC is entered once a packet of it has been authenticated. */
static bool ssrc_known(const struct srtp_in *s, uint32_t ssrc)
{
	for (size_t i = 0; i < s->n_ssrcs; i++)
		if (s->ssrc[i] == ssrc)
			return true;
	return false;
}

static int lib_open(struct srtp_in *s, uint8_t *p, size_t *len, uint32_t ssrc,
		    srtp_err_status_t (*fn)(srtp_t, void *, int *))
{
	bool known = ssrc_known(s, ssrc);
	int n = (int)*len, err;

	if (!known && s->n_ssrcs == SRTP_IN_STREAMS)
		return -ENOSPC;
	err = err_of(fn(s->lib, p, &n));
	if (err)
		return err;
	if (!known)
		s->ssrc[s->n_ssrcs++] = ssrc;
	*len = (size_t)n;
	return 0;
}

int srtp_in_rtp(struct srtp_in *s, uint8_t *p, size_t *len)
{
	if (!s->lib)
		return -ENOTSUP;
	if (*len < RTP_HDR || *len > INT_MAX)
		return -EBADMSG;
	return lib_open(s, p, len, srtp_get32(p + 8), srtp_unprotect);
}

static struct replay *find_replay(struct srtp_in *s, uint32_t ssrc)
{
	for (size_t i = 0; i < s->n_replays; i++)
		if (s->replay[i].ssrc == ssrc)
			return &s->replay[i];
	return NULL;
}

static bool replayed(const struct replay *r, uint32_t index)
{
	uint32_t behind = r->newest - index;

	if (index > r->newest)
		return false;
	return behind >= SRTP_IN_RTCP_WINDOW || (r->seen >> behind & 1);
}

static void replay_enter(struct replay *r, uint32_t index)
{
	uint32_t by;

	if (index <= r->newest) {
		r->seen |= 1ULL << (r->newest - index);
		return;
	}
	by = index - r->newest;
	r->seen = by < 64 ? r->seen << by | 1 : 1;
	r->newest = index;
}

/* Replay is checked before the work of authentication, and entered after it. */
static int evp_open_rtcp(struct srtp_in *s, uint8_t *p, size_t *len)
{
	uint32_t ssrc = srtp_get32(p + 4), index;
	struct replay *r = find_replay(s, ssrc);
	int n;

	if (!r && s->n_replays == SRTP_IN_STREAMS)
		return -ENOSPC;
	index = srtp_cipher_rtcp_word(s->rtcp, p, *len) & ~SRTP_RTCP_E_BIT;
	if (r && replayed(r, index))
		return -EALREADY;
	n = srtp_cipher_open_rtcp(s->rtcp, p, *len, ssrc);
	if (n < 0)
		return n;
	if (!r) {
		r = &s->replay[s->n_replays++];
		*r = (struct replay){ .ssrc = ssrc, .newest = index, .seen = 1 };
	} else {
		replay_enter(r, index);
	}
	*len = (size_t)n;
	return 0;
}

int srtp_in_rtcp(struct srtp_in *s, uint8_t *p, size_t *len)
{
	size_t over = SRTP_RTCP_INDEX + (s->rtcp ? srtp_cipher_tag_bytes(s->rtcp) : SRTP_CM_TAG);

	if (*len < SRTP_RTCP_HDR + over || *len > INT_MAX)
		return -EBADMSG;
	if (s->lib)
		return lib_open(s, p, len, srtp_get32(p + 4), srtp_unprotect_rtcp);
	return evp_open_rtcp(s, p, len);
}
