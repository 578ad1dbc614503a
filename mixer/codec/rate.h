/* Between 48 kHz and the rates of telephone codecs: mono, by 3 (16 kHz) or 6
 * (8 kHz), by a linear-phase FIR whose stop band begins at the lower rate's
 * Nyquist frequency (60 dB). Exactly n in, n times or n by the factor out; 2 ms
 * of delay; level unchanged. One direction per struct. Plain struct; one thread
 * at a time; nothing is allocated. */
#ifndef MIXER_CODEC_RATE_H
#define MIXER_CODEC_RATE_H

#include <stddef.h>

enum { RATE_TAPS = 192 };

struct rate {
	int factor;
	float up[RATE_TAPS];   /* a filter per phase, each newest tap last */
	float down[RATE_TAPS];
	float past[RATE_TAPS]; /* of the input */
};

/* factor: 3 or 6. */
void rate_init(struct rate *r, int factor);
void rate_reset(struct rate *r);
/* n samples in, n * factor out. */
void rate_up(struct rate *r, const float *in, size_t n, float *out);
/* n samples in, a multiple of the factor; n / factor out. */
void rate_down(struct rate *r, const float *in, size_t n, float *out);

#endif
