/* An audio worker: one thread that runs its mailbox and, every period, one
 * tick. Ticks are due at whole multiples of the period on the clock, so there is no
 * drift, and others can be done just in time; ticks that could not be run in time are counted as missed and are run late in a
 * burst of at most TICKER_CATCH_UP, the rest skipped (tick numbers jump).
 * ROLE_MIXA. */
#ifndef MCU_BASE_TICKER_H
#define MCU_BASE_TICKER_H

#include <stdint.h>

#include "mcu/base/clock.h"
#include "mcu/base/mbox.h"

struct ticker;

enum { TICKER_CATCH_UP = 5 };
/* Where that is allowed (root, or RLIMIT_NICE), else 0: on a machine that is too busy
 * a tick waits for nobody. Its work is bounded by what is mixed. */
enum { TICKER_NICE = -10 };

/* tick: the number since the start; due_ns: when it was due on the clock. */
typedef void ticker_fn(void *obj, int64_t tick, int64_t due_ns);

/* Starts the thread. mbox_capacity: of the worker's mailbox. */
int ticker_new(struct ticker **out, const char *name, const struct clock *clock, int64_t period_ns,
	       size_t mbox_capacity, ticker_fn *fn, void *obj);
/* Runs what waits in the mailbox, then joins the thread. */
void ticker_free(struct ticker **t);
struct mbox *ticker_mbox(struct ticker *t);
uint64_t ticker_missed_count(const struct ticker *t);

#endif
