/* ITU-T G.722 (09/2012), clauses 3 to 5; block names in brackets. */
#include "mixer/codec/g722.h"

#include <string.h>

enum { NB_LOW_MAX = 18432, NB_HIGH_MAX = 22528, BAND_MAX = 16383, ZEROS = 6 };

/* Decision levels of the 6-bit quantizer (table 14) and its codes, per sign. */
static const int level6[31] = {
	0,   35,  72,  110, 150,  190,	233,  276,  323,  370,	422,  473,  530,  587,	650, 714,
	786, 858, 940, 1023, 1121, 1219, 1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919, 32767,
};
static const uint8_t code_neg[31] = {
	0,  63, 62, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19,
	18, 17, 16, 15, 14, 13, 12, 11, 10, 9,	8,  7,	6,  5,	4,
};
static const uint8_t code_pos[31] = {
	0,  61, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49, 48, 47,
	46, 45, 44, 43, 42, 41, 40, 39, 38, 37, 36, 35, 34, 33, 32,
};
/* Inverse quantizers: of 6 bits for the output, of 4 and 2 for the adaptation. */
static const int out6[64] = {
	-136,  -136,  -136,  -136,  -24808, -21904, -19008, -16704, -14984, -13512, -12280,
	-11192, -10232, -9360, -8576, -7856, -7192, -6576,  -6000,  -5456,  -4944,  -4464,
	-4008, -3576, -3168, -2776, -2400, -2032,  -1688,  -1360,  -1040,  -728,   24808,
	21904, 19008, 16704, 14984, 13512,  12280,  11192,  10232,  9360,   8576,   7856,
	7192,  6576,  6000,  5456,  4944,   4464,   4008,   3576,   3168,   2776,   2400,
	2032,  1688,  1360,  1040,  728,    432,    136,    -432,   -136,
};
static const int out4[16] = {
	0,     -20456, -12896, -8968, -6288, -4240, -2584, -1200,
	20456, 12896,  8968,   6288,  4240,  2584,  1200,  0,
};
static const int out2[4] = { -7408, -1616, 7408, 1616 };
/* Log scale factor multipliers. */
static const int log4[16] = {
	-60, 3042, 1198, 538, 334, 172, 58, -30, 3042, 1198, 538, 334, 172, 58, -30, -60,
};
static const int log2_[4] = { 798, -214, 798, -214 };
static const int antilog[32] = {
	2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774,
	2834, 2896, 2960, 3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838,
	3922, 4008,
};
static const int qmf[G722_QMF / 2] = { 3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11 };

static int sat16(int v)
{
	return v > INT16_MAX ? INT16_MAX : v < INT16_MIN ? INT16_MIN : v;
}

static int clamp(int v, int lo, int hi)
{
	return v < lo ? lo : v > hi ? hi : v;
}

void g722_init(struct g722 *g)
{
	memset(g, 0, sizeof *g);
	g->low.det = 32;
	g->high.det = 8;
}

/* Poles: a[1], a[2] [UPPOL1, UPPOL2]. */
static void adapt_poles(struct g722_band *g)
{
	int same1 = (g->p[0] < 0) == (g->p[1] < 0), same2 = (g->p[0] < 0) == (g->p[2] < 0);
	int a1 = sat16(g->a[1] * 4), a2, limit;

	a1 = same1 ? sat16(-a1) : a1;
	a2 = (same2 ? 128 : -128) + (a1 >> 7) + (g->a[2] * 32512 >> 15);
	a2 = clamp(a2, -12288, 12288);
	limit = sat16(15360 - a2);
	a1 = sat16((same1 ? 192 : -192) + (g->a[1] * 32640 >> 15));
	g->a[1] = clamp(a1, -limit, limit);
	g->a[2] = a2;
}

/* Zeros: b[1…6] [UPZERO]. */
static void adapt_zeros(struct g722_band *g)
{
	int step = g->d[0] == 0 ? 0 : 128;

	for (int i = 1; i <= ZEROS; i++) {
		int same = (g->d[i] < 0) == (g->d[0] < 0);

		g->b[i] = sat16((same ? step : -step) + (g->b[i] * 32640 >> 15));
	}
}

