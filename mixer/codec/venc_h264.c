/* H.264 by libx264: its own interface, since libavcodec's hides the macroblocks that
 * are known to stand still. */
#include "mixer/codec/venc_ops.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <x264.h>

#include "mcu/base/log.h"
#include "mixer/codec/h264_sps.h"
#include "mixer/codec/h264_start.h"
#include "mixer/codec/venc_h264_asm.h"

enum {
	DEFAULT_VBV_MS = 250,
	DEFAULT_PROFILE_LEVEL_ID = 0x42e01f,
	/* Nobody sees what finer steps than this add, and a picture that stands still
	 * would be coded over and over until it had them. */
	FINEST_QP = 20,
	DEADZONE_INTER = 15,
	DEADZONE_INTRA = 6,
	LINE_BYTES = 400,
	MB = 16
};

struct venc_h264 {
	struct venc base;
	x264_t *x;
	x264_param_t param;
	int64_t count;
	int vbv_ms;
	uint32_t profile_level_id; /* as negotiated */
	/* what stands still, a flag per macroblock; and the last picture that was encoded */
	uint8_t *still;
	int mb_w, mb_h;
	uint64_t painter, gen;
};

static void h264_close(struct venc *base)
{
	struct venc_h264 *e = (struct venc_h264 *)base;

	if (e->x)
		x264_encoder_close(e->x);
	x264_param_cleanup(&e->param);
	free(e->still);
	free(e);
}

__attribute__((format(printf, 3, 0)))
static void on_line(void *obj, int level, const char *fmt, va_list ap)
{
	char line[LINE_BYTES];

	(void)obj;
	(void)level;
	if (log_get_level() < LOG_TRACE)
		return;
	vsnprintf(line, sizeof line, fmt, ap);
	line[strcspn(line, "\n")] = '\0';
	log_trace(NULL, "x264: %s", line);
}

static const char *profile_name(uint8_t profile_idc)
{
	switch (profile_idc) {
	case 0x42: return "baseline"; /* x264's has none of what makes it unconstrained */
	case 0x4d: return "main";
	case 0x64: return "high";
	default: return NULL;
	}
}

static void set_rate(x264_param_t *p, int bitrate_bps, int vbv_ms)
{
	int64_t vbv_kbit = (int64_t)bitrate_bps * vbv_ms / 1000 / 1000;

	p->rc.i_bitrate = bitrate_bps / 1000;
	p->rc.i_vbv_max_bitrate = bitrate_bps / 1000;
	p->rc.i_vbv_buffer_size = vbv_kbit > INT_MAX ? INT_MAX : vbv_kbit < 1 ? 1 : (int)vbv_kbit;
}

static void set_stream(x264_param_t *p, const struct venc_cfg *cfg)
{
	p->i_width = cfg->w;
	p->i_height = cfg->h;
	p->i_csp = X264_CSP_I420;
	p->i_fps_num = (uint32_t)cfg->fps;
	p->i_fps_den = 1;
	p->i_timebase_num = 1;
	p->i_timebase_den = (uint32_t)cfg->fps;
	p->b_vfr_input = 0;
	p->i_threads = 1;
	p->b_sliced_threads = 0;
	p->i_bframe = 0;
	p->i_keyint_max = X264_KEYINT_MAX_INFINITE;
	p->i_scenecut_threshold = 0;
	p->b_annexb = 1;
	p->b_repeat_headers = 1;
	/* What cameras deliver and the overlays are converted by: without it players
	 * guess BT.709 from the height. */
	p->vui.i_colmatrix = 6;
	p->vui.i_colorprim = 1;
	p->vui.i_transfer = 1;
	p->vui.b_fullrange = 0;
	p->pf_log = on_line;
	p->i_log_level = X264_LOG_WARNING;
}

/* Where a conference wants something else than the presets. Measured on a room of four
 * cameras at 1280x720, 1.5 Mb/s, superfast: without adaptive quantisation 4 % less work
 * and 0.4 dB more PSNR-Y; without dropping lone coefficients 11 % less for 0.1 dB, which
 * smaller dead zones bring back. With macroblocks that are known to stand still 3 %
 * less there, 12 and 19 % where 80 and 90 % of the picture do, and with a bound to
 * the quantiser 27 and 29. SSIM is the same in all of it. */
static void set_tuning(x264_param_t *p)
{
	p->rc.i_aq_mode = X264_AQ_NONE;
	p->rc.i_qp_min = FINEST_QP;
	p->analyse.b_dct_decimate = 0;
	p->analyse.i_luma_deadzone[0] = DEADZONE_INTER;
	p->analyse.i_luma_deadzone[1] = DEADZONE_INTRA;
	p->analyse.b_mb_info = 1;
	p->analyse.b_psnr = 0;
	p->analyse.b_ssim = 0;
}

static bool is_preset(const char *name)
{
	for (int i = 0; x264_preset_names[i]; i++)
		if (!strcmp(name, x264_preset_names[i]))
			return true;
	return false;
}

static int set_params(struct venc_h264 *e, const struct venc_cfg *cfg, const char *profile)
{
	const char *words = cfg->asm_ ? cfg->asm_ : "auto";
	const char *preset = cfg->preset ? cfg->preset : "superfast";
	x264_param_t *p = &e->param;

	if (!is_preset(preset) || x264_param_default_preset(p, preset, "zerolatency"))
		return -EINVAL;
	if (!strcmp(words, "auto"))
		words = venc_h264_asm_choice();
	if (strcmp(words, "default") && x264_param_parse(p, "asm", words))
		return -EINVAL;
	set_stream(p, cfg);
	set_tuning(p);
	p->rc.i_rc_method = X264_RC_ABR;
	set_rate(p, cfg->bitrate_bps, e->vbv_ms);
	p->i_slice_max_size = cfg->max_nal_octets;
	p->i_level_idc = (int)(e->profile_level_id & 0xff);
	return x264_param_apply_profile(p, profile) ? -EINVAL : 0;
}

