/* Which stream a packet belongs to, and which source and layer of it counts. */
#include "mcu/room/rtp_demux.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "mcu/base/clock.h"

enum {
	OPUS = 111, RED = 63, PCMU = 0, H264 = 102, H264_RTX = 103, VP8 = 96, VP8_RTX = 97,
	MID = 4, RID = 10, RRID = 11,
};

static struct rtp_demux d;
static struct leg_media m;
static int64_t now_ns;

/* One packet of ssrc; NULL: not said. */
struct said {
	const char *mid, *rid, *rrid;
	bool padding_only;
};

static struct rtp_route put(uint8_t pt, uint32_t ssrc, struct said said)
{
	uint8_t ext[64];
	struct rtp_ext_writer w = { .data = ext, .cap = sizeof ext };
	struct rtp_packet p = { .pt = pt, .ssrc = ssrc, .payload_len = said.padding_only ? 0 : 100 };
	struct rtp_route to;

	if (said.mid)
		assert_int_equal(rtp_ext_put_mid(&w, MID, said.mid), 0);
	if (said.rid)
		assert_int_equal(rtp_ext_put_mid(&w, RID, said.rid), 0);
	if (said.rrid)
		assert_int_equal(rtp_ext_put_mid(&w, RRID, said.rrid), 0);
	if (w.len)
		assert_int_equal(rtp_ext_finish(&w, &p), 0);
	now_ns += NS_PER_MS;
	rtp_demux_route(&d, &p, RTP_STREAM_NONE, now_ns, &to);
	return to;
}

#define PUT(pt, ssrc, ...) put(pt, ssrc, (struct said){ __VA_ARGS__ })
#define ASSERT_MEDIA(st, route_)                                                                   \
	do {                                                                                       \
		struct rtp_route r_ = route_;                                                      \
		assert_int_equal(r_.kind, RTP_ROUTE_MEDIA);                                        \
		assert_int_equal(r_.stream, st);                                                   \
	} while (0)
#define ASSERT_KIND(k, route_) assert_int_equal((route_).kind, k)

static int set_up(void **state)
{
	(void)state;
	memset(&d, 0, sizeof d);
	now_ns = 1000 * NS_PER_S;
	m = (struct leg_media){
		.audio = { .rx = true, .rx_red_pt = RED, .n_rx_formats = 2,
			   .rx_format = { { CODEC_OPUS, OPUS, 0 }, { CODEC_PCMU, PCMU, 0 } },
			   .mid = "a", .ext_mid = MID },
		.video = { .rx = true, .n_rx_formats = 2,
			   .rx_format = { { CODEC_H264, H264, H264_RTX }, { CODEC_VP8, VP8, VP8_RTX } },
			   .mid = "v", .ext_mid = MID, .ext_rid = RID, .ext_rrid = RRID },
	};
	rtp_demux_configure(&d, &m);
	return 0;
}

static void test_by_payload_type(void **state)
{
	struct rtp_route to;

	(void)state;
	to = PUT(OPUS, 1, 0);
	ASSERT_MEDIA(RTP_STREAM_AUDIO, to);
	assert_int_equal(to.codec, CODEC_OPUS);
	to = PUT(PCMU, 1, 0); /* payload type 0 is one like others */
	ASSERT_MEDIA(RTP_STREAM_AUDIO, to);
	assert_int_equal(to.codec, CODEC_PCMU);
	to = PUT(RED, 1, 0);
	ASSERT_MEDIA(RTP_STREAM_AUDIO, to);
	assert_int_equal(to.codec, CODEC_NONE);
	to = PUT(VP8, 2, 0);
	ASSERT_MEDIA(RTP_STREAM_VIDEO, to);
	assert_int_equal(to.codec, CODEC_VP8);
	ASSERT_KIND(RTP_ROUTE_UNKNOWN, PUT(99, 3, 0));
	ASSERT_KIND(RTP_ROUTE_UNKNOWN, PUT(99, 2, 0)); /* of a known source too */
	ASSERT_KIND(RTP_ROUTE_UNKNOWN, PUT(OPUS, 2, 0)); /* which is one of pictures */
	m.audio.rx = false;
	rtp_demux_configure(&d, &m);
	ASSERT_KIND(RTP_ROUTE_UNKNOWN, PUT(OPUS, 1, 0));
}

