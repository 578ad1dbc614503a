/* How long an audio jitter buffer should wait: the transit time of the fastest
 * packet of the last ten seconds (a moving minimum, so that the sender's clock
 * may drift), and the 98.5 % quantile of how much later than that packets come
 * (a histogram that forgets with a time constant of ten seconds). Packets that
 * were held up together and let go at once are one late packet, so that a single
 * stall of the network does not buy half a minute of delay.
 * Transit is arrival time minus media time: only differences mean something.
 * Pure; plain struct, part of struct audio_jitter. */
#ifndef MCU_RTP_AUDIO_TARGET_H
#define MCU_RTP_AUDIO_TARGET_H

#include <stdbool.h>
#include <stdint.h>

enum { AUDIO_TARGET_BUCKETS = 10, AUDIO_TARGET_BIN_MS = 5, AUDIO_TARGET_BINS = 101 };

struct audio_target {
	int min_ms, max_ms;
	bool started;
	int64_t base_ns;   /* smallest transit in the window */
	int64_t target_ns; /* min_ms…max_ms */
	int64_t arrival_ns, late_ns; /* of the last packet */
	int64_t second;    /* of the newest bucket */
	int64_t bucket_ns[AUDIO_TARGET_BUCKETS]; /* smallest transit of each second */
	/* Seconds of sound that came so late. What is older counts less: not by taking from
	 * all bins with each packet, but by adding ever more; in seconds times unit. */
	float bin[AUDIO_TARGET_BINS];
	double unit, total, above; /* total: of all bins; above: of those behind `quantile` */
	int quantile;		   /* the bin */
};

void audio_target_init(struct audio_target *t, int min_ms, int max_ms);
/* A packet of duration_ns came. */
void audio_target_put(struct audio_target *t, int64_t transit_ns, int64_t arrival_ns,
		      int64_t duration_ns);
void audio_target_set_min_ms(struct audio_target *t, int min_ms);

#endif
