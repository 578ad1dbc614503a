/* From SDP, as browsers write it, to what a leg is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "mcu/media_plan.h"
#include "mcu/net/rtp_ports.h"
#include "signaling/sdp.h"

#define FINGERPRINT                                                           \
	"00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:" \
	"66:77:88:99:AA:BB:CC:DD:EE:FF"

static const struct leg_local local = {
	.ufrag = "ours", .pwd = "0123456789abcdef01234567", .cname = "us@here",
	.audio_ssrc = 1001, .video_ssrc = 1003, .video_rtx_ssrc = 1005,
};

/* The two m-lines' directions and what follows the transport's attributes. */
static size_t write_offer(char *out, size_t cap, const char *audio, const char *video,
			  const char *hash)
{
	int n = snprintf(out, cap,
		"v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE a v\r\n"
		"m=audio 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:a\r\na=%s\r\n"
		"a=ice-ufrag:them\r\na=ice-pwd:abcdefabcdefabcdefabcdef\r\na=setup:actpass\r\n"
		"a=fingerprint:%s " FINGERPRINT "\r\na=rtcp-mux\r\n"
		"a=rtpmap:96 opus/48000/2\r\na=ssrc:55 cname:them\r\n"
		"a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n"
		"a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
		"m=video 9 UDP/TLS/RTP/SAVPF 102\r\nc=IN IP4 0.0.0.0\r\na=mid:v\r\na=%s\r\n"
		"a=ice-ufrag:them\r\na=ice-pwd:abcdefabcdefabcdefabcdef\r\na=setup:actpass\r\n"
		"a=fingerprint:%s " FINGERPRINT "\r\na=rtcp-mux\r\n"
		"a=rtpmap:102 H264/90000\r\n"
		"a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\n"
		"a=rtcp-fb:102 nack\r\na=rtcp-fb:102 nack pli\r\na=rtcp-fb:102 ccm fir\r\n"
		"a=extmap:13 urn:3gpp:video-orientation\r\na=ssrc:66 cname:them\r\n",
		audio, hash, video, hash);

	assert_true(n > 0 && (size_t)n < cap);
	return (size_t)n;
}

static int convert(struct leg_media *m, const char *audio, const char *video, const char *hash,
		   struct errmsg *why)
{
	struct sdp *offer = NULL, *answer = NULL;
	struct neg_plan *plan = NULL;
	const struct neg_abilities can = { .rtx = true, .red = true, .simulcast = true, .data = true };
	struct neg_policy policy;
	char text[4096];
	size_t len = write_offer(text, sizeof text, audio, video, hash);
	int err;

	neg_policy_browser(&policy, &can);
	policy.ice_ufrag = local.ufrag;
	policy.ice_pwd = local.pwd;
	policy.cname = local.cname;
	policy.fingerprint = "sha-256 " FINGERPRINT;
	assert_int_equal(sdp_parse(&offer, text, len, why), 0);
	err = neg_answer(offer, &policy, NULL, &answer, &plan, why);
	if (!err)
		err = media_plan_convert(m, plan, &local, why);
	neg_plan_free(&plan);
	sdp_free(&answer);
	sdp_free(&offer);
	return err;
}

static void test_both_ways(void **state)
{
	struct leg_media m;
	struct errmsg why;

	(void)state;
	assert_int_equal(convert(&m, "sendrecv", "sendrecv", "sha-256", &why), 0);
	assert_true(m.audio.rx && m.audio.tx && m.video.rx && m.video.tx);
	assert_int_equal(m.audio.rx_format[0].pt, 96);
	assert_int_equal(m.audio.tx_format.pt, 96);
	assert_int_equal(m.video.rx_format[0].pt, 102);
	assert_int_equal(m.audio.rx_ssrc, 55);
	assert_int_equal(m.video.rx_ssrc, 66);
	assert_int_equal(m.audio.tx_ssrc, local.audio_ssrc);
	assert_int_equal(m.video.tx_ssrc, local.video_ssrc);
	assert_string_equal(m.audio.mid, "a");
	assert_string_equal(m.video.mid, "v");
	assert_int_equal(m.audio.ext_mid, 4);
	assert_int_equal(m.audio.ext_audio_level, 1);
	assert_int_equal(m.video.ext_orientation, 13);
	assert_int_equal(m.video.ext_mid, 0);
	assert_true(m.video.nack && m.video.pli && m.video.fir);
	assert_false(m.video.remb || m.video.twcc || m.audio.nack);
	assert_string_equal(m.cname, local.cname);
	assert_string_equal(m.remote_ufrag, "them");
	assert_string_equal(m.remote_pwd, "abcdefabcdefabcdefabcdef");
	assert_string_equal(m.remote_fingerprint, "sha-256 " FINGERPRINT);
	assert_false(m.dtls_active);
}

