/* SRTP and SRTCP from a stranger, and from a peer that has the keys and sends
 * what it likes. Per packet: what it is, its length, its octets. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/net/srtp_cipher.h"
#include "mcu/net/srtp_in.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX = 255, GCM = 1, RTCP = 1, HAS_KEYS = 2, RTP_HDR = 12 };

struct ends {
	struct srtp_in *in;
	struct srtp_cipher *rtp, *rtcp;
};

/* Exactly as large as it is, so that a sanitizer sees what is read beyond. */
static void receive(struct ends *e, bool rtcp, const uint8_t *p, size_t len)
{
	uint8_t *copy = malloc(len + !len);
	size_t n = len;

	if (!copy)
		abort();
	memcpy(copy, p, len);
	if (!(rtcp ? srtp_in_rtcp(e->in, copy, &n) : srtp_in_rtp(e->in, copy, &n)) && n > len)
		abort();
	free(copy);
}

static void protect(struct ends *e, bool rtcp, const uint8_t *p, size_t len)
{
	uint8_t out[MAX + SRTP_MAX_OVERHEAD];
	int n;

	if (len < RTP_HDR)
		return;
	n = rtcp ? srtp_cipher_protect_rtcp(e->rtcp, out, p, len, srtp_get32(p + 4), p[0]) :
		   srtp_cipher_protect_rtp(e->rtp, out, p, RTP_HDR, p + RTP_HDR, len - RTP_HDR,
					   srtp_get32(p + 8), (uint64_t)p[2] << 8 | p[3]);
	if (n > 0)
		receive(e, rtcp, out, (size_t)n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct srtp_keys k = { .profile = SRTP_PROFILE_CM };
	struct ends e = { 0 };
	size_t at = 1;

	if (!size)
		return 0;
	role_enter(ROLE_ID_NONE);
	if (data[0] & GCM)
		k.profile = SRTP_PROFILE_GCM;
	if (srtp_in_new(&e.in, &k, true) || srtp_cipher_new(&e.rtp, &k, SRTP_USE_RTP) ||
	    srtp_cipher_new(&e.rtcp, &k, SRTP_USE_RTCP))
		abort();
	while (size - at >= 2) {
		uint8_t what = data[at];
		size_t len = data[at + 1];

		at += 2;
		len = len < size - at ? len : size - at;
		if (what & HAS_KEYS)
			protect(&e, what & RTCP, data + at, len);
		else
			receive(&e, what & RTCP, data + at, len);
		at += len;
	}
	srtp_in_free(&e.in);
	srtp_cipher_free(&e.rtp);
	srtp_cipher_free(&e.rtcp);
	return 0;
}
