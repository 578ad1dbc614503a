/* The least an audio mix of N talkers must do in 20 ms: decode N Opus packets,
 * sum, and encode N mix-minus outputs and, if asked, the full mix once. */
#ifndef TESTS_BENCH_AUDIO_H
#define TESTS_BENCH_AUDIO_H

#include <stdint.h>

struct audio;

/* Talker i plays dir/voice<i % 10>.ogg in a loop. shared: also the full mix. */
struct audio *audio_new(const char *dir, int talkers, int shared);
void audio_free(struct audio *a);
/* One 20 ms tick of all talkers. */
void audio_tick(struct audio *a);
/* Encoded octets so far over all outputs, and how many outputs there are. */
int64_t audio_bytes(const struct audio *a);
int audio_outputs(const struct audio *a);

#endif
