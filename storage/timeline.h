/* A recording's time line: media time less what was paused. A pause begins at the time
 * that was said; it ends with the first packet that may begin a part (a key frame; where
 * only sound is recorded, any), so that sound and picture go on together. Pure; owner: a
 * mux. */
#ifndef MCU_STORAGE_TIMELINE_H
#define MCU_STORAGE_TIMELINE_H

#include <stdbool.h>
#include <stdint.h>

/* All zero: it has not begun. */
struct timeline {
	bool begun, paused, resuming;
	int64_t zero_ns;
	/* the newest pause; to_ns: of the one before, while there is one */
	int64_t from_ns, to_ns;
	int64_t bound_ns;	 /* it ends no earlier */
	int64_t before_ns, lost_ns; /* paused in all before that one, and with it */
	int64_t least_ns; /* where a part may begin: behind the last picture; set by its owner */
};

/* That of a recording, for what is written beside it by the same thread (ROLE_STO). */
struct timeline_view {
	struct timeline line;
	int64_t seen_ns; /* pauses and their ends until then are in it; INT64_MAX: it has ended */
};
/* Where a packet is that begins nothing. */
enum timeline_verdict {
	TIMELINE_HERE,
	TIMELINE_NOWHERE,
	TIMELINE_LATER, /* it cannot be told yet */
};
enum timeline_verdict timeline_look(const struct timeline_view *v, int64_t pts_ns, int64_t *at_ns);

/* A packet that begins a part may wait that long before the resuming is known of. */
enum { TIMELINE_SLACK_MS = 500 };

void timeline_pause(struct timeline *t, int64_t at_ns);
void timeline_resume(struct timeline *t, int64_t at_ns);
/* Whether sound has to wait for a picture: at first, and after a pause. */
bool timeline_waits(const struct timeline *t);
/* Where a packet is. begins: it may begin a part. False: nowhere, before the beginning or
 * in a pause. */
bool timeline_place(struct timeline *t, int64_t pts_ns, bool begins, int64_t *at_ns);

#endif
