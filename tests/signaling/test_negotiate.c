/* Offers of real browsers. The answers made here were also set in a real Chromium
 * and Firefox (setRemoteDescription) when the fixtures were taken. */
#include "signaling/negotiate.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/signaling/sdp_help.h"

/* answer: NULL, or set to its text. */
static struct neg_plan *answer_with(const struct neg_policy *p, const char *fixture,
				    const struct neg_plan *prev, char **answer)
{
	struct sdp *offer = fixture_sdp(fixture), *a = NULL;
	struct neg_plan *plan = NULL;
	struct errmsg why;
	if (neg_answer(offer, p, prev, &a, &plan, &why))
		fail_msg("%s: %s", fixture, why.text);
	char *text = text_of(a);
	struct sdp *again = parse_sdp(text); /* what we write we can read */
	assert_int_equal(again->n_media, offer->n_media);
	sdp_free(&again);
	if (answer)
		*answer = text;
	else
		free(text);
	sdp_free(&a);
	sdp_free(&offer);
	return plan;
}

static const struct {
	const char *name;
	size_t n;
	enum neg_dir audio, video; /* video -1: refused */
	uint8_t audio_pt, video_pt;
	const char *group;
} fixtures[] = {
	{ "chromium-av-sendrecv", 2, NEG_SENDRECV, NEG_SENDRECV, 111, 108, "BUNDLE 0 1" },
	{ "chromium-gathered", 2, NEG_SENDRECV, NEG_SENDRECV, 111, 108, "BUNDLE 0 1" },
	{ "chromium-video-recvonly", 2, NEG_SENDRECV, NEG_SENDONLY, 111, 108, "BUNDLE 0 1" },
	{ "chromium-av-recvonly", 2, NEG_SENDONLY, NEG_SENDONLY, 111, 108, "BUNDLE 0 1" },
	{ "chromium-audio-only", 1, NEG_SENDRECV, (enum neg_dir) - 1, 111, 0, "BUNDLE 0" },
	{ "chromium-av-data", 3, NEG_SENDRECV, NEG_SENDRECV, 111, 108, "BUNDLE 0 1 2" },
	{ "chromium-av-content", 3, NEG_SENDRECV, NEG_SENDRECV, 111, 108, "BUNDLE 0 1" },
	{ "firefox-av-sendrecv", 2, NEG_SENDRECV, NEG_SENDRECV, 109, 120, "BUNDLE 0 1" },
	{ "firefox-gathered", 2, NEG_SENDRECV, NEG_SENDRECV, 109, 120, "BUNDLE 0 1" },
	{ "firefox-h264", 2, NEG_SENDRECV, NEG_SENDRECV, 109, 126, "BUNDLE 0 1" },
	{ "firefox-video-recvonly", 2, NEG_SENDRECV, NEG_SENDONLY, 109, 120, "BUNDLE 0 1" },
	{ "firefox-av-recvonly", 2, NEG_SENDONLY, NEG_SENDONLY, 109, 120, "BUNDLE 0 1" },
	{ "firefox-audio-only", 1, NEG_SENDRECV, (enum neg_dir) - 1, 109, 0, "BUNDLE 0" },
	{ "firefox-av-data", 3, NEG_SENDRECV, NEG_SENDRECV, 109, 120, "BUNDLE 0 1 2" },
	{ "firefox-av-content", 3, NEG_SENDRECV, NEG_SENDRECV, 109, 120, "BUNDLE 0 1" },
};

