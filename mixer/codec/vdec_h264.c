/* H.264 by libavcodec's native decoder. */
#include "mixer/codec/vdec_av.h"

#include <errno.h>

#include "mixer/codec/h264_sps.h"

static int check_sps(const struct vdec_av *d, const uint8_t *nal, size_t len)
{
	struct h264_sps sps;
	int err = h264_sps_parse(&sps, nal, len);

	if (!err)
		err = vdec_av_check_size(d, sps.coded_w, sps.coded_h);
	if (err)
		return err;
	if (sps.chroma_format_idc != 1 || sps.bit_depth_luma != 8 || sps.bit_depth_chroma != 8)
		return -ENOTSUP;
	return 0;
}

/* Every NAL unit is looked at: a second SPS behind a slice would reach the
 * decoder as well. */
static int inspect(const struct vdec_av *d, const uint8_t *au, size_t len,
		   struct vdec_av_info *info)
{
	const uint8_t *nal;
	size_t pos = 0, nal_len;
	int err;

	while (h264_next_nal(au, len, &pos, &nal, &nal_len)) {
		if (info->kind == VDEC_AV_NOTHING)
			info->kind = VDEC_AV_HEADERS;
		switch (nal[0] & 0x1f) {
		case H264_NAL_SPS:
			err = check_sps(d, nal, nal_len);
			if (err)
				return err;
			break;
		case H264_NAL_IDR:
			info->key = true;
			info->kind = VDEC_AV_PICTURE;
			break;
		case H264_NAL_SLICE:
		case H264_NAL_SLICE + 1: /* data partitions: no decoder of ours */
		case H264_NAL_SLICE + 2:
		case H264_NAL_SLICE + 3:
			info->kind = VDEC_AV_PICTURE;
			break;
		case H264_NAL_SEI:
			if (h264_sei_is_recovery_point(nal, nal_len))
				info->key = true;
			break;
		default:
			break;
		}
	}
	return info->kind == VDEC_AV_NOTHING ? -EBADMSG : 0;
}

static const struct vdec_av_codec h264 = {
	.decoder = "h264",
	.align = 16, /* whole macroblocks: 1080 is coded as 1088 */
	.inspect = inspect,
};

static int h264_open(struct vdec **out, const struct vdec_limits *limits, struct vframe_pool *pool)
{
	return vdec_av_open(out, &h264, limits, pool);
}

const struct vdec_ops vdec_h264_ops = {
	.open = h264_open,
	.close = vdec_av_close,
	.decode = vdec_av_decode,
};