/* Directions are the peer's: what it sends, we receive. */
static void test_directions(void **state)
{
	struct leg_media m;
	struct errmsg why;

	(void)state;
	assert_int_equal(convert(&m, "recvonly", "recvonly", "sha-256", &why), 0);
	assert_true(!m.audio.rx && m.audio.tx && !m.video.rx && m.video.tx);
	assert_int_equal(convert(&m, "sendonly", "recvonly", "sha-256", &why), 0);
	assert_true(m.audio.rx && !m.audio.tx && !m.video.rx && m.video.tx);
	assert_int_equal(convert(&m, "sendrecv", "inactive", "sha-256", &why), 0);
	assert_true(m.audio.rx && m.audio.tx && !m.video.rx && !m.video.tx);
}

static void test_other_fingerprints_are_refused(void **state)
{
	struct leg_media m;
	struct errmsg why = { .code = "" };

	(void)state;
	assert_true(convert(&m, "sendrecv", "sendrecv", "sha-1", &why) < 0);
	assert_true(why.code[0]);
	assert_true(why.text[0]);
}

static void test_what_has_no_ice_is_refused(void **state)
{
	struct neg_media media = { .role = NEG_ROLE_AUDIO, .accepted = true,
				   .transport = { .security = NEG_PLAIN } };
	struct neg_plan plan = { .media = &media, .n_media = 1 }, nothing = { 0 };
	struct leg_media m;
	struct errmsg why;

	(void)state;
	assert_int_equal(media_plan_convert(&m, &plan, &local, &why), -ENOTSUP);
	assert_string_equal(why.code, "not_acceptable");
	media.transport.ice = true;
	assert_int_equal(media_plan_convert(&m, &plan, &local, &why), -ENOTSUP);
	assert_int_equal(media_plan_convert(&m, &nothing, &local, &why), -ENOTSUP);
}

/* Every format that is agreed on, with its repairs; what is sent; the one layer of
 * a simulcast; data. */
static void test_many_formats(void **state)
{
	static const struct neg_media media[] = {
		{ .role = NEG_ROLE_AUDIO, .accepted = true, .dir = NEG_SENDRECV, .mid = "0",
		  .codec = { .codec = CODEC_OPUS, .pt_tx = 111, .pt_rx = 109, .opus_stereo = true },
		  .agreed = { { .codec = CODEC_OPUS, .dir = NEG_SENDRECV, .pt = 109, .tx_pt = 111 },
			      { .codec = CODEC_PCMU, .dir = NEG_SENDRECV } },
		  .n_agreed = 2, .red_pt_tx = 63, .red_pt_rx = 64,
		  .transport = { .ice = true, .security = NEG_DTLS, .fingerprint_hash = "sha-256",
				 .fingerprint = "AB", .ice_ufrag = "u", .ice_pwd = "p" } },
		{ .role = NEG_ROLE_CAMERA, .accepted = true, .dir = NEG_RECVONLY, .mid = "1",
		  .codec = { .codec = CODEC_H264, .pt_tx = 100, .pt_rx = 102, .h264_sps = 0x42e01f },
		  .agreed = { { .codec = CODEC_H264, .dir = NEG_SENDRECV, .pt = 102, .rtx_pt = 103,
				.tx_pt = 100, .tx_rtx_pt = 101 },
			      { .codec = CODEC_AV1, .dir = NEG_SENDONLY, .pt = 45, .tx_pt = 45 },
			      { .codec = CODEC_VP9, .dir = NEG_RECVONLY, .pt = 98, .rtx_pt = 99,
				.tx_pt = 98 } },
		  .n_agreed = 3, .rid = "hi", .ext_id = { [NEG_EXT_RID] = 9,
							  [NEG_EXT_REPAIRED_RID] = 10 } },
		{ .role = NEG_ROLE_APPLICATION, .accepted = true, .sctp_port = 5000,
		  .max_message = 262144 },
	};
	struct neg_plan plan = { .media = (struct neg_media *)media, .n_media = 3 };
	struct leg_media m;
	struct errmsg why;

	(void)state;
	assert_int_equal(media_plan_convert(&m, &plan, &local, &why), 0);
	assert_int_equal(m.audio.n_rx_formats, 2);
	assert_int_equal(leg_stream_codec(&m.audio, 109), CODEC_OPUS);
	assert_int_equal(leg_stream_codec(&m.audio, 0), CODEC_PCMU);
	assert_int_equal(m.audio.tx_format.pt, 111);
	assert_int_equal(m.audio.tx_format.channels, 2);
	assert_int_equal(m.audio.tx_red_pt, 63);
	assert_int_equal(m.audio.rx_red_pt, 64);
	assert_int_equal(m.video.n_rx_formats, 2); /* AV1 is sent only */
	assert_int_equal(m.video.rx_format[0].rtx_pt, 103);
	assert_int_equal(m.video.rx_format[1].codec, CODEC_VP9);
	assert_int_equal(m.video.rx_format[1].rtx_pt, 99);
	assert_int_equal(m.video.tx_format.codec, CODEC_H264);
	assert_int_equal(m.video.tx_format.pt, 100);
	assert_int_equal(m.video.tx_format.rtx_pt, 101);
	assert_int_equal(m.video.tx_format.profile_level_id, 0x42e01f);
	assert_int_equal(m.video.tx_rtx_ssrc, local.video_rtx_ssrc);
	assert_string_equal(m.video.rid, "hi");
	assert_int_equal(m.video.ext_rid, 9);
	assert_int_equal(m.video.ext_rrid, 10);
	assert_true(m.data);
	assert_int_equal(m.sctp_port, 5000);
	assert_int_equal(m.max_message, 262144);
	/* data alone is a connection too */
	struct neg_media data = media[2];

	data.transport = media[0].transport;
	plan = (struct neg_plan){ .media = &data, .n_media = 1 };
	assert_int_equal(media_plan_convert(&m, &plan, &local, &why), 0);
	assert_true(m.data && !m.audio.rx && !m.video.tx);
}

