/* Takes out the difference between the sender's sample clock and ours, so that the
 * delay stays where it should be: at most DRIFT_MAX_PPM, inaudibly. What is to be
 * removed or added adds up to a whole sample, by which the sound then slides: for
 * so long, and no longer, it is resampled (a fractional delay that moves from 0 to
 * 1); in between it passes bit by bit, at the price of a copy. Clocks that differ
 * by more than 200 ppm slide all the time.
 * Only drift: a burst's excess is somebody else's work (accelerate.h).
 * Owner: a leg's chain; one thread at a time; steady state does not allocate. */
#ifndef MIXER_AUDIO_DRIFT_H
#define MIXER_AUDIO_DRIFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct drift;

enum { DRIFT_MAX_PPM = 1000, DRIFT_SLACK = 32 /* samples out beyond samples in */ };

int drift_new(struct drift **out, int channels);
void drift_free(struct drift **d);
/* Starts over: a new stream has a new clock. */
void drift_reset(struct drift *d);

/* Once per tick of dt_s seconds: how much longer than wanted the delay is. It is
 * kept within 2 ms of that, but for what it grew by at once (1.5 ms or more from one
 * call to the next), which is left to accelerate.h. */
void drift_control(struct drift *d, float error_ms, float dt_s);
/* Samples removed per million; negative: added. */
float drift_ppm(const struct drift *d);

/* It will soon run. */
void drift_prefetch(const struct drift *d);

/* Between two whole samples now: it costs something, and is not bit-exact. */
bool drift_is_sliding(const struct drift *d);

/* n samples in, returns how many came out (n give or take a few), 16 samples later,
 * or -EINVAL. cap: room in out, at least n + DRIFT_SLACK. */
int drift_run(struct drift *d, const float *in, size_t n, float *out, size_t cap);

#endif
