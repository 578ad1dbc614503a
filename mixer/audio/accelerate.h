/* Shortens or lengthens sound by one pitch period with a cross-fade, so that
 * delay can be removed (or gained) without a click and without a change of
 * pitch. Pure functions. Samples per channel, interleaved, of hz a second: 8000, 16000
 * or 48000. */
#ifndef MIXER_AUDIO_ACCELERATE_H
#define MIXER_AUDIO_ACCELERATE_H

#include <stddef.h>

enum {
	ACCELERATE_MIN_LAG = 120, /* at 48 kHz 2.5 ms: 400 Hz and its multiples */
	ACCELERATE_MAX_LAG = 720, /* likewise 15 ms: 67 Hz */
	ACCELERATE_NEED = 2 * ACCELERATE_MAX_LAG, /* samples the functions want to see */
};

/* One of these at another rate. */
static inline size_t accelerate_at(size_t samples, unsigned hz)
{
	return samples * (hz / 8000) / 6;
}

/* Removes one period of at most max_lag samples from the n samples in pcm, in
 * place; returns how many were removed, 0 when n is too small or nothing in
 * the sound repeats well enough (min_corr: 0…1, 0 takes anything: for silence). */
size_t accelerate_shorten(unsigned hz, float *pcm, size_t n, int channels, size_t max_lag,
			  float min_corr);
/* Repeats one period; pcm has room for n + max_lag. Returns how many were added. */
size_t accelerate_lengthen(unsigned hz, float *pcm, size_t n, int channels, size_t max_lag,
			   float min_corr);

#endif
