/* Offers and answers as SIP phones and room systems make them: plain RTP or SDES,
 * late offers, several videos, odd formats. */
#include "signaling/negotiate.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/signaling/sdp_help.h"

#define HEAD "v=0\r\no=phone 1 1 IN IP4 192.0.2.50\r\ns=call\r\nc=IN IP4 192.0.2.50\r\nt=0 0\r\n"

static const struct neg_format audio[] = {
	{ .codec = CODEC_OPUS, .pt = 111, .fmtp = "useinbandfec=1" },
	{ .codec = CODEC_G722, .pt = 9 },
	{ .codec = CODEC_PCMA, .pt = 8 },
	{ .codec = CODEC_PCMU, .pt = 0 },
};
static const struct neg_format video[] = {
	{ .codec = CODEC_H264, .pt = 102, .h264_mode = 1, .h264_profile = 0x42e01f },
};

static struct neg_policy sip_policy(void)
{
	struct neg_policy p = { .security = NEG_PLAIN | NEG_SDES,
				.address = "203.0.113.1",
				.cname = "mixer",
				.session_id = 9,
				.session_version = 1 };
	p.media[NEG_ROLE_AUDIO] = (struct neg_media_policy){ .dir = NEG_SENDRECV,
							     .enabled = true,
							     .formats = audio,
							     .n_formats = 4,
							     .ssrc = 1,
							     .port = 40000,
							     .dtmf = true };
	p.media[NEG_ROLE_CAMERA] =
		(struct neg_media_policy){ .dir = NEG_SENDRECV,
					   .enabled = true,
					   .formats = video,
					   .n_formats = 1,
					   .ssrc = 2,
					   .port = 40002,
					   .fb = NEG_FB_PLI | NEG_FB_FIR | NEG_FB_TMMBR,
					   .max_fs = 3600,
					   .max_mbps = 108000,
					   .max_kbps = 1500 };
	p.media[NEG_ROLE_CONTENT] = p.media[NEG_ROLE_CAMERA];
	p.media[NEG_ROLE_CONTENT].port = 40004;
	p.media[NEG_ROLE_CONTENT].ssrc = 3;
	return p;
}

static int answer_text(const char *offer_text, const struct neg_policy *p,
		       const struct neg_plan *prev, char **text, struct neg_plan **plan,
		       struct errmsg *why)
{
	struct sdp *offer = parse_sdp(offer_text), *answer = NULL;
	*plan = NULL;
	*text = NULL;
	int err = neg_answer(offer, p, prev, &answer, plan, why);
	if (!err)
		*text = text_of(answer);
	sdp_free(&answer);
	sdp_free(&offer);
	return err;
}

static struct neg_plan *answered(const char *offer_text, const struct neg_policy *p, char **text)
{
	struct neg_plan *plan;
	struct errmsg why;
	if (answer_text(offer_text, p, NULL, text, &plan, &why))
		fail_msg("%s", why.text);
	return plan;
}

static void a_phone(void **state)
{
	struct neg_policy p = sip_policy();
	char *text;
	(void)state;
	struct neg_plan *plan =
		answered(HEAD "m=audio 16384 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\n"
			      "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"
			      "a=ptime:30\r\na=maxptime:60\r\n",
			 &p, &text);
	static const char *const lines[] = {
		"v=0\r\no=- 9 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8 101\r\n"
		"c=IN IP4 203.0.113.1\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 "
		"telephone-event/8000\r\n"
		"a=fmtp:101 0-15\r\na=sendrecv\r\na=ptime:30\r\n",
		NULL
	};
	expect_lines(text, lines);
	expect_none(text, "a=ssrc");
	expect_none(text, "BUNDLE");
	expect_none(text, "rtcp-mux");
	expect_none(text, "ice-");
	const struct neg_media *a = neg_plan_media(plan, NEG_ROLE_AUDIO);
	assert_int_equal(a->codec.codec, CODEC_PCMA);
	assert_int_equal(a->codec.ptime_ms, 30);
	assert_int_equal(a->codec.maxptime_ms, 60);
	assert_true(a->has_dtmf);
	assert_int_equal(a->dtmf_pt_rx, 101);
	assert_int_equal(a->dtmf_clock_hz, 8000);
	assert_false(a->avpf);
	const struct neg_transport *t = neg_plan_transport(plan, a);
	assert_string_equal(t->address, "192.0.2.50");
	assert_int_equal(t->port, 16384);
	assert_int_equal(t->rtcp_port, 16385);
	assert_int_equal(t->security, NEG_PLAIN);
	assert_false(t->ice || t->rtcp_mux);
	free(text);
	neg_plan_free(&plan);
}

