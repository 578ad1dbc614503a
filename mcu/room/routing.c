#include "mcu/room/routing.h"

#include <stdlib.h>

struct routing *routing_new(uint64_t seq, size_t n_legs)
{
	struct routing *r = calloc(1, sizeof *r + n_legs * sizeof r->leg[0]);

	if (!r)
		return NULL;
	r->seq = seq;
	r->n_legs = n_legs;
	return r;
}

void routing_free(struct routing **r)
{
	free(*r);
	*r = NULL;
}
