#include "mcu/rtp/red_tx.h"

#include "mcu/base/clock.h"
#include "mcu/rtp/payload_red.h"

/* In units of 1/256, rounded so that "above" is kept. */
enum { LOSS_ONE = 3 /* 1.2 % */, LOSS_TWO = 13 /* 5.1 % */, LOSS_STAY = 2 /* 0.8 %; 1: 0.4 % */ };

static const int64_t HOLD_NS = 10 * NS_PER_S;

void red_tx_report(struct red_tx *r, uint8_t fraction_lost, int64_t now_ns)
{
	if (!r->pt)
		return;
	if (fraction_lost >= LOSS_TWO)
		r->until_ns[1] = now_ns + HOLD_NS;
	if (fraction_lost >= (r->level ? LOSS_STAY : LOSS_ONE))
		r->until_ns[0] = now_ns + HOLD_NS;
	r->level = now_ns < r->until_ns[1] ? 2 : now_ns < r->until_ns[0] ? 1 : 0;
	if (!r->level)
		red_tx_clear(r);
}

size_t red_tx_build(const struct red_tx *r, const struct rtp_batch *b, uint8_t primary_pt,
		    uint8_t out[RED_TX_PAYLOAD_MAX])
{
	struct rtp_red_block block[RED_TX_DEPTH + 1];
	size_t n = 0, skip = 0, len;

	if (!r->pt || !r->level || b->n != 1)
		return 0;
	for (size_t k = r->level; k-- > 0;) {
		const struct rtp_batch *p = r->past[k];
		uint32_t offset = p ? b->ts - p->ts : 0;

		if (!p || !offset || offset > RTP_RED_OFFSET_MAX ||
		    p->pkt[0].len > RTP_RED_LENGTH_MAX) {
			/* A receiver counts back block by block: no gaps. */
			n = 0;
			continue;
		}
		block[n++] = (struct rtp_red_block){ .pt = primary_pt,
			.ts_offset = (uint16_t)offset, .data = p->data + p->pkt[0].off,
			.len = p->pkt[0].len };
	}
	block[n++] = (struct rtp_red_block){ .pt = primary_pt, .data = b->data + b->pkt[0].off,
					     .len = b->pkt[0].len };
	do {
		len = rtp_red_build(out, RED_TX_PAYLOAD_MAX, block + skip, n - skip);
	} while (!len && ++skip < n);
	return len;
}

void red_tx_sent(struct red_tx *r, struct rtp_batch *b)
{
	if (!r->level)
		return;
	if (b->n != 1) {
		red_tx_clear(r);
		return;
	}
	rtp_batch_unref(&r->past[1]);
	r->past[1] = r->past[0];
	r->past[0] = rtp_batch_ref(b);
}

void red_tx_clear(struct red_tx *r)
{
	for (int k = 0; k < RED_TX_DEPTH; k++)
		rtp_batch_unref(&r->past[k]);
}
