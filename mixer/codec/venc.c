#include "mixer/codec/venc.h"

#include <errno.h>
#include <string.h>

#include "mcu/base/metrics.h"
#include "mixer/codec/avlog.h"
#include "mixer/codec/venc_ops.h"

METRIC_GAUGE(encoders, "mcu_venc_open", "Video encoders that are open.");
METRIC_COUNTER(dropped, "mcu_video_encode_dropped_total",
	       "Encoded pictures lost for want of a buffer.");

enum { MIN_BITRATE_BPS = 16000, MAX_BITRATE_BPS = 100000000, MAX_GOP_S = 3600 };
enum { MOST_PER_PICTURE = 3 }; /* octets, of what one has at the full rate */

static const struct venc_ops *const codec_ops[] = {
	[CODEC_H264] = &venc_h264_ops,
	[CODEC_VP8] = &venc_vp8_ops,
	[CODEC_VP9] = &venc_vp9_ops,
	[CODEC_AV1] = &venc_av1_ops,
	[CODEC_H263] = &venc_h263_ops,
};

static bool bitrate_valid(int bps)
{
	return bps >= MIN_BITRATE_BPS && bps <= MAX_BITRATE_BPS;
}

static bool cfg_valid(const struct venc_cfg *c)
{
	return c->w >= 16 && c->h >= 16 && c->w <= 8192 && c->h <= 8192 && c->w % 2 == 0 &&
	       c->h % 2 == 0 && c->fps >= 1 && c->fps <= 120 && bitrate_valid(c->bitrate_bps) &&
	       c->vbv_ms >= 0 && c->vbv_ms <= 10000 && c->gop_s >= 0 && c->gop_s <= MAX_GOP_S &&
	       c->speed >= 0 && c->max_nal_octets >= 0;
}

int venc_new(struct venc **out, const struct venc_cfg *cfg)
{
	struct venc *e;
	int err;

	if ((size_t)cfg->codec >= sizeof codec_ops / sizeof *codec_ops || !codec_ops[cfg->codec])
		return -ENOTSUP;
	if (!cfg_valid(cfg))
		return -EINVAL;
	avlog_install();
	err = codec_ops[cfg->codec]->open(&e, cfg);
	if (err)
		return err;
	e->ops = codec_ops[cfg->codec];
	e->w = cfg->w;
	e->h = cfg->h;
	e->fps = e->fps_now = cfg->fps;
	e->bitrate_bps = cfg->bitrate_bps;
	e->gop_s = cfg->gop_s;
	e->gop_frames = cfg->gop_s * cfg->fps;
	e->force_key = true;
	metric_add(&encoders, 1);
	*out = e;
	return 0;
}

void venc_free(struct venc **e)
{
	if (!*e)
		return;
	(*e)->ops->close(*e);
	*e = NULL;
	metric_add(&encoders, -1);
}

/* The picture is lost to the receivers; they would miss it as a reference. */
static int lose(struct venc *e, int err)
{
	e->stats.dropped++;
	e->force_key = true;
	metric_add(&dropped, 1);
	return err;
}

int venc_encode(struct venc *e, const struct vframe *f, int64_t pts_ns, bool force_key,
		struct buf_pool *pool, struct buf **au_out, bool *key)
{
	bool want_key = force_key || e->force_key ||
			(e->gop_frames && e->since_key >= e->gop_frames);
	struct venc_au au = { 0 };
	struct buf *b;
	int err;

	*au_out = NULL;
	*key = false;
	if (f->av->width != e->w || f->av->height != e->h || f->av->format != AV_PIX_FMT_YUV420P)
		return -EINVAL;
	err = e->ops->encode(e, f, want_key, &au);
	if (err)
		return lose(e, err);
	if (!au.len) {
		e->stats.left_out++;
		e->force_key |= want_key;
		return -EAGAIN;
	}
	e->stats.frames++;
	e->stats.keys += au.key;
	e->since_key = au.key ? 1 : e->since_key + 1;
	b = buf_get(pool);
	if (!b)
		return lose(e, -ENOBUFS);
	if (b->cap < au.len) {
		buf_unref(&b);
		return lose(e, -EMSGSIZE);
	}
	memcpy(b->data, au.data, au.len);
	b->len = au.len;
	b->time_ns = pts_ns;
	e->stats.octets += au.len;
	e->force_key = e->force_key && !au.key;
	*au_out = b;
	*key = au.key;
	return 0;
}

/* The library is told of pictures at fps, whatever their true rate. */
static int set_rate(struct venc *e)
{
	int fps = e->fps_now * MOST_PER_PICTURE > e->fps ? e->fps_now :
		  (e->fps + MOST_PER_PICTURE - 1) / MOST_PER_PICTURE;
	int64_t bps = (int64_t)e->bitrate_bps * e->fps / fps;

	return e->ops->set_bitrate(e, bps < MAX_BITRATE_BPS ? (int)bps : MAX_BITRATE_BPS);
}

int venc_set_bitrate(struct venc *e, int bitrate_bps)
{
	if (!bitrate_valid(bitrate_bps))
		return -EINVAL;
	e->bitrate_bps = bitrate_bps;
	return set_rate(e);
}

int venc_set_fps(struct venc *e, int fps)
{
	if (fps < 1 || fps > e->fps)
		return -EINVAL;
	if (fps == e->fps_now)
		return 0;
	e->fps_now = fps;
	e->gop_frames = e->gop_s * fps;
	return set_rate(e);
}

int venc_set_gop(struct venc *e, int gop_s)
{
	if (gop_s < 0 || gop_s > MAX_GOP_S)
		return -EINVAL;
	e->gop_s = gop_s;
	e->gop_frames = gop_s * e->fps_now;
	return 0;
}

bool venc_is_sharp(const struct venc *e)
{
	return e->sharp;
}

void venc_get_stats(const struct venc *e, struct venc_stats *out)
{
	*out = e->stats;
}
