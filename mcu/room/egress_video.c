/* Pictures to their receivers: at once, in pieces, or late. */
#include <errno.h>
#include <stdlib.h>

#include "mcu/base/clock.h"
#include "mcu/base/metrics.h"
#include "mcu/room/egress_priv.h"
#include "mcu/room/video_encode.h"
#include "mcu/rtp/seq.h"

METRIC_COUNTER(m_caught_up, "mcu_egress_fast_starts_total",
	       "Receivers that started with a key frame of a moment ago.");
METRIC_COUNTER(m_waited, "mcu_egress_key_waits_total",
	       "Receivers that had to wait for the next key frame.");
METRIC_COUNTER(m_paced, "mcu_egress_paced_pictures_total",
	       "Large pictures sent in pieces, counted once per network shard.");

/* Octets per step; 0: no pacing. */
static uint32_t step_of(const struct group *g)
{
	return (uint32_t)((int64_t)video_encode_bps(g->encode) * EGRESS_PACE_MS * EGRESS_PACE_RATE /
			  8000);
}

/* How many packets of b go at a time. */
static unsigned piece_of(const struct group *g, const struct rtp_batch *b)
{
	uint32_t step = step_of(g), n;

	if (!step || b->bytes <= step * EGRESS_PIECES_FROM)
		return b->n;
	n = (b->bytes + step - 1) / step;
	if (n > EGRESS_PIECES)
		n = EGRESS_PIECES;
	return (b->n + n - 1) / n;
}

/* One past the newest packet that those who are not late have had. */
static uint32_t live_end(const struct group *g)
{
	return g->part ? g->part->first_index + g->part_sent : history_end(g->history);
}

ON_THREAD(ROLE_NET) static void let_sound_pass(struct egress *x, size_t i)
{
	if (i % EGRESS_YIELD == EGRESS_YIELD - 1 && mbox_waiting(x->audio_mbox))
		egress_audio(x);
}

/* On the grid, so that the encodes of a shard share their wake-ups. */
ON_THREAD(ROLE_NET) static void start_timer(struct group *g)
{
	int64_t step = EGRESS_PACE_MS * NS_PER_MS, now = net_shard_now_ns(g->egress->shard);

	net_timer_start(g->timer, (now / step + 1) * step, step);
}

ON_THREAD(ROLE_NET) static void send_packets(struct egress *x, struct out_stream *o,
					     const struct rtp_batch *b, unsigned first, unsigned n)
{
	if (!o->transport || !n)
		return;
	if (!first && (o->tx.encode_id != b->encode_id || o->next_index != b->first_index))
		rtp_tx_follow(&o->tx, b);
	egress_send(x, o, b, first, n);
	rtp_tx_sent(&o->tx, b, first, n);
	o->next_index = b->first_index + first + n;
}

/* Its new encode has a key frame: it leaves the old one. */
ON_THREAD(ROLE_NET) static void change_over(struct egress *x, struct out_stream *o)
{
	struct group *old = o->group ? g_hash_table_lookup(x->video, GUINT_TO_POINTER(o->group))
				     : NULL;

	if (old)
		egress_remove(old, o);
	o->group = o->next_group;
	o->next_group = 0;
	o->wait_key = true;
	if (o->switched)
		o->switched(o);
}

/* Whether it takes packets from the first'th of b on. */
ON_THREAD(ROLE_NET) static bool follows(struct egress *x, struct out_stream *o,
					const struct rtp_batch *b, unsigned first)
{
	bool same = o->tx.encode_id == b->encode_id;

	if (o->group != b->encode_id) {
		if (!b->key || first)
			return false;
		change_over(x, o);
	}
	if (o->late)
		return false;
	if (first)
		return !o->wait_key && same && o->next_index == b->first_index + first;
	/* A picture that was lost on the way here breaks the references of all
	 * that follow: wait for a key frame. */
	if (!o->wait_key && same && o->next_index != b->first_index)
		o->wait_key = true;
	if (o->wait_key && !b->key)
		return false;
	if (b->key)
		keyframe_gate_served(&o->asks);
	o->wait_key = false;
	return true;
}

/* For one more in a list of n. */
static int make_room(struct out_stream ***list, size_t *cap, size_t n)
{
	size_t want = *cap ? *cap * 2 : 16;
	struct out_stream **l;

	if (n < *cap)
		return 0;
	l = realloc(*list, want * sizeof *l);
	if (!l)
		return -ENOMEM;
	*list = l;
	*cap = want;
	return 0;
}

/* Pictures that stand still are too few to send a probe behind them. */
static void note_probed(struct group *g, struct out_stream *o)
{
	if (!o->pad_bps || o->group != g->id ||
	    make_room(&g->probed, &g->probed_cap, g->n_probed))
		return;
	g->probed[g->n_probed++] = o;
}

ON_THREAD(ROLE_NET) static void probe(struct group *g)
{
	for (size_t i = 0; i < g->n_probed; i++)
		if (g->probed[i]->pad_bps && !g->probed[i]->late && !g->probed[i]->wait_key)
			egress_pad(g, g->probed[i]);
}

/* A piece goes to everybody before the next one does. Whoever waits for a key frame
 * asks again: what it asked for may have been lost on the way here. */
