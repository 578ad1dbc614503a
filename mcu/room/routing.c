#include "mcu/room/routing.h"

#include <stdlib.h>

struct routing *routing_new(uint64_t seq, size_t n_legs, size_t n_pictures)
{
	struct routing *r = calloc(1, sizeof *r + n_legs * sizeof r->leg[0]);
	size_t n_sources = n_pictures ? n_legs * ROUTING_LEG_SOURCES : 0;

	if (!r)
		return NULL;
	r->seq = seq;
	r->n_legs = n_legs;
	r->n_pictures = n_pictures;
	r->source = calloc(n_sources + 1, sizeof r->source[0]);
	r->picture = calloc(n_pictures + 1, sizeof r->picture[0]);
	if (!r->source || !r->picture)
		routing_free(&r);
	return r;
}

void routing_free(struct routing **r)
{
	if (*r) {
		free((*r)->source);
		free((*r)->picture);
	}
	free(*r);
	*r = NULL;
}
