/* Whether a stream that somebody else encoded may go to our receivers as it is, and
 * from where on. Pure, bounded, for hostile input. */
#ifndef MCU_MIXER_CODEC_H264_START_H
#define MCU_MIXER_CODEC_H264_START_H

#include <stddef.h>
#include <stdint.h>

enum h264_start {
	H264_START_NONE,  /* refers to what came before */
	H264_START_FITS,  /* an IDR picture with its parameter sets, and they fit */
	H264_START_OTHER  /* of another kind or size, or without its parameter sets */
};

/* au: Annex B, one picture. What fits is constrained baseline at the level of
 * profile_level_id (RFC 6184) or below, progressive, w x h. */
enum h264_start h264_start_of(const uint8_t *au, size_t len, uint32_t profile_level_id, int w,
			      int h);

/* Makes every SPS before the first slice say profile_level_id; receivers compare it
 * with what was negotiated. profile_idc and level_idc are not zero, so that no start
 * code comes to be. */
void h264_say_profile(uint8_t *au, size_t len, uint32_t profile_level_id);

#endif
