#include "mixer/codec/h264_sps.h"

#include <errno.h>
#include <string.h>

enum {
	MAX_SIDE_MBS = 65536,
	SEI_RECOVERY_POINT = 6
};

/* RBSP bits: skips each 03 after two zero octets (7.3.1). Reading past the end
 * gives zeros and sets bad. */
struct bits {
	const uint8_t *p, *end;
	unsigned left, zeros;
	uint8_t cur;
	bool bad;
};

static unsigned bit(struct bits *b)
{
	if (!b->left) {
		if (b->zeros >= 2 && b->p < b->end && *b->p == 3) {
			b->p++;
			b->zeros = 0;
		}
		if (b->p >= b->end) {
			b->bad = true;
			return 0;
		}
		b->cur = *b->p++;
		b->zeros = b->cur ? 0 : b->zeros + 1;
		b->left = 8;
	}
	b->left--;
	return (unsigned)(b->cur >> b->left) & 1u;
}

static uint32_t bits_u(struct bits *b, unsigned n)
{
	uint32_t v = 0;

	while (n--)
		v = v << 1 | bit(b);
	return v;
}

/* Exp-Golomb (9.1); more than 31 leading zeros is no value of this syntax. */
static uint32_t bits_ue(struct bits *b)
{
	unsigned zeros = 0;

	while (!bit(b)) {
		if (b->bad || ++zeros > 31) {
			b->bad = true;
			return 0;
		}
	}
	return (uint32_t)((1ull << zeros) - 1 + bits_u(b, zeros));
}

static int32_t bits_se(struct bits *b)
{
	uint32_t k = bits_ue(b);

	return k & 1 ? (int32_t)((k >> 1) + 1) : -(int32_t)(k >> 1);
}

static uint32_t bits_ue_max(struct bits *b, uint32_t max)
{
	uint32_t v = bits_ue(b);

	if (v > max)
		b->bad = true;
	return b->bad ? 0 : v;
}

static bool has_chroma_info(uint8_t profile_idc)
{
	static const uint8_t list[] = { 100, 110, 122, 244, 44,	 83,  86,
					118, 128, 138, 139, 134, 135, 144 };

	return memchr(list, profile_idc, sizeof list) != NULL;
}

/* 7.3.2.1.1.1 */
static void skip_scaling_list(struct bits *b, unsigned size)
{
	int32_t last = 8, next = 8;

	for (unsigned i = 0; i < size && !b->bad; i++) {
		if (next) {
			int32_t delta = bits_se(b);

			if (delta < -128 || delta > 127) {
				b->bad = true;
				return;
			}
			next = (last + delta + 256) % 256;
		}
		last = next ? next : last;
	}
}

static void parse_chroma(struct bits *b, struct h264_sps *s)
{
	s->chroma_format_idc = (uint8_t)bits_ue_max(b, 3);
	if (s->chroma_format_idc == 3)
		bits_u(b, 1);
	s->bit_depth_luma = (uint8_t)(8 + bits_ue_max(b, 6));
	s->bit_depth_chroma = (uint8_t)(8 + bits_ue_max(b, 6));
	bits_u(b, 1);
	if (!bits_u(b, 1))
		return;
	for (unsigned i = 0; i < (s->chroma_format_idc == 3 ? 12u : 8u) && !b->bad; i++) {
		if (bits_u(b, 1))
			skip_scaling_list(b, i < 6 ? 16 : 64);
	}
}

static void parse_poc(struct bits *b)
{
	uint32_t type = bits_ue_max(b, 2);

	if (type == 0) {
		bits_ue_max(b, 12);
	} else if (type == 1) {
		uint32_t n;

		bits_u(b, 1);
		bits_se(b);
		bits_se(b);
		n = bits_ue_max(b, 255);
		while (n-- && !b->bad)
			bits_se(b);
	}
}

static void parse_size(struct bits *b, struct h264_sps *s)
{
	uint32_t mbs_w = bits_ue_max(b, MAX_SIDE_MBS - 1) + 1;
	uint32_t map_h = bits_ue_max(b, MAX_SIDE_MBS - 1) + 1;
	uint32_t crop[4] = { 0 }, unit_x, unit_y;

	s->frame_mbs_only = bits_u(b, 1);
	if (!s->frame_mbs_only)
		bits_u(b, 1);
	bits_u(b, 1);
	s->coded_w = mbs_w * 16;
	s->coded_h = map_h * 16 * (s->frame_mbs_only ? 1 : 2);
	if (bits_u(b, 1)) {
		for (unsigned i = 0; i < 4; i++)
			crop[i] = bits_ue_max(b, MAX_SIDE_MBS * 16);
	}
	unit_x = s->chroma_format_idc == 1 || s->chroma_format_idc == 2 ? 2 : 1;
	unit_y = (s->chroma_format_idc == 1 ? 2u : 1u) * (s->frame_mbs_only ? 1u : 2u);
	if ((crop[0] + crop[1]) * unit_x >= s->coded_w || (crop[2] + crop[3]) * unit_y >= s->coded_h) {
		b->bad = true;
		return;
	}
	s->width = s->coded_w - (crop[0] + crop[1]) * unit_x;
	s->height = s->coded_h - (crop[2] + crop[3]) * unit_y;
}

int h264_sps_parse(struct h264_sps *out, const uint8_t *nal, size_t len)
{
	struct h264_sps s = { .chroma_format_idc = 1, .bit_depth_luma = 8, .bit_depth_chroma = 8 };
	struct bits b = { .p = nal + 1, .end = nal + len };

	if (len < 5 || (nal[0] & 0x80) || (nal[0] & 0x1f) != H264_NAL_SPS)
		return -EBADMSG;
	s.profile_idc = (uint8_t)bits_u(&b, 8);
	s.constraint_flags = (uint8_t)bits_u(&b, 8);
	s.level_idc = (uint8_t)bits_u(&b, 8);
	s.id = (uint8_t)bits_ue_max(&b, 31);
	if (has_chroma_info(s.profile_idc))
		parse_chroma(&b, &s);
	bits_ue_max(&b, 12);
	parse_poc(&b);
	s.max_num_ref_frames = (uint8_t)bits_ue_max(&b, 16);
	bits_u(&b, 1);
	parse_size(&b, &s);
	if (b.bad)
		return -EBADMSG;
	*out = s;
	return 0;
}

/* Offset of the next 00 00 01 at or after pos, or len. */
static size_t find_start_code(const uint8_t *d, size_t len, size_t pos)
{
	while (len >= 3 && pos <= len - 3) {
		if (d[pos + 2] > 1)
			pos += 3;
		else if (d[pos + 2] == 1 && !d[pos] && !d[pos + 1])
			return pos;
		else
			pos++;
	}
	return len;
}

bool h264_next_nal(const uint8_t *data, size_t len, size_t *pos, const uint8_t **nal,
		   size_t *nal_len)
{
	while (*pos < len) {
		size_t start = find_start_code(data, len, *pos), end;

		if (start == len) {
			*pos = len;
			break;
		}
		start += 3;
		end = find_start_code(data, len, start);
		*pos = end;
		while (end > start && !data[end - 1])
			end--;
		if (end > start) {
			*nal = data + start;
			*nal_len = end - start;
			return true;
		}
	}
	return false;
}

bool h264_sei_is_recovery_point(const uint8_t *nal, size_t len)
{
	return len >= 3 && (nal[0] & 0x1f) == H264_NAL_SEI && nal[1] == SEI_RECOVERY_POINT;
}
