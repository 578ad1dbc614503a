/* VP8 and VP9 by libvpx, whose wrapper in libavcodec ignores changes of the bit
 * rate. */
#include "mixer/codec/venc_ops.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <vpx/vp8cx.h>
#include <vpx/vpx_encoder.h>

enum {
	DEFAULT_VBV_MS = 250,
	VP8_SPEED = 8, /* x264 superfast's cost and quality; 14 saves a third for half a dB */
	VP9_SPEED = 8,
	VP8_MAX_SPEED = 16,
	VP9_MAX_SPEED = 9,
	MIN_Q = 2,
	MAX_Q = 63,
	MIN_INTRA_PCT = 300,
	DROP_BELOW_PCT = 30 /* of the buffer model: pictures are left out until it recovers */
};

struct venc_vpx {
	struct venc base;
	vpx_codec_ctx_t ctx;
	vpx_codec_enc_cfg_t cfg;
	vpx_image_t image; /* a header over the planes of the shared picture */
	bool open;
	vpx_codec_pts_t count;
};

static void vpx_close(struct venc *base)
{
	struct venc_vpx *e = (struct venc_vpx *)base;

	if (e->open)
		vpx_codec_destroy(&e->ctx);
	free(e);
}

static int vpx_errno(vpx_codec_err_t err)
{
	switch (err) {
	case VPX_CODEC_OK: return 0;
	case VPX_CODEC_MEM_ERROR: return -ENOMEM;
	case VPX_CODEC_INVALID_PARAM: return -EINVAL;
	case VPX_CODEC_INCAPABLE:
	case VPX_CODEC_UNSUP_FEATURE: return -ENOTSUP;
	default: return -EIO;
	}
}

static void set_cfg(vpx_codec_enc_cfg_t *c, const struct venc_cfg *cfg)
{
	unsigned vbv_ms = (unsigned)(cfg->vbv_ms ? cfg->vbv_ms : DEFAULT_VBV_MS);

	c->g_w = (unsigned)cfg->w;
	c->g_h = (unsigned)cfg->h;
	c->g_timebase = (vpx_rational_t){ 1, cfg->fps };
	c->g_threads = 1;
	c->g_lag_in_frames = 0;
	c->g_pass = VPX_RC_ONE_PASS;
	c->g_error_resilient = 0;
	c->rc_end_usage = VPX_CBR;
	c->rc_target_bitrate = (unsigned)cfg->bitrate_bps / 1000;
	c->rc_dropframe_thresh = DROP_BELOW_PCT;
	c->rc_resize_allowed = 0;
	c->rc_min_quantizer = MIN_Q;
	c->rc_max_quantizer = MAX_Q;
	c->rc_undershoot_pct = 100;
	c->rc_overshoot_pct = 15;
	c->rc_buf_sz = vbv_ms;
	c->rc_buf_initial_sz = vbv_ms / 2;
	c->rc_buf_optimal_sz = vbv_ms * 3 / 5;
	c->kf_mode = VPX_KF_DISABLED;
}

/* A key frame may take half of the buffer model, in per cent of a frame's share. */
static unsigned max_intra_pct(const struct venc_cfg *cfg)
{
	int vbv_ms = cfg->vbv_ms ? cfg->vbv_ms : DEFAULT_VBV_MS;
	int pct = vbv_ms * cfg->fps / 2 / 10;

	return (unsigned)(pct > MIN_INTRA_PCT ? pct : MIN_INTRA_PCT);
}

static int vpx_open(struct venc **out, const struct venc_cfg *cfg, vpx_codec_iface_t *iface)
{
	struct venc_vpx *e = calloc(1, sizeof *e);
	vpx_codec_err_t err;

	if (!e)
		return -ENOMEM;
	err = vpx_codec_enc_config_default(iface, &e->cfg, 0);
	if (err)
		goto out;
	set_cfg(&e->cfg, cfg);
	err = vpx_codec_enc_init(&e->ctx, iface, &e->cfg, 0);
	if (err)
		goto out;
	e->open = true;
	err = vpx_codec_control(&e->ctx, VP8E_SET_MAX_INTRA_BITRATE_PCT, max_intra_pct(cfg));
	if (!err && !vpx_img_wrap(&e->image, VPX_IMG_FMT_I420, e->cfg.g_w, e->cfg.g_h, 1,
				  (unsigned char *)e))
		err = VPX_CODEC_MEM_ERROR;
	if (err)
		goto out;
	*out = &e->base;
	return 0;
out:
	vpx_close(&e->base);
	return vpx_errno(err);
}

