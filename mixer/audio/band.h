/* The rates at which sound is kept while it is mixed: telephones' stays at theirs, which
 * costs a sixth, and is brought to another once for all (audio_mixer.h). Pure. */
#ifndef MIXER_AUDIO_BAND_H
#define MIXER_AUDIO_BAND_H

#include <stddef.h>

enum audio_band {
	AUDIO_BAND_FULL,   /* 48 kHz; the only one of stereo rooms */
	AUDIO_BAND_WIDE,   /* 16 kHz */
	AUDIO_BAND_NARROW, /* 8 kHz */
	AUDIO_BANDS
};

enum { AUDIO_BAND_TICKS_PER_S = 50, AUDIO_BAND_FULL_HZ = 48000 };

static inline unsigned audio_band_hz(enum audio_band b)
{
	return b == AUDIO_BAND_NARROW ? 8000 : b == AUDIO_BAND_WIDE ? 16000 : AUDIO_BAND_FULL_HZ;
}

/* What is none of them is the full one's. */
static inline enum audio_band audio_band_of(unsigned hz)
{
	return hz == 8000 ? AUDIO_BAND_NARROW : hz == 16000 ? AUDIO_BAND_WIDE : AUDIO_BAND_FULL;
}

/* Samples per channel in a tick of 20 ms. */
static inline size_t audio_band_tick(enum audio_band b)
{
	return audio_band_hz(b) / AUDIO_BAND_TICKS_PER_S;
}

#endif