static void static_payload_types_need_no_rtpmap(void **state)
{
	static const struct {
		const char *format;
		enum codec codec;
	} t[] = { { "0", CODEC_PCMU },
		  { "8", CODEC_PCMA },
		  { "9", CODEC_G722 },
		  { "0 8 9", CODEC_G722 } };
	struct neg_policy p = sip_policy();
	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		char offer[256], *text;
		snprintf(offer, sizeof(offer), HEAD "m=audio 5000 RTP/AVP %s\r\n", t[i].format);
		struct neg_plan *plan = answered(offer, &p, &text);
		assert_int_equal(plan->media[0].codec.codec, t[i].codec);
		free(text);
		neg_plan_free(&plan);
	}
}

static void a_room_system(void **state)
{
	/* H.264 on several payload types, feedback under AVP, content and BFCP */
	static const char offer[] = HEAD
		"b=AS:2048\r\n"
		"m=audio 2326 RTP/AVP 9 8\r\na=rtcp:2400\r\n"
		"m=video 2328 RTP/AVP 97 98 99 34\r\nb=TIAS:1000000\r\na=rtpmap:97 H264/90000\r\n"
		"a=fmtp:97 packetization-mode=0;profile-level-id=42801f\r\n"
		"a=rtpmap:98 H264/90000\r\na=fmtp:98 profile-level-id=640c1f; "
		"packetization-mode=1;max-br=906\r\n"
		"a=rtpmap:99 H264/90000\r\n"
		"a=fmtp:99 PROFILE-LEVEL-ID=42800D;max-mbps=40500;max-fs=1344 ; "
		"packetization-mode=1\r\n"
		"a=rtcp-fb:* nack pli\r\na=rtcp-fb:99 ccm fir\r\na=rtcp-fb:* ccm tmmbr "
		"smaxpr=120\r\n"
		"a=content:main\r\na=label:11\r\n"
		"m=application 5070 UDP/BFCP *\r\na=floorctrl:c-s\r\n"
		"m=video 2330 RTP/AVP 98\r\na=rtpmap:98 H264/90000\r\n"
		"a=fmtp:98 "
		"profile-level-id=42801f;packetization-mode=1\r\na=content:slides\r\na=recvonly\r\n"
		"m=video 2332 RTP/AVP 98\r\na=rtpmap:98 H264/90000\r\na=fmtp:98 "
		"packetization-mode=1\r\n";
	struct neg_policy p = sip_policy();
	char *text;
	(void)state;
	struct neg_plan *plan = answered(offer, &p, &text);
	expect_lines(
		text,
		(const char *[]){
			"m=audio 40000 RTP/AVP 9\r\n",
			"m=video 40002 RTP/AVP 99\r\nc=IN IP4 "
			"203.0.113.1\r\nb=AS:1500\r\nb=TIAS:1500000\r\n",
			/* no level asymmetry was offered: the lower level is that of both */
			"a=fmtp:99 "
			"level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42800d;"
			"max-fs=3600;max-mbps=108000\r\n",
			"a=rtcp-fb:99 ccm fir\r\na=rtcp-fb:99 nack pli\r\na=rtcp-fb:99 ccm "
			"tmmbr\r\n",
			"m=application 0 UDP/BFCP *\r\n", "m=video 40004 RTP/AVP 98\r\n",
			"profile-level-id=42801f", "a=sendonly\r\na=content:slides\r\n",
			"m=video 0 RTP/AVP 98\r\n", NULL });
	const struct neg_media *v = neg_plan_media(plan, NEG_ROLE_CAMERA);
	assert_int_equal(v->codec.h264_profile, 0x42800d);
	assert_int_equal(v->codec.max_fs, 1344); /* more than level 1.3 has */
	assert_int_equal(v->codec.max_mbps, 40500);
	assert_int_equal(v->codec.max_br_kbps, 768);
	assert_int_equal(v->max_bps, 1000000);
	assert_int_equal(v->fb, NEG_FB_PLI | NEG_FB_FIR | NEG_FB_TMMBR);
	assert_int_equal(v->transport.rtcp_port, 2329);
	const struct neg_media *a = neg_plan_media(plan, NEG_ROLE_AUDIO);
	assert_int_equal(a->transport.rtcp_port, 2400);
	assert_int_equal(a->max_bps, 2048000);
	const struct neg_media *c = neg_plan_media(plan, NEG_ROLE_CONTENT);
	assert_int_equal(c->dir, NEG_SENDONLY);
	assert_int_equal(c->codec.max_fs, 3600);
	assert_ptr_equal(c, &plan->media[3]);
	assert_false(plan->media[4].accepted);
	free(text);
	neg_plan_free(&plan);
}

