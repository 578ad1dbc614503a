/* From the RTP time stamps of one received stream to our clock, so that what is written
 * as it came lines up with what was mixed of it. Anchored at the first packet's arrival,
 * it follows the fastest packets (the sender's clock drifts against ours), or, where it
 * is known, the time at which the packet is played, by at most STREAM_CLOCK_SLEW_PPM:
 * a time stamp's distance to the one before stays what the sender said. Where the
 * time stamps jump it is anchored anew. Pure; owner: whoever receives the stream. */
#ifndef MCU_RTP_STREAM_CLOCK_H
#define MCU_RTP_STREAM_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

enum {
	STREAM_CLOCK_SLEW_PPM = 5000,
	STREAM_CLOCK_WINDOW_MS = 10000, /* the fastest packet of it counts */
	STREAM_CLOCK_JUMP_MS = 1000,	/* more is no jitter */
	STREAM_CLOCK_PATIENCE_MS = 2000, /* unless it is over by then */
	STREAM_CLOCK_STEP_NS = 1000000,	/* the least distance of two times */
};

/* All zero: nothing was received. */
struct stream_clock {
	bool begun, have_last;
	uint32_t ssrc, hz;
	int64_t ext_ts;	   /* of the newest packet */
	int64_t offset_ns; /* our time less that of the time stamp */
	int64_t best_ns, window_end_ns; /* the least distance of this window */
	int64_t goal_ns;
	int64_t late_since_ns, late_best_ns; /* 0: the last packets were in time */
	int64_t slewed_ns; /* time stamp of the last change of the offset */
	int64_t last_ns;
};

struct stream_stamp {
	uint32_t ssrc, hz, ts;
	int64_t arrival_ns;
	bool has_play;
	int64_t play_ns; /* when it is played */
};

/* It is not newer than one that was mapped: it has no place behind that. */
bool stream_clock_is_late(const struct stream_clock *c, const struct stream_stamp *s);
/* Always larger than the one before. */
int64_t stream_clock_map(struct stream_clock *c, const struct stream_stamp *s);

#endif
