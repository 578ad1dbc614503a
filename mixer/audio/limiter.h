/* Soft limiter of a mix: what is quieter than LIMITER_THRESHOLD passes
 * unchanged, louder sound is turned down within a tick (no added delay), and
 * nothing leaves +-1. One state per listener. Plain struct, zero means ready. */
#ifndef MIXER_AUDIO_LIMITER_H
#define MIXER_AUDIO_LIMITER_H

#include <stddef.h>

#define LIMITER_THRESHOLD 0.9f

struct limiter {
	float reduction; /* 1 - gain at the end of the last tick */
};

/* In place; n samples per channel, interleaved, of hz a second. */
void limiter_run(struct limiter *l, float *pcm, size_t n, int channels, unsigned hz);

#endif
