/* AV1 by dav1d through libavcodec: one thread and low delay make it hand out each
 * picture as soon as its temporal unit is in. */
#include "mixer/codec/vdec_av.h"

#include <errno.h>

#include "mixer/codec/av1_header.h"

static int check_sequence(const struct vdec_av *d, const struct av1_sequence *s)
{
	int err = vdec_av_check_size(d, s->max_width, s->max_height);

	if (!err && (s->mono || !s->subsampling_x || !s->subsampling_y || s->bit_depth != 8))
		err = -ENOTSUP;
	return err;
}

/* Frames may be smaller than their sequence header says; one that lies and is
 * larger meets the limit that dav1d was given. Decoding starts at a shown key frame
 * whose sequence header is in the same temporal unit. */
static int inspect(const struct vdec_av *d, const uint8_t *au, size_t len,
		   struct vdec_av_info *info)
{
	bool sequence = false;
	struct av1_sequence s = { 0 };
	struct av1_obu o;
	size_t pos = 0;
	int err = 0;

	while (pos < len && !err) {
		err = av1_next_obu(&o, au, len, &pos);
		if (err)
			break;
		if (o.type == AV1_OBU_SEQUENCE) {
			err = av1_sequence_parse(&s, o.payload, o.len);
			if (!err)
				err = check_sequence(d, &s);
			sequence = true;
			if (info->kind == VDEC_AV_NOTHING)
				info->kind = VDEC_AV_HEADERS;
		} else if (o.type == AV1_OBU_TILE_GROUP) {
			info->kind = VDEC_AV_PICTURE; /* the rest of one */
		} else if (o.type == AV1_OBU_FRAME || o.type == AV1_OBU_FRAME_HEADER) {
			struct av1_frame f;

			err = av1_frame_parse(&f, o.payload, o.len, s.reduced);
			if (!err && info->kind != VDEC_AV_PICTURE)
				info->key = sequence && f.key && f.show;
			info->kind = VDEC_AV_PICTURE;
		}
	}
	return err;
}

static const struct vdec_av_codec av1 = {
	.decoder = "libdav1d",
	.align = 1,
	.inspect = inspect,
};

static int av1_open(struct vdec **out, const struct vdec_limits *limits, struct vframe_pool *pool)
{
	return vdec_av_open(out, &av1, limits, pool);
}

const struct vdec_ops vdec_av1_ops = {
	.open = av1_open,
	.close = vdec_av_close,
	.decode = vdec_av_decode,
};