static void packetization_mode_0_is_refused_cleanly(void **state)
{
	struct neg_policy p = sip_policy();
	struct neg_plan *plan;
	struct errmsg why;
	char *text;
	(void)state;
	static const char both[] =
		HEAD "m=audio 5000 RTP/AVP 0\r\nm=video 5002 RTP/AVP 96\r\n"
		     "a=rtpmap:96 H264/90000\r\na=fmtp:96 profile-level-id=42e01f\r\n";
	plan = answered(both, &p, &text);
	expect_lines(text, (const char *[]){ "m=audio 40000", "m=video 0 RTP/AVP 96\r\n",
					     "a=inactive\r\n", NULL });
	assert_null(neg_plan_media(plan, NEG_ROLE_CAMERA));
	free(text);
	neg_plan_free(&plan);
	assert_int_equal(answer_text(HEAD "m=video 5002 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n",
				     &p, NULL, &text, &plan, &why),
			 -ENOTSUP);
	assert_string_equal(why.code, "no_common_codec");
	/* with a format for it, it is taken */
	static const struct neg_format mode0[] = {
		{ .codec = CODEC_H264, .pt = 98, .h264_mode = 0, .h264_profile = 0x42e01f }
	};
	p.media[NEG_ROLE_CAMERA].formats = mode0;
	plan = answered(both, &p, &text);
	assert_int_equal(neg_plan_media(plan, NEG_ROLE_CAMERA)->codec.h264_mode, 0);
	expect_lines(text, (const char *[]){ "packetization-mode=0", NULL });
	free(text);
	neg_plan_free(&plan);
}

static void the_profile_nearest_to_ours_is_chosen(void **state)
{
	static const struct {
		const char *profiles[4];
		uint8_t pt; /* 96 + index */
		const char *said;
	} t[] = {
		{ { "64001f", "42e01f", "42001f", NULL }, 97, "42e01f" },
		{ { "64001f", "4d001f", "42001f", NULL }, 98, "42001f" },
		{ { "64001f", "4d001f", NULL }, 97, "4d001f" },
		{ { "64001f", NULL }, 96, "64001f" },
		{ { "42001f", "4de01f", NULL },
		  97,
		  "4de01f" },			      /* constrained baseline, said as Main */
		{ { "42e034", NULL }, 96, "42e01f" }, /* our level is lower */
		{ { "42e00c", NULL }, 96, "42e00c" },
		{ { "42f00b", NULL }, 96, "42f00b" }, /* level 1b */
		{ { "xyz", NULL }, 96, "42000a" },    /* as without: baseline, level 1 */
	};
	struct neg_policy p = sip_policy();
	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		char offer[1024] = HEAD "m=video 5000 RTP/AVP 96 97 98 99\r\n", said[64], *text;
		for (size_t k = 0; t[i].profiles[k]; k++)
			snprintf(offer + strlen(offer), sizeof(offer) - strlen(offer),
				 "a=rtpmap:%zu H264/90000\r\na=fmtp:%zu "
				 "packetization-mode=1;profile-level-id=%s\r\n",
				 96 + k, 96 + k, t[i].profiles[k]);
		struct neg_plan *plan = answered(offer, &p, &text);
		if (plan->media[0].codec.pt_tx != t[i].pt)
			fail_msg("case %zu: pt %u", i, plan->media[0].codec.pt_tx);
		snprintf(said, sizeof(said), "profile-level-id=%s", t[i].said);
		expect_lines(text, (const char *[]){ said, NULL });
		free(text);
		neg_plan_free(&plan);
	}
	struct neg_plan *plan;
	struct errmsg why;
	char *text;
	assert_int_equal(answer_text(HEAD
				     "m=video 5000 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
				     "a=fmtp:96 packetization-mode=1;profile-level-id=f4001f\r\n",
				     &p, NULL, &text, &plan, &why),
			 -ENOTSUP); /* 4:4:4 */
}