/* Content beside a camera, and alone; of what we send it has the SSRC. */
static void test_content(void **state)
{
	struct neg_media media[] = {
		{ .role = NEG_ROLE_CONTENT, .accepted = true, .dir = NEG_RECVONLY, .mid = "s",
		  .codec = { .codec = CODEC_VP8, .pt_tx = 96 }, .fb = NEG_FB_NACK | NEG_FB_PLI,
		  .agreed = { { .codec = CODEC_VP8, .dir = NEG_SENDRECV, .pt = 96, .rtx_pt = 97,
				.tx_pt = 96, .tx_rtx_pt = 97 } },
		  .n_agreed = 1, .remote_ssrc = { 77 }, .n_remote_ssrcs = 1, .remote_rtx_ssrc = 78,
		  .ext_id = { [NEG_EXT_MID] = 4 },
		  .transport = { .ice = true, .security = NEG_DTLS, .fingerprint_hash = "sha-256",
				 .fingerprint = "AB", .ice_ufrag = "u", .ice_pwd = "p" } },
		{ .role = NEG_ROLE_CAMERA, .accepted = true, .dir = NEG_SENDRECV, .mid = "v",
		  .codec = { .codec = CODEC_VP8, .pt_tx = 96 },
		  .agreed = { { .codec = CODEC_VP8, .dir = NEG_SENDRECV, .pt = 96, .tx_pt = 96 } },
		  .n_agreed = 1, .remote_ssrc = { 66 }, .n_remote_ssrcs = 1 },
	};
	struct neg_plan plan = { .media = media, .n_media = 2 };
	struct leg_media m;
	struct errmsg why;

	(void)state;
	assert_int_equal(media_plan_convert(&m, &plan, &local, &why), 0);
	assert_true(m.content.rx && !m.content.tx && m.content.nack && m.content.pli);
	assert_int_equal(m.content.tx_ssrc + m.content.tx_rtx_ssrc, 0);
	assert_int_equal(m.content.rx_ssrc, 77);
	assert_int_equal(m.content.rx_rtx_ssrc, 78);
	assert_int_equal(m.content.rx_format[0].rtx_pt, 97);
	assert_int_equal(m.content.ext_mid, 4);
	assert_string_equal(m.content.mid, "s");
	assert_string_equal(m.video.mid, "v");
	assert_int_equal(m.video.rx_ssrc, 66);
	plan.n_media = 1;
	assert_int_equal(media_plan_convert(&m, &plan, &local, &why), 0);
	assert_true(m.content.rx && !m.video.rx && !m.video.tx && !m.audio.rx);
	media[0].dir = NEG_INACTIVE;
	assert_int_equal(media_plan_convert(&m, &plan, &local, &why), 0);
	assert_false(m.content.rx);
	struct leg_local ours = local;

	ours.content_ssrc = 1007;
	media[0].dir = NEG_SENDRECV;
	assert_int_equal(media_plan_convert(&m, &plan, &ours, &why), 0);
	assert_true(m.content.rx && m.content.tx);
	assert_int_equal(m.content.tx_ssrc, 1007);
	assert_int_equal(m.content.tx_rtx_ssrc, 0);
	assert_int_equal(m.content.tx_format.codec, CODEC_VP8);
}

