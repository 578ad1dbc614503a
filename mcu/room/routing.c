#include "mcu/room/routing.h"

#include <stdlib.h>

struct routing *routing_new(uint64_t seq, size_t n_legs)
{
	struct routing *r = calloc(1, sizeof *r + n_legs * sizeof r->leg[0]);

	if (!r)
		return NULL;
	r->source = calloc(n_legs * ROUTING_LEG_SOURCES + 1, sizeof r->source[0]);
	if (!r->source) {
		free(r);
		return NULL;
	}
	r->seq = seq;
	r->n_legs = n_legs;
	return r;
}

void routing_free(struct routing **r)
{
	if (*r)
		free((*r)->source);
	free(*r);
	*r = NULL;
}
