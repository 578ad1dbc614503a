/* The reading of VP9 superframes and frames ahead of the decoder. */
#include <stdint.h>
#include <stdlib.h>

#include "mixer/codec/vp9_header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* what a caller relies on */
static void check(const struct vp9_header *h)
{
	if (h->profile > 3 || h->has_size != (h->width != 0) || h->has_size != (h->height != 0) ||
	    h->width > 65536 || h->height > 65536 || (h->key && !h->has_size) ||
	    (h->intra_only && (h->key || h->show || !h->has_size)) ||
	    (h->bit_depth && h->bit_depth != 8 && h->profile < 2) ||
	    h->bit_depth > 12 || h->subsampling_x > 1 || h->subsampling_y > 1)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vp9_superframe s;
	struct vp9_header h;
	size_t used = 0;

	if (vp9_superframe_parse(&s, data, size))
		return 0;
	if (s.n < 1 || s.n > VP9_MAX_FRAMES)
		abort();
	for (unsigned i = 0; i < s.n; i++) {
		if (!s.len[i] || s.len[i] > size - used)
			abort();
		if (!vp9_header_parse(&h, data + used, s.len[i]))
			check(&h);
		used += s.len[i];
	}
	return 0;
}