static void every_fixture_is_answered(void **state)
{
	struct neg_policy p = browser_policy();
	(void)state;
	for (size_t i = 0; i < sizeof(fixtures) / sizeof(fixtures[0]); i++) {
		char *text, group[64];
		struct neg_plan *plan = answer_with(&p, fixtures[i].name, NULL, &text);
		const struct neg_media *a = neg_plan_media(plan, NEG_ROLE_AUDIO);
		const struct neg_media *v = neg_plan_media(plan, NEG_ROLE_CAMERA);
		assert_int_equal(plan->n_media, fixtures[i].n);
		assert_non_null(a);
		assert_int_equal(a->dir, fixtures[i].audio);
		assert_int_equal(a->codec.pt_tx, fixtures[i].audio_pt);
		assert_int_equal(a->codec.pt_rx, fixtures[i].audio_pt);
		assert_int_equal(a->codec.codec, CODEC_OPUS);
		assert_int_equal(v != NULL, (int)fixtures[i].video != -1);
		if (v) {
			assert_int_equal(v->dir, fixtures[i].video);
			assert_int_equal(v->codec.pt_tx, fixtures[i].video_pt);
			assert_int_equal(v->codec.codec, v->codec.pt_tx == 120 ? CODEC_VP8
									       : CODEC_H264);
			if (v->codec.codec == CODEC_H264) {
				assert_int_equal(v->codec.h264_profile, 0x42e01f);
				assert_int_equal(v->codec.h264_sps, 0x42e01f);
				assert_int_equal(v->codec.h264_mode, 1);
			}
			assert_ptr_equal(neg_plan_transport(plan, v), neg_plan_transport(plan, a));
		}
		snprintf(group, sizeof(group), "a=group:%s\r\n", fixtures[i].group);
		expect_lines(text, (const char *[]){ group, NULL });
		const struct neg_transport *tr = neg_plan_transport(plan, a);
		assert_true(tr->ice && tr->ice_trickle && tr->rtcp_mux && tr->dtls_new);
		assert_int_equal(tr->security, NEG_DTLS);
		assert_int_equal(tr->setup, NEG_SETUP_PASSIVE);
		assert_int_equal(strlen(tr->fingerprint), 95);
		free(text);
		neg_plan_free(&plan);
	}
}

static const char *const to_chromium[] = {
	"v=0\r\no=- 42 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n",
	"m=audio 9 UDP/TLS/RTP/SAVPF 63 111 9 0 8\r\nc=IN IP4 0.0.0.0\r\n",
	"a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n"
	"a=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n",
	"a=ice-ufrag:ourU\r\na=ice-pwd:ourpwdourpwdourpwdourpwd\r\na=ice-options:"
	"trickle\r\n",
	"a=fingerprint:" OUR_FINGERPRINT "\r\na=setup:passive\r\na=mid:0\r\n",
	"a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n",
	"a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n",
	"a=sendrecv\r\n",
	"a=rtcp-mux\r\na=rtcp-rsize\r\n",
	"a=rtcp-fb:111 transport-cc\r\n",
	"a=msid:room mix\r\na=ssrc:1111 cname:mixer\r\n",
	"m=video 9 UDP/TLS/RTP/SAVPF 108 109 102 103 116 117 96 97 98 99 45 46 114 115 104 "
	"107 39 40\r\nc=IN IP4 0.0.0.0\r\n",
	"a=rtpmap:108 H264/90000\r\n"
	"a=fmtp:108 "
	"level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\n"
	"a=rtpmap:109 rtx/90000\r\na=fmtp:109 apt=108\r\n"
	"a=rtpmap:102 H264/90000\r\n"
	"a=fmtp:102 "
	"level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f\r\n"
	"a=rtpmap:103 rtx/90000\r\na=fmtp:103 apt=102\r\n"
	"a=rtpmap:116 H264/90000\r\n"
	"a=fmtp:116 "
	"level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=4d001f\r\n"
	"a=rtpmap:117 rtx/90000\r\na=fmtp:117 apt=116\r\n"
	"a=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n"
	"a=rtpmap:98 VP9/90000\r\na=fmtp:98 profile-id=0\r\n"
	"a=rtpmap:99 rtx/90000\r\na=fmtp:99 apt=98\r\n"
	"a=rtpmap:45 AV1/90000\r\na=rtpmap:46 rtx/90000\r\na=fmtp:46 apt=45\r\n"
	"a=rtpmap:114 H264/90000\r\n"
	"a=fmtp:114 "
	"level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42e01f\r\n",
	"a=extmap:13 urn:3gpp:video-orientation\r\n",
	"a=sendrecv\r\n",
	"a=rtcp-fb:108 goog-remb\r\na=rtcp-fb:108 transport-cc\r\na=rtcp-fb:108 ccm fir\r\n"
	"a=rtcp-fb:108 nack\r\na=rtcp-fb:108 nack pli\r\n",
	"a=rtcp-fb:96 goog-remb\r\na=rtcp-fb:96 transport-cc\r\n",
	"a=msid:room view\r\na=ssrc-group:FID 2222 2223\r\n"
	"a=ssrc:2222 cname:mixer\r\na=ssrc:2223 cname:mixer\r\n",
	NULL
};