static void levels_say_how_large_a_picture_may_be(void **state)
{
	static const struct {
		const char *fmtp;
		uint32_t fs, mbps, br;
	} t[] = {
		{ "profile-level-id=42e01f", 3600, 108000, 14000 },
		{ "profile-level-id=42e01e", 1620, 40500, 10000 },
		{ "profile-level-id=42e016", 1620, 20250, 4000 },
		{ "profile-level-id=42e00a", 99, 1485, 64 },
		{ "profile-level-id=42f00b", 99, 1485, 128 },
		{ "profile-level-id=42e00b", 396, 3000, 192 },
		{ "profile-level-id=42e0ff", 36864, 2073600, 240000 },
		{ "profile-level-id=42e01f;max-fs=8160;max-mbps=244800;max-br=20000", 8160, 244800,
		  20000 },
		{ "profile-level-id=42e01f;max-fs=10;max-mbps=x", 3600, 108000, 14000 },
	};
	struct neg_policy p = sip_policy();
	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		char offer[512], *text;
		snprintf(offer, sizeof(offer),
			 HEAD "m=video 5000 RTP/AVP 96\r\na=rtpmap:96 h264/90000\r\n"
			      "a=fmtp:96 packetization-mode=1;%s\r\n",
			 t[i].fmtp);
		struct neg_plan *plan = answered(offer, &p, &text);
		const struct neg_codec_plan *c = &plan->media[0].codec;
		if (c->max_fs != t[i].fs || c->max_mbps != t[i].mbps || c->max_br_kbps != t[i].br)
			fail_msg("%s: %u %u %u", t[i].fmtp, c->max_fs, c->max_mbps, c->max_br_kbps);
		free(text);
		neg_plan_free(&plan);
	}
}

static void hold_is_seen(void **state)
{
	struct neg_policy p = sip_policy();
	char *text;
	(void)state;
	struct neg_plan *plan =
		answered(HEAD "m=audio 5000 RTP/AVP 0\r\na=sendonly\r\n", &p, &text);
	assert_true(plan->media[0].hold);
	assert_int_equal(plan->media[0].dir, NEG_RECVONLY);
	free(text);
	neg_plan_free(&plan);
	plan = answered(HEAD "m=audio 5000 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\n", &p, &text);
	assert_true(plan->media[0].hold); /* the way of RFC 2543 */
	assert_int_equal(plan->media[0].dir, NEG_RECVONLY);
	free(text);
	neg_plan_free(&plan);
}

static void a_late_offer(void **state)
{
	struct neg_policy p = sip_policy();
	struct sdp *offer = NULL;
	struct neg_plan *plan = NULL;
	struct errmsg why;
	(void)state;
	p.security = NEG_PLAIN;
	assert_int_equal(neg_offer(&p, NULL, &offer, &why), 0);
	char *text = text_of(offer);
	expect_lines(
		text,
		(const char *[]){ "m=audio 40000 RTP/AVP 111 9 8 0 101\r\nc=IN IP4 203.0.113.1\r\n",
				  "a=rtpmap:9 G722/8000\r\n", "a=sendrecv\r\na=rtcp-mux\r\n",
				  "m=video 40002 RTP/AVP 102\r\n", "a=rtcp-fb:102 ccm fir\r\n",
				  "m=video 40004 RTP/AVP 102\r\n", "a=content:slides\r\n", NULL });
	expect_none(text, "ice-");
	expect_none(text, "BUNDLE");
	expect_none(text, "a=mid");
	free(text);
	/* it answers with numbers of its own, and refuses the slides */
	struct sdp *answer = parse_sdp(
		HEAD
		"m=audio 3000 RTP/AVP 0 127\r\na=rtpmap:127 telephone-event/8000\r\n"
		"m=video 3002 RTP/AVP 109\r\na=rtpmap:109 H264/90000\r\n"
		"a=fmtp:109 packetization-mode=1;profile-level-id=42e015\r\na=recvonly\r\nm=video "
		"0 RTP/AVP 102\r\n");
	if (neg_accept(offer, &p, answer, NULL, &plan, &why))
		fail_msg("%s", why.text);
	assert_true(plan->we_offered);
	assert_false(plan->bundle);
	const struct neg_media *a = neg_plan_media(plan, NEG_ROLE_AUDIO),
			       *v = neg_plan_media(plan, NEG_ROLE_CAMERA);
	assert_int_equal(a->codec.codec, CODEC_PCMU);
	assert_int_equal(a->dtmf_pt_tx, 127);
	assert_int_equal(a->dtmf_pt_rx, 101);
	assert_int_equal(v->codec.pt_tx, 109);
	assert_int_equal(v->codec.pt_rx, 102);
	assert_int_equal(v->dir, NEG_SENDONLY);
	assert_int_equal(v->codec.max_fs, 792);
	assert_null(neg_plan_media(plan, NEG_ROLE_CONTENT));
	assert_int_equal(a->transport.rtcp_port, 3001);
	sdp_free(&answer);
	/* a later offer of ours names the refused line again */
	struct sdp *again = NULL;
	p.media[NEG_ROLE_CONTENT].enabled = false;
	assert_int_equal(neg_offer(&p, plan, &again, &why), 0);
	text = text_of(again);
	expect_lines(text, (const char *[]){ "m=audio 40000 RTP/AVP", "m=video 40002",
					     "m=video 0 RTP/AVP 102", NULL });
	free(text);
	sdp_free(&again);
	neg_plan_free(&plan);
	sdp_free(&offer);
}

