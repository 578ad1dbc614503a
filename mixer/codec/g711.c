#include "mixer/codec/g711.h"

#include <string.h>

enum {
	SIGN = 0x80,
	ULAW_BIAS = 0x84, /* makes the segments begin at powers of two */
	ULAW_CLIP = 32767 - ULAW_BIAS,
	ALAW_EVEN = 0x55, /* every other bit is sent inverted */
};

/* Number of the highest bit set; v > 0. */
static int top_bit(int v)
{
	return 31 - __builtin_clz((unsigned)v);
}

uint8_t g711_ulaw_encode(int16_t pcm)
{
	int sign = pcm < 0 ? SIGN : 0, mag = pcm < 0 ? -(int)pcm : pcm, seg;

	mag = (mag < ULAW_CLIP ? mag : ULAW_CLIP) + ULAW_BIAS;
	seg = top_bit(mag) - 7;
	return (uint8_t) ~(sign | seg << 4 | (mag >> (seg + 3) & 15));
}

int16_t g711_ulaw_decode(uint8_t code)
{
	int c = ~code & 0xff;
	int mag = (((c & 15) << 3) + ULAW_BIAS) << ((c & 0x70) >> 4);

	mag -= ULAW_BIAS;
	return (int16_t)(c & SIGN ? -mag : mag);
}

uint8_t g711_alaw_encode(int16_t pcm)
{
	/* 13 bits; negative values in one's complement */
	int mag = pcm >= 0 ? pcm >> 3 : -(pcm >> 3) - 1, sign = pcm >= 0 ? SIGN : 0;
	int seg = mag < 32 ? 0 : top_bit(mag) - 4;
	int step = seg < 2 ? 1 : seg;

	return (uint8_t)((sign | seg << 4 | (mag >> step & 15)) ^ ALAW_EVEN);
}

int16_t g711_alaw_decode(uint8_t code)
{
	int c = code ^ ALAW_EVEN, seg = (c & 0x70) >> 4;
	int mag = ((c & 15) << 4) + 8;

	if (seg)
		mag = (mag + 0x100) << (seg - 1);
	return (int16_t)(c & SIGN ? mag : -mag);
}

void g711_ulaw_encode_run(const int16_t *pcm, size_t n, uint8_t *code)
{
	for (size_t i = 0; i < n; i++)
		code[i] = g711_ulaw_encode(pcm[i]);
}

void g711_alaw_encode_run(const int16_t *pcm, size_t n, uint8_t *code)
{
	for (size_t i = 0; i < n; i++)
		code[i] = g711_alaw_encode(pcm[i]);
}

/* Whether all octets are as zero is in the bits of mask: eight at a time, until one is
 * not, which in sound is soon. */
static bool is_near(const uint8_t *code, size_t n, uint8_t zero, uint8_t mask)
{
	const uint64_t each = UINT64_C(0x0101010101010101);
	uint8_t large = 0;
	size_t i = 0;

	for (; i + 8 <= n; i += 8) {
		uint64_t eight;

		memcpy(&eight, code + i, sizeof eight);
		if ((eight ^ each * zero) & each * mask)
			return false;
	}
	for (; i < n; i++)
		large |= (uint8_t)((code[i] ^ zero) & mask);
	return !large;
}

/* Codes of small samples differ from that of zero in the two lowest bits at most. */
bool g711_ulaw_is_faint(const uint8_t *code, size_t n)
{
	return is_near(code, n, G711_ULAW_FAINT, G711_ULAW_FAINT_MASK);
}

bool g711_alaw_is_faint(const uint8_t *code, size_t n)
{
	return is_near(code, n, G711_ALAW_FAINT, G711_ALAW_FAINT_MASK);
}
