#include "tests/load/tone.h"

#include <math.h>
#include <opus/opus.h>
#include <stdlib.h>
#include <string.h>

#include "tests/load/util.h"

enum { RATE = 48000, FRAME = 960, MAX_SAMPLES = 5760, PIECE = 240, QUIET_PACKETS = 5 };
static const double LOUD_RMS = 0.03; /* -30 dBFS over 5 ms */
static const double TWO_PI = 6.283185307179586;

struct tone {
	OpusDecoder *dec;
	float ring[RATE]; /* the last second */
	size_t at;
	uint64_t packets;
	int quiet; /* packets in a row */
	bool began;
};

struct tone *tone_new(void)
{
	struct tone *t = bot_alloc(sizeof *t);

	t->dec = opus_decoder_create(RATE, 1, &(int){ 0 });
	if (!t->dec)
		bot_die("no Opus decoder");
	return t;
}

void tone_free(struct tone **t)
{
	if (!*t)
		return;
	opus_decoder_destroy((*t)->dec);
	free(*t);
	*t = NULL;
}

static bool loud(const float *pcm, int n)
{
	for (int i = 0; i + PIECE <= n; i += PIECE) {
		double sum = 0;

		for (int k = i; k < i + PIECE; k++)
			sum += (double)pcm[k] * (double)pcm[k];
		if (sqrt(sum / PIECE) > LOUD_RMS)
			return true;
	}
	return false;
}

bool tone_decode(struct tone *t, const uint8_t *p, size_t len)
{
	static float pcm[MAX_SAMPLES];
	int n = opus_decode_float(t->dec, p, (opus_int32)len, pcm, p ? MAX_SAMPLES : FRAME, 0);
	bool is_loud;

	t->began = false;
	if (n < 0)
		return false;
	for (int i = 0; i < n; i++) {
		t->ring[t->at] = pcm[i];
		t->at = (t->at + 1) % RATE;
	}
	is_loud = loud(pcm, n);
	t->began = is_loud && t->quiet >= QUIET_PACKETS;
	t->quiet = is_loud ? 0 : t->quiet + 1;
	t->packets += p != NULL;
	return true;
}

bool tone_burst_began(const struct tone *t)
{
	return t->began;
}

double tone_level_dbfs(const struct tone *t, double hz)
{
	double step = TWO_PI / RATE, w = step * hz, c = 2 * cos(w), s1 = 0, s2 = 0, power;

	/* Hann's window, so that a loud tone does not leak into the place of another. */
	for (size_t i = 0; i < RATE; i++) {
		double v = (double)t->ring[(t->at + i) % RATE] * (1 - cos(step * (double)i));
		double s0 = v + c * s1 - s2;

		s2 = s1;
		s1 = s0;
	}
	power = s1 * s1 + s2 * s2 - c * s1 * s2;
	power = power > 0 ? 20 * log10(2 * sqrt(power) / RATE) : -120;
	return power < -120 ? -120 : power;
}

uint64_t tone_packets(const struct tone *t)
{
	return t->packets;
}
