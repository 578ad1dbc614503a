#include "mixer/codec/av1_header.h"

#include <errno.h>

#include "mixer/codec/bitread.h"

enum {
	SELECT = 2,       /* the frame says it (SELECT_SCREEN_CONTENT_TOOLS) */
	CP_BT_709 = 1, TC_SRGB = 13, MC_IDENTITY = 0,
	MAX_LEB128_BYTES = 8
};

/* 4.10.5: a value of more than 32 bits is no size. */
static int read_leb128(uint64_t *out, const uint8_t *data, size_t len, size_t *pos)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < MAX_LEB128_BYTES && *pos < len; i++) {
		uint8_t octet = data[(*pos)++];

		v |= (uint64_t)(octet & 0x7f) << 7 * i;
		if (!(octet & 0x80)) {
			*out = v;
			return v > UINT32_MAX ? -EBADMSG : 0;
		}
	}
	return -EBADMSG;
}

int av1_next_obu(struct av1_obu *out, const uint8_t *data, size_t len, size_t *pos)
{
	struct av1_obu o = { 0 };
	size_t at = *pos;
	uint8_t head = data[at++];
	uint64_t size;

	if (head & 0x80) /* forbidden; the reserved bit is to be ignored */
		return -EBADMSG;
	o.type = head >> 3 & 15;
	if (head & 4) {
		if (at >= len)
			return -EBADMSG;
		o.temporal_id = data[at] >> 5;
		o.spatial_id = data[at] >> 3 & 3;
		at++;
	}
	size = len - at;
	if ((head & 2) && (read_leb128(&size, data, len, &at) || size > len - at))
		return -EBADMSG;
	o.payload = data + at;
	o.len = (size_t)size;
	*pos = at + o.len;
	*out = o;
	return 0;
}

static void skip_uvlc(struct bitread *b)
{
	unsigned zeros = 0;

	while (!b->bad && !bitread_bit(b))
		zeros++;
	if (zeros < 32)
		bitread_u(b, zeros);
}

/* 5.5.1: everything on operating points; none of it is needed, all of it must be
 * passed. */
static void skip_operating_points(struct bitread *b)
{
	bool model = false, delay;
	unsigned delay_bits = 0, points;

	if (bitread_bit(b)) { /* timing info */
		bitread_u(b, 32);
		bitread_u(b, 32);
		if (bitread_bit(b))
			skip_uvlc(b);
		model = bitread_bit(b);
		if (model) {
			delay_bits = bitread_u(b, 5) + 1;
			bitread_u(b, 32);
			bitread_u(b, 10);
		}
	}
	delay = bitread_bit(b);
	points = bitread_u(b, 5) + 1;
	while (points-- && !b->bad) {
		bitread_u(b, 12);
		if (bitread_u(b, 5) > 7)
			bitread_bit(b); /* tier */
		if (model && bitread_bit(b)) {
			bitread_u(b, delay_bits);
			bitread_u(b, delay_bits);
			bitread_bit(b);
		}
		if (delay && bitread_bit(b))
			bitread_u(b, 4);
	}
}

static void skip_tools(struct bitread *b, bool reduced)
{
	bool order_hint;
	unsigned screen = SELECT;

	bitread_u(b, 3); /* 128x128 superblocks, filter intra, intra edge filter */
	if (reduced)
		goto out;
	bitread_u(b, 4); /* interintra, masked compound, warped motion, dual filter */
	order_hint = bitread_bit(b);
	if (order_hint)
		bitread_u(b, 2);
	if (!bitread_bit(b))
		screen = bitread_bit(b);
	if (screen && !bitread_bit(b))
		bitread_bit(b);
	if (order_hint)
		bitread_u(b, 3);
out:
	bitread_u(b, 3); /* superres, cdef, restoration */
}

/* 5.5.2 */
static void read_color(struct bitread *b, struct av1_sequence *s)
{
	bool high = bitread_bit(b), identity = false;

	s->bit_depth = high ? 10 : 8;
	if (s->profile == 2 && high)
		s->bit_depth = bitread_bit(b) ? 12 : 10;
	s->mono = s->profile != 1 && bitread_bit(b);
	if (bitread_bit(b)) {
		uint32_t primaries = bitread_u(b, 8), transfer = bitread_u(b, 8);
		uint32_t matrix = bitread_u(b, 8);

		identity = primaries == CP_BT_709 && transfer == TC_SRGB && matrix == MC_IDENTITY;
	}
	s->subsampling_x = s->subsampling_y = s->mono || s->profile == 0;
	if (s->mono) {
		bitread_bit(b); /* range */
		return;
	}
	if (identity) {
		s->subsampling_x = s->subsampling_y = 0;
		/* 4:4:4 is not for every profile */
		b->bad = b->bad || !(s->profile == 1 || (s->profile == 2 && s->bit_depth == 12));
	} else {
		bitread_bit(b); /* range */
		if (s->profile == 2) {
			s->subsampling_x = s->bit_depth != 12 || bitread_bit(b);
			s->subsampling_y = s->bit_depth == 12 && s->subsampling_x && bitread_bit(b);
		}
		if (s->subsampling_x && s->subsampling_y)
			bitread_u(b, 2); /* position of chroma samples */
	}
	bitread_bit(b); /* separate chroma quantizers */
}

int av1_sequence_parse(struct av1_sequence *out, const uint8_t *payload, size_t len)
{
	struct bitread b = { .data = payload, .len = len };
	struct av1_sequence s = { 0 };
	unsigned w_bits, h_bits;

	s.profile = (uint8_t)bitread_u(&b, 3);
	s.still = bitread_bit(&b);
	s.reduced = bitread_bit(&b);
	if (s.profile > 2 || (s.reduced && !s.still))
		return -EBADMSG;
	if (s.reduced)
		bitread_u(&b, 5); /* level */
	else
		skip_operating_points(&b);
	w_bits = bitread_u(&b, 4) + 1;
	h_bits = bitread_u(&b, 4) + 1;
	s.max_width = bitread_u(&b, w_bits) + 1;
	s.max_height = bitread_u(&b, h_bits) + 1;
	if (!s.reduced && bitread_bit(&b))
		bitread_u(&b, 7); /* lengths of frame ids */
	skip_tools(&b, s.reduced);
	read_color(&b, &s);
	bitread_bit(&b); /* film grain */
	if (b.bad)
		return -EBADMSG;
	*out = s;
	return 0;
}

int av1_frame_parse(struct av1_frame *out, const uint8_t *payload, size_t len, bool reduced)
{
	struct bitread b = { .data = payload, .len = len };
	struct av1_frame f = { .key = true, .show = true };

	if (!len)
		return -EBADMSG;
	if (!reduced) {
		f.show_existing = bitread_bit(&b);
		f.key = !f.show_existing && bitread_u(&b, 2) == 0;
		f.show = f.show_existing || bitread_bit(&b);
	}
	if (b.bad)
		return -EBADMSG;
	*out = f;
	return 0;
}