/* A payload type that both sections use says nothing; the mid does. */
static void test_by_mid_then_by_source(void **state)
{
	(void)state;
	m.audio.rx_format[0].pt = H264;
	rtp_demux_configure(&d, &m);
	ASSERT_KIND(RTP_ROUTE_UNKNOWN, PUT(H264, 1, 0));
	ASSERT_MEDIA(RTP_STREAM_AUDIO, PUT(H264, 1, .mid = "a"));
	ASSERT_MEDIA(RTP_STREAM_VIDEO, PUT(H264, 2, .mid = "v"));
	for (int i = 0; i < 10; i++) { /* it is not said for ever */
		ASSERT_MEDIA(RTP_STREAM_AUDIO, PUT(H264, 1, 0));
		ASSERT_MEDIA(RTP_STREAM_VIDEO, PUT(H264, 2, 0));
	}
	ASSERT_KIND(RTP_ROUTE_UNKNOWN, PUT(H264, 2, .mid = "x"));
	ASSERT_KIND(RTP_ROUTE_UNKNOWN, PUT(OPUS, 3, .mid = "v"));
	/* a source may change its section */
	ASSERT_MEDIA(RTP_STREAM_AUDIO, PUT(H264, 2, .mid = "a"));
	ASSERT_MEDIA(RTP_STREAM_AUDIO, PUT(H264, 2, 0));
}

static void test_by_signaled_source(void **state)
{
	(void)state;
	m.audio.rx_format[0].pt = H264;
	m.audio.rx_ssrc = 1;
	m.video.rx_ssrc = 2;
	m.video.rx_rtx_ssrc = 3;
	rtp_demux_configure(&d, &m);
	ASSERT_MEDIA(RTP_STREAM_AUDIO, PUT(H264, 1, 0));
	ASSERT_MEDIA(RTP_STREAM_VIDEO, PUT(H264, 2, 0));
	ASSERT_KIND(RTP_ROUTE_RTX, PUT(H264_RTX, 3, 0));
	/* nobody said anything of this one */
	ASSERT_KIND(RTP_ROUTE_OLD_SOURCE, PUT(VP8, 4, 0));
	/* but when the signalled one is silent, it is what there is */
	now_ns += RTP_DEMUX_SILENT_MS * NS_PER_MS;
	ASSERT_MEDIA(RTP_STREAM_VIDEO, PUT(VP8, 4, 0));
	/* a re-offer names another */
	m.video.rx_ssrc = 5;
	rtp_demux_configure(&d, &m);
	ASSERT_MEDIA(RTP_STREAM_VIDEO, PUT(VP8, 4, 0));
	ASSERT_MEDIA(RTP_STREAM_VIDEO, PUT(VP8, 5, 0));
	ASSERT_KIND(RTP_ROUTE_OLD_SOURCE, PUT(VP8, 4, 0));
}

static void test_a_new_source_replaces_the_old(void **state)
{
	struct rtp_route to;

	(void)state;
	ASSERT_MEDIA(RTP_STREAM_VIDEO, PUT(H264, 1, .mid = "v"));
	ASSERT_KIND(RTP_ROUTE_RTX, PUT(H264_RTX, 11, .mid = "v"));
	ASSERT_MEDIA(RTP_STREAM_VIDEO, PUT(H264, 2, .mid = "v"));
	ASSERT_KIND(RTP_ROUTE_OLD_SOURCE, PUT(H264, 1, .mid = "v"));
	ASSERT_KIND(RTP_ROUTE_OLD_SOURCE, PUT(H264_RTX, 11, 0)); /* repairs of the old one */
	to = PUT(H264_RTX, 12, .mid = "v");
	ASSERT_KIND(RTP_ROUTE_RTX, to);
	assert_int_equal(to.media_ssrc, 2);
	ASSERT_MEDIA(RTP_STREAM_VIDEO, PUT(H264, 2, 0));
	/* the old one is taken back only when the new one has ended */
	now_ns += RTP_DEMUX_SILENT_MS * NS_PER_MS;
	ASSERT_MEDIA(RTP_STREAM_VIDEO, PUT(H264, 1, 0));
	ASSERT_KIND(RTP_ROUTE_OLD_SOURCE, PUT(H264, 2, 0));
	/* of a phone, that announces nothing, the newest counts at once */
	ASSERT_MEDIA(RTP_STREAM_AUDIO, PUT(PCMU, 20, 0));
	ASSERT_MEDIA(RTP_STREAM_AUDIO, PUT(PCMU, 21, 0));
	ASSERT_KIND(RTP_ROUTE_OLD_SOURCE, PUT(PCMU, 20, 0));
}

