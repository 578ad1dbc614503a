/* Which formats of an offer are agreed on, in which order, and what is sent: many
 * codecs, RTX, RED, layers of a simulcast, stereo. */
#include "signaling/negotiate.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/signaling/sdp_help.h"

enum {
	OPUS = 1 << CODEC_OPUS,
	H264 = 1 << CODEC_H264,
	VP8 = 1 << CODEC_VP8,
	VP9 = 1 << CODEC_VP9,
	AV1 = 1 << CODEC_AV1
};

static int answer_to(const struct sdp *offer, const struct neg_policy *p,
		     const struct neg_plan *prev, struct neg_plan **plan, char **text,
		     struct errmsg *why)
{
	struct sdp *answer = NULL;
	*plan = NULL;
	int err = neg_answer(offer, p, prev, &answer, plan, why);
	if (text)
		*text = err ? NULL : text_of(answer);
	sdp_free(&answer);
	return err;
}

static struct neg_plan *answered(const char *offer_text, const struct neg_policy *p, char **text)
{
	struct sdp *offer = parse_sdp(offer_text);
	struct neg_plan *plan;
	struct errmsg why;
	if (answer_to(offer, p, NULL, &plan, text, &why))
		fail_msg("%s", why.text);
	sdp_free(&offer);
	return plan;
}

/* One section of a browser, its m-line and what follows the transport. */
static const char *section(const char *mline, const char *more)
{
	static char text[8192];
	int n = snprintf(text, sizeof(text),
			 "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE m\r\n"
			 "m=%s\r\nc=IN IP4 0.0.0.0\r\na=mid:m\r\n"
			 "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n"
			 "a=fingerprint:" OUR_FINGERPRINT "\r\na=setup:actpass\r\na=rtcp-mux\r\n%s",
			 mline, more);
	assert_true(n > 0 && (size_t)n < sizeof(text));
	return text;
}

