/* VP9 by libavcodec's native decoder. */
#include "mixer/codec/vdec_av.h"

#include <errno.h>

#include "mixer/codec/vp9_header.h"

/* Inter frames may change the size as well, and every frame of a superframe has
 * one of its own; a size taken over from a reference was checked there. */
static int inspect(const struct vdec_av *d, const uint8_t *au, size_t len,
		   struct vdec_av_info *info)
{
	struct vp9_superframe s = { 0 };
	int err;

	if (!len) /* a dropped frame: the last one stays */
		return 0;
	err = vp9_superframe_parse(&s, au, len);
	for (unsigned i = 0; i < s.n && !err; i++) {
		struct vp9_header h;

		err = vp9_header_parse(&h, au, s.len[i]);
		if (!err && h.has_size)
			err = vdec_av_check_size(d, h.width, h.height);
		if (!err && h.profile) /* 4:2:0 with 8 bit is what profile 0 is */
			err = -ENOTSUP;
		if (!err && i == 0)
			info->key = h.key;
		au += s.len[i];
	}
	info->kind = VDEC_AV_PICTURE;
	return err;
}

static const struct vdec_av_codec vp9 = {
	.decoder = "vp9",
	.align = 1,
	.inspect = inspect,
};

static int vp9_open(struct vdec **out, const struct vdec_limits *limits, struct vframe_pool *pool)
{
	return vdec_av_open(out, &vp9, limits, pool);
}

const struct vdec_ops vdec_vp9_ops = {
	.open = vp9_open,
	.close = vdec_av_close,
	.decode = vdec_av_decode,
};