static void an_answer_to_chromium(void **state)
{
	struct neg_policy p = browser_policy();
	char *text;
	(void)state;
	struct neg_plan *plan = answer_with(&p, "chromium-av-sendrecv", NULL, &text);
	expect_lines(text, to_chromium);
	static const char *const none[] = { "candidate", "ulpfec", "red/90000", "telephone-event",
					    "CN/8000",	 "rid",	   "simulcast", "profile-id=2" };
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		expect_none(text, none[i]);
	const struct neg_media *v = neg_plan_media(plan, NEG_ROLE_CAMERA);
	assert_int_equal(v->fb, NEG_FB_NACK | NEG_FB_PLI | NEG_FB_FIR | NEG_FB_REMB | NEG_FB_TWCC);
	assert_int_equal(v->ext_id[NEG_EXT_MID], 4);
	assert_int_equal(v->ext_id[NEG_EXT_ABS_SEND_TIME], 2);
	assert_int_equal(v->ext_id[NEG_EXT_TWCC], 3);
	assert_int_equal(v->ext_id[NEG_EXT_VIDEO_ORIENTATION], 13);
	assert_int_equal(v->ext_id[NEG_EXT_AUDIO_LEVEL], 0);
	assert_int_equal(v->n_remote_ssrcs, 1); /* the other one is RTX */
	assert_true(v->remote_ssrc[0] == 3309120500u);
	assert_true(v->remote_rtx_ssrc == 2485292857u);
	assert_string_equal(v->remote_cname, "zm5BH4MQWprgAtxB");
	assert_int_equal(v->codec.max_fs, 3600);
	assert_int_equal(v->codec.max_mbps, 108000);
	assert_true(v->codec.h264_level_asymmetry && v->rtcp_rsize && v->avpf && v->created);
	const struct neg_media *a = neg_plan_media(plan, NEG_ROLE_AUDIO);
	assert_int_equal(a->codec.clock_hz, 48000);
	assert_int_equal(a->codec.channels, 2);
	assert_true(a->codec.opus_fec);
	assert_false(a->codec.opus_stereo);
	assert_int_equal(a->ext_id[NEG_EXT_AUDIO_LEVEL], 1);
	assert_false(a->has_dtmf);
	free(text);
	neg_plan_free(&plan);
}

static void candidates_of_the_bundle_are_taken_once(void **state)
{
	struct neg_policy p = browser_policy();
	struct neg_plan *plan = answer_with(&p, "chromium-gathered", NULL, NULL);
	(void)state;
	assert_int_equal(plan->n_candidates, 2); /* UDP; of the first m-line */
	assert_string_equal(
		plan->candidates[0].text,
		"candidate:2601049331 1 udp 2122194687 192.0.2.2 36938 typ host generation 0 "
		"network-id 1");
	neg_plan_free(&plan);
	plan = answer_with(&p, "firefox-gathered", NULL, NULL);
	assert_int_equal(plan->n_candidates, 2); /* of component 1 */
	assert_true(plan->end_of_candidates || plan->n_candidates);
	neg_plan_free(&plan);
}

static void our_candidates_go_with_the_transport(void **state)
{
	static const char *const c[] = { "candidate:1 1 UDP 5 192.0.2.9 999 typ host" };
	struct neg_policy p = browser_policy();
	char *text;
	(void)state;
	p.candidates = c;
	p.n_candidates = 1;
	struct neg_plan *plan = answer_with(&p, "chromium-av-sendrecv", NULL, &text);
	char *first = strstr(text, "a=candidate:1 1 UDP 5 192.0.2.9 999 typ host\r\n");
	assert_non_null(first);
	assert_true(first < strstr(text, "m=video"));
	assert_null(strstr(first + 5, "a=candidate"));
	free(text);
	neg_plan_free(&plan);
}

