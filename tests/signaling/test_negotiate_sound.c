/* What telephones say of their sound: G.729 and its annex B, comfort noise, the length
 * of packets. */
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
	struct neg_policy p = { .security = NEG_PLAIN, .address = "203.0.113.1", .cname = "mixer",
				.session_id = 9, .session_version = 1 };
	p.media[NEG_ROLE_AUDIO] = (struct neg_media_policy){ .dir = NEG_SENDRECV,
							     .enabled = true,
							     .formats = neg_audio_formats,
							     .n_formats = neg_n_audio_formats,
							     .ssrc = 1,
							     .port = 40000,
							     .noise = true,
							     .dtmf = true };
	return p;
}

static void check_row(const char *offer_text, enum codec codec, const char *mline, const char *has,
		      const char *has_not, int noise_pt, bool annex_b)
{
	struct neg_policy p = phone_policy();
	struct sdp *offer = parse_sdp(offer_text), *answer = NULL;
	struct neg_plan *plan = NULL;
	struct errmsg why;

	if (neg_answer(offer, &p, NULL, &answer, &plan, &why))
		fail_msg("%s", why.text);
	char *text = text_of(answer);
	assert_int_equal(plan->media[0].codec.codec, codec);
	assert_int_equal(plan->media[0].has_noise ? plan->media[0].noise_pt_tx : -1, noise_pt);
	assert_int_equal(plan->media[0].codec.g729_annex_b, annex_b);
	assert_non_null(strstr(text, mline));
	if (has)
		assert_non_null(strstr(text, has));
	if (has_not)
		assert_null(strstr(text, has_not));
	free(text);
	sdp_free(&answer);
	sdp_free(&offer);
	neg_plan_free(&plan);
}

static void answers(void **state)
{
	static const struct {
		const char *offer;
		enum codec codec;
		const char *mline, *has, *has_not;
		int noise_pt;
		bool annex_b;
	} t[] = {
		/* static numbers need no rtpmap */
		{ HEAD "m=audio 4000 RTP/AVP 18 13\r\n", CODEC_G729, "m=audio 40000 RTP/AVP 18\r\n",
		  "a=fmtp:18 annexb=yes\r\n", "CN/8000", -1, false },
		{ HEAD "m=audio 4000 RTP/AVP 18\r\na=rtpmap:18 G729/8000\r\na=fmtp:18 annexb=no\r\n",
		  CODEC_G729, "RTP/AVP 18\r\n", "a=fmtp:18 annexb=no\r\n", "annexb=yes", -1, false },
		{ HEAD "m=audio 4000 RTP/AVP 18\r\na=fmtp:18 annexb=yes\r\n", CODEC_G729,
		  "RTP/AVP 18\r\n", "a=fmtp:18 annexb=yes\r\n", "annexb=no", -1, true },
		/* the others are preferred to it */
		{ HEAD "m=audio 4000 RTP/AVP 18 8 13\r\n", CODEC_PCMA, "RTP/AVP 8 13\r\n",
		  "a=rtpmap:13 CN/8000\r\n", "G729", 13, false },
		{ HEAD "m=audio 4000 RTP/AVP 0 118\r\na=rtpmap:118 CN/8000\r\n", CODEC_PCMU,
		  "RTP/AVP 0 118\r\n", "a=rtpmap:118 CN/8000\r\n", NULL, 118, false },
		{ HEAD "m=audio 4000 RTP/AVP 0 118\r\na=rtpmap:118 CN/16000\r\n", CODEC_PCMU,
		  "RTP/AVP 0\r\n", NULL, "CN/", -1, false },
		{ HEAD "m=audio 4000 RTP/AVP 9 13 101\r\na=rtpmap:101 telephone-event/8000\r\n",
		  CODEC_G722, "RTP/AVP 9 13 101\r\n", NULL, NULL, 13, false },
		{ HEAD "m=audio 4000 RTP/AVP 111 13\r\na=rtpmap:111 opus/48000/2\r\n", CODEC_OPUS,
		  "RTP/AVP 111\r\n", NULL, "CN/", -1, false },
		{ HEAD "m=audio 4000 RTP/AVP 0\r\na=ptime:30\r\n", CODEC_PCMU, "RTP/AVP 0\r\n",
		  "a=ptime:30\r\n", "CN/", -1, false },
		{ HEAD "m=audio 4000 RTP/AVP 0\r\n", CODEC_PCMU, "RTP/AVP 0\r\n", NULL, "ptime", -1,
		  false },
		{ HEAD "m=audio 4000 RTP/AVP 0\r\na=ptime:200\r\n", CODEC_PCMU, "RTP/AVP 0\r\n",
		  "a=ptime:60\r\n", NULL, -1, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		check_row(t[i].offer, t[i].codec, t[i].mline, t[i].has, t[i].has_not, t[i].noise_pt,
			  t[i].annex_b);
}

/* Noise alone is nothing to talk with. */
static void noise_is_no_codec(void **state)
{
	struct neg_policy p = phone_policy();
	struct sdp *offer = parse_sdp(HEAD "m=audio 4000 RTP/AVP 13\r\n"), *answer = NULL;
	struct neg_plan *plan = NULL;
	struct errmsg why;

	(void)state;
	assert_int_equal(neg_answer(offer, &p, NULL, &answer, &plan, &why), -ENOTSUP);
	assert_string_equal(why.code, "no_common_codec");
	sdp_free(&offer);
}

static void our_offer_has_them(void **state)
{
	struct neg_policy p = phone_policy();
	struct sdp *offer = NULL, *answer;
	struct neg_plan *plan = NULL;
	struct errmsg why;

	(void)state;
	assert_int_equal(neg_offer(&p, NULL, &offer, &why), 0);
	char *text = text_of(offer);
	assert_non_null(strstr(text, "m=audio 40000 RTP/AVP 111 9 0 8 18 13 101\r\n"));
	assert_non_null(strstr(text, "a=fmtp:18 annexb=yes\r\n"));
	free(text);
	/* another number for the noise: each side its own */
	answer = parse_sdp(HEAD "m=audio 4000 RTP/AVP 8 98\r\na=rtpmap:98 CN/8000\r\na=ptime:40\r\n"
				"a=maxptime:50\r\n");
	assert_int_equal(neg_accept(offer, &p, answer, NULL, &plan, &why), 0);
	assert_int_equal(plan->media[0].codec.codec, CODEC_PCMA);
	assert_true(plan->media[0].has_noise);
	assert_int_equal(plan->media[0].noise_pt_tx, 98);
	assert_int_equal(plan->media[0].noise_pt_rx, 13);
	assert_int_equal(plan->media[0].codec.ptime_ms, 40);
	sdp_free(&answer);
	sdp_free(&offer);
	/* and it keeps its number in the next offer */
	p.session_version++;
	assert_int_equal(neg_offer(&p, plan, &offer, &why), 0);
	text = text_of(offer);
	assert_non_null(strstr(text, "a=rtpmap:13 CN/8000\r\n"));
	free(text);
	sdp_free(&offer);
	neg_plan_free(&plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers),
		cmocka_unit_test(noise_is_no_codec),
		cmocka_unit_test(our_offer_has_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