static void an_answer_must_fit_the_offer(void **state)
{
	static const struct {
		const char *text;
		int err;
		const char *says;
	} t[] = {
		{ HEAD "m=audio 1 RTP/AVP 0\r\n", -EINVAL, "1 m= lines and the offer 3" },
		{ HEAD "m=video 1 RTP/AVP 0\r\nm=video 1 RTP/AVP 1\r\nm=video 0 RTP/AVP 1\r\n",
		  -EINVAL, "m=video in line 6 where the offer has m=audio" },
		{ HEAD "m=audio 1 RTP/AVP 3\r\nm=video 1 RTP/AVP 1\r\nm=video 0 RTP/AVP 1\r\n",
		  -ENOTSUP, "codec" },
		{ HEAD "m=audio 0 RTP/AVP 0\r\nm=video 0 RTP/AVP 1\r\nm=video 0 RTP/AVP 1\r\n",
		  -ENOTSUP, "Nothing" },
	};
	struct neg_policy p = sip_policy();
	struct sdp *offer = NULL;
	struct errmsg why;
	(void)state;
	p.security = NEG_PLAIN;
	assert_int_equal(neg_offer(&p, NULL, &offer, &why), 0);
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct sdp *answer = parse_sdp(t[i].text);
		struct neg_plan *plan = NULL;
		assert_int_equal(neg_accept(offer, &p, answer, NULL, &plan, &why), t[i].err);
		assert_null(plan);
		if (!strstr(why.text, t[i].says))
			fail_msg("%s lacks %s", why.text, t[i].says);
		sdp_free(&answer);
	}
	sdp_free(&offer);
}

static void an_answer_names_its_dtls_role(void **state)
{
	static const struct {
		const char *said;
		int err;
		enum neg_setup ours;
	} t[] = { { "active", 0, NEG_SETUP_PASSIVE },
		  { "passive", 0, NEG_SETUP_ACTIVE },
		  { "actpass", -EINVAL, NEG_SETUP_NONE } };
	struct neg_policy p = browser_policy();
	struct sdp *offer = NULL;
	struct errmsg why;
	(void)state;
	p.media[NEG_ROLE_CAMERA].enabled = p.media[NEG_ROLE_APPLICATION].enabled = false;
	assert_int_equal(neg_offer(&p, NULL, &offer, &why), 0);
	for (size_t i = 0; i < 3; i++) {
		char text[1024];
		snprintf(text, sizeof(text),
			 HEAD "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=rtpmap:111 opus/48000/2\r\n"
			      "a=fingerprint:" OUR_FINGERPRINT
			      "\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n"
			      "a=rtcp-mux\r\na=setup:%s\r\n",
			 t[i].said);
		struct sdp *answer = parse_sdp(text);
		struct neg_plan *plan = NULL;
		assert_int_equal(neg_accept(offer, &p, answer, NULL, &plan, &why), t[i].err);
		if (plan)
			assert_int_equal(plan->media[0].transport.setup, t[i].ours);
		neg_plan_free(&plan);
		sdp_free(&answer);
	}
	sdp_free(&offer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_phone),
		cmocka_unit_test(static_payload_types_need_no_rtpmap),
		cmocka_unit_test(a_room_system),
		cmocka_unit_test(packetization_mode_0_is_refused_cleanly),
		cmocka_unit_test(the_profile_nearest_to_ours_is_chosen),
		cmocka_unit_test(levels_say_how_large_a_picture_may_be),
		cmocka_unit_test(hold_is_seen),
		cmocka_unit_test(a_late_offer),
		cmocka_unit_test(an_answer_must_fit_the_offer),
		cmocka_unit_test(an_answer_names_its_dtls_role),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