static void refused_lines_keep_their_place(void **state)
{
	struct neg_policy p = browser_policy();
	char *text;
	(void)state;
	p.media[NEG_ROLE_APPLICATION].enabled = false;
	struct neg_plan *plan = answer_with(&p, "chromium-av-data", NULL, &text);
	expect_lines(text, (const char *[]){ "m=audio 9", "m=video 9",
					     "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n"
					     "c=IN IP4 0.0.0.0\r\na=mid:2\r\n",
					     NULL });
	assert_int_equal(plan->media[2].role, NEG_ROLE_APPLICATION);
	assert_false(plan->media[2].accepted);
	free(text);
	neg_plan_free(&plan);
	p.media[NEG_ROLE_AUDIO].enabled = false;
	plan = answer_with(&p, "chromium-av-content", NULL, &text);
	expect_lines(text, (const char *[]){
				   "a=group:BUNDLE 1\r\n", "m=audio 0 UDP/TLS/RTP/SAVPF 111\r\n",
				   "a=mid:0\r\na=inactive\r\n", "m=video 9", "m=video 0", NULL });
	assert_int_equal(plan->media[1].transport_index, 1);
	assert_true(plan->media[1].transport.ice);
	free(text);
	neg_plan_free(&plan);
}

static void a_second_video_is_content(void **state)
{
	static const char *const names[] = { "chromium-av-content", "firefox-av-content" };
	static const struct neg_format vp8[] = { { .codec = CODEC_VP8, .pt = 96 } };
	(void)state;
	for (size_t i = 0; i < 2; i++) { /* Firefox says bundle-only, at port 0 */
		struct neg_policy p = browser_policy();
		p.media[NEG_ROLE_CAMERA].formats = vp8;
		p.media[NEG_ROLE_CAMERA].n_formats = 1;
		p.media[NEG_ROLE_CONTENT] = p.media[NEG_ROLE_CAMERA];
		p.media[NEG_ROLE_CONTENT].dir = NEG_RECVONLY;
		char *text;
		struct neg_plan *plan = answer_with(&p, names[i], NULL, &text);
		const struct neg_media *c = neg_plan_media(plan, NEG_ROLE_CONTENT);
		assert_non_null(c);
		assert_ptr_equal(c, &plan->media[2]);
		assert_int_equal(c->dir, NEG_RECVONLY);
		assert_int_equal(c->transport_index, 0);
		assert_int_equal(c->codec.codec, CODEC_VP8);
		assert_int_equal(c->codec.max_fs, i ? 12288 : 0);
		expect_lines(text, (const char *[]){ "a=group:BUNDLE 0 1 2\r\n", "m=video 9",
						     "a=mid:2\r\n",
						     "a=recvonly\r\na=content:slides\r\n", NULL });
		free(text);
		neg_plan_free(&plan);
	}
}

static void a_new_offer_keeps_what_was_agreed(void **state)
{
	struct neg_policy p = browser_policy();
	struct neg_plan *one = answer_with(&p, "chromium-reoffer-1", NULL, NULL);
	struct sdp *second = fixture_sdp("chromium-reoffer-2"),
		   *third = fixture_sdp("chromium-reoffer-3-restart");
	(void)state;
	assert_false(neg_wants_ice_restart(second, NULL));
	assert_false(neg_wants_ice_restart(second, one));
	p.session_version = 2;
	p.setup = NEG_SETUP_ACTIVE; /* another wish now: the role stays all the same */
	char *text;
	struct neg_plan *two = answer_with(&p, "chromium-reoffer-2", one, &text);
	expect_lines(text,
		     (const char *[]){ "o=- 42 2 IN", "a=setup:passive", "a=setup:passive", NULL });
	const struct neg_transport *t = &two->media[0].transport;
	assert_int_equal(t->setup, NEG_SETUP_PASSIVE);
	assert_false(t->dtls_new || t->ice_restart || two->media[0].created ||
		     two->media[1].created);
	assert_int_equal(two->media[1].dir, NEG_SENDONLY);
	assert_false(two->media[1].hold);
	assert_int_equal(two->media[1].codec.pt_tx, one->media[1].codec.pt_tx);
	free(text);
	assert_true(neg_wants_ice_restart(third, two));
	p.ice_ufrag = "newU";
	struct neg_plan *three = answer_with(&p, "chromium-reoffer-3-restart", two, &text);
	assert_true(three->media[0].transport.ice_restart);
	assert_false(three->media[0].transport.dtls_new);
	expect_lines(text, (const char *[]){ "a=ice-ufrag:newU", NULL });
	free(text);
	struct sdp *fewer = fixture_sdp("chromium-audio-only"), *a = NULL;
	struct neg_plan *none = NULL;
	struct errmsg why;
	assert_int_equal(neg_answer(fewer, &p, three, &a, &none, &why), -EINVAL);
	assert_string_equal(why.code, "bad_sdp");
	sdp_free(&fewer);
	sdp_free(&second);
	sdp_free(&third);
	neg_plan_free(&one);
	neg_plan_free(&two);
	neg_plan_free(&three);
}

