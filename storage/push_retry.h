/* When a push that failed is tried again, and when it is given up. Pure. */
#ifndef MCU_STORAGE_PUSH_RETRY_H
#define MCU_STORAGE_PUSH_RETRY_H

#include <stdbool.h>
#include <stdint.h>

struct push_retry {
	int64_t first_ms, give_up_ms;	/* set by the owner */
	int64_t failing_since_ns, live_since_ns; /* 0: it is not */
	int64_t next_ns;
	unsigned tries;
};

enum { PUSH_RETRY_MOST_MS = 30000, PUSH_STEADY_MS = 10000 };

/* It is connected. */
void push_retry_live(struct push_retry *r, int64_t now_ns);
/* It is not, or no longer: whether it is worth trying again, at r->next_ns. */
bool push_retry_failed(struct push_retry *r, int64_t now_ns);

#endif
