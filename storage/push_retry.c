#include "storage/push_retry.h"

#include "mcu/base/clock.h"

void push_retry_live(struct push_retry *r, int64_t now_ns)
{
	r->live_since_ns = now_ns;
}

bool push_retry_failed(struct push_retry *r, int64_t now_ns)
{
	int64_t wait_ms;

	/* One that takes us and throws us out at once is not up. */
	if (r->live_since_ns && now_ns - r->live_since_ns >= PUSH_STEADY_MS * NS_PER_MS) {
		r->failing_since_ns = 0;
		r->tries = 0;
	}
	r->live_since_ns = 0;
	if (!r->failing_since_ns)
		r->failing_since_ns = now_ns;
	if (now_ns - r->failing_since_ns >= r->give_up_ms * NS_PER_MS)
		return false;
	wait_ms = r->first_ms << (r->tries < 10 ? r->tries : 10);
	if (wait_ms > PUSH_RETRY_MOST_MS)
		wait_ms = PUSH_RETRY_MOST_MS;
	r->tries++;
	r->next_ns = now_ns + wait_ms * NS_PER_MS;
	return true;
}
