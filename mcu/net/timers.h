/* The deadlines of a shard: a binary heap of net_timers (shard.h). The shard
 * sleeps until timers_next and then runs timers_run. ROLE_NET. */
#ifndef MCU_NET_TIMERS_H
#define MCU_NET_TIMERS_H

#include <stddef.h>
#include <stdint.h>

#include "mcu/net/shard.h"

struct net_timer {
	struct net_timers *in;
	net_timer_fn *fn;
	void *obj;
	int64_t due_ns, period_ns;
	size_t at; /* in the heap, from 1; 0: stopped */
};

struct net_timers {
	struct net_timer **heap; /* [1…n] */
	size_t n, cap;
	size_t alive; /* made and not freed: the heap has room for all of them */
};

void timers_init(struct net_timers *h);
void timers_done(struct net_timers *h);

/* For a timer that is part of another object. 0 or -ENOMEM. */
int timers_add(struct net_timers *h, struct net_timer *t, net_timer_fn *fn, void *obj);
void timers_remove(struct net_timer *t) ON_THREAD(ROLE_NET);

/* The earliest deadline, INT64_MAX: none. */
int64_t timers_next(const struct net_timers *h);
/* Runs those due at now_ns, each at most once; returns how many. */
size_t timers_run(struct net_timers *h, int64_t now_ns) ON_THREAD(ROLE_NET);

#endif