static int h264_open(struct venc **out, const struct venc_cfg *cfg)
{
	uint32_t id = cfg->profile_level_id ? cfg->profile_level_id : DEFAULT_PROFILE_LEVEL_ID;
	const char *profile = profile_name((uint8_t)(id >> 16));
	struct venc_h264 *e;
	int err = -ENOMEM;

	/* level 0 would leave the choice to x264, and a zero octet in the SPS */
	if (!profile || id > 0xffffff || !(id & 0xff))
		return -EINVAL;
	e = calloc(1, sizeof *e);
	if (!e)
		return -ENOMEM;
	x264_param_default(&e->param);
	e->profile_level_id = id;
	e->vbv_ms = cfg->vbv_ms ? cfg->vbv_ms : DEFAULT_VBV_MS;
	e->mb_w = (cfg->w + MB - 1) / MB;
	e->mb_h = (cfg->h + MB - 1) / MB;
	e->still = malloc((size_t)e->mb_w * (size_t)e->mb_h);
	if (!e->still)
		goto out;
	err = set_params(e, cfg, profile);
	if (err)
		goto out;
	e->x = x264_encoder_open(&e->param);
	if (e->x)
		*out = &e->base;
	else
		err = -EINVAL;
out:
	if (err)
		h264_close(&e->base);
	return err;
}

static bool starts_with_idr_headers(const uint8_t *au, size_t len)
{
	const uint8_t *nal;
	size_t pos = 0, nal_len;

	return h264_next_nal(au, len, &pos, &nal, &nal_len) && (nal[0] & 0x1f) == H264_NAL_SPS;
}

static void set_moving(struct venc_h264 *e, const struct vframe_part *p)
{
	int x0 = p->x / MB, x1 = (p->x + p->w + MB - 1) / MB, y1 = (p->y + p->h + MB - 1) / MB;

	x0 = x0 < 0 ? 0 : x0;
	x1 = x1 > e->mb_w ? e->mb_w : x1;
	y1 = y1 > e->mb_h ? e->mb_h : y1;
	for (int y = p->y < 0 ? 0 : p->y / MB; y < y1 && x0 < x1; y++)
		memset(e->still + (ptrdiff_t)y * e->mb_w + x0, 0, (size_t)(x1 - x0));
}

/* Macroblocks that are as they were in the last picture: x264 skips them once they are
 * as sharp as the rate allows. NULL: nothing is known. */
static uint8_t *find_still(struct venc_h264 *e, const struct vframe *f)
{
	const struct vframe_parts *parts = f->parts;
	uint64_t last = e->gen, painter = e->painter;

	e->gen = f->gen;
	e->painter = parts ? parts->painter : 0;
	if (!parts || !parts->painter || parts->painter != painter || parts->all_since > last)
		return NULL;
	memset(e->still, X264_MBINFO_CONSTANT, (size_t)e->mb_w * (size_t)e->mb_h);
	for (size_t i = 0; i < parts->n; i++)
		if (parts->part[i].since > last)
			set_moving(e, &parts->part[i]);
	return e->still;
}

static int h264_encode(struct venc *base, const struct vframe *f, bool key, struct venc_au *out)
{
	struct venc_h264 *e = (struct venc_h264 *)base;
	x264_picture_t pic, coded;
	x264_nal_t *nal;
	int n, len;

	x264_picture_init(&pic);
	pic.img.i_csp = X264_CSP_I420;
	pic.img.i_plane = 3;
	for (int i = 0; i < 3; i++) {
		pic.img.plane[i] = f->av->data[i];
		pic.img.i_stride[i] = f->av->linesize[i];
	}
	pic.i_pts = e->count++;
	pic.i_type = key ? X264_TYPE_IDR : X264_TYPE_AUTO;
	pic.prop.mb_info = find_still(e, f);
	len = x264_encoder_encode(e->x, &nal, &n, &pic, &coded);
	base->sharp = len > 0 && coded.i_qpplus1 - 1 <= FINEST_QP;
	if (len <= 0) {
		e->painter = 0;
		return -EIO;
	}
	/* one after the other in memory, says x264.h */
	out->data = nal[0].p_payload;
	out->len = (size_t)len;
	out->key = coded.b_keyframe && coded.i_type == X264_TYPE_IDR &&
		   starts_with_idr_headers(out->data, out->len);
	if (out->key) /* x264 writes constraint flags c0 and the level it deems right */
		h264_say_profile(nal[0].p_payload, out->len, e->profile_level_id);
	return 0;
}

static int h264_set_bitrate(struct venc *base, int bitrate_bps)
{
	struct venc_h264 *e = (struct venc_h264 *)base;
	int frame_ms = 1000 / base->fps, vbv_ms = e->vbv_ms * base->fps_now / base->fps;

	/* as many milliseconds of the true time */
	set_rate(&e->param, bitrate_bps, vbv_ms > 2 * frame_ms ? vbv_ms : 2 * frame_ms);
	return x264_encoder_reconfig(e->x, &e->param) ? -EIO : 0;
}

const struct venc_ops venc_h264_ops = {
	.open = h264_open,
	.close = h264_close,
	.encode = h264_encode,
	.set_bitrate = h264_set_bitrate,
};
