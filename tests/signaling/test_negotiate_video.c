/* What room systems and telephones with pictures say they can take. */
#include "signaling/negotiate.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/signaling/sdp_help.h"

#define HEAD "v=0\r\no=phone 1 1 IN IP4 192.0.2.50\r\ns=call\r\nc=IN IP4 192.0.2.50\r\nt=0 0\r\n"

static struct neg_policy phone_policy(void)
{
	struct neg_abilities can = { 0 };
	struct neg_policy p;

	neg_policy_phone(&p, &can);
	p.address = "203.0.113.1";
	p.cname = "mixer";
	p.media[NEG_ROLE_CAMERA].port = 40002;
	p.media[NEG_ROLE_CAMERA].ssrc = 2;
	return p;
}

struct row {
	const char *offer;
	enum codec codec;
	unsigned mode, max_fs, max_mbps, max_br_kbps;
	uint32_t sps, max_bps;
	const char *has;
};

static void check(const struct row *t)
{
	struct neg_policy p = phone_policy();
	struct sdp *offer = parse_sdp(t->offer), *answer = NULL;
	struct neg_plan *plan = NULL;
	struct errmsg why;

	if (neg_answer(offer, &p, NULL, &answer, &plan, &why))
		fail_msg("%s", why.text);
	char *text = text_of(answer);
	const struct neg_codec_plan *c = &plan->media[0].codec;
	if (c->codec != t->codec || c->h264_mode != t->mode || c->max_fs != t->max_fs ||
	    c->max_mbps != t->max_mbps || c->max_br_kbps != t->max_br_kbps ||
	    c->h264_sps != t->sps || plan->media[0].max_bps != t->max_bps || !strstr(text, t->has))
		fail_msg("%s%s%s mode %u, %u %u %u, %06x, %u", t->offer, text, c->name, c->h264_mode,
			 c->max_fs, c->max_mbps, c->max_br_kbps, c->h264_sps,
			 plan->media[0].max_bps);
	free(text);
	sdp_free(&answer);
	sdp_free(&offer);
	neg_plan_free(&plan);
}

static void limits(void **state)
{
	static const struct row t[] = {
		/* Polycom VVX: baseline at level 1.3, mode 0 since nothing is said */
		{ HEAD "m=video 5000 RTP/AVP 109 34\r\nb=TIAS:512000\r\na=rtpmap:109 H264/90000\r\n"
		       "a=fmtp:109 profile-level-id=42800d\r\na=rtpmap:34 H263/90000\r\n",
		  CODEC_H264, 0, 396, 11880, 768, 0x42e00d, 512000, "packetization-mode=0" },
		/* the same with more than its level has */
		{ HEAD "m=video 5000 RTP/AVP 109\r\nb=AS:768\r\na=rtpmap:109 H264/90000\r\n"
		       "a=fmtp:109 profile-level-id=42800d;max-mbps=40500;max-fs=1344;max-br=4000\r\n",
		  CODEC_H264, 0, 1344, 40500, 4000, 0x42e00d, 768000, "m=video 40002 RTP/AVP 109\r\n" },
		/* high profile alone */
		{ HEAD "m=video 5000 RTP/AVP 110\r\na=rtpmap:110 H264/90000\r\n"
		       "a=fmtp:110 profile-level-id=64001f;packetization-mode=1\r\n",
		  CODEC_H264, 1, 3600, 108000, 14000, 0x64001f, 0, "profile-level-id=64001f" },
		/* all of them: mode 1 and constrained baseline first */
		{ HEAD "m=video 5000 RTP/AVP 110 111 112 34 96\r\na=rtpmap:110 H264/90000\r\n"
		       "a=fmtp:110 profile-level-id=64001f\r\na=rtpmap:111 H264/90000\r\n"
		       "a=fmtp:111 profile-level-id=64001f;packetization-mode=1\r\n"
		       "a=rtpmap:112 H264/90000\r\n"
		       "a=fmtp:112 profile-level-id=42e014;packetization-mode=1\r\n"
		       "a=rtpmap:96 H263-1998/90000\r\na=fmtp:96 CIF=1;QCIF=1\r\n",
		  CODEC_H264, 1, 396, 11880, 2000, 0x42e014, 0, "m=video 40002 RTP/AVP 112\r\n" },
		/* the oldest */
		{ HEAD "m=video 5000 RTP/AVP 34 96\r\na=rtpmap:96 H263-1998/90000\r\n"
		       "a=fmtp:96 CIF=2;QCIF=1;MaxBR=2560\r\n",
		  CODEC_H263, 0, 396, 5940, 256, 0, 0, "a=fmtp:96 CIF=1;QCIF=1" },
		/* too slow for the larger size */
		{ HEAD "m=video 5000 RTP/AVP 96\r\na=rtpmap:96 H263-1998/90000\r\n"
		       "a=fmtp:96 CIF=4;QCIF=2\r\n",
		  CODEC_H263, 0, 99, 1485, 0, 0, 0, "RTP/AVP 96\r\n" },
		{ HEAD "m=video 5000 RTP/AVP 96\r\na=rtpmap:96 H263-1998/90000\r\n", CODEC_H263, 0, 99,
		  1485, 0, 0, 0, "RTP/AVP 96\r\n" },
		{ HEAD "m=video 5000 RTP/AVP 96\r\na=rtpmap:96 h263-1998/90000\r\n"
		       "a=fmtp:96 CIF4=1\r\n", CODEC_H263, 0, 396, 5940, 0, 0, 0, "RTP/AVP 96\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		check(&t[i]);
}

/* H.263 of 1996 alone (RFC 2190), and sizes that we do not make. */
static void what_is_not_spoken(void **state)
{
	static const char *const t[] = {
		HEAD "m=video 5000 RTP/AVP 34\r\na=rtpmap:34 H263/90000\r\n",
		HEAD "m=video 5000 RTP/AVP 96\r\na=rtpmap:96 H263-1998/90000\r\n"
		     "a=fmtp:96 SQCIF=1\r\n",
		HEAD "m=video 5000 RTP/AVP 96\r\na=rtpmap:96 H263-1998/90000\r\n"
		     "a=fmtp:96 QCIF=4\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct neg_policy p = phone_policy();
		struct sdp *offer = parse_sdp(t[i]), *answer = NULL;
		struct neg_plan *plan = NULL;
		struct errmsg why;

		assert_int_equal(neg_answer(offer, &p, NULL, &answer, &plan, &why), -ENOTSUP);
		sdp_free(&offer);
	}
}

static void offers(void **state)
{
	struct neg_policy p = phone_policy();
	struct sdp *offer = NULL;
	struct errmsg why;

	(void)state;
	assert_int_equal(neg_offer(&p, NULL, &offer, &why), 0);
	char *text = text_of(offer);
	/* H.263 is the last */
	assert_non_null(strstr(text, " 104 106\r\n"));
	assert_non_null(strstr(text, "a=rtpmap:106 H263-1998/90000\r\n"));
	assert_non_null(strstr(text, "max-fs=3600"));
	free(text);
	sdp_free(&offer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits),
		cmocka_unit_test(what_is_not_spoken),
		cmocka_unit_test(offers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
