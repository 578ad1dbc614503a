#include "mixer/codec/vp8_header.h"

#include <errno.h>

enum { TAG_BYTES = 3, KEY_BYTES = 10, MAX_VERSION = 3 };

int vp8_header_parse(struct vp8_header *out, const uint8_t *frame, size_t len)
{
	struct vp8_header h = { 0 };
	uint32_t tag;
	size_t head;

	if (len < TAG_BYTES)
		return -EBADMSG;
	tag = frame[0] | (uint32_t)frame[1] << 8 | (uint32_t)frame[2] << 16;
	h.key = !(tag & 1);
	h.version = tag >> 1 & 7;
	h.show = tag >> 4 & 1;
	h.first_part_bytes = tag >> 5;
	head = h.key ? KEY_BYTES : TAG_BYTES;
	if (h.version > MAX_VERSION || len < head || !h.first_part_bytes ||
	    h.first_part_bytes > len - head)
		return -EBADMSG;
	if (h.key) {
		if (frame[3] != 0x9d || frame[4] != 0x01 || frame[5] != 0x2a)
			return -EBADMSG;
		h.width = (uint16_t)(frame[6] | (frame[7] & 0x3f) << 8);
		h.height = (uint16_t)(frame[8] | (frame[9] & 0x3f) << 8);
		h.scale_x = frame[7] >> 6;
		h.scale_y = frame[9] >> 6;
		if (!h.width || !h.height)
			return -EBADMSG;
	}
	*out = h;
	return 0;
}