static int vp8_open(struct venc **out, const struct venc_cfg *cfg)
{
	int speed = cfg->speed ? cfg->speed : VP8_SPEED;
	vpx_codec_err_t bad;
	struct venc_vpx *e;
	int err;

	if (speed > VP8_MAX_SPEED)
		return -EINVAL;
	err = vpx_open(out, cfg, vpx_codec_vp8_cx());
	if (err)
		return err;
	e = (struct venc_vpx *)*out;
	/* negative: this speed, rather than what the clock on the wall suggests */
	bad = vpx_codec_control(&e->ctx, VP8E_SET_CPUUSED, -speed);
	if (!bad)
		bad = vpx_codec_control(&e->ctx, VP8E_SET_STATIC_THRESHOLD, 1u);
	if (!bad)
		bad = vpx_codec_control(&e->ctx, VP8E_SET_NOISE_SENSITIVITY, 0u);
	if (!bad)
		bad = vpx_codec_control(&e->ctx, VP8E_SET_TOKEN_PARTITIONS, VP8_ONE_TOKENPARTITION);
	if (bad)
		vpx_close(*out);
	return vpx_errno(bad);
}

static int vp9_open(struct venc **out, const struct venc_cfg *cfg)
{
	int speed = cfg->speed ? cfg->speed : VP9_SPEED;
	vpx_codec_err_t bad;
	struct venc_vpx *e;
	int err;

	if (speed > VP9_MAX_SPEED)
		return -EINVAL;
	err = vpx_open(out, cfg, vpx_codec_vp9_cx());
	if (err)
		return err;
	e = (struct venc_vpx *)*out;
	bad = vpx_codec_control(&e->ctx, VP8E_SET_CPUUSED, speed);
	if (!bad)
		bad = vpx_codec_control(&e->ctx, VP8E_SET_STATIC_THRESHOLD, 1u);
	if (!bad)
		bad = vpx_codec_control(&e->ctx, VP9E_SET_ROW_MT, 0u);
	if (!bad)
		bad = vpx_codec_control(&e->ctx, VP9E_SET_TILE_COLUMNS, 0);
	if (!bad) /* cyclic refresh */
		bad = vpx_codec_control(&e->ctx, VP9E_SET_AQ_MODE, 3u);
	if (!bad) /* of what the canvas holds; see venc_h264.c */
		bad = vpx_codec_control(&e->ctx, VP9E_SET_COLOR_SPACE, VPX_CS_BT_601);
	if (bad)
		vpx_close(*out);
	return vpx_errno(bad);
}

static int vpx_encode(struct venc *base, const struct vframe *f, bool key, struct venc_au *out)
{
	struct venc_vpx *e = (struct venc_vpx *)base;
	const vpx_codec_cx_pkt_t *pkt;
	vpx_codec_iter_t iter = NULL;

	for (int i = 0; i < 3; i++) {
		e->image.planes[i] = f->av->data[i];
		e->image.stride[i] = f->av->linesize[i];
	}
	if (vpx_codec_encode(&e->ctx, &e->image, e->count++, 1, key ? VPX_EFLAG_FORCE_KF : 0,
			     VPX_DL_REALTIME))
		return -EIO;
	while ((pkt = vpx_codec_get_cx_data(&e->ctx, &iter))) {
		if (pkt->kind != VPX_CODEC_CX_FRAME_PKT)
			continue;
		out->data = pkt->data.frame.buf;
		out->len = pkt->data.frame.sz;
		out->key = pkt->data.frame.flags & VPX_FRAME_IS_KEY;
		return 0;
	}
	return 0; /* left out */
}

static int vpx_set_bitrate(struct venc *base, int bitrate_bps)
{
	struct venc_vpx *e = (struct venc_vpx *)base;

	e->cfg.rc_target_bitrate = (unsigned)bitrate_bps / 1000;
	return vpx_errno(vpx_codec_enc_config_set(&e->ctx, &e->cfg));
}

const struct venc_ops venc_vp8_ops = {
	.open = vp8_open,
	.close = vpx_close,
	.encode = vpx_encode,
	.set_bitrate = vpx_set_bitrate,
};

const struct venc_ops venc_vp9_ops = {
	.open = vp9_open,
	.close = vpx_close,
	.encode = vpx_encode,
	.set_bitrate = vpx_set_bitrate,
};