/* What the peer can take: the lowest of its level and its b= line. */
static void test_limits(void **state)
{
	static const struct {
		uint32_t max_bps, max_br_kbps, want;
	} row[] = { { 0, 0, 0 }, { 600000, 0, 600000 }, { 0, 14000, 14000000 },
		    { 600000, 14000, 600000 }, { 20000000, 14000, 14000000 },
		    { 0, UINT32_MAX, UINT32_MAX } };
	struct leg_media m;
	struct errmsg why;

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		struct neg_media media = {
			.role = NEG_ROLE_CAMERA, .accepted = true, .dir = NEG_SENDONLY, .mid = "0",
			.max_bps = row[i].max_bps,
			.codec = { .codec = CODEC_H264, .pt_tx = 100, .max_fs = 3600,
				   .max_mbps = 108000, .max_br_kbps = row[i].max_br_kbps },
			.agreed = { { .codec = CODEC_H264, .dir = NEG_SENDONLY, .pt = 100,
				      .tx_pt = 100 } },
			.n_agreed = 1,
			.transport = { .ice = true, .security = NEG_DTLS, .fingerprint_hash = "sha-256",
				       .fingerprint = "AB", .ice_ufrag = "u", .ice_pwd = "p" },
		};
		struct neg_plan plan = { .media = &media, .n_media = 1 };

		assert_int_equal(media_plan_convert(&m, &plan, &local, &why), 0);
		assert_int_equal(m.video.tx_format.max_fs, 3600);
		assert_int_equal(m.video.tx_format.max_mbps, 108000);
		assert_int_equal(m.video.tx_format.max_bps, row[i].want);
	}
}

static struct {
	struct rtp_port_range *range;
	struct rtp_ports *ports;
	struct leg_local local;
	struct neg_media media[2];
	struct neg_plan plan;
} udp;

/* A call with ports: a plain line, and one with SDES that is on hold, the old way. */
static int set_up_udp(void **state)
{
	static const struct neg_media media[] = {
		{ .role = NEG_ROLE_AUDIO, .accepted = true, .dir = NEG_SENDRECV,
		  .codec = { .codec = CODEC_PCMU },
		  .agreed = { { .codec = CODEC_PCMU, .dir = NEG_SENDRECV } }, .n_agreed = 1,
		  .transport = { .security = NEG_PLAIN, .address = "192.0.2.1", .port = 4000,
				 .rtcp_port = 4001, .rtcp_address = "192.0.2.2" } },
		{ .role = NEG_ROLE_CAMERA, .accepted = true, .dir = NEG_SENDONLY, .avpf = true,
		  .trr_int_ms = 3000, .codec = { .codec = CODEC_H264, .pt_tx = 97 },
		  .agreed = { { .codec = CODEC_H264, .dir = NEG_SENDRECV, .pt = 97, .tx_pt = 97 } },
		  .n_agreed = 1, .transport_index = 1,
		  .transport = { .security = NEG_SDES, .address = "0.0.0.0", .port = 4002,
				 .rtcp_port = 4002, .rtcp_mux = true, .rtcp_address = "0.0.0.0",
				 .crypto = { { .suite = "AEAD_AES_128_GCM", .master_len = 28,
					       .master = "0123456789abcdefSALTSALTSALT" } },
				 .n_cryptos = 1 } },
	};
	struct errmsg why;

	(void)state;
	role_enter(ROLE_ID_CTL);
	role_assert_ctl();
	assert_int_equal(rtp_port_range_new(&udp.range, 28002, 29999), 0);
	assert_int_equal(rtp_ports_new(&udp.ports, udp.range, "127.0.0.1", 0, &why), 0);
	assert_int_equal(rtp_ports_open(udp.ports, RTP_LINE_AUDIO, &why), 0);
	assert_int_equal(rtp_ports_open(udp.ports, RTP_LINE_CAMERA, &why), 0);
	udp.local = local;
	udp.local.ports = udp.ports;
	udp.local.content_ssrc = 1007;
	memcpy(udp.media, media, sizeof media);
	udp.plan = (struct neg_plan){ .media = udp.media, .n_media = 2 };
	return 0;
}

