/* H.263, of 1996 and 1998, by libavcodec. */
#include "mixer/codec/vdec_av.h"

#include "mixer/codec/h263_header.h"

static int inspect(const struct vdec_av *d, const uint8_t *au, size_t len,
		   struct vdec_av_info *info)
{
	struct h263_header h;
	int err = h263_header_parse(&h, au, len);

	if (!err && h.width)
		err = vdec_av_check_size(d, h.width, h.height);
	info->kind = VDEC_AV_PICTURE;
	info->key = !err && h.key;
	return err;
}

static const struct vdec_av_codec h263 = {
	.decoder = "h263p",
	.align = 16,
	.inspect = inspect,
};

static int h263_open(struct vdec **out, const struct vdec_limits *limits, struct vframe_pool *pool)
{
	return vdec_av_open(out, &h263, limits, pool);
}

const struct vdec_ops vdec_h263_ops = {
	.open = h263_open,
	.close = vdec_av_close,
	.decode = vdec_av_decode,
};
