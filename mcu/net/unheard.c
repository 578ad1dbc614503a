#include "mcu/net/unheard.h"

#include "mcu/base/clock.h"

void unheard_begin(struct unheard *u)
{
	u->since_ns = 0;
}

void unheard_sign(struct unheard *u, int64_t now_ns)
{
	u->since_ns = now_ns;
}

bool unheard_take(struct unheard *u, size_t len, bool elsewhere, int64_t now_ns)
{
	int64_t gone = now_ns - u->at_ns;

	if (!u->at_ns || gone > NS_PER_S)
		u->octets = UNHEARD_BURST;
	else
		u->octets += gone * UNHEARD_OCTETS_PER_S / NS_PER_S;
	if (u->octets > UNHEARD_BURST)
		u->octets = UNHEARD_BURST;
	u->at_ns = now_ns;
	if (!u->since_ns)
		u->since_ns = now_ns;
	if (elsewhere && now_ns - u->since_ns > UNHEARD_ELSEWHERE_S * NS_PER_S)
		return false;
	if (u->octets < (int64_t)len)
		return false;
	u->octets -= (int64_t)len;
	return true;
}