static void our_offer_and_chromiums_answer(void **state)
{
	struct neg_policy p = browser_policy();
	struct sdp *offer = fixture_sdp("chromium-server-offer"),
		   *answer = fixture_sdp("chromium-server-offer-answer");
	struct neg_plan *prev = answer_with(&p, "chromium-reoffer-2", NULL, NULL), *plan = NULL;
	struct errmsg why;
	(void)state;
	if (neg_accept(offer, &p, answer, prev, &plan, &why))
		fail_msg("%s", why.text);
	assert_true(plan->we_offered && plan->bundle);
	const struct neg_media *v = neg_plan_media(plan, NEG_ROLE_CAMERA);
	assert_int_equal(v->dir, NEG_SENDONLY);
	assert_int_equal(v->codec.pt_tx, 108);
	assert_int_equal(v->codec.pt_rx, 108);
	assert_int_equal(v->ext_id[NEG_EXT_VIDEO_ORIENTATION], 13);
	assert_int_equal(neg_plan_transport(plan, v)->setup, NEG_SETUP_PASSIVE);
	assert_false(neg_plan_transport(plan, v)->ice_lite);
	neg_plan_free(&plan);
	neg_plan_free(&prev);
	sdp_free(&offer);
	sdp_free(&answer);
}

#define VIDEO_108                                                                                  \
	"m=video 9 UDP/TLS/RTP/SAVPF 108 109 102 103 116 117 96 97 98 99 45 46 114 115 104 "      \
	"107 39 40\r\n"

static void an_offer_after_a_plan_keeps_lines_and_numbers(void **state)
{
	struct neg_policy p = browser_policy();
	p.media[NEG_ROLE_APPLICATION].enabled = false;
	struct neg_plan *prev = answer_with(&p, "chromium-av-data", NULL, NULL);
	struct sdp *offer = NULL;
	struct errmsg why;
	(void)state;
	p.media[NEG_ROLE_CONTENT] = p.media[NEG_ROLE_CAMERA];
	p.media[NEG_ROLE_CONTENT].dir = NEG_SENDONLY;
	assert_int_equal(neg_offer(&p, prev, &offer, &why), 0);
	char *text = text_of(offer);
	expect_lines(text,
		     (const char *[]){ "a=group:BUNDLE 0 1 3\r\n",
				       "m=audio 9 UDP/TLS/RTP/SAVPF 63 111 9 0 8\r\n",
				       "a=setup:actpass\r\na=mid:0\r\n",
				       "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n",
				       VIDEO_108, "a=mid:1\r\n",
				       "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n",
				       "a=mid:2\r\n",
				       "m=video 9 UDP/TLS/RTP/SAVPF 108 109 96 97 98 99 45 46 114 "
				       "115\r\n",
				       "a=mid:3\r\n", "a=extmap:13 urn:3gpp:video-orientation\r\n",
				       "a=sendonly\r\na=content:slides\r\n", NULL });
	free(text);
	sdp_free(&offer);
	neg_plan_free(&prev);
}

