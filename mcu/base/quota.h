/* What somebody may cost per second, with some in advance (a leaky bucket that
 * remembers only when it will be empty). Costs are in nanoseconds of the allowance:
 * one of n per second costs NS_PER_S / n. A zeroed one is empty. Owner's thread. */
#ifndef MCU_BASE_QUOTA_H
#define MCU_BASE_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

#include "mcu/base/clock.h"

enum { QUOTA_DEBT_S = 5 }; /* more than this over the limit is forgiven */

struct quota {
	int64_t empty_ns;
};

/* Whether there is any left; advance_ns: what may be used at once. */
static inline bool quota_has(const struct quota *q, int64_t now_ns, int64_t advance_ns)
{
	return q->empty_ns - now_ns < advance_ns;
}

/* What was used, allowed or not. */
static inline void quota_charge(struct quota *q, int64_t now_ns, int64_t cost_ns)
{
	int64_t from = q->empty_ns > now_ns ? q->empty_ns : now_ns;
	int64_t most = now_ns + QUOTA_DEBT_S * NS_PER_S;

	q->empty_ns = cost_ns < most - from ? from + cost_ns : most;
}

/* Both, if it is allowed. */
static inline bool quota_take(struct quota *q, int64_t now_ns, int64_t cost_ns, int64_t advance_ns)
{
	if (!quota_has(q, now_ns, advance_ns))
		return false;
	quota_charge(q, now_ns, cost_ns);
	return true;
}

#endif
