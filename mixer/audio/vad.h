/* Level and voice activity of one leg. The level is that of RFC 6464: dB
 * relative to overload, 0 (full-scale square wave) … -127 (digital silence).
 * Active is what is louder than VAD_ABSOLUTE_DBOV, or stands out of an adaptive
 * noise floor; a steady tone is sound somebody sends and stays active, however
 * long. Plain struct, zero-initialised by vad_init; one thread at a time. */
#ifndef MIXER_AUDIO_VAD_H
#define MIXER_AUDIO_VAD_H

#include <stdbool.h>
#include <stddef.h>

#define VAD_ABSOLUTE_DBOV (-50.0f)

struct vad {
	float level_dbov; /* of the last tick */
	float floor_dbov; /* noise floor, at most VAD_ABSOLUTE_DBOV */
	bool active;      /* the last tick itself */
	bool speaking;    /* active now or within the hangover */
	int hang_ticks;
};

void vad_init(struct vad *v);
/* One tick of n samples in all (channels together). */
void vad_update(struct vad *v, const float *pcm, size_t n);
/* One tick of silence that nobody sent. */
void vad_silence(struct vad *v);

/* Level of n samples, -127…0 dBov. */
float vad_level_dbov(const float *pcm, size_t n);

#endif