/* The second picture has the payload types of the first. */
static void offer_content(void)
{
	m.content = m.video;
	strcpy(m.content.mid, "s");
	rtp_demux_configure(&d, &m);
}

static void test_content_by_mid(void **state)
{
	struct rtp_route to;

	(void)state;
	ASSERT_MEDIA(RTP_STREAM_VIDEO, PUT(H264, 1, 0)); /* while there is one picture only */
	offer_content();
	ASSERT_MEDIA(RTP_STREAM_VIDEO, PUT(H264, 1, 0)); /* still known */
	ASSERT_KIND(RTP_ROUTE_UNKNOWN, PUT(H264, 2, 0)); /* either of the two */
	ASSERT_MEDIA(RTP_STREAM_CONTENT, PUT(H264, 2, .mid = "s"));
	ASSERT_MEDIA(RTP_STREAM_CONTENT, PUT(H264, 2, 0));
	to = PUT(H264_RTX, 12, .mid = "s");
	ASSERT_KIND(RTP_ROUTE_RTX, to);
	assert_int_equal(to.stream, RTP_STREAM_CONTENT);
	assert_int_equal(to.media_ssrc, 2);
	to = PUT(H264_RTX, 11, .mid = "v");
	assert_int_equal(to.stream, RTP_STREAM_VIDEO);
	assert_int_equal(to.media_ssrc, 1);
	/* it ends: what still comes of it is nobody's */
	m.content.rx = false;
	rtp_demux_configure(&d, &m);
	ASSERT_KIND(RTP_ROUTE_UNKNOWN, PUT(H264, 2, 0));
	ASSERT_KIND(RTP_ROUTE_UNKNOWN, PUT(H264, 2, .mid = "s"));
	ASSERT_MEDIA(RTP_STREAM_VIDEO, PUT(H264, 1, 0));
	/* and begins again, from another source */
	offer_content();
	ASSERT_MEDIA(RTP_STREAM_CONTENT, PUT(H264, 3, .mid = "s"));
	ASSERT_MEDIA(RTP_STREAM_VIDEO, PUT(H264, 1, 0));
}

/* A publisher that says its SSRCs, and no mid in its packets. */
static void test_content_by_signaled_source(void **state)
{
	(void)state;
	m.video.rx_ssrc = 1;
	m.content = m.video;
	m.content.rx_ssrc = 2;
	m.content.rx_rtx_ssrc = 12;
	m.video.ext_mid = m.content.ext_mid = m.audio.ext_mid = 0;
	m.audio.rx = false;
	rtp_demux_configure(&d, &m);
	ASSERT_MEDIA(RTP_STREAM_CONTENT, PUT(VP8, 2, 0));
	ASSERT_MEDIA(RTP_STREAM_VIDEO, PUT(VP8, 1, 0));
	ASSERT_KIND(RTP_ROUTE_RTX, PUT(VP8_RTX, 12, 0));
}

/* The extensions' numbers may be known from the content's section alone. */
static void test_content_alone(void **state)
{
	(void)state;
	offer_content();
	m.video = (struct leg_stream){ 0 };
	m.audio = (struct leg_stream){ 0 };
	rtp_demux_configure(&d, &m);
	ASSERT_MEDIA(RTP_STREAM_CONTENT, PUT(H264, 1, .mid = "s"));
	ASSERT_MEDIA(RTP_STREAM_CONTENT, PUT(VP8, 1, 0));
	strcpy(m.content.rid, "h");
	rtp_demux_configure(&d, &m);
	ASSERT_MEDIA(RTP_STREAM_CONTENT, PUT(VP8, 2, .mid = "s", .rid = "h"));
	ASSERT_KIND(RTP_ROUTE_OTHER_LAYER, PUT(VP8, 3, .mid = "s", .rid = "l"));
	assert_string_equal(rtp_demux_rid(&d, RTP_STREAM_CONTENT), "h");
	assert_string_equal(rtp_demux_rid(&d, RTP_STREAM_VIDEO), "");
}

