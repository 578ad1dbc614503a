#include "mcu/room/sound_rest.h"

#include "mcu/rtp/seq.h"

enum {
	REMEMBERED = 64, /* bits of recent */
	FAR = 1000,	 /* numbers so far apart are of two sequences */
};

static bool is_far(int16_t d)
{
	return d > FAR || d < -FAR;
}

/* False: it is one that was kept before. */
static bool keep(struct sound_rest *r, uint16_t seq)
{
	int16_t d = seq_diff(seq, r->newest);

	if (!r->recent || is_far(d) || d >= REMEMBERED) {
		r->recent = 1;
		r->newest = seq;
		return true;
	}
	if (d > 0) {
		r->recent = r->recent << d | 1;
		r->newest = seq;
		return true;
	}
	if (-d >= REMEMBERED) /* too late to be told from a copy */
		return false;
	if (r->recent >> -d & 1)
		return false;
	r->recent |= UINT64_C(1) << -d;
	return true;
}

enum { TO_PROBE = SOUND_REST_SETTLE + SOUND_REST_PROBE };

/* Does not wrap around: the phase of the probes is all that matters. */
static void advance(struct sound_rest *r, unsigned n)
{
	if (r->run == TO_PROBE)
		r->run -= SOUND_REST_PROBE;
	r->run += n;
}

void sound_rest_bridge(struct sound_rest *r, uint32_t ssrc, uint16_t seq)
{
	int16_t d = seq_diff(seq, r->last);

	if (r->ssrc != ssrc || !r->began || is_far(d) || d <= 1)
		return;
	for (uint16_t s = (uint16_t)(r->last + 1); s != seq; s++)
		r->held = (uint16_t)(r->held + keep(r, s));
	advance(r, (unsigned)d - 1);
	if (r->run >= TO_PROBE)
		r->run = TO_PROBE - 1; /* that is the packet which comes */
}

static void came(struct sound_rest *r, uint16_t seq)
{
	int16_t d = seq_diff(seq, r->last);

	if (!r->began || is_far(d) || d > 0)
		r->last = seq;
	r->began = true;
}

void sound_rest_beside(struct sound_rest *r, uint32_t ssrc, uint16_t seq)
{
	if (r->ssrc == ssrc)
		came(r, seq);
}

bool sound_rest_holds(struct sound_rest *r, uint32_t ssrc, uint16_t seq, bool silent)
{
	if (r->ssrc != ssrc)
		*r = (struct sound_rest){ .ssrc = ssrc };
	came(r, seq);
	if (silent)
		advance(r, 1);
	else
		r->run = 0;
	if (r->run <= SOUND_REST_SETTLE || r->run == TO_PROBE)
		return false;
	if (keep(r, seq))
		r->held++;
	return true;
}

uint16_t sound_rest_before(const struct sound_rest *r, uint32_t ssrc, uint16_t seq)
{
	int16_t d = seq_diff(r->newest, seq);
	uint64_t later = 0;

	if (r->ssrc != ssrc)
		return 0;
	if (r->recent && !is_far(d) && d > 0)
		later = d < REMEMBERED ? r->recent & ((UINT64_C(1) << d) - 1) : r->recent;
	return (uint16_t)(r->held - __builtin_popcountll(later));
}
