/* Offers and answers of a call in any order, on any octets: pieces of SDP with a zero
 * octet between, the first octet of each says what is done with it. What is in force
 * after an error is what was before. */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/sip_media.h"

static const struct neg_sdes sdes[] = { { "AES_CM_128_HMAC_SHA1_80", "inline:AAAA" } };
static bool refuse; /* the leg takes no plan */

static int policy(void *obj, bool ice_restart, struct neg_policy *out, struct errmsg *why)
{
	const struct neg_abilities can = { .rtx = true };

	(void)obj;
	(void)ice_restart;
	(void)why;
	neg_policy_phone(out, &can);
	out->address = "192.0.2.1";
	out->cname = "c";
	out->stream_id = "s";
	for (int r = NEG_ROLE_AUDIO; r <= NEG_ROLE_CONTENT; r++) {
		out->media[r].port = (uint16_t)(4000 + 2 * r);
		out->media[r].sdes = sdes;
		out->media[r].n_sdes = 1;
	}
	return 0;
}

static int agreed(void *obj, const struct neg_plan *plan, struct errmsg *why)
{
	(void)obj;
	if (!plan || !plan->n_media)
		abort();
	return refuse ? errmsg_set(why, -ENOTSUP, "not_acceptable", "No.") : 0;
}

static void step(struct sip_media *m, int what, const char *sdp, size_t len)
{
	const struct neg_plan *before = sip_media_plan(m);
	const char *text = NULL;
	struct errmsg why = { 0 };
	bool renew;
	int err = 0;

	refuse = what & 8;
	switch (what & 7) {
	case 0:
	case 1:
		err = sip_media_answer(m, sdp, len, &text, &why);
		if (!err && (!text || !sip_media_plan(m)))
			abort();
		break;
	case 2: err = sip_media_offer(m, &text, &why); break;
	case 3:
	case 4: err = sip_media_accept(m, sdp, len, what & 16, &why); break;
	case 5: sip_media_drop_offer(m); break;
	case 6: sip_media_want_srtp(m, what & 16); break;
	default: err = sip_media_moved(m, &renew, &why);
	}
	if (err && sip_media_plan(m) != before)
		abort();
	sip_media_held(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct sip_media_side side = { .policy = policy, .agreed = agreed };
	struct sip_media *m;

	if (sip_media_new(&m, &side, NULL))
		return 0;
	for (int i = 0; size && i < 16; i++) {
		const uint8_t *zero = memchr(data, 0, size);
		size_t n = zero ? (size_t)(zero - data) : size;

		if (n)
			step(m, data[0], (const char *)data + 1, n - 1);
		data += zero ? n + 1 : n;
		size -= zero ? n + 1 : n;
	}
	sip_media_free(&m);
	return 0;
}
