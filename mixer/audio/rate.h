/* Between 48 kHz and the rates of telephone codecs, 16 and 8 kHz, by libswresample: mono,
 * by 2, 3 or 6. Exactly n in, n times or n by the factor out; some 2 ms of delay; level
 * unchanged. One direction per object; one thread at a time; nothing is allocated once
 * it has run at its largest n. */
#ifndef MIXER_AUDIO_RATE_H
#define MIXER_AUDIO_RATE_H

#include <stddef.h>

struct rate;

/* One of the two is the other times 2, 3 or 6. 0, -ENOMEM. */
int rate_new(struct rate **out, unsigned in_hz, unsigned out_hz);
void rate_free(struct rate **r);
/* Nothing of before is heard any more. */
void rate_reset(struct rate *r);
/* n samples in (down: a multiple of the factor); n * factor or n / factor out.
 * Silence where the library fails. */
void rate_run(struct rate *r, const float *in, size_t n, float *out);

#endif