static int tear_down_udp(void **state)
{
	(void)state;
	role_assert_ctl();
	rtp_ports_unref(&udp.ports);
	rtp_port_range_free(&udp.range);
	return 0;
}

static void test_over_udp(void **state)
{
	struct srtp_keys ours;
	struct leg_media m;
	struct errmsg why;

	(void)state;
	assert_true(rtp_ports_keys(udp.ports, RTP_LINE_CAMERA, "AEAD_AES_128_GCM", &ours));
	assert_int_equal(media_plan_convert(&m, &udp.plan, &udp.local, &why), 0);
	assert_true(m.udp && m.audio.rx && m.audio.tx && !m.video.rx && m.video.tx);
	const struct rtp_udp_line *a = &m.line[RTP_LINE_AUDIO], *v = &m.line[RTP_LINE_CAMERA];

	assert_true(a->used && a->rx && a->tx && !a->mux && !a->avpf && !a->srtp);
	assert_string_equal(a->address, "192.0.2.1");
	assert_string_equal(a->rtcp_address, "192.0.2.2");
	assert_int_equal(a->port, 4000);
	assert_int_equal(a->rtcp_port, 4001);
	assert_true(v->used && !v->rx && v->tx && v->mux && v->avpf && v->srtp);
	assert_int_equal(v->trr_int_ms, 3000);
	assert_string_equal(v->address, "");
	assert_memory_equal(&v->ours, &ours, sizeof ours);
	assert_int_equal(v->peer.profile, SRTP_PROFILE_GCM);
	assert_memory_equal(v->peer.key, "0123456789abcdef", 16);
	assert_memory_equal(v->peer.salt, "SALTSALTSALT\0\0", 14);
	assert_false(m.line[RTP_LINE_CONTENT].used);
}

static void expect_refused(const struct leg_local *l, const char *what)
{
	struct leg_media m;
	struct errmsg why;

	assert_int_equal(media_plan_convert(&m, &udp.plan, l, &why), -ENOTSUP);
	assert_string_equal(why.code, "not_acceptable");
	if (!strstr(why.text, what))
		fail_msg("%s", why.text);
}

/* Another kind of address, ICE or DTLS beside, no ports. */
static void test_what_cannot_be_over_udp(void **state)
{
	struct neg_transport *a = &udp.media[0].transport, *v = &udp.media[1].transport;
	struct leg_media m;
	struct errmsg why;

	(void)state;
	snprintf(a->address, sizeof a->address, "2001:db8::1");
	expect_refused(&udp.local, "IPv4");
	snprintf(a->address, sizeof a->address, "phone.example");
	expect_refused(&udp.local, "phone.example");
	snprintf(a->address, sizeof a->address, "239.1.2.3");
	expect_refused(&udp.local, "239.1.2.3");
	snprintf(a->address, sizeof a->address, "255.255.255.255");
	expect_refused(&udp.local, "one host");
	snprintf(a->address, sizeof a->address, "192.0.2.1");
	v->ice = true;
	expect_refused(&udp.local, "ICE");
	v->ice = false;
	v->security = NEG_DTLS;
	expect_refused(&udp.local, "RTP/SAVP");
	v->security = NEG_SDES;
	expect_refused(&local, "ICE");
	udp.media[1].role = NEG_ROLE_CONTENT; /* not open */
	expect_refused(&udp.local, "RTP/AVP");
	assert_int_equal(rtp_ports_open(udp.ports, RTP_LINE_CONTENT, &why), 0);
	assert_int_equal(media_plan_convert(&m, &udp.plan, &udp.local, &why), 0);
	assert_int_equal(m.content.tx_ssrc, 1007);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ways),
		cmocka_unit_test(test_content),
		cmocka_unit_test(test_limits),
		cmocka_unit_test_setup_teardown(test_over_udp, set_up_udp, tear_down_udp),
		cmocka_unit_test_setup_teardown(test_what_cannot_be_over_udp, set_up_udp,
						tear_down_udp),
		cmocka_unit_test(test_directions),
		cmocka_unit_test(test_other_fingerprints_are_refused),
		cmocka_unit_test(test_what_has_no_ice_is_refused),
		cmocka_unit_test(test_many_formats),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
