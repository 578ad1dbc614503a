/* Where a playback is in its film: play, pause, seek, the end, and waiting for data
 * that does not come. Pure: the time is an argument. Nothing waits for it; the position
 * simply stands while it has nothing to show.
 *
 * A seek (the first is to the start) has a serial, and the position stands until ready
 * comes with that serial. */
#ifndef MCU_PLAYBACK_CLOCK_H
#define MCU_PLAYBACK_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

enum playback_state {
	PLAYBACK_OPENING = 1,
	PLAYBACK_BUFFERING, /* it shall play, and waits for data */
	PLAYBACK_PLAYING,
	PLAYBACK_PAUSED,
	PLAYBACK_RECONNECTING, /* a camera that was lost */
	PLAYBACK_ENDED,
	PLAYBACK_FAILED
};

/* "opening", …. */
const char *playback_state_name(enum playback_state s);

/* What its media are read by, on other threads. */
struct playback_point {
	uint32_t serial;
	bool runs;
	int64_t at_ns, pos_ns; /* at that time it was there; and still is unless it runs */
};

struct playback_clock {
	struct playback_point point;
	bool open, wants, seeking, starved, over;
	bool live;  /* a camera: it cannot be sought, and what it is late it leaves out */
	bool still; /* without time */
	bool loop;
	int64_t duration_ns, end_ns; /* 0: unknown; end_ns: as the child has said */
};

void playback_clock_init(struct playback_clock *c, bool plays, bool loop);
/* It is open. duration_ns 0: unknown. Followed by a seek to 0. */
void playback_clock_opened(struct playback_clock *c, int64_t duration_ns, bool live, bool still);
/* Returns the position that is to be sought with point.serial. */
int64_t playback_clock_seek(struct playback_clock *c, int64_t now_ns, int64_t pos_ns);
void playback_clock_ready(struct playback_clock *c, int64_t now_ns, uint32_t serial, int64_t pos_ns);
void playback_clock_play(struct playback_clock *c, int64_t now_ns, bool plays);
/* The last of it ends there. */
void playback_clock_end(struct playback_clock *c, uint32_t serial, int64_t end_ns);

enum playback_turn {
	PLAYBACK_GOES_ON,
	PLAYBACK_AGAIN, /* it loops: to be sought to 0 */
	PLAYBACK_OVER
};
/* A few times a second. there_ns: up to where there is sound and picture of the present
 * serial. */
enum playback_turn playback_clock_turn(struct playback_clock *c, int64_t now_ns, int64_t there_ns);

int64_t playback_clock_position(const struct playback_point *p, int64_t now_ns);
enum playback_state playback_clock_state(const struct playback_clock *c);

#endif
