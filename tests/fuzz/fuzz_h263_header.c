/* The reading of H.263 pictures ahead of the decoder. */
#include <stdint.h>
#include <stdlib.h>

#include "mixer/codec/h263_header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct h263_header h;

	if (h263_header_parse(&h, data, size))
		return 0;
	/* what a caller relies on */
	if ((h.key && !h.width) || !h.width != !h.height || h.width > 2048 || h.height > 1152)
		abort();
	return 0;
}
