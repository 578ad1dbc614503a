/* AV1 by libaom in its real-time usage, which gives a temporal unit per picture at
 * once and follows changes of the bit rate; libavcodec's wrapper does not. */
#include "mixer/codec/venc_ops.h"

#include <errno.h>
#include <stdlib.h>

#include <aom/aom_encoder.h>
#include <aom/aomcx.h>

#include "mixer/codec/av1_header.h"

enum {
	DEFAULT_VBV_MS = 250,
	DEFAULT_SPEED = 10,
	MIN_SPEED = 5, /* slower ones are not for real time */
	MAX_SPEED = 10,
	MIN_Q = 2,
	MAX_Q = 63,
	MIN_INTRA_PCT = 300
};

struct venc_aom {
	struct venc base;
	aom_codec_ctx_t ctx;
	aom_codec_enc_cfg_t cfg;
	aom_image_t image; /* a header over the planes of the shared picture */
	bool open;
	aom_codec_pts_t count;
};

static void aom_close(struct venc *base)
{
	struct venc_aom *e = (struct venc_aom *)base;

	if (e->open)
		aom_codec_destroy(&e->ctx);
	free(e);
}

static int aom_errno(aom_codec_err_t err)
{
	switch (err) {
	case AOM_CODEC_OK: return 0;
	case AOM_CODEC_MEM_ERROR: return -ENOMEM;
	case AOM_CODEC_INVALID_PARAM: return -EINVAL;
	case AOM_CODEC_INCAPABLE:
	case AOM_CODEC_UNSUP_FEATURE: return -ENOTSUP;
	default: return -EIO;
	}
}

static void set_cfg(aom_codec_enc_cfg_t *c, const struct venc_cfg *cfg, unsigned vbv_ms)
{
	c->g_w = (unsigned)cfg->w;
	c->g_h = (unsigned)cfg->h;
	c->g_timebase = (aom_rational_t){ 1, cfg->fps };
	c->g_threads = 1;
	c->g_lag_in_frames = 0;
	c->g_pass = AOM_RC_ONE_PASS;
	c->g_error_resilient = 0;
	c->rc_end_usage = AOM_CBR;
	c->rc_target_bitrate = (unsigned)cfg->bitrate_bps / 1000;
	c->rc_dropframe_thresh = 0;
	c->rc_resize_mode = 0;
	c->rc_min_quantizer = MIN_Q;
	c->rc_max_quantizer = MAX_Q;
	c->rc_undershoot_pct = 50;
	c->rc_overshoot_pct = 50;
	c->rc_buf_sz = vbv_ms;
	c->rc_buf_initial_sz = vbv_ms / 2;
	c->rc_buf_optimal_sz = vbv_ms * 3 / 5;
	c->kf_mode = AOM_KF_DISABLED;
}

/* Tools that cost time without gain in low-delay pictures are off. */
static aom_codec_err_t set_controls(struct venc_aom *e, int speed, unsigned intra_pct)
{
	const struct {
		int id;
		int value;
	} t[] = {
		{ AOME_SET_CPUUSED, speed },
		{ AOME_SET_MAX_INTRA_BITRATE_PCT, (int)intra_pct },
		{ AV1E_SET_AQ_MODE, 3 }, /* cyclic refresh */
		{ AV1E_SET_ROW_MT, 0 },
		{ AV1E_SET_MATRIX_COEFFICIENTS, AOM_CICP_MC_BT_601 }, /* see venc_h264.c */
		{ AV1E_SET_ENABLE_ORDER_HINT, 0 },
		{ AV1E_SET_ENABLE_TPL_MODEL, 0 },
		{ AV1E_SET_DELTAQ_MODE, 0 },
		{ AV1E_SET_ENABLE_OBMC, 0 },
		{ AV1E_SET_ENABLE_WARPED_MOTION, 0 },
		{ AV1E_SET_ENABLE_GLOBAL_MOTION, 0 },
		{ AV1E_SET_ENABLE_PALETTE, 0 },
		{ AV1E_SET_ENABLE_CFL_INTRA, 0 },
		{ AV1E_SET_ENABLE_SMOOTH_INTRA, 0 },
		{ AV1E_SET_ENABLE_ANGLE_DELTA, 0 },
		{ AV1E_SET_ENABLE_FILTER_INTRA, 0 },
		{ AV1E_SET_COEFF_COST_UPD_FREQ, 3 },
		{ AV1E_SET_MODE_COST_UPD_FREQ, 3 },
		{ AV1E_SET_MV_COST_UPD_FREQ, 3 },
	};
	aom_codec_err_t err = AOM_CODEC_OK;

	for (size_t i = 0; i < sizeof t / sizeof *t && !err; i++)
		err = aom_codec_control(&e->ctx, t[i].id, t[i].value);
	return err;
}

