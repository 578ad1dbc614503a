/* Inner loops over samples, written so that the compiler makes vector code of
 * them: fixed lanes for the sums, which floating point forbids it to reorder by
 * itself. Pure. n counts floats; nothing need be aligned. */
#ifndef MIXER_AUDIO_DSP_H
#define MIXER_AUDIO_DSP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Full scale +-1 to 16 bits, rounded and clipped; a NaN is silence. */
void dsp_to_int16(int16_t *restrict out, const float *restrict x, size_t n);
void dsp_add(float *restrict acc, const float *restrict x, size_t n);
void dsp_sub(float *restrict out, const float *restrict a, const float *restrict b, size_t n);
/* n frames of two channels to their middle. */
void dsp_middle(float *restrict out, const float *restrict x, size_t n);
float dsp_peak(const float *x, size_t n);                 /* largest magnitude */
bool dsp_is_silent(const float *x, size_t n);             /* all zero */
float dsp_energy(const float *x, size_t n);               /* sum of squares */
float dsp_dot(const float *a, const float *b, size_t n);
/* x times what lies between h0 (part 0) and h1 (part 1). */
float dsp_dot_between(const float *x, const float *h0, const float *h1, float part, size_t n);

/* Gains that run linearly from g0 (at the first sample) towards g1 (reached by
 * the sample after the last). n: samples per channel, interleaved. */
void dsp_ramp(float *x, size_t n, int channels, float g0, float g1);
void dsp_ramp_add(float *restrict acc, const float *restrict x, size_t n, int channels, float g0,
		  float g1);

#endif