static void test_rtx_names_the_original(void **state)
{
	struct rtp_route to;

	(void)state;
	/* a probe before anything */
	ASSERT_KIND(RTP_ROUTE_OLD_SOURCE, PUT(VP8_RTX, 9, 0));
	ASSERT_MEDIA(RTP_STREAM_VIDEO, PUT(VP8, 8, 0));
	to = PUT(VP8_RTX, 9, 0);
	ASSERT_KIND(RTP_ROUTE_RTX, to);
	assert_int_equal(to.stream, RTP_STREAM_VIDEO);
	assert_int_equal(to.pt, VP8);
	assert_int_equal(to.codec, CODEC_VP8);
	assert_int_equal(to.media_ssrc, 8);
	assert_int_equal(PUT(H264_RTX, 9, 0).pt, H264);
}

/* --- simulcast ------------------------------------------------------------------- */

static void ask_for(const char *rid)
{
	memset(m.video.rid, 0, sizeof m.video.rid);
	memcpy(m.video.rid, rid, strlen(rid));
	rtp_demux_configure(&d, &m);
}

static void test_one_layer_is_taken(void **state)
{
	(void)state;
	ask_for("h");
	ASSERT_KIND(RTP_ROUTE_OTHER_LAYER, PUT(VP8, 1, .mid = "v", .rid = "l"));
	ASSERT_MEDIA(RTP_STREAM_VIDEO, PUT(VP8, 2, .mid = "v", .rid = "h"));
	ASSERT_KIND(RTP_ROUTE_OTHER_LAYER, PUT(VP8_RTX, 11, .mid = "v", .rrid = "l"));
	ASSERT_KIND(RTP_ROUTE_RTX, PUT(VP8_RTX, 12, .mid = "v", .rrid = "h"));
	/* the extensions are not sent for ever */
	for (int i = 0; i < 1000; i++) {
		ASSERT_KIND(RTP_ROUTE_OTHER_LAYER, PUT(VP8, 1, 0));
		ASSERT_MEDIA(RTP_STREAM_VIDEO, PUT(VP8, 2, 0));
		ASSERT_KIND(RTP_ROUTE_OTHER_LAYER, PUT(VP8_RTX, 11, 0));
		ASSERT_KIND(RTP_ROUTE_RTX, PUT(VP8_RTX, 12, 0));
	}
	/* one that says nothing may be any layer's */
	ASSERT_KIND(RTP_ROUTE_OTHER_LAYER, PUT(VP8, 3, .mid = "v"));
	ASSERT_KIND(RTP_ROUTE_OTHER_LAYER, PUT(VP8_RTX, 13, .mid = "v"));
	/* the layer goes on with another source */
	ASSERT_MEDIA(RTP_STREAM_VIDEO, PUT(VP8, 4, .mid = "v", .rid = "h"));
	ASSERT_KIND(RTP_ROUTE_OLD_SOURCE, PUT(VP8, 2, 0));
	assert_string_equal(rtp_demux_rid(&d, RTP_STREAM_VIDEO), "h");
	/* another layer is asked for */
	ask_for("l");
	ASSERT_MEDIA(RTP_STREAM_VIDEO, PUT(VP8, 1, 0));
	ASSERT_KIND(RTP_ROUTE_OTHER_LAYER, PUT(VP8, 4, 0));
	ask_for("h");
	ASSERT_MEDIA(RTP_STREAM_VIDEO, PUT(VP8, 4, 0));
}

static void test_a_sender_without_rids(void **state)
{
	(void)state;
	ask_for("h"); /* agreed on, but its packets do not say it */
	ASSERT_MEDIA(RTP_STREAM_VIDEO, PUT(VP8, 1, .mid = "v"));
	ASSERT_KIND(RTP_ROUTE_RTX, PUT(VP8_RTX, 11, .mid = "v"));
	ASSERT_MEDIA(RTP_STREAM_VIDEO, PUT(VP8, 1, 0));
}

