#include "mcu/rtp/depay.h"

static void h264_describe(const uint8_t *payload, size_t len, struct rtp_payload_info *out)
{
	enum rtp_h264_start start = rtp_h264_classify(payload, len);

	*out = (struct rtp_payload_info){
		.start = start == RTP_H264_STARTS_SPS ? RTP_START_KEY :
			 start == RTP_H264_STARTS_IDR ? RTP_START_KEY_REST :
							RTP_START_NO,
	};
}

static void h264_begin(struct rtp_depay *d, struct buf *au)
{
	rtp_h264_depay_begin(&d->of.h264, au);
}

static int h264_put(struct rtp_depay *d, const uint8_t *payload, size_t len)
{
	return rtp_h264_depay_put(&d->of.h264, payload, len);
}

static int h264_end(struct rtp_depay *d, struct rtp_unit_info *out)
{
	*out = (struct rtp_unit_info){
		.picture = d->of.h264.has_slice,
		.random_access = d->of.h264.has_idr,
		.sets = d->of.h264.has_sps,
	};
	return rtp_h264_depay_end(&d->of.h264);
}

static void vp8_describe(const uint8_t *payload, size_t len, struct rtp_payload_info *out)
{
	struct rtp_vp8_desc v;

	*out = (struct rtp_payload_info){ .start = RTP_START_NO };
	if (rtp_vp8_parse(&v, payload, len))
		return;
	if (v.key)
		out->start = RTP_START_KEY;
	out->first = v.first;
	out->layer = (struct rtp_layer){
		.known = v.tid >= 0 && v.tl0 >= 0,
		.tid = v.tid < 0 ? 0 : (uint8_t)v.tid,
		.tl0 = v.tl0 < 0 ? 0 : (uint8_t)v.tl0,
		.sync = v.tid > 0 && v.layer_sync,
		.discardable = v.non_reference,
	};
}

static void vp8_begin(struct rtp_depay *d, struct buf *au)
{
	rtp_vp8_depay_begin(&d->of.vp8, au);
}

static int vp8_put(struct rtp_depay *d, const uint8_t *payload, size_t len)
{
	return rtp_vp8_depay_put(&d->of.vp8, payload, len);
}

static int vp8_end(struct rtp_depay *d, struct rtp_unit_info *out)
{
	*out = (struct rtp_unit_info){
		.picture = true, .random_access = d->of.vp8.key, .sets = true
	};
	return rtp_vp8_depay_end(&d->of.vp8);
}

static void vp9_describe(const uint8_t *payload, size_t len, struct rtp_payload_info *out)
{
	struct rtp_vp9_desc v;

	*out = (struct rtp_payload_info){ .start = RTP_START_NO };
	if (rtp_vp9_parse(&v, payload, len))
		return;
	if (v.key)
		out->start = RTP_START_KEY;
	out->first = v.begins && (v.key || !v.sid);
	out->layer = (struct rtp_layer){
		.known = v.has_layers && v.tl0 >= 0,
		.tid = v.tid,
		.tl0 = v.tl0 < 0 ? 0 : (uint8_t)v.tl0,
		.switch_up = v.switch_up,
	};
}

static void vp9_begin(struct rtp_depay *d, struct buf *au)
{
	rtp_vp9_depay_begin(&d->of.vp9, au);
}

static int vp9_put(struct rtp_depay *d, const uint8_t *payload, size_t len)
{
	return rtp_vp9_depay_put(&d->of.vp9, payload, len);
}

static int vp9_end(struct rtp_depay *d, struct rtp_unit_info *out)
{
	*out = (struct rtp_unit_info){
		.picture = true, .random_access = d->of.vp9.key, .sets = true
	};
	return rtp_vp9_depay_end(&d->of.vp9);
}

static void av1_describe(const uint8_t *payload, size_t len, struct rtp_payload_info *out)
{
	bool key = rtp_av1_starts_key(payload, len);

	*out = (struct rtp_payload_info){
		.start = key ? RTP_START_KEY : RTP_START_NO,
		.first = key,
	};
}

static void av1_begin(struct rtp_depay *d, struct buf *au)
{
	rtp_av1_depay_begin(&d->of.av1, au);
}

static int av1_put(struct rtp_depay *d, const uint8_t *payload, size_t len)
{
	return rtp_av1_depay_put(&d->of.av1, payload, len);
}

static int av1_end(struct rtp_depay *d, struct rtp_unit_info *out)
{
	const struct rtp_av1_seen *seen = &d->of.av1.seen;

	*out = (struct rtp_unit_info){
		.picture = seen->picture, .random_access = seen->key, .sets = seen->sequence
	};
	return rtp_av1_depay_end(&d->of.av1);
}

static void h263_describe(const uint8_t *payload, size_t len, struct rtp_payload_info *out)
{
	struct rtp_h263_desc d;

	*out = (struct rtp_payload_info){ .start = RTP_START_NO };
	if (rtp_h263_parse(&d, payload, len))
		return;
	if (d.key)
		out->start = RTP_START_KEY;
	out->first = d.picture;
}

static void h263_begin(struct rtp_depay *d, struct buf *au)
{
	rtp_h263_depay_begin(&d->of.h263, au);
}

static int h263_put(struct rtp_depay *d, const uint8_t *payload, size_t len)
{
	return rtp_h263_depay_put(&d->of.h263, payload, len);
}

static int h263_end(struct rtp_depay *d, struct rtp_unit_info *out)
{
	*out = (struct rtp_unit_info){
		.picture = true, .random_access = d->of.h263.key, .sets = true
	};
	return rtp_h263_depay_end(&d->of.h263);
}

static const struct rtp_depay_ops table[CODEC_N] = {
	[CODEC_H264] = { h264_describe, h264_begin, h264_put, h264_end },
	[CODEC_VP8] = { vp8_describe, vp8_begin, vp8_put, vp8_end },
	[CODEC_VP9] = { vp9_describe, vp9_begin, vp9_put, vp9_end },
	[CODEC_AV1] = { av1_describe, av1_begin, av1_put, av1_end },
	[CODEC_H263] = { h263_describe, h263_begin, h263_put, h263_end },
};

const struct rtp_depay_ops *rtp_depay_ops(enum codec c)
{
	if (!codec_is_video(c))
		return NULL;
	return &table[c];
}
