#include "mcu/rtp/telephone_event.h"

#include <errno.h>
#include <string.h>

#include "mcu/base/clock.h"
#include "mcu/rtp/bytes.h"
#include "mcu/rtp/seq.h"

const char telephone_event_digits[17] = "0123456789*#ABCD";

enum {
	TICK_MS = 20,
	TONE_TICKS = 5, /* the last of them is the first end */
	END_TICKS = 3,
	GAP_TICKS = 3,
	PAUSE_TICKS = 50,
	VOLUME = 10,
	FAR = 1000, /* numbers that are no longer compared */
	OLD_MS = 10000, /* a time stamp so far back is not late but of another beginning */
};
/* After the end, an event packet under the same time stamp that begins anew is a
 * digit of a sender that never changes it. */
#define AGAIN_NS (200 * NS_PER_MS)
/* Packets of an event come every 50 ms at least: after that its end was lost. */
#define LOST_NS (500 * NS_PER_MS)

int telephone_event_parse(struct telephone_event *out, const uint8_t *p, size_t len)
{
	if (len < TELEPHONE_EVENT_BYTES)
		return -EINVAL;
	*out = (struct telephone_event){
		.code = p[0], .end = p[1] >> 7, .volume = p[1] & 63, .duration = get_be16(p + 2),
	};
	return 0;
}

void telephone_event_write(const struct telephone_event *e, uint8_t out[TELEPHONE_EVENT_BYTES])
{
	out[0] = e->code;
	out[1] = (uint8_t)(e->end << 7 | (e->volume & 63));
	put_be16(out + 2, e->duration);
}

/* Numbers go round: what was long ago would seem to come. */
static void forget_far(struct telephone_event_rx *r, uint16_t seq)
{
	int16_t d = seq_diff(seq, r->newest);

	if (d > FAR || d < -FAR)
		r->n_seqs = r->next_seq = 0;
}

/* Which of the numbers of a stream are events' and not sound's. */
static void count_seq(struct telephone_event_rx *r, uint32_t ssrc, uint16_t seq)
{
	if (!r->have_ssrc || r->ssrc != ssrc) {
		r->have_ssrc = true;
		r->ssrc = ssrc;
		r->passed = r->n_seqs = r->next_seq = 0;
	}
	forget_far(r, seq);
	for (unsigned i = 0; i < r->n_seqs; i++)
		if (r->seq[i] == seq)
			return;
	if (!r->n_seqs || seq_newer(seq, r->newest))
		r->newest = seq;
	r->passed++;
	r->seq[r->next_seq] = seq;
	r->next_seq = (uint16_t)((r->next_seq + 1) % TELEPHONE_EVENT_SEQS);
	if (r->n_seqs < TELEPHONE_EVENT_SEQS)
		r->n_seqs++;
}

uint16_t telephone_event_seq(struct telephone_event_rx *r, uint32_t ssrc, uint16_t seq)
{
	uint16_t before;

	if (!r->have_ssrc || r->ssrc != ssrc)
		return seq;
	forget_far(r, seq);
	before = r->passed;
	for (unsigned i = 0; i < r->n_seqs; i++)
		if (seq_diff(r->seq[i], seq) > 0)
			before--;
	return (uint16_t)(seq - before);
}

/* The same press, though the time stamp is another one. */
static bool goes_on(const struct telephone_event_rx *r, const struct telephone_event *e,
		    const struct rtp_packet *p, int64_t arrival_ns)
{
	if (r->ended || e->code != r->code || p->marker || arrival_ns - r->last_ns > LOST_NS)
		return false;
	return p->ts - r->ts == r->duration || p->ts - r->ts == UINT16_MAX ||
	       e->duration > r->duration;
}

/* Under the time stamp of the last one. */
static bool begins_again(const struct telephone_event_rx *r, const struct telephone_event *e,
			 int64_t arrival_ns)
{
	return e->code != r->code ||
	       (r->ended && !e->end && arrival_ns - r->last_ns > AGAIN_NS);
}

static bool is_new(const struct telephone_event_rx *r, const struct telephone_event *e,
		   const struct rtp_packet *p, uint32_t hz, int64_t arrival_ns)
{
	int32_t later = (int32_t)(p->ts - r->ts);

	if (!r->have)
		return true;
	if (!later)
		return begins_again(r, e, arrival_ns);
	/* a straggler of the one before */
	if (later < 0 && later > -(int32_t)(hz / 1000 * OLD_MS))
		return false;
	return !goes_on(r, e, p, arrival_ns);
}

char telephone_event_rx(struct telephone_event_rx *r, const struct rtp_packet *p, uint32_t hz,
			int64_t arrival_ns)
{
	const int64_t each = NS_PER_S / TELEPHONE_EVENT_PER_S;
	struct telephone_event e;
	bool new;

	count_seq(r, p->ssrc, p->seq);
	if (telephone_event_parse(&e, p->payload, p->payload_len))
		return 0;
	new = is_new(r, &e, p, hz, arrival_ns);
	if (!new && (int32_t)(p->ts - r->ts) < 0)
		return 0;
	r->ended = e.end || (r->ended && !new);
	r->have = true;
	r->ts = p->ts;
	r->code = e.code;
	r->duration = e.duration;
	r->last_ns = arrival_ns;
	if (!new || e.code >= sizeof telephone_event_digits - 1 ||
	    !quota_take(&r->quota, arrival_ns, each, each * TELEPHONE_EVENT_BURST))
		return 0;
	return telephone_event_digits[e.code];
}

/* --- sending ----------------------------------------------------------------- */

int telephone_event_tx_put(struct telephone_event_tx *t, const char *digits)
{
	size_t n = strlen(digits);

	if (strspn(digits, "0123456789*#ABCD,") != n)
		return -EINVAL;
	if (t->n + n > TELEPHONE_EVENT_QUEUE)
		return -ENOSPC;
	memcpy(t->queue + t->n, digits, n);
	t->n = (uint8_t)(t->n + n);
	return 0;
}

bool telephone_event_tx_waits(const struct telephone_event_tx *t)
{
	return t->n > 0;
}

bool telephone_event_tx_active(const struct telephone_event_tx *t)
{
	return t->n && t->queue[0] != ',' && t->step && t->step < TONE_TICKS + END_TICKS;
}

static void next(struct telephone_event_tx *t)
{
	t->step = 0;
	t->n--;
	memmove(t->queue, t->queue + 1, t->n);
}

bool telephone_event_tx_tick(struct telephone_event_tx *t, uint32_t now_ts, uint32_t hz,
			     struct telephone_event_out *out)
{
	unsigned ticks = t->step + 1u;
	struct telephone_event e = { .volume = VOLUME };

	if (!t->n)
		return false;
	t->step++;
	if (t->queue[0] == ',') {
		if (t->step == PAUSE_TICKS)
			next(t);
		return false;
	}
	if (t->step >= TONE_TICKS + END_TICKS) {
		if (t->step == TONE_TICKS + END_TICKS - 1 + GAP_TICKS)
			next(t);
		return false;
	}
	if (ticks == 1)
		t->ts = now_ts;
	e.code = (uint8_t)(strchr(telephone_event_digits, t->queue[0]) - telephone_event_digits);
	e.end = ticks >= TONE_TICKS;
	e.duration = (uint16_t)((e.end ? TONE_TICKS : ticks) * (hz / 1000 * TICK_MS));
	telephone_event_write(&e, out->payload);
	out->marker = ticks == 1;
	out->ts = t->ts;
	return true;
}