static void an_offer_from_nothing(void **state)
{
	struct neg_policy p = browser_policy();
	struct sdp *offer = NULL;
	struct errmsg why;
	(void)state;
	p.media[NEG_ROLE_CAMERA].dir = NEG_SENDONLY;
	p.media[NEG_ROLE_CAMERA].max_kbps = 1500;
	assert_int_equal(neg_offer(&p, NULL, &offer, &why), 0);
	char *text = text_of(offer);
	expect_lines(text, (const char *[]){
				   "a=group:BUNDLE 0 1 2\r\n",
				   "m=audio 9 UDP/TLS/RTP/SAVPF 63 111 9 0 8\r\n",
				   "a=setup:actpass\r\na=mid:0\r\n",
				   "a=sendrecv\r\na=rtcp-mux\r\na=rtcp-rsize\r\n",
				   "m=video 9 UDP/TLS/RTP/SAVPF 102 103 96 97 98 99 45 46 104 "
				   "105\r\n",
				   "b=AS:1500\r\nb=TIAS:1500000\r\n",
				   "a=fmtp:102 "
				   "level-asymmetry-allowed=1;packetization-mode=1;profile-level-"
				   "id=42e01f\r\n",
				   "a=sendonly\r\n", "a=rtcp-fb:102 nack pli\r\n",
				   "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n",
				   "a=sctp-port:5000\r\na=max-message-size:65536\r\n",
				   "a=setup:actpass\r\na=mid:2\r\n", NULL });
	free(text);
	sdp_free(&offer);
	p.media[NEG_ROLE_CAMERA].enabled = p.media[NEG_ROLE_AUDIO].enabled = false;
	p.media[NEG_ROLE_APPLICATION].enabled = false;
	assert_int_equal(neg_offer(&p, NULL, &offer, &why), -EINVAL);
	assert_null(offer);
}

/* A real offer with one thing changed. */
static int answer_changed(const char *from, const char *to, struct errmsg *why,
			  struct neg_plan **plan)
{
	char *text = fixture_text("chromium-av-sendrecv"), *changed = calloc(1, 131072), *p = text,
	     *hit;
	while ((hit = strstr(p, from))) {
		strncat(changed, p, (size_t)(hit - p));
		strcat(changed, to);
		p = hit + strlen(from);
	}
	assert_ptr_not_equal(p, text);
	strcat(changed, p);
	struct sdp *offer = parse_sdp(changed), *answer = NULL;
	struct neg_policy policy = browser_policy();
	int err = neg_answer(offer, &policy, NULL, &answer, plan, why);
	assert_int_equal(err == 0, answer != NULL);
	assert_int_equal(err == 0, *plan != NULL);
	sdp_free(&offer);
	sdp_free(&answer);
	free(changed);
	free(text);
	return err;
}

