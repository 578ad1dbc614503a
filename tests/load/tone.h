/* Listens to an Opus stream: how loud given tones were in the last second, and
 * when a burst begins. Pure. */
#ifndef TESTS_LOAD_TONE_H
#define TESTS_LOAD_TONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tone;

struct tone *tone_new(void);
void tone_free(struct tone **t);
/* One packet; NULL: it was lost. False: it could not be decoded. */
bool tone_decode(struct tone *t, const uint8_t *p, size_t len);
/* True once, when the last packet was the first loud one after 100 ms of quiet. */
bool tone_burst_began(const struct tone *t);
/* Amplitude of the sine of that frequency over the last second, 0 dBFS = full
 * scale, by Goertzel; -120 when nothing has been decoded. */
double tone_level_dbfs(const struct tone *t, double hz);
uint64_t tone_packets(const struct tone *t);

#endif