static int aom_open(struct venc **out, const struct venc_cfg *cfg)
{
	unsigned vbv_ms = (unsigned)(cfg->vbv_ms ? cfg->vbv_ms : DEFAULT_VBV_MS);
	/* a key frame may take half of the buffer model, in per cent of a frame's share */
	unsigned pct = vbv_ms * (unsigned)cfg->fps / 2 / 10;
	int speed = cfg->speed ? cfg->speed : DEFAULT_SPEED;
	aom_codec_iface_t *iface = aom_codec_av1_cx();
	struct venc_aom *e;
	aom_codec_err_t err;

	if (speed < MIN_SPEED || speed > MAX_SPEED)
		return -EINVAL;
	e = calloc(1, sizeof *e);
	if (!e)
		return -ENOMEM;
	err = aom_codec_enc_config_default(iface, &e->cfg, AOM_USAGE_REALTIME);
	if (err)
		goto out;
	set_cfg(&e->cfg, cfg, vbv_ms);
	err = aom_codec_enc_init(&e->ctx, iface, &e->cfg, 0);
	if (err)
		goto out;
	e->open = true;
	err = set_controls(e, speed, pct > MIN_INTRA_PCT ? pct : MIN_INTRA_PCT);
	if (!err && !aom_img_wrap(&e->image, AOM_IMG_FMT_I420, e->cfg.g_w, e->cfg.g_h, 1,
				  (unsigned char *)e))
		err = AOM_CODEC_MEM_ERROR;
	if (!err)
		*out = &e->base;
out:
	if (err)
		aom_close(&e->base);
	return aom_errno(err);
}

/* In RTP and in MP4 there is no temporal delimiter; it comes first here. */
static void drop_delimiter(struct venc_au *au)
{
	struct av1_obu o;
	size_t pos = 0;

	if (au->len && !av1_next_obu(&o, au->data, au->len, &pos) && o.type == AV1_OBU_DELIMITER) {
		au->data += pos;
		au->len -= pos;
	}
}

static int aom_encode(struct venc *base, const struct vframe *f, bool key, struct venc_au *out)
{
	struct venc_aom *e = (struct venc_aom *)base;
	const aom_codec_cx_pkt_t *pkt;
	aom_codec_iter_t iter = NULL;

	for (int i = 0; i < 3; i++) {
		e->image.planes[i] = f->av->data[i];
		e->image.stride[i] = f->av->linesize[i];
	}
	if (aom_codec_encode(&e->ctx, &e->image, e->count++, 1, key ? AOM_EFLAG_FORCE_KF : 0))
		return -EIO;
	while ((pkt = aom_codec_get_cx_data(&e->ctx, &iter))) {
		if (pkt->kind != AOM_CODEC_CX_FRAME_PKT)
			continue;
		out->data = pkt->data.frame.buf;
		out->len = pkt->data.frame.sz;
		out->key = pkt->data.frame.flags & AOM_FRAME_IS_KEY;
		drop_delimiter(out);
		return 0;
	}
	return -EIO;
}

static int aom_set_bitrate(struct venc *base, int bitrate_bps)
{
	struct venc_aom *e = (struct venc_aom *)base;

	e->cfg.rc_target_bitrate = (unsigned)bitrate_bps / 1000;
	return aom_errno(aom_codec_enc_config_set(&e->ctx, &e->cfg));
}

const struct venc_ops venc_av1_ops = {
	.open = aom_open,
	.close = aom_close,
	.encode = aom_encode,
	.set_bitrate = aom_set_bitrate,
};
