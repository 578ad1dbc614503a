/* VP8 by libavcodec's native decoder. */
#include "mixer/codec/vdec_av.h"

#include "mixer/codec/vp8_header.h"

static int inspect(const struct vdec_av *d, const uint8_t *au, size_t len,
		   struct vdec_av_info *info)
{
	struct vp8_header h;
	int err;

	if (!len) /* what libvpx gives for a dropped frame: the last one stays */
		return 0;
	err = vp8_header_parse(&h, au, len);
	if (!err && h.key)
		err = vdec_av_check_size(d, h.width, h.height);
	info->kind = VDEC_AV_PICTURE;
	info->key = !err && h.key;
	return err;
}

static const struct vdec_av_codec vp8 = {
	.decoder = "vp8",
	.align = 1,
	.inspect = inspect,
};

static int vp8_open(struct vdec **out, const struct vdec_limits *limits, struct vframe_pool *pool)
{
	return vdec_av_open(out, &vp8, limits, pool);
}

const struct vdec_ops vdec_vp8_ops = {
	.open = vp8_open,
	.close = vdec_av_close,
	.decode = vdec_av_decode,
};
