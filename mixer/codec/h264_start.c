#include "mixer/codec/h264_start.h"

#include <string.h>

#include "mixer/codec/h264_sps.h"

enum { BASELINE = 66, CONSTRAINED = 0x40 };

static bool fits(const uint8_t *nal, size_t len, uint32_t profile_level_id, int w, int h)
{
	struct h264_sps s;

	return !h264_sps_parse(&s, nal, len) && s.profile_idc == BASELINE &&
	       s.constraint_flags & CONSTRAINED && s.level_idc <= (profile_level_id & 0xff) &&
	       s.frame_mbs_only && s.width == (uint32_t)w && s.height == (uint32_t)h &&
	       s.chroma_format_idc == 1 && s.bit_depth_luma == 8 && s.bit_depth_chroma == 8;
}

enum h264_start h264_start_of(const uint8_t *au, size_t len, uint32_t profile_level_id, int w,
			      int h)
{
	bool sps = false, pps = false, idr = false, other = false;
	const uint8_t *nal;
	size_t pos = 0, n;

	while (h264_next_nal(au, len, &pos, &nal, &n)) {
		switch (nal[0] & 0x1f) {
		case H264_NAL_SPS:
			other = other || !fits(nal, n, profile_level_id, w, h);
			sps = true;
			break;
		case H264_NAL_PPS:
			pps = true;
			break;
		case H264_NAL_IDR:
			other = other || !sps || !pps;
			idr = true;
			break;
		default:
			break;
		}
	}
	if (other || (sps && !idr))
		return H264_START_OTHER;
	return idr ? H264_START_FITS : H264_START_NONE;
}

void h264_say_profile(uint8_t *au, size_t len, uint32_t profile_level_id)
{
	const uint8_t says[3] = { (uint8_t)(profile_level_id >> 16),
				  (uint8_t)(profile_level_id >> 8), (uint8_t)profile_level_id };
	const uint8_t *nal;
	size_t pos = 0, n;

	while (h264_next_nal(au, len, &pos, &nal, &n)) {
		if ((nal[0] & 0x1f) == H264_NAL_SPS && n >= 4)
			memcpy(au + (nal - au) + 1, says, sizeof says);
		if ((nal[0] & 0x1f) == H264_NAL_IDR)
			return;
	}
}
