#include "signaling/front_held.h"

#include <stdlib.h>
#include <string.h>

bool held_add(struct held *h, const char *candidate, const char *mid)
{
	if (h->n == FRONT_MAX_HELD_CANDIDATES)
		return false;
	char *c = strdup(candidate), *m = strdup(mid);
	if (!c || !m) {
		free(c);
		free(m);
		return false;
	}
	h->v[h->n].candidate = c;
	h->v[h->n++].mid = m;
	return true;
}

void held_clear(struct held *h)
{
	for (size_t i = 0; i < h->n; i++) {
		free(h->v[i].candidate);
		free(h->v[i].mid);
	}
	h->n = 0;
}
