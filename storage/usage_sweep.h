/* The arithmetic of usage.h: stays of participants, in order of joining, become sums by day
 * and by room. Pure. One thread. */
#ifndef MCU_STORAGE_USAGE_SWEEP_H
#define MCU_STORAGE_USAGE_SWEEP_H

#include <stdbool.h>

#include "storage/usage.h"

struct usage_sweep;

struct usage_stay {
	int64_t room_id;
	int64_t joined_ms, left_ms;
	int64_t score_n;
	double score_sum, score_min; /* min 0: nothing is known */
};

/* bounds: as of usage_read; copied. 0 or -ENOMEM. */
int usage_sweep_new(struct usage_sweep **out, const int64_t *bounds, size_t n_days);
void usage_sweep_free(struct usage_sweep **s);
/* In order of joined_ms. 0 or -ENOMEM. */
int usage_sweep_stay(struct usage_sweep *s, const struct usage_stay *stay);
/* In any order. */
int usage_sweep_session(struct usage_sweep *s, int64_t room_id, int64_t started_ms);
/* No more comes. The sums of a room by index, the most minutes first; false: past the last. */
void usage_sweep_end(struct usage_sweep *s, int64_t now_ms);
const struct usage_sum *usage_sweep_days(const struct usage_sweep *s);
const struct usage_sum *usage_sweep_total(const struct usage_sweep *s);
bool usage_sweep_room(const struct usage_sweep *s, size_t i, int64_t *room_id,
		      struct usage_sum *sum);

#endif
