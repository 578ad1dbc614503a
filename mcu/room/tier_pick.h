/* Which rung of the ladder a receiver's connection carries, from what it reports:
 * loss (RFC 3550 6.4.1) and the largest rate it says it can take (REMB).
 *
 * Down, when for TIER_PICK_LOSS_MS more than 8 % was lost, or when the REMB stays
 * below 0.9 of what the rung and the sound take (of the pictures really sent, if that
 * is less: an estimate grows only with what there is to measure, which is why one
 * that rises never counts against a receiver). Up by one, after TIER_PICK_CLEAN_MS
 * with less than 1 % lost and a REMB, if there is one, of 1.3 times the next rung.
 * A REMB that has room for the rung it has, but that cannot know of more, allows a
 * try after twice that time. Whoever falls back soon after going up waits twice
 * as long the next time.
 *
 * Where repairs can be sent for nothing (RTX), a try is preceded by a probe: for
 * TIER_PICK_PROBE_MS as much is added as the next rung takes beyond what is sent. So
 * an estimate that has only seen a still need not have room for a whole rung. If that brings loss, or
 * makes the REMB fall, the receiver never sees the picture that it could not have had,
 * and waits twice as long for the next probe.
 *
 * A limit that the receiver sets holds at once if it is lower than the one before. A
 * higher one holds TIER_PICK_CLEAN_MS after the last change at the earliest: whoever
 * goes up and down must not have encodes begun and ended at its own pace.
 *
 * Pure: no clock, no allocation. Rung 0 is the top one. Owner: the receiver's leg
 * (NET). */
#ifndef MCU_ROOM_TIER_PICK_H
#define MCU_ROOM_TIER_PICK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	TIER_PICK_MAX = 4,
	TIER_PICK_LOSS_MS = 2000,
	TIER_PICK_CLEAN_MS = 10000,
	TIER_PICK_WAIT_MAX_MS = 160000,
	TIER_PICK_RELAPSE_MS = 30000, /* down within this of going up: the try failed */
	TIER_PICK_PROBE_MS = 2500,
	TIER_PICK_PROBE_REPORTS = 2,   /* at least, all without loss */
	TIER_PICK_PROBE_MAX_MS = 6000, /* for them to come */
};

struct tier_pick {
	/* private */
	uint32_t bps[TIER_PICK_MAX]; /* of a rung with the sound */
	uint32_t audio_bps;
	unsigned n, best, carries;
	unsigned cap;	     /* none above it, as the receiver wants */
	unsigned cap_wanted; /* better than cap: when it has held for long enough */
	int64_t cap_ns;	     /* when cap changed; 0: never */
	uint64_t remb_bps, sent_bps; /* as of the last REMB; 0: not known */
	int64_t remb_ns, poor_ns, lossy_ns, clean_ns, up_ns; /* 0: not */
	int64_t wait_ns;
	bool may_probe;
	int64_t probe_ns; /* since when; 0: no probe */
	unsigned probe_reports;
	uint64_t probe_remb_bps; /* when it began */
};

/* bps: of n rungs' pictures, falling; n 1…TIER_PICK_MAX. */
void tier_pick_init(struct tier_pick *p, const uint32_t *bps, size_t n, uint32_t audio_bps);
/* Those above best are not for this receiver, whatever its connection. */
void tier_pick_limit(struct tier_pick *p, unsigned best);

/* Whether probes can be made; at first they cannot. */
void tier_pick_may_probe(struct tier_pick *p, bool may);
/* What is to be sent now beside picture and sound; 0: nothing. */
uint32_t tier_pick_probe_bps(const struct tier_pick *p);
/* Once a second or so: a probe on which nobody reports ends, and a higher limit that had
 * to wait holds. True: another rung is carried now. */
bool tier_pick_tick(struct tier_pick *p, int64_t now_ns);

/* What it reports; now_ns > 0. True: another rung is carried now. */
bool tier_pick_loss(struct tier_pick *p, uint8_t fraction_lost, int64_t now_ns);
/* sent_bps: what it is being sent of pictures, which is what browsers measure for it;
 * 0: not known. */
bool tier_pick_remb(struct tier_pick *p, uint64_t remb_bps, uint64_t sent_bps, int64_t now_ns);

/* A limit that the receiver sets for the picture (TMMBR, RFC 5104 4.2.1),
 * in force until it sets another. True: another rung is carried now. */
bool tier_pick_cap(struct tier_pick *p, uint64_t bps, int64_t now_ns);

/* The best rung that the connection carries, as far as is known, and the receiver
 * allows; of those above its limit nothing is. */
unsigned tier_pick_carries(const struct tier_pick *p);

#endif
