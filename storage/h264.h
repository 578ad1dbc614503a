/* H.264 access units as a recording needs them: from start codes (Annex B of
 * ITU-T H.264) to lengths of four octets (ISO/IEC 14496-15), and the size of
 * the picture from an SPS. Every length is checked. Pure. */
#ifndef MCU_STORAGE_H264_H
#define MCU_STORAGE_H264_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "storage/mp4_box.h"

enum { H264_NAL_IDR = 5, H264_NAL_SPS = 7, H264_NAL_PPS = 8 };

struct h264_nal {
	const uint8_t *p; /* without start code and trailing zeros; borrowed */
	size_t len;       /* at least 1 */
	unsigned type;
};

/* Iterates: *at starts at 0. False: no more. */
bool h264_au_next(const uint8_t *au, size_t len, size_t *at, struct h264_nal *out);
/* First NAL unit of this type. */
bool h264_find_nal(const uint8_t *au, size_t len, unsigned type, struct h264_nal *out);

/* Width and height after cropping (7.3.2.1.1). 0 or -EBADMSG. */
int h264_sps_size(const uint8_t *sps, size_t len, unsigned *width, unsigned *height);

/* Appends the units with lengths. Those equal to sps or pps are left out, as
 * are access unit delimiters and filler. Returns false when nothing is left. */
bool h264_to_lengths(struct mp4_out *o, const uint8_t *au, size_t len, const struct h264_nal *sps,
		     const struct h264_nal *pps);
/* AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1); sps of at least 4 octets. */
void h264_put_config(struct mp4_out *o, const struct h264_nal *sps, const struct h264_nal *pps);

#endif
