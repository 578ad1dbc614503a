/* The reading of VP8 frames ahead of the decoder. */
#include <stdint.h>
#include <stdlib.h>

#include "mixer/codec/vp8_header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vp8_header h;

	if (vp8_header_parse(&h, data, size))
		return 0;
	/* what a caller relies on */
	if (h.version > 3 || !h.first_part_bytes || h.first_part_bytes > size ||
	    h.key != (h.width != 0) || h.key != (h.height != 0) || h.width > 16383 ||
	    h.height > 16383)
		abort();
	return 0;
}
