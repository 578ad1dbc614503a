/* One press of a key that comes by several ways (as an RTP event, as a tone, by
 * signaling) is one digit: each digit that was taken swallows one equal one of each
 * other way that follows soon. Pure; a zeroed struct has seen nothing. */
#ifndef MCU_DIGIT_GATE_H
#define MCU_DIGIT_GATE_H

#include <stdbool.h>
#include <stdint.h>

enum {
	DIGIT_GATE_MS = 3000, /* SIP INFO tells of a press when it is over */
	DIGIT_GATE_DIGITS = 16 /* remembered */
};

struct digit_gate {
	/* private */
	struct {
		char digit;
		uint8_t came; /* bits: the ways it has come by */
		int64_t at_ns;
	} last[DIGIT_GATE_DIGITS]; /* a ring */
	unsigned n;
};

/* way: 0…7. False: it has been taken already. */
bool digit_gate_take(struct digit_gate *g, char digit, unsigned way, int64_t now_ns);

#endif
