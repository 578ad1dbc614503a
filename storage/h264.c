#include "storage/h264.h"

#include <errno.h>
#include <string.h>

enum { NAL_AUD = 9, NAL_FILLER = 12, DIMENSION_MAX = 16384 };

/* Offset of the next 00 00 01 at or after at, or len. */
static size_t find_start(const uint8_t *p, size_t len, size_t at)
{
	while (at + 3 <= len) {
		const uint8_t *one = memchr(p + at + 2, 1, len - at - 2);

		if (!one)
			return len;
		if (one[-1] == 0 && one[-2] == 0)
			return (size_t)(one - 2 - p);
		at = (size_t)(one - p) - 1;
	}
	return len;
}

bool h264_au_next(const uint8_t *au, size_t len, size_t *at, struct h264_nal *out)
{
	size_t start = find_start(au, len, *at);

	while (start < len) {
		size_t begin = start + 3, end;

		start = find_start(au, len, begin);
		for (end = start; end > begin && au[end - 1] == 0;)
			end--;
		if (end == begin)
			continue;
		*out = (struct h264_nal){ au + begin, end - begin, au[begin] & 31 };
		*at = start;
		return true;
	}
	*at = len;
	return false;
}

bool h264_find_nal(const uint8_t *au, size_t len, unsigned type, struct h264_nal *out)
{
	size_t at = 0;

	while (h264_au_next(au, len, &at, out))
		if (out->type == type)
			return true;
	return false;
}

static bool same(const struct h264_nal *a, const struct h264_nal *b)
{
	return a->len == b->len && !memcmp(a->p, b->p, a->len);
}

bool h264_to_lengths(struct mp4_out *o, const uint8_t *au, size_t len, const struct h264_nal *sps,
		     const struct h264_nal *pps)
{
	size_t at = 0, before = o->len;
	struct h264_nal n;

	while (h264_au_next(au, len, &at, &n)) {
		if (n.type == NAL_AUD || n.type == NAL_FILLER || same(&n, sps) || same(&n, pps))
			continue;
		mp4_put32(o, (uint32_t)n.len);
		mp4_put(o, n.p, n.len);
	}
	return o->len > before;
}

/* The SPS's bits, emulation prevention skipped. Past the end it reads zeros and
 * sets over. */
struct bits {
	const uint8_t *p;
	size_t len, at;
	unsigned bit, zeros;
	bool over;
};

static unsigned get_bit(struct bits *b)
{
	if (b->bit == 0 && b->at < b->len && b->zeros >= 2 && b->p[b->at] == 3) {
		b->at++;
		b->zeros = 0;
	}
	if (b->at >= b->len) {
		b->over = true;
		return 0;
	}
	unsigned v = b->p[b->at] >> (7 - b->bit) & 1;

	if (++b->bit == 8) {
		b->zeros = b->p[b->at] ? 0 : b->zeros + 1;
		b->bit = 0;
		b->at++;
	}
	return v;
}

static uint32_t get_bits(struct bits *b, unsigned n)
{
	uint32_t v = 0;

	while (n--)
		v = v << 1 | get_bit(b);
	return v;
}

static uint32_t get_ue(struct bits *b)
{
	unsigned zeros = 0;

	while (!b->over && zeros < 32 && !get_bit(b))
		zeros++;
	if (zeros >= 32)
		b->over = true;
	return b->over ? 0 : (uint32_t)((1ULL << zeros) - 1 + get_bits(b, zeros));
}

static int32_t get_se(struct bits *b)
{
	uint32_t v = get_ue(b);

	return v & 1 ? (int32_t)(v / 2 + 1) : -(int32_t)(v / 2);
}

static void skip_scaling_lists(struct bits *b, unsigned lists)
{
	for (unsigned i = 0; i < lists && !b->over; i++) {
		if (!get_bit(b))
			continue;
		int last = 8, next = 8;

		for (unsigned k = 0; k < (i < 6 ? 16U : 64U) && !b->over; k++) {
			if (next)
				next = (last + get_se(b) + 256) & 255;
			last = next ? next : last;
		}
	}
}

/* What only the high profiles have; returns chroma_format_idc. */
static uint32_t skip_high_profile(struct bits *b)
{
	uint32_t chroma = get_ue(b);

	if (chroma == 3)
		get_bit(b);
	get_ue(b);
	get_ue(b);
	get_bit(b);
	if (get_bit(b))
		skip_scaling_lists(b, chroma == 3 ? 12 : 8);
	return chroma;
}

static bool is_high_profile(uint32_t p)
{
	return p == 100 || p == 110 || p == 122 || p == 244 || p == 44 || p == 83 || p == 86 ||
	       p == 118 || p == 128;
}

static void skip_order_count(struct bits *b)
{
	uint32_t type = get_ue(b);

	if (type == 0) {
		get_ue(b);
	} else if (type == 1) {
		get_bit(b);
		get_se(b);
		get_se(b);
		for (uint32_t n = get_ue(b); n && !b->over; n--)
			get_se(b);
	}
}

int h264_sps_size(const uint8_t *sps, size_t len, unsigned *width, unsigned *height)
{
	struct bits b = { .p = sps, .len = len };

	get_bits(&b, 8);
	uint32_t profile = get_bits(&b, 8), chroma = 1;

	get_bits(&b, 16);
	get_ue(&b);
	if (is_high_profile(profile))
		chroma = skip_high_profile(&b);
	get_ue(&b);
	skip_order_count(&b);
	get_ue(&b);
	get_bit(&b);
	uint64_t w = (uint64_t)get_ue(&b) + 1, h = (uint64_t)get_ue(&b) + 1;
	uint32_t frame_mbs_only = get_bit(&b), crop[4] = { 0 };

	if (!frame_mbs_only)
		get_bit(&b);
	get_bit(&b);
	if (get_bit(&b))
		for (int i = 0; i < 4; i++)
			crop[i] = get_ue(&b);
	if (b.over || chroma > 3)
		return -EBADMSG;
	uint64_t unit_x = chroma == 1 || chroma == 2 ? 2 : 1;
	uint64_t unit_y = (chroma == 1 ? 2U : 1U) * (2U - frame_mbs_only);
	uint64_t cut_x = unit_x * ((uint64_t)crop[0] + crop[1]);
	uint64_t cut_y = unit_y * ((uint64_t)crop[2] + crop[3]);

	w *= 16;
	h *= 16U * (2U - frame_mbs_only);
	if (w > DIMENSION_MAX || h > DIMENSION_MAX || cut_x >= w || cut_y >= h)
		return -EBADMSG;
	*width = (unsigned)(w - cut_x);
	*height = (unsigned)(h - cut_y);
	return 0;
}

void h264_put_config(struct mp4_out *o, const struct h264_nal *sps, const struct h264_nal *pps)
{
	mp4_put8(o, 1);
	mp4_put(o, sps->p + 1, 3); /* profile, constraints, level */
	mp4_put8(o, 0xfc | 3);	   /* lengths of 4 octets */
	mp4_put8(o, 0xe0 | 1);
	mp4_put16(o, (unsigned)sps->len);
	mp4_put(o, sps->p, sps->len);
	mp4_put8(o, 1);
	mp4_put16(o, (unsigned)pps->len);
	mp4_put(o, pps->p, pps->len);
}
