#include "mixer/codec/vp9_header.h"

#include <errno.h>

#include "mixer/codec/bitread.h"

enum { SYNC_CODE = 0x498342, CS_RGB = 7, REFS_PER_FRAME = 3 };

int vp9_superframe_parse(struct vp9_superframe *out, const uint8_t *data, size_t len)
{
	struct vp9_superframe s = { .n = 1, .len = { len } };
	size_t index_bytes, size_bytes, left;
	const uint8_t *p;
	uint8_t marker;

	if (!len)
		return -EBADMSG;
	*out = s;
	marker = data[len - 1];
	if ((marker & 0xe0) != 0xc0)
		return 0;
	s.n = (marker & 7) + 1u;
	size_bytes = (marker >> 3 & 3) + 1u;
	index_bytes = 2 + s.n * size_bytes;
	if (len < index_bytes || data[len - index_bytes] != marker)
		return 0;
	left = len - index_bytes;
	p = data + left + 1;
	for (unsigned i = 0; i < s.n; i++) {
		size_t n = 0;

		for (unsigned k = 0; k < size_bytes; k++)
			n |= (size_t)*p++ << 8 * k;
		if (!n || n > left)
			return -EBADMSG;
		left -= n;
		s.len[i] = n;
	}
	*out = s;
	return 0;
}

static void read_color(struct bitread *b, struct vp9_header *h)
{
	bool odd = h->profile & 1;

	h->bit_depth = 8;
	if (h->profile >= 2)
		h->bit_depth = bitread_bit(b) ? 12 : 10;
	if (bitread_u(b, 3) != CS_RGB) {
		bitread_bit(b); /* colour range */
		h->subsampling_x = h->subsampling_y = 1;
		if (odd) {
			h->subsampling_x = (uint8_t)bitread_bit(b);
			h->subsampling_y = (uint8_t)bitread_bit(b);
			/* 4:2:0 is what the even profiles are for */
			b->bad = b->bad || (h->subsampling_x && h->subsampling_y);
		}
	} else {
		h->subsampling_x = h->subsampling_y = 0;
		b->bad = b->bad || !odd;
	}
	if (odd && bitread_bit(b))
		b->bad = true;
}

static void read_size(struct bitread *b, struct vp9_header *h)
{
	h->has_size = true;
	h->width = bitread_u(b, 16) + 1;
	h->height = bitread_u(b, 16) + 1;
}

static void read_intra(struct bitread *b, struct vp9_header *h)
{
	if (bitread_u(b, 24) != SYNC_CODE)
		b->bad = true;
	if (h->key || h->profile > 0) {
		read_color(b, h);
	} else {
		h->bit_depth = 8;
		h->subsampling_x = h->subsampling_y = 1;
	}
	if (!h->key)
		bitread_u(b, 8); /* which references it becomes */
	read_size(b, h);
}

static void read_inter(struct bitread *b, struct vp9_header *h)
{
	bitread_u(b, 8);
	bitread_u(b, 4 * REFS_PER_FRAME); /* index and sign of each */
	for (int i = 0; i < REFS_PER_FRAME; i++) {
		if (bitread_bit(b))
			return;
	}
	read_size(b, h);
}

int vp9_header_parse(struct vp9_header *out, const uint8_t *frame, size_t len)
{
	struct bitread b = { .data = frame, .len = len };
	struct vp9_header h = { 0 };
	bool resilient;

	if (bitread_u(&b, 2) != 2)
		return -EBADMSG;
	h.profile = (uint8_t)bitread_bit(&b);
	h.profile |= (uint8_t)(bitread_bit(&b) << 1);
	if (h.profile == 3 && bitread_bit(&b))
		return -EBADMSG;
	h.show_existing = bitread_bit(&b);
	if (h.show_existing) {
		bitread_u(&b, 3);
		goto out;
	}
	h.key = !bitread_bit(&b);
	h.show = bitread_bit(&b);
	resilient = bitread_bit(&b);
	if (!h.key) {
		h.intra_only = !h.show && bitread_bit(&b);
		if (!resilient)
			bitread_u(&b, 2); /* which contexts it resets */
	}
	if (h.key || h.intra_only)
		read_intra(&b, &h);
	else
		read_inter(&b, &h);
out:
	if (b.bad)
		return -EBADMSG;
	*out = h;
	return 0;
}
