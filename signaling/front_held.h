/* Candidates that came before the description they belong to, of one side of a front
 * session. A zeroed one is empty. Owner: the session. */
#ifndef MCU_SIGNALING_FRONT_HELD_H
#define MCU_SIGNALING_FRONT_HELD_H

#include <stdbool.h>
#include <stddef.h>

#include "signaling/front.h"

struct held {
	struct {
		char *candidate; /* "": the end */
		char *mid;
	} v[FRONT_MAX_HELD_CANDIDATES];
	size_t n;
};

/* Copies both; false: there are too many, or no memory. */
bool held_add(struct held *h, const char *candidate, const char *mid);
void held_clear(struct held *h);

#endif
