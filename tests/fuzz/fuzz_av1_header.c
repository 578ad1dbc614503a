/* The reading of AV1 temporal units ahead of the decoder. */
#include <stdint.h>
#include <stdlib.h>

#include "mixer/codec/av1_header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct av1_sequence s;
	struct av1_frame f;
	struct av1_obu o;
	size_t pos = 0;

	while (pos < size) {
		size_t before = pos;

		if (av1_next_obu(&o, data, size, &pos))
			break;
		/* what a caller relies on */
		if (pos <= before || pos > size || o.payload < data ||
		    o.payload + o.len != data + pos || o.type > 15 || o.temporal_id > 7 ||
		    o.spatial_id > 3)
			abort();
		(void)av1_frame_parse(&f, o.payload, o.len, o.spatial_id & 1);
		if (av1_sequence_parse(&s, o.payload, o.len))
			continue;
		if (!s.max_width || !s.max_height || s.max_width > 65536 || s.max_height > 65536 ||
		    s.profile > 2 || (s.bit_depth != 8 && s.bit_depth != 10 && s.bit_depth != 12) ||
		    s.subsampling_x > 1 || s.subsampling_y > s.subsampling_x)
			abort();
	}
	return 0;
}
