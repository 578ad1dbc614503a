#include "mixer/codec/vdec.h"

#include <errno.h>

#include "mcu/base/metrics.h"
#include "mixer/codec/avlog.h"
#include "mixer/codec/vdec_ops.h"

METRIC_GAUGE(decoders, "mcu_vdec_open", "Video decoders that are open.");
METRIC_COUNTER(errors, "mcu_video_decode_errors_total",
	       "Access units that were damaged and not shown.");
METRIC_COUNTER(refused, "mcu_video_decode_refused_total",
	       "Access units refused for their dimensions or format.");

static const struct vdec_ops *const codec_ops[] = {
	[CODEC_H264] = &vdec_h264_ops,
	[CODEC_VP8] = &vdec_vp8_ops,
	[CODEC_VP9] = &vdec_vp9_ops,
	[CODEC_AV1] = &vdec_av1_ops,
	[CODEC_H263] = &vdec_h263_ops,
};

int vdec_new(struct vdec **out, enum codec codec, const struct vdec_limits *limits,
	     struct vframe_pool *pool)
{
	int err;

	if ((size_t)codec >= sizeof codec_ops / sizeof *codec_ops || !codec_ops[codec])
		return -ENOTSUP;
	if (!pool || limits->max_w < 16 || limits->max_h < 16 || limits->max_w > 16384 ||
	    limits->max_h > 16384)
		return -EINVAL;
	avlog_install();
	err = codec_ops[codec]->open(out, limits, pool);
	if (err)
		return err;
	(*out)->ops = codec_ops[codec];
	metric_add(&decoders, 1);
	return 0;
}

void vdec_free(struct vdec **d)
{
	if (!*d)
		return;
	(*d)->ops->close(*d);
	*d = NULL;
	metric_add(&decoders, -1);
}

int vdec_decode(struct vdec *d, const uint8_t *au, size_t len, struct vframe **out)
{
	int err;

	*out = NULL;
	if (len > VDEC_MAX_AU_BYTES)
		err = -EMSGSIZE;
	else
		err = d->ops->decode(d, au, len, out);
	if (err)
		vframe_unref(out); /* never a picture beside an error */
	if (err == -EBADMSG) {
		metric_add(&errors, 1);
	} else if (err == -EMSGSIZE || err == -ENOTSUP) {
		d->stats.refused++;
		metric_add(&refused, 1);
	} else if (!err) {
		d->stats.frames++;
		d->stats.width = (*out)->av->width;
		d->stats.height = (*out)->av->height;
	}
	return err;
}

void vdec_get_stats(const struct vdec *d, struct vdec_stats *out)
{
	*out = d->stats;
}
