/* The uncompressed start of a VP8 frame (RFC 6386, 9.1), which says what must be
 * known before a decoder may see it. Pure, bounded, for hostile input. */
#ifndef MCU_MIXER_CODEC_VP8_HEADER_H
#define MCU_MIXER_CODEC_VP8_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vp8_header {
	bool key, show;
	uint8_t version;           /* 0…3 */
	uint32_t first_part_bytes; /* > 0, and within the frame */
	uint16_t width, height;    /* > 0 in key frames, otherwise 0 */
	uint8_t scale_x, scale_y;  /* of key frames: upscaling that a player may do */
};

/* frame: whole, as in RTP behind the payload descriptor. 0, or -EBADMSG when it is
 * truncated, has no start code, no size or an unknown version. */
int vp8_header_parse(struct vp8_header *out, const uint8_t *frame, size_t len);

#endif
