/* DTMF tones in a caller's sound: tells the digits, and takes the tones out, so that
 * nobody hears them. A tone is certain only after a while, hence the sound goes through a
 * delay of DTMF_IN_DELAY_TICKS. Only for callers who have no other way to send digits.
 *
 * Detection is spandsp's (ITU-T Q.24). No clock, lock or allocation after _new(). Owner:
 * the audio side of a leg. */
#ifndef MIXER_AUDIO_DTMF_IN_H
#define MIXER_AUDIO_DTMF_IN_H

#include <stdbool.h>
#include <stddef.h>

#include "mcu/base/role.h"

enum {
	DTMF_IN_SAMPLES = 960, /* of a tick, per channel, 48 kHz */
	DTMF_IN_DELAY_TICKS = 3,
	DTMF_IN_DIGITS = 4, /* in a tick, at most; more are lost */
};

struct dtmf_in;

/* channels: 1 or 2. 0, -EINVAL or -ENOMEM. */
int dtmf_in_new(struct dtmf_in **out, int channels);
void dtmf_in_free(struct dtmf_in **d);
/* Begins anew: what is in the delay is dropped. */
void dtmf_in_reset(struct dtmf_in *d) ON_THREAD(ROLE_MIXA);

/* A tick, in place; sound: there is any in it. Whether there is any in what comes out.
 * digits: terminated. */
bool dtmf_in_tick(struct dtmf_in *d, float *pcm, bool sound, char digits[DTMF_IN_DIGITS + 1])
	ON_THREAD(ROLE_MIXA);

#endif