ON_THREAD(ROLE_NET) static void to_all(struct egress *x, struct group *g, const struct rtp_batch *b,
				       unsigned first, unsigned n)
{
	bool waiting = false, changing = false;

	if (!first)
		g->n_probed = 0;
	for (size_t i = 0; i < g->n; i++) {
		struct out_stream *o = g->out[i];

		let_sound_pass(x, i);
		egress_prefetch(g, i);
		if (follows(x, o, b, first))
			send_packets(x, o, b, first, n);
		if (!first)
			note_probed(g, o);
		waiting |= o->wait_key;
		changing |= o->next_group == g->id;
	}
	if (g->n_probed)
		start_timer(g);
	if (waiting)
		video_encode_request_key(g->encode);
	else if (changing)
		video_encode_request_switch(g->encode);
}

/* Those pieces that are due; all, if another picture wants to go. */
ON_THREAD(ROLE_NET) static void send_part(struct egress *x, struct group *g, bool all)
{
	struct rtp_batch *b = g->part;
	int64_t passed = (net_shard_now_ns(x->shard) - g->part_ns) / (EGRESS_PACE_MS * NS_PER_MS);
	int64_t due = (passed + 1) * piece_of(g, b);
	unsigned first = g->part_sent, end = all || due > b->n ? b->n : (unsigned)due;

	if (end <= first)
		return;
	to_all(x, g, b, first, end - first);
	g->part_sent = end;
	if (end == b->n)
		rtp_batch_unref(&g->part);
}

ON_THREAD(ROLE_NET) static void start_part(struct egress *x, struct group *g, struct rtp_batch *b)
{
	int64_t step = EGRESS_PACE_MS * NS_PER_MS;

	metric_add(&m_paced, 1);
	g->part = rtp_batch_ref(b);
	g->part_sent = 0;
	g->part_ns = net_shard_now_ns(x->shard) / step * step;
	send_part(x, g, false);
	start_timer(g);
}

void egress_video(struct egress *x, struct rtp_batch *b)
{
	struct group *g = egress_group(x->video, b->encode_id);

	if (!g || !b->n)
		return;
	if (mbox_waiting(x->audio_mbox))
		egress_audio(x);
	if (g->part)
		send_part(x, g, true);
	history_put(g->history, b);
	egress_resend_count(g, b);
	if (piece_of(g, b) < b->n)
		start_part(x, g, b);
	else
		to_all(x, g, b, 0, b->n);
}

/* --- those who come later ---------------------------------------------------------- */

void egress_not_late(struct group *g, struct out_stream *o)
{
	o->late = false;
	for (size_t i = 0; i < g->n_late; i++) {
		if (g->late[i] != o)
			continue;
		g->late[i] = g->late[--g->n_late];
		break;
	}
}

/* The next step of what it has not had. False: it is late no more. */
ON_THREAD(ROLE_NET) static bool send_late(struct egress *x, struct group *g, struct out_stream *o)
{
	uint32_t step = step_of(g), octets = 0, end = live_end(g), next;
	struct rtp_batch *b;
	unsigned i, n, most;

	while (!o->wait_key && o->transport && o->next_index != end) {
		if (!history_find(g->history, o->next_index, &b, &i)) {
			o->wait_key = true; /* it had to give way */
			video_encode_request_key(g->encode);
			break;
		}
		if (step && octets >= (step > b->bytes / EGRESS_PIECES ? step : b->bytes / EGRESS_PIECES))
			return true;
		most = piece_of(g, b);
		n = b->n - i < most ? b->n - i : most;
		next = b->first_index + i + n;
		if (ts_newer(next, end))
			n -= next - end;
		send_packets(x, o, b, i, n);
		octets += b->pkt[i + n - 1].off + b->pkt[i + n - 1].len - b->pkt[i].off;
	}
	return false;
}

/* A stream never turns back in time: nobody sees again what it has seen. */
ON_THREAD(ROLE_NET) static const struct rtp_batch *key_for(const struct group *g,
							   const struct out_stream *o)
{
	const struct rtp_batch *k = history_key(g->history);
	int64_t now = net_shard_now_ns(g->egress->shard);

	if (!k || now - k->time_ns > EGRESS_CATCH_UP_MS * NS_PER_MS)
		return NULL;
	return o->tx.started && k->time_ns <= o->tx.last_time_ns ? NULL : k;
}

bool egress_catch_up(struct egress *x, struct group *g, struct out_stream *o)
{
	const struct rtp_batch *k = key_for(g, o);

	if (!k || !o->transport || make_room(&g->late, &g->late_cap, g->n_late)) {
		metric_add(&m_waited, 1);
		return false;
	}
	if (o->group != g->id)
		change_over(x, o);
	metric_add(&m_caught_up, 1);
	rtp_tx_follow(&o->tx, k);
	o->next_index = k->first_index;
	o->wait_key = false;
	keyframe_gate_served(&o->asks);
	o->late = send_late(x, g, o);
	if (!o->late)
		return true;
	g->late[g->n_late++] = o;
	start_timer(g);
	return true;
}

void egress_pace(void *group, int64_t due_ns)
{
	struct group *g = group;
	struct egress *x = g->egress;

	(void)due_ns;
	role_assert_net();
	if (mbox_waiting(x->audio_mbox))
		egress_audio(x);
	if (g->part)
		send_part(x, g, false);
	for (size_t i = 0; i < g->n_late;) {
		struct out_stream *o = g->late[i];

		let_sound_pass(x, i);
		if (send_late(x, g, o))
			i++;
		else
			egress_not_late(g, o);
	}
	if (g->n_probed)
		probe(g);
	if (!g->part && !g->n_late && !g->n_probed)
		net_timer_stop(g->timer);
}