/* A layer that stops is replaced by one that goes on, until it comes back. */
static void test_layers_switched_off(void **state)
{
	(void)state;
	ask_for("h");
	ASSERT_MEDIA(RTP_STREAM_VIDEO, PUT(VP8, 2, .mid = "v", .rid = "h"));
	ASSERT_KIND(RTP_ROUTE_OTHER_LAYER, PUT(VP8, 1, .mid = "v", .rid = "l"));
	for (int ms = 0; ms < RTP_DEMUX_LAYER_MS - 100; ms += 50) {
		ASSERT_KIND(RTP_ROUTE_OTHER_LAYER, PUT(VP8, 1, 0));
		now_ns += 49 * NS_PER_MS;
	}
	now_ns += 100 * NS_PER_MS;
	ASSERT_KIND(RTP_ROUTE_OTHER_LAYER, PUT(VP8, 1, .padding_only = true)); /* a probe */
	ASSERT_MEDIA(RTP_STREAM_VIDEO, PUT(VP8, 1, 0));
	assert_string_equal(rtp_demux_rid(&d, RTP_STREAM_VIDEO), "l");
	ASSERT_KIND(RTP_ROUTE_RTX, PUT(VP8_RTX, 11, .rrid = "l"));
	/* It comes back: taken when it stays. */
	for (int ms = 0; ms < RTP_DEMUX_LAYER_MS - 100; ms += 50) {
		ASSERT_KIND(RTP_ROUTE_OTHER_LAYER, PUT(VP8, 2, 0));
		ASSERT_MEDIA(RTP_STREAM_VIDEO, PUT(VP8, 1, 0));
		now_ns += 48 * NS_PER_MS;
	}
	now_ns += 100 * NS_PER_MS;
	ASSERT_MEDIA(RTP_STREAM_VIDEO, PUT(VP8, 2, 0));
	ASSERT_KIND(RTP_ROUTE_OTHER_LAYER, PUT(VP8, 1, 0));
	ASSERT_KIND(RTP_ROUTE_OTHER_LAYER, PUT(VP8_RTX, 11, 0));
	assert_string_equal(rtp_demux_rid(&d, RTP_STREAM_VIDEO), "h");
}

/* Now and then a packet of the layer that was asked for: not enough to change. */
static void test_a_layer_that_flickers(void **state)
{
	(void)state;
	ask_for("h");
	PUT(VP8, 1, .mid = "v", .rid = "l");
	now_ns += 2 * RTP_DEMUX_LAYER_MS * NS_PER_MS;
	ASSERT_MEDIA(RTP_STREAM_VIDEO, PUT(VP8, 1, 0));
	for (int i = 0; i < 100; i++) {
		if (i % 20 == 0)
			ASSERT_KIND(RTP_ROUTE_OTHER_LAYER, PUT(VP8, 2, .mid = "v", .rid = "h"));
		ASSERT_MEDIA(RTP_STREAM_VIDEO, PUT(VP8, 1, 0));
		now_ns += 50 * NS_PER_MS;
	}
}

/* --- abuse ----------------------------------------------------------------------- */

static void test_more_sources_than_places(void **state)
{
	(void)state;
	ASSERT_MEDIA(RTP_STREAM_VIDEO, PUT(H264, 7, .mid = "v"));
	for (uint32_t ssrc = 1000; ssrc < 5000; ssrc++) {
		ASSERT_KIND(RTP_ROUTE_OLD_SOURCE, PUT(VP8, ssrc, 0));
		ASSERT_MEDIA(RTP_STREAM_VIDEO, PUT(H264, 7, 0));
	}
	/* What was said of the one in use is not forgotten for them. */
	m.audio.rx_format[0].pt = H264;
	rtp_demux_configure(&d, &m);
	for (uint32_t ssrc = 1000; ssrc < 1000 + 2 * RTP_DEMUX_SOURCES; ssrc++)
		ASSERT_KIND(RTP_ROUTE_OLD_SOURCE, PUT(VP8, ssrc, 0));
	ASSERT_MEDIA(RTP_STREAM_VIDEO, PUT(H264, 7, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(fn) cmocka_unit_test_setup(fn, set_up)
		T(test_by_payload_type),
		T(test_by_mid_then_by_source),
		T(test_by_signaled_source),
		T(test_a_new_source_replaces_the_old),
		T(test_content_by_mid),
		T(test_content_by_signaled_source),
		T(test_content_alone),
		T(test_rtx_names_the_original),
		T(test_one_layer_is_taken),
		T(test_a_sender_without_rids),
		T(test_layers_switched_off),
		T(test_a_layer_that_flickers),
		T(test_more_sources_than_places),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
