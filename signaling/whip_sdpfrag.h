/* application/trickle-ice-sdpfrag (RFC 8840): the piece of SDP with which a client
 * of WHIP tells its candidates and, at an ICE restart, its new credentials. Pure.
 * Any thread. */
#ifndef MCU_SIGNALING_WHIP_SDPFRAG_H
#define MCU_SIGNALING_WHIP_SDPFRAG_H

#include <stdbool.h>
#include <stddef.h>

#include "mcu/base/err.h"
#include "signaling/sdp.h"

enum {
	SDPFRAG_MAX_BYTES = 16384,
	SDPFRAG_MAX_CANDIDATES = 32 /* more are ignored */
};

struct sdpfrag_candidate {
	char mid[33];	/* of its section; "" when it has none */
	char text[256]; /* "candidate:…" */
};

struct sdpfrag {
	char ufrag[257], pwd[257]; /* both or none; of a bundle they are all the same */
	struct sdpfrag_candidate candidate[SDPFRAG_MAX_CANDIDATES];
	size_t n;
	bool end; /* a=end-of-candidates */
};

/* text need not be terminated. -EINVAL "bad_sdpfrag": why says which line. Unknown
 * attributes are passed over. */
int sdpfrag_parse(struct sdpfrag *out, const char *text, size_t len, struct errmsg *why);

/* A client's description as it would be now: f's credentials everywhere, and its
 * candidates instead of those that were in it. 0 or -ENOMEM. */
int sdpfrag_apply(struct sdp *offer, const struct sdpfrag *f);

/* The section index of our answer as a fragment: name, credentials, candidates.
 * Terminated, freed by the caller. 0 or -ENOMEM. */
int sdpfrag_write(char **out, const struct sdp *answer, size_t index);

#endif
