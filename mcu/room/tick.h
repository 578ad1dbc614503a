/* The picture of a room: its video clock. A strand (MIXV) that every 1/fps takes
 * the newest frame of each source, composes from them all pictures that somebody
 * receives, and hands the canvases to the encodes. Ticks are due at the beats of the
 * room (beat.h); none waits for a leg (L3), only for 2 ms where a frame is being
 * decoded.
 * While no encode is routed it does not run at all. */
#ifndef MCU_ROOM_TICK_H
#define MCU_ROOM_TICK_H

#include <stdint.h>

#include "mcu/base/metrics.h"
#include "mcu/base/role.h"
#include "mcu/room/engine.h"
#include "mcu/room/routing.h"

struct beat;
struct tick;

enum { TICK_STALE_MS = 2000 };

/* Posted to the control mailbox as fn(obj, arg). */
struct tick_events {
	mbox_fn *retired; /* arg: the struct routing that was replaced; may be NULL */
	mbox_fn *stopped;
};

int tick_new(struct tick **out, const struct engine *e, const struct beat *b,
	     const struct tick_events *ev, void *obj) ON_THREAD(ROLE_CTL);
/* Composing is a's work. Before the first routing. */
void tick_charge(struct tick *t, struct work_account *a) ON_THREAD(ROLE_CTL);
/* Takes r. */
void tick_route(struct tick *t, struct routing *r) ON_THREAD(ROLE_CTL);
/* Who speaks (a leg id, 0: nobody), for the border. Any thread. */
void tick_set_speaker(struct tick *t, uint32_t leg);
/* Pictures per second from the next one on, at most those of the engine. Any thread. */
void tick_set_fps(struct tick *t, int fps);
void tick_stop(struct tick *t) ON_THREAD(ROLE_CTL);
void tick_free(struct tick **t) ON_THREAD(ROLE_CTL);

/* Output frames (ticks; unchanged: pictures that stood still and were not encoded),
 * ticks that were skipped because the pool was behind, copies made for lower rungs,
 * and the histogram of intervals between composed frames, as Prometheus buckets. */
enum { TICK_BUCKETS = 8 };
extern const int TICK_BUCKET_MS[TICK_BUCKETS]; /* upper bounds; the last is +Inf (0) */
struct tick_stats {
	uint64_t frames, skipped, unchanged, shrunk;
	uint64_t bucket[TICK_BUCKETS]; /* not cumulative */
	uint64_t interval_sum_ns;
};
void tick_get_stats(const struct tick *t, struct tick_stats *s);

#endif
