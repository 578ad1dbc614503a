#include "mcu/digit_gate.h"

#include "mcu/base/clock.h"

bool digit_gate_take(struct digit_gate *g, char digit, unsigned way, int64_t now_ns)
{
	unsigned from = g->n > DIGIT_GATE_DIGITS ? g->n - DIGIT_GATE_DIGITS : 0;

	for (unsigned i = from; i < g->n; i++) {
		unsigned at = i % DIGIT_GATE_DIGITS;

		if (g->last[at].digit != digit || g->last[at].came & 1u << way ||
		    now_ns - g->last[at].at_ns > DIGIT_GATE_MS * NS_PER_MS)
			continue;
		g->last[at].came |= (uint8_t)(1u << way);
		return false;
	}
	g->last[g->n % DIGIT_GATE_DIGITS].digit = digit;
	g->last[g->n % DIGIT_GATE_DIGITS].came = (uint8_t)(1u << way);
	g->last[g->n % DIGIT_GATE_DIGITS].at_ns = now_ns;
	g->n++;
	return true;
}
