/* What everybody's connection was like, for the registry: a row per participant and interval
 * (statistics.interval_s), written in batches. When the disk is slow, QUALITY_LOG_BATCHES at
 * most wait for it; further rows are dropped and counted (mcu_quality_rows_dropped_total).
 * CTL. */
#ifndef MCU_QUALITY_LOG_H
#define MCU_QUALITY_LOG_H

#include <stdint.h>

#include "mcu/base/role.h"
#include "mcu/room/leg_net.h"

struct db;
struct quality_log;

enum { QUALITY_LOG_BATCHES = 8, QUALITY_LOG_FLUSH_S = 5, QUALITY_LOG_LEAST_MS = 1000 };

/* Where an interval of a leg began; zeroed: nowhere yet. */
struct quality_mark {
	int64_t at_ns;
	uint64_t up, up_lost, down, down_lost, up_octets, down_octets;
};

/* interval_s 0: nothing is written. keep_days 0: for ever. db is borrowed for its life. */
int quality_log_new(struct quality_log **out, struct db *db, int interval_s, int keep_days)
	ON_THREAD(ROLE_CTL);
/* What waits is written, for the end of the server. */
void quality_log_flush(struct quality_log *l) ON_THREAD(ROLE_CTL);
/* When no callback of the database comes any more. */
void quality_log_free(struct quality_log **l) ON_THREAD(ROLE_CTL);

/* Ends the interval of a leg that began at *mark, if it is over or if the leg leaves, and
 * begins the next. */
void quality_log_leg(struct quality_log *l, struct quality_mark *mark, int64_t participant_id,
		     const struct leg_net_stats *s, int height, int64_t now_ns, bool leaves)
	ON_THREAD(ROLE_CTL);

#endif