static void wrong_offers_are_refused_with_a_reason(void **state)
{
	static const struct {
		const char *from, *to;
		int err;
		const char *code, *says;
	} t[] = {
		{ "a=fingerprint:sha-256 ", "a=fingerprint:md5 ", -EINVAL, "bad_sdp",
		  "a=fingerprint" },
		{ "a=fingerprint:", "a=x:", -EINVAL, "bad_sdp", "a=fingerprint is missing" },
		{ "a=ice-ufrag:", "a=ice-ufrag:!", -EINVAL, "bad_sdp", "a=ice-ufrag" },
		{ "a=ice-pwd:", "a=x:", -EINVAL, "bad_sdp", "a=ice-pwd" },
		{ "a=setup:actpass", "a=setup:holdconn", -EINVAL, "bad_sdp", "a=setup" },
		{ "a=mid:1", "a=mid:0", -EINVAL, "bad_sdp", "a=mid:0 twice (line 39" },
		{ "a=mid:1", "a=mid:012345678901234567890123456789012", -EINVAL, "bad_sdp",
		  "32 characters" },
		{ "a=ice-", "a=x-", -ENOTSUP, "not_acceptable", "Nothing" },
		{ "a=rtcp-mux", "a=x", -ENOTSUP, "not_acceptable", "Nothing" },
		{ "UDP/TLS/RTP/SAVPF 111", "UDP/TLS/RTP/SAVPF 9", 0, NULL, NULL },
		{ "m=audio 9", "m=audio 0", 0, NULL, NULL },
		{ "a=rtpmap:", "a=x:", 0, NULL, NULL }, /* G.711 and G.722 need none */
		{ "m=", "m=x", -ENOTSUP, "not_acceptable", "Nothing" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct errmsg why = { .code = "" };
		struct neg_plan *plan = NULL;
		int err = answer_changed(t[i].from, t[i].to, &why, &plan);
		if (err != t[i].err ||
		    (err && (strcmp(why.code, t[i].code) || !strstr(why.text, t[i].says))))
			fail_msg("case %zu: %d %s: %s", i, err, why.code, why.text);
		neg_plan_free(&plan);
	}
}

static void the_peers_choice_of_role_is_followed(void **state)
{
	struct errmsg why;
	struct neg_plan *plan = NULL;
	(void)state;
	assert_int_equal(answer_changed("a=setup:actpass", "a=setup:active", &why, &plan), 0);
	assert_int_equal(plan->media[0].transport.setup, NEG_SETUP_PASSIVE);
	neg_plan_free(&plan);
	assert_int_equal(answer_changed("a=setup:actpass", "a=setup:passive", &why, &plan), 0);
	assert_int_equal(plan->media[0].transport.setup, NEG_SETUP_ACTIVE);
	neg_plan_free(&plan);
	assert_int_equal(answer_changed("a=setup:actpass", "a=x", &why, &plan), 0);
	assert_int_equal(plan->media[0].transport.setup, NEG_SETUP_PASSIVE);
	neg_plan_free(&plan);
}

static void directions_fit(void **state)
{
	static const struct {
		const char *theirs;
		enum neg_dir want[4]; /* by our policy: inactive, sendonly, recvonly, sendrecv */
	} t[] = {
		{ "a=inactive", { NEG_INACTIVE, NEG_INACTIVE, NEG_INACTIVE, NEG_INACTIVE } },
		{ "a=sendonly", { NEG_INACTIVE, NEG_INACTIVE, NEG_RECVONLY, NEG_RECVONLY } },
		{ "a=recvonly", { NEG_INACTIVE, NEG_SENDONLY, NEG_INACTIVE, NEG_SENDONLY } },
		{ "a=sendrecv", { NEG_INACTIVE, NEG_SENDONLY, NEG_RECVONLY, NEG_SENDRECV } },
	};
	(void)state;
	for (size_t i = 0; i < 4; i++)
		for (unsigned d = 0; d < 4; d++) {
			char text[1024];
			struct neg_policy p = browser_policy();
			struct neg_plan *plan = NULL;
			struct sdp *a = NULL;
			struct errmsg why;
			p.media[NEG_ROLE_AUDIO].dir = (enum neg_dir)d;
			snprintf(
				text, sizeof(text),
				"v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 "
				"0\r\na=fingerprint:" OUR_FINGERPRINT
				"\r\n%s\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n"
				"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=rtpmap:111 opus/48000/2\r\n"
				"a=rtcp-mux\r\na=setup:actpass\r\n",
				t[i].theirs);
			struct sdp *o = parse_sdp(text);
			if (neg_answer(o, &p, NULL, &a, &plan, &why))
				fail_msg("%s", why.text);
			assert_int_equal(plan->media[0].dir, t[i].want[d]);
			assert_int_equal(plan->media[0].hold, i < 2);
			char *said = text_of(a);
			snprintf(text, sizeof(text), "a=%s\r\n", neg_dir_name(t[i].want[d]));
			expect_lines(said, (const char *[]){ text, NULL });
			assert_int_equal(strstr(said, "a=ssrc:") != NULL,
					 (t[i].want[d] & NEG_SENDONLY) != 0);
			free(said);
			sdp_free(&o);
			sdp_free(&a);
			neg_plan_free(&plan);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_fixture_is_answered),
		cmocka_unit_test(an_answer_to_chromium),
		cmocka_unit_test(candidates_of_the_bundle_are_taken_once),
		cmocka_unit_test(our_candidates_go_with_the_transport),
		cmocka_unit_test(refused_lines_keep_their_place),
		cmocka_unit_test(a_second_video_is_content),
		cmocka_unit_test(a_new_offer_keeps_what_was_agreed),
		cmocka_unit_test(our_offer_and_chromiums_answer),
		cmocka_unit_test(an_offer_after_a_plan_keeps_lines_and_numbers),
		cmocka_unit_test(an_offer_from_nothing),
		cmocka_unit_test(wrong_offers_are_refused_with_a_reason),
		cmocka_unit_test(the_peers_choice_of_role_is_followed),
		cmocka_unit_test(directions_fit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