/* Takes the quantized difference d into the predictor [block 4]. */
static void predict(struct g722_band *g, int d)
{
	int sum = 0;

	g->d[0] = d;
	g->r[0] = sat16(g->s + d);
	g->p[0] = sat16(g->sz + d);
	adapt_poles(g);
	adapt_zeros(g);
	for (int i = ZEROS; i > 0; i--)
		g->d[i] = g->d[i - 1];
	for (int i = 2; i > 0; i--) {
		g->r[i] = g->r[i - 1];
		g->p[i] = g->p[i - 1];
	}
	g->sp = sat16((g->a[1] * sat16(2 * g->r[1]) >> 15) + (g->a[2] * sat16(2 * g->r[2]) >> 15));
	for (int i = ZEROS; i > 0; i--)
		sum += g->b[i] * sat16(2 * g->d[i]) >> 15;
	g->sz = sat16(sum);
	g->s = sat16(g->sp + g->sz);
}

/* Scale factor [LOGSC, SCALE]; shift: 8 low band, 10 high. */
static void rescale(struct g722_band *g, int log_step, int nb_max, int shift)
{
	int v;

	g->nb = clamp((g->nb * 127 >> 7) + log_step, 0, nb_max);
	v = antilog[g->nb >> 6 & 31];
	shift -= g->nb >> 11;
	g->det = (shift < 0 ? v << -shift : v >> shift) << 2;
}

static void low_adapt(struct g722_band *g, int code4)
{
	int d = g->det * out4[code4] >> 15;

	rescale(g, log4[code4], NB_LOW_MAX, 8);
	predict(g, d);
}

static void high_adapt(struct g722_band *g, int code2)
{
	int d = g->det * out2[code2] >> 15;

	rescale(g, log2_[code2], NB_HIGH_MAX, 10);
	predict(g, d);
}

static int low_quantize(const struct g722_band *g, int x)
{
	int e = sat16(x - g->s), mag = e >= 0 ? e : -(e + 1), i = 1;

	while (i < 30 && mag >= (level6[i] * g->det) >> 12)
		i++;
	return e < 0 ? code_neg[i] : code_pos[i];
}

static int high_quantize(const struct g722_band *g, int x)
{
	int e = sat16(x - g->s), mag = e >= 0 ? e : -(e + 1);
	int large = mag >= (564 * g->det) >> 12;

	return e < 0 ? !large : 3 - large;
}

static void filter_banks(const int *x, int *even, int *odd)
{
	*even = *odd = 0;
	for (int i = 0; i < G722_QMF / 2; i++) {
		*odd += x[2 * i] * qmf[i];
		*even += x[2 * i + 1] * qmf[G722_QMF / 2 - 1 - i];
	}
}

static void shift_in(struct g722 *g, int a, int b)
{
	memmove(g->x, g->x + 2, (G722_QMF - 2) * sizeof g->x[0]);
	g->x[G722_QMF - 2] = a;
	g->x[G722_QMF - 1] = b;
}

void g722_encode(struct g722 *g, const int16_t *pcm, size_t n, uint8_t *out)
{
	for (size_t i = 0; i + 1 < n; i += 2) {
		int even, odd, low, high;

		shift_in(g, pcm[i], pcm[i + 1]);
		filter_banks(g->x, &even, &odd);
		low = low_quantize(&g->low, (even + odd) >> 14);
		high = high_quantize(&g->high, (even - odd) >> 14);
		low_adapt(&g->low, low >> 2);
		high_adapt(&g->high, high);
		*out++ = (uint8_t)(high << 6 | low);
	}
}

void g722_decode(struct g722 *g, const uint8_t *in, size_t n, int16_t *pcm)
{
	for (size_t i = 0; i < n; i++) {
		int low = in[i] & 63, high = in[i] >> 6, even, odd, l, h;

		l = clamp(g->low.s + (g->low.det * out6[low] >> 15), -BAND_MAX - 1, BAND_MAX);
		h = clamp(g->high.s + (g->high.det * out2[high] >> 15), -BAND_MAX - 1, BAND_MAX);
		low_adapt(&g->low, low >> 2);
		high_adapt(&g->high, high);
		shift_in(g, l + h, l - h);
		filter_banks(g->x, &even, &odd);
		*pcm++ = (int16_t)sat16(even >> 11);
		*pcm++ = (int16_t)sat16(odd >> 11);
	}
}
