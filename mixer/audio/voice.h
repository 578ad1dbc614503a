/* What is done to one participant's sound before it is mixed, where somebody asked
 * for it: noise suppression (libspeexdsp's, each channel by itself, 10 ms late) and
 * automatic gain, one for all channels: it brings speech to VOICE_TARGET_DBOV within
 * VOICE_RANGE_DB, by what is said, not by what is in the pauses, and never into
 * clipping. Both off: not a bit is touched. Switching fades over one tick.
 *
 * The gain is not the library's: that works on 16 bits and on single channels, and
 * only together with its filter bank.
 *
 * Owner: a leg; one thread at a time. Nothing is allocated after _new(), which takes
 * some 80 KiB per channel: make it when it is wanted. */
#ifndef MIXER_AUDIO_VOICE_H
#define MIXER_AUDIO_VOICE_H

#include <stdbool.h>

struct voice;

enum { VOICE_TICK_SAMPLES = 960 };
#define VOICE_TARGET_DBOV (-26.0f)
#define VOICE_RANGE_DB    20.0f

/* channels: 1 or 2. 0, -EINVAL, -ENOMEM. Any thread. */
int voice_new(struct voice **out, int channels);
void voice_free(struct voice **v);
/* From the next tick on; at first both are off. */
void voice_set(struct voice *v, bool gain, bool noise);
/* One tick, in place, interleaved. */
void voice_run(struct voice *v, float *pcm);
/* Nothing was said in this tick: what is still inside goes. */
void voice_rest(struct voice *v);
/* The automatic gain in force. */
float voice_gain_db(const struct voice *v);

#endif