static void what_browsers_prefer_does_not_matter_but_ours(void **state)
{
	static const struct {
		const char *fixture, *video;
		enum codec tx;
		uint8_t pt, rtx_pt;
		size_t n;
		const char *rid;
	} t[] = {
		{ "chromium-vp8-only", "96 97", CODEC_VP8, 96, 97, 1, "" },
		{ "chromium-vp9-only", "98 99", CODEC_VP9, 98, 99, 1, "" },
		{ "chromium-vp9-first",
		  "108 109 102 103 116 117 96 97 98 99 45 46 114 115 104 107 39 40", CODEC_H264,
		  108, 109, 9, "" },
		{ "chromium-h264-only", "108 109 102 103 116 117 114 115 104 107 39 40", CODEC_H264,
		  108, 109, 6, "" },
		{ "chromium-simulcast",
		  "108 109 102 103 116 117 96 97 98 99 45 46 114 115 104 107 39 40", CODEC_H264,
		  108, 109, 9, "f" },
		{ "chromium-simulcast-ssrc",
		  "108 109 102 103 116 117 96 97 98 99 45 46 114 115 104 107 39 40", CODEC_H264,
		  108, 109, 9, "" },
		{ "firefox-vp8-only", "120 124", CODEC_VP8, 120, 124, 1, "" },
		{ "firefox-av-sendrecv", "120 124 121 125 99 100", CODEC_VP8, 120, 124, 3, "" },
		{ "firefox-h264", "126 127 103 104 120 124 121 125 99 100 97 98 105 106",
		  CODEC_H264, 126, 127, 7, "" },
		{ "firefox-simulcast", "120 124 121 125 99 100", CODEC_VP8, 120, 124, 3, "hi" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct neg_policy p = browser_policy();
		char *text, line[160], *offer = fixture_text(t[i].fixture);
		struct neg_plan *plan = answered(offer, &p, &text);
		const struct neg_media *v = neg_plan_media(plan, NEG_ROLE_CAMERA);
		snprintf(line, sizeof(line), "m=video 9 UDP/TLS/RTP/SAVPF %s\r\n", t[i].video);
		expect_lines(text, (const char *[]){ line, NULL });
		assert_int_equal(v->codec.codec, t[i].tx);
		assert_int_equal(v->codec.pt_tx, t[i].pt);
		assert_int_equal(v->n_agreed, t[i].n);
		assert_int_equal(v->dir, NEG_SENDRECV);
		assert_int_equal(v->agreed[0].rtx_pt, t[i].rtx_pt);
		assert_int_equal(v->agreed[0].tx_rtx_pt, t[i].rtx_pt);
		assert_string_equal(v->rid, t[i].rid);
		assert_int_equal(strstr(text, "a=simulcast:recv ") != NULL, t[i].rid[0] != 0);
		assert_int_equal(v->ext_id[NEG_EXT_RID] != 0, t[i].rid[0] != 0);
		assert_int_equal(v->ext_id[NEG_EXT_REPAIRED_RID] != 0, t[i].rid[0] != 0);
		assert_int_equal(v->n_remote_ssrcs, !t[i].rid[0]);
		assert_int_equal(v->remote_rtx_ssrc != 0, !t[i].rid[0]);
		free(text);
		free(offer);
		neg_plan_free(&plan);
	}
}

static void only_what_can_be_encoded_is_sent(void **state)
{
	static const struct {
		uint32_t send, recv;
		const char *fixture;
		int dir; /* -1: refused */
		enum codec tx;
		uint8_t pt;
		const char *listed;
	} t[] = {
		{ OPUS | VP8, 0, "chromium-av-sendrecv", NEG_SENDRECV, CODEC_VP8, 96,
		  "108 109 102 103 116 117 96 97 98 99 45 46 114 115 104 107 39 40" },
		{ OPUS | H264, 0, "chromium-vp8-only", NEG_RECVONLY, CODEC_VP8, 96, "96 97" },
		{ OPUS | H264 | VP9, OPUS | H264, "chromium-vp9-only", NEG_SENDONLY, CODEC_VP9, 98,
		  "98 99" },
		{ OPUS | H264, OPUS | H264 | VP8, "chromium-av-sendrecv", NEG_SENDRECV, CODEC_H264,
		  108, "108 109 102 103 116 117 96 97 114 115 104 107 39 40" },
		{ OPUS | AV1, OPUS | VP8, "chromium-av-sendrecv", NEG_SENDRECV, CODEC_AV1, 45,
		  "96 97 45 46" },
		{ OPUS | H264, OPUS | H264, "chromium-vp8-only", -1, CODEC_NONE, 0, NULL },
		/* who wants to see only, and nothing that we encode */
		{ OPUS | AV1 | H264, 0, "firefox-video-recvonly", NEG_SENDONLY, CODEC_AV1, 99,
		  "99 100" },
		{ OPUS | H264, 0, "firefox-video-recvonly", -1, CODEC_NONE, 0, NULL },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct neg_policy p = browser_policy();
		char *text, line[160], *offer = fixture_text(t[i].fixture);
		p.media[NEG_ROLE_CAMERA].send = p.media[NEG_ROLE_AUDIO].send = t[i].send;
		p.media[NEG_ROLE_CAMERA].recv = p.media[NEG_ROLE_AUDIO].recv = t[i].recv;
		struct neg_plan *plan = answered(offer, &p, &text);
		const struct neg_media *v = neg_plan_media(plan, NEG_ROLE_CAMERA);
		assert_int_equal(v ? (int)v->dir : -1, t[i].dir);
		if (v) {
			assert_int_equal(v->codec.codec, t[i].tx);
			assert_int_equal(v->codec.pt_tx, t[i].pt);
			snprintf(line, sizeof(line), "m=video 9 UDP/TLS/RTP/SAVPF %s\r\n",
				 t[i].listed);
			expect_lines(text, (const char *[]){ line, NULL });
			snprintf(line, sizeof(line), "a=%s\r\n", neg_dir_name(v->dir));
			expect_lines(strstr(text, "m=video"), (const char *[]){ line, NULL });
			assert_int_equal(strstr(text, "a=ssrc:2222") != NULL,
					 (t[i].dir & NEG_SENDONLY) != 0);
		} else {
			expect_lines(text, (const char *[]){ "m=video 0 ", NULL });
		}
		free(text);
		free(offer);
		neg_plan_free(&plan);
	}
}

static void a_viewer_that_can_show_nothing_is_told(void **state)
{
	struct neg_policy p = browser_policy();
	struct neg_plan *plan;
	struct errmsg why;
	(void)state;
	p.media[NEG_ROLE_CAMERA].send = H264 | VP8;
	struct sdp *offer = parse_sdp(section("video 9 UDP/TLS/RTP/SAVPF 98",
					      "a=rtpmap:98 VP9/90000\r\na=recvonly\r\n"));
	assert_int_equal(answer_to(offer, &p, NULL, &plan, NULL, &why), -ENOTSUP);
	assert_string_equal(why.code, "no_common_codec");
	assert_non_null(strstr(why.text, "VP8"));
	sdp_free(&offer);
}

static void profiles_that_are_not_decoded_are_left_out(void **state)
{
	struct neg_policy p = browser_policy();
	char *text;
	(void)state;
	struct neg_plan *plan = answered(
		section("video 9 UDP/TLS/RTP/SAVPF 100 101 98 99 40 45 46 120 121 96",
			"a=rtpmap:100 VP9/90000\r\na=fmtp:100 profile-id=2\r\n"
			"a=rtpmap:101 rtx/90000\r\na=fmtp:101 apt=100\r\n"
			"a=rtpmap:98 VP9/90000\r\na=rtpmap:99 rtx/90000\r\na=fmtp:99 apt=98\r\n"
			"a=rtpmap:40 AV1/90000\r\na=fmtp:40 profile=1\r\n"
			"a=rtpmap:45 AV1/90000\r\na=rtpmap:46 rtx/90000\r\na=fmtp:46 apt=99\r\n"
			"a=rtpmap:120 ulpfec/90000\r\na=rtpmap:121 red/90000\r\n"
			"a=rtpmap:96 flexfec-03/90000\r\n"),
		&p, &text);
	/* 46 repairs a repair: nothing of use */
	expect_lines(text, (const char *[]){ "m=video 9 UDP/TLS/RTP/SAVPF 98 99 45\r\n", NULL });
	free(text);
	neg_plan_free(&plan);
	p.media[NEG_ROLE_CAMERA].rtx = false;
	char *offer = fixture_text("chromium-av-sendrecv");
	plan = answered(offer, &p, &text);
	expect_lines(text, (const char *[]){ "m=video 9 UDP/TLS/RTP/SAVPF 108 102 116 96 98 45 114 "
					     "104 39\r\n",
					     NULL });
	expect_none(text, "rtx");
	expect_none(text, "FID");
	free(text);
	free(offer);
	neg_plan_free(&plan);
}

static void sound(void **state)
{
	static const struct {
		const char *formats, *more;
		bool no_red, stereo;
		uint32_t send;
		const char *listed;
		enum codec tx;
		uint8_t red;
		const char *says;
	} t[] = {
		{ "111 63 0", "a=rtpmap:111 opus/48000/2\r\na=rtpmap:63 red/48000/2\r\n"
			      "a=fmtp:63 111/111\r\n",
		  false, false, 0, "63 111 0", CODEC_OPUS, 63,
		  "a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n" },
		{ "63 111", "a=rtpmap:111 opus/48000/2\r\na=rtpmap:63 red/48000/2\r\n"
			    "a=fmtp:63 111/111\r\n",
		  true, false, 0, "111", CODEC_OPUS, 0, "minptime=10;useinbandfec=1\r\n" },
		/* RED of something else, of nothing, of another clock */
		{ "111 63", "a=rtpmap:111 opus/48000/2\r\na=rtpmap:63 red/48000/2\r\n"
			    "a=fmtp:63 111/0\r\n",
		  false, false, 0, "111", CODEC_OPUS, 0, "opus" },
		{ "111 63", "a=rtpmap:111 opus/48000/2\r\na=rtpmap:63 red/48000/2\r\n", false, false,
		  0, "111", CODEC_OPUS, 0, "opus" },
		{ "111 63", "a=rtpmap:111 opus/48000/2\r\na=rtpmap:63 red/8000\r\n"
			    "a=fmtp:63 111/111\r\n",
		  false, false, 0, "111", CODEC_OPUS, 0, "opus" },
		{ "8 13 9 0 126", "a=rtpmap:13 CN/8000\r\na=rtpmap:126 telephone-event/8000\r\n",
		  false, false, 0, "9 0 8", CODEC_G722, 0, "a=rtpmap:9 G722/8000\r\n" },
		{ "8 9 0", "", false, false, 1 << CODEC_PCMA, "9 0 8", CODEC_PCMA, 0, "sendrecv" },
		{ "111", "a=rtpmap:111 opus/48000/2\r\na=fmtp:111 stereo=1\r\n", false, true, 0,
		  "111", CODEC_OPUS, 0,
		  "a=fmtp:111 minptime=10;useinbandfec=1;stereo=1;sprop-stereo=1\r\n" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct neg_policy p = browser_policy();
		char *text, line[96];
		p.media[NEG_ROLE_AUDIO].red = !t[i].no_red;
		p.media[NEG_ROLE_AUDIO].stereo = t[i].stereo;
		p.media[NEG_ROLE_AUDIO].send = t[i].send;
		snprintf(line, sizeof(line), "audio 9 UDP/TLS/RTP/SAVPF %s", t[i].formats);
		struct neg_plan *plan = answered(section(line, t[i].more), &p, &text);
		const struct neg_media *a = &plan->media[0];
		snprintf(line, sizeof(line), "m=audio 9 UDP/TLS/RTP/SAVPF %s\r\n", t[i].listed);
		expect_lines(text, (const char *[]){ line, t[i].says, NULL });
		assert_int_equal(a->codec.codec, t[i].tx);
		assert_int_equal(a->red_pt_rx, t[i].red);
		assert_int_equal(a->red_pt_tx, t[i].red);
		assert_int_equal(a->codec.opus_stereo, t[i].stereo);
		if (!t[i].stereo)
			expect_none(text, "stereo");
		free(text);
		neg_plan_free(&plan);
	}
}

/* Firefox says stereo=1 always; in a room of one channel that is no matter. */
static void stereo_needs_both(void **state)
{
	struct neg_policy p = browser_policy();
	char *offer = fixture_text("firefox-audio-only");
	struct neg_plan *plan = answered(offer, &p, NULL);
	(void)state;
	assert_false(plan->media[0].codec.opus_stereo);
	neg_plan_free(&plan);
	p.media[NEG_ROLE_AUDIO].stereo = true;
	plan = answered(offer, &p, NULL);
	assert_true(plan->media[0].codec.opus_stereo);
	neg_plan_free(&plan);
	free(offer);
}

static void the_sequence_header_shows_what_was_agreed(void **state)
{
	static const struct {
		const char *theirs;
		uint32_t sps;
	} t[] = {
		{ "42e01f", 0x42e01f },	 { "42001f", 0x42e01f }, { "42c01f", 0x42e01f },
		{ "42801f", 0x42e01f },	 { "42e034", 0x42e01f }, { "42e00d", 0x42e00d },
		{ "42f00b", 0x42f00b },	 { "420009", 0x42f00b }, { "4d001f", 0x4d001f },
		{ "4d0032", 0x4d001f },	 { "4d100b", 0x4d100b }, { "64001f", 0x64001f },
		{ "640c1e", 0x640c1e },	 { "640009", 0x640009 }, { "58c01f", 0x42e01f },
		{ "420000", 0x42e00a },	 { "zzz", 0x42e00a },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct neg_policy p = browser_policy();
		char more[160];
		snprintf(more, sizeof(more),
			 "a=rtpmap:100 H264/90000\r\n"
			 "a=fmtp:100 packetization-mode=1;profile-level-id=%s\r\n",
			 t[i].theirs);
		struct neg_plan *plan =
			answered(section("video 9 UDP/TLS/RTP/SAVPF 100", more), &p, NULL);
		if (plan->media[0].codec.h264_sps != t[i].sps)
			fail_msg("%s: %06x", t[i].theirs, plan->media[0].codec.h264_sps);
		neg_plan_free(&plan);
	}
}

static void mode_0_is_sent_to_who_knows_nothing_else(void **state)
{
	struct neg_policy p = browser_policy();
	char *text;
	(void)state;
	struct neg_plan *plan = answered(section("video 9 UDP/TLS/RTP/SAVPF 100",
						 "a=rtpmap:100 H264/90000\r\n"
						 "a=fmtp:100 profile-level-id=42e01f\r\n"),
					 &p, &text);
	assert_int_equal(plan->media[0].dir, NEG_SENDRECV);
	assert_int_equal(plan->media[0].codec.h264_mode, 0);
	expect_lines(text, (const char *[]){ "packetization-mode=0", "a=sendrecv\r\n", NULL });
	free(text);
	neg_plan_free(&plan);
	/* Mode 1 is preferred, wherever it stands. */
	plan = answered(section("video 9 UDP/TLS/RTP/SAVPF 100 101",
				"a=rtpmap:100 H264/90000\r\na=fmtp:100 profile-level-id=42e01f\r\n"
				"a=rtpmap:101 H264/90000\r\n"
				"a=fmtp:101 profile-level-id=42800d;packetization-mode=1\r\n"),
			&p, NULL);
	assert_int_equal(plan->media[0].codec.pt_tx, 101);
	assert_int_equal(plan->media[0].codec.max_fs, 396);
	assert_int_equal(plan->media[0].codec.max_mbps, 11880);
	assert_int_equal(plan->media[0].codec.max_br_kbps, 768);
	neg_plan_free(&plan);
}

static void one_layer_is_taken(void **state)
{
	static const struct {
		const char *more, *rid;
	} t[] = {
		{ "a=rid:1 send\r\na=rid:2 send\r\na=simulcast:send 1;2\r\n", "1" },
		{ "a=rid:q send\r\na=rid:h send\r\na=rid:f send\r\na=simulcast:send q;h;f\r\n", "f" },
		{ "a=rid:h send\r\na=rid:m send\r\na=rid:l send\r\na=simulcast:send l;m;h\r\n", "h" },
		{ "a=simulcast:send r0;r1;r2\r\n", "r2" },
		{ "a=simulcast:send low;mid;hi\r\n", "hi" },
		{ "a=rid:a send max-width=320;max-height=180\r\n"
		  "a=rid:b send max-width=1280;max-height=720\r\na=simulcast:send a;b\r\n", "b" },
		{ "a=rid:a send max-fs=3600\r\na=rid:b send max-fs=920\r\na=simulcast:send b;a\r\n",
		  "a" },
		{ "a=simulcast:send ~1;2\r\n", "2" },
		{ "a=simulcast:send ~1;~2\r\n", "1" },
		{ "a=simulcast:send 1,2;3\r\n", "1" },
		{ "a=simulcast:recv 9 send 4;5\r\n", "4" },
		{ "a=simulcast:recv 9\r\n", "" },
		{ "a=simulcast:send\r\n", "" },
		{ "a=simulcast:send ;;\r\n", "" },
		{ "a=simulcast\r\n", "" },
		{ "a=simulcast:send abcdefghijklmnopq;x\r\n", "x" }, /* longer than a packet's */
		{ "a=rid:1 send\r\n", "" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct neg_policy p = browser_policy();
		char more[512], *text, line[64];
		snprintf(more, sizeof(more),
			 "a=rtpmap:96 VP8/90000\r\n"
			 "a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\n%s",
			 t[i].more);
		struct neg_plan *plan =
			answered(section("video 9 UDP/TLS/RTP/SAVPF 96", more), &p, &text);
		if (strcmp(plan->media[0].rid, t[i].rid))
			fail_msg("%s: %s", t[i].more, plan->media[0].rid);
		assert_int_equal(plan->media[0].ext_id[NEG_EXT_RID], t[i].rid[0] ? 10 : 0);
		snprintf(line, sizeof(line), "a=rid:%s recv\r\na=simulcast:recv %s\r\n", t[i].rid,
			 t[i].rid);
		if (t[i].rid[0])
			expect_lines(text, (const char *[]){ line, NULL });
		else
			expect_none(text, "a=rid");
		free(text);
		neg_plan_free(&plan);
		/* without it the answer is a plain one */
		p.media[NEG_ROLE_CAMERA].simulcast = false;
		plan = answered(section("video 9 UDP/TLS/RTP/SAVPF 96", more), &p, &text);
		assert_string_equal(plan->media[0].rid, "");
		expect_none(text, "simulcast");
		free(text);
		neg_plan_free(&plan);
	}
}

static void the_layer_stays_when_it_is_offered_again(void **state)
{
	struct neg_policy p = browser_policy();
	struct sdp *one = fixture_sdp("chromium-simulcast"), *two = fixture_sdp("chromium-simulcast-2");
	struct neg_plan *first, *second;
	struct sdp *ours = NULL;
	struct errmsg why;
	(void)state;
	assert_int_equal(answer_to(one, &p, NULL, &first, NULL, &why), 0);
	strcpy(first->media[1].rid, "h");
	assert_int_equal(answer_to(two, &p, first, &second, NULL, &why), 0);
	assert_string_equal(second->media[1].rid, "f"); /* "h" is paused there: not taken */
	neg_plan_free(&second);
	strcpy(first->media[1].rid, "q");
	assert_int_equal(answer_to(one, &p, first, &second, NULL, &why), 0);
	assert_string_equal(second->media[1].rid, "q");
	/* and our own offer asks for it again */
	assert_int_equal(neg_offer(&p, second, &ours, &why), 0);
	char *text = text_of(ours);
	expect_lines(text, (const char *[]){ "a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\n",
					     "a=rid:q recv\r\na=simulcast:recv q\r\n", NULL });
	free(text);
	sdp_free(&ours);
	neg_plan_free(&first);
	neg_plan_free(&second);
	sdp_free(&one);
	sdp_free(&two);
}

/* Munged offers of older pages: three SSRCs, of which the first is taken. */
static void the_first_ssrc_of_a_sim_group_is_taken(void **state)
{
	struct neg_policy p = browser_policy();
	(void)state;
	struct neg_plan *plan = answered(
		section("video 9 UDP/TLS/RTP/SAVPF 96 97",
			"a=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n"
			"a=ssrc-group:FID 30 31\r\na=ssrc-group:FID 20 21\r\n"
			"a=ssrc-group:SIM 20 30 40\r\na=ssrc:30 cname:c\r\na=ssrc:31 cname:c\r\n"
			"a=ssrc:20 cname:c\r\na=ssrc:21 cname:c\r\na=ssrc:40 cname:c\r\n"),
		&p, NULL);
	assert_int_equal(plan->media[0].n_remote_ssrcs, 1);
	assert_int_equal(plan->media[0].remote_ssrc[0], 20);
	assert_int_equal(plan->media[0].remote_rtx_ssrc, 21);
	neg_plan_free(&plan);
}

static void more_formats_than_there_is_room_for(void **state)
{
	struct neg_policy p = browser_policy();
	char mline[256] = "video 9 UDP/TLS/RTP/SAVPF", more[4096] = "";
	(void)state;
	for (int pt = 96; pt < 126; pt++) {
		snprintf(mline + strlen(mline), sizeof(mline) - strlen(mline), " %d", pt);
		snprintf(more + strlen(more), sizeof(more) - strlen(more),
			 "a=rtpmap:%d H264/90000\r\n"
			 "a=fmtp:%d packetization-mode=1;profile-level-id=42e01f\r\n",
			 pt, pt);
	}
	struct neg_plan *plan = answered(section(mline, more), &p, NULL);
	assert_int_equal(plan->media[0].n_agreed, NEG_MAX_FORMATS);
	assert_int_equal(plan->media[0].codec.pt_tx, 96);
	neg_plan_free(&plan);
	/* the same number twice is one format */
	plan = answered(section("video 9 UDP/TLS/RTP/SAVPF 96 96", "a=rtpmap:96 VP8/90000\r\n"), &p,
			NULL);
	assert_int_equal(plan->media[0].n_agreed, 1);
	neg_plan_free(&plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_browsers_prefer_does_not_matter_but_ours),
		cmocka_unit_test(only_what_can_be_encoded_is_sent),
		cmocka_unit_test(a_viewer_that_can_show_nothing_is_told),
		cmocka_unit_test(profiles_that_are_not_decoded_are_left_out),
		cmocka_unit_test(sound),
		cmocka_unit_test(stereo_needs_both),
		cmocka_unit_test(the_sequence_header_shows_what_was_agreed),
		cmocka_unit_test(mode_0_is_sent_to_who_knows_nothing_else),
		cmocka_unit_test(one_layer_is_taken),
		cmocka_unit_test(the_layer_stays_when_it_is_offered_again),
		cmocka_unit_test(the_first_ssrc_of_a_sim_group_is_taken),
		cmocka_unit_test(more_formats_than_there_is_room_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
