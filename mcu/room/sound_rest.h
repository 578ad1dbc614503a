/* Which packets of a telephone's silence stay on its shard: G.711 without comfort noise
 * sends it like sound, and nothing of it is heard (audio_faint.h). After the first ones
 * the decoding chain is given one every SOUND_REST_PROBE, which keep its idea of the
 * sender's clock and losses; of those in between it sees what it sees of any sender that
 * rests: time stamps that go on, and numbers without a gap. A value, of NET; zeroed: new. */
#ifndef MCU_ROOM_SOUND_REST_H
#define MCU_ROOM_SOUND_REST_H

#include <stdbool.h>
#include <stdint.h>

enum {
	SOUND_REST_SETTLE = 50, /* silent packets in a row before one is kept */
	SOUND_REST_PROBE = 50
};

struct sound_rest {
	/* private */
	uint32_t ssrc;
	bool began;
	uint16_t last;	 /* number that came; began */
	unsigned run;	 /* silent packets in a row */
	uint16_t held;	 /* so many were kept; wraps */
	uint16_t newest; /* of them */
	uint64_t recent; /* bit k: newest - k was kept */
};

/* Before the packet with that number: those between it and the one before were silence,
 * too, and never came here. */
void sound_rest_bridge(struct sound_rest *r, uint32_t ssrc, uint16_t seq);
/* A packet of the source that is no sound came. */
void sound_rest_beside(struct sound_rest *r, uint32_t ssrc, uint16_t seq);
/* For each packet, in the order of arrival: whether it is kept, or was before. */
bool sound_rest_holds(struct sound_rest *r, uint32_t ssrc, uint16_t seq, bool silent);
/* After that: silence has come for so long that more of it may be waited for. */
static inline bool sound_rest_is_on(const struct sound_rest *r)
{
	return r->run > SOUND_REST_SETTLE;
}
/* How many of the numbers up to that of a packet which is handed on were kept. */
uint16_t sound_rest_before(const struct sound_rest *r, uint32_t ssrc, uint16_t seq);

#endif
