#include "mcu/rtp/tx.h"

#include <errno.h>
#include <string.h>

#include "mcu/base/clock.h"
#include "mcu/rtp/bytes.h"
#include "mcu/rtp/packet.h"
#include "mcu/rtp/seq.h"

/* Where the send time goes when it was not negotiated: behind every header. */
enum { AST_NOWHERE = RTP_TX_HEADER_MAX - 4 };

_Static_assert(RTP_HEADER_BYTES + 4 + (1 + RTP_MID_MAX + 4 + 3) / 4 * 4 <= AST_NOWHERE,
	       "the longest header and the spare octets do not overlap");

static int build_extensions(struct rtp_tx *tx, const struct rtp_tx_cfg *cfg)
{
	uint8_t *ext = tx->head + RTP_HEADER_BYTES;
	struct rtp_ext_writer w = { .data = ext + 4, .cap = AST_NOWHERE - RTP_HEADER_BYTES - 4 };
	struct rtp_packet pkt;
	int err = 0;

	tx->ast_off = AST_NOWHERE;
	tx->header_len = RTP_HEADER_BYTES;
	if (cfg->ext_abs_send_time) {
		err = rtp_ext_put_abs_send_time(&w, cfg->ext_abs_send_time, 0);
		tx->ast_off = RTP_HEADER_BYTES + 4 + 1;
	}
	if (!err && cfg->ext_mid && cfg->mid)
		err = rtp_ext_put_mid(&w, cfg->ext_mid, cfg->mid);
	if (!err && w.len)
		err = rtp_ext_finish(&w, &pkt);
	if (err)
		return -EINVAL;
	if (!w.len)
		return 0;
	tx->head[0] |= 0x10;
	put_be16(ext, RTP_EXT_ONE_BYTE);
	put_be16(ext + 2, (uint16_t)(w.len / 4));
	tx->header_len = (uint8_t)(RTP_HEADER_BYTES + 4 + w.len);
	return 0;
}

int rtp_tx_init(struct rtp_tx *tx, const struct rtp_tx_cfg *cfg)
{
	if (cfg->pt > 127 || !cfg->clock_hz)
		return -EINVAL;
	memset(tx, 0, sizeof(*tx));
	tx->ssrc = cfg->ssrc;
	tx->clock_hz = cfg->clock_hz;
	tx->next_seq = cfg->first_seq;
	tx->ts_delta = cfg->first_ts;
	tx->head[0] = 0x80;
	tx->head[1] = cfg->pt;
	put_be32(tx->head + 8, cfg->ssrc);
	return build_extensions(tx, cfg);
}

int rtp_tx_change(struct rtp_tx *tx, const struct rtp_tx_cfg *cfg)
{
	struct rtp_tx_cfg same = *cfg;
	struct rtp_tx next;
	int err;

	same.ssrc = tx->ssrc;
	err = rtp_tx_init(&next, &same);
	if (err)
		return err;
	if (next.clock_hz == tx->clock_hz && next.header_len == tx->header_len &&
	    next.ast_off == tx->ast_off && !memcmp(next.head, tx->head, sizeof(tx->head)))
		return 0;
	if (next.clock_hz != tx->clock_hz)
		tx->encode_id = 0; /* what follows is placed by media time */
	tx->clock_hz = next.clock_hz;
	tx->header_len = next.header_len;
	tx->ast_off = next.ast_off;
	memcpy(tx->head, next.head, sizeof(tx->head));
	tx->first_index = tx->next_index;
	return 1;
}

/* ns may be negative: media time may lie before that of the last packet sent. */
static uint32_t ts_of_ns(const struct rtp_tx *tx, int64_t ns)
{
	int64_t s = ns / NS_PER_S, rest = ns % NS_PER_S;

	return (uint32_t)(s * tx->clock_hz + rest * tx->clock_hz / NS_PER_S);
}

uint32_t rtp_tx_ts_at(const struct rtp_tx *tx, int64_t now_ns)
{
	return tx->last_ts + ts_of_ns(tx, now_ns - tx->last_time_ns);
}

void rtp_tx_follow(struct rtp_tx *tx, const struct rtp_batch *batch)
{
	if (tx->encode_id == batch->encode_id && tx->started) {
		/* the same clock: the delta of time stamps stays as it is */
	} else if (tx->started) {
		uint32_t ts = rtp_tx_ts_at(tx, batch->time_ns);

		/* two frames never share a time stamp, and time never runs back */
		if (!ts_newer(ts, tx->last_ts))
			ts = tx->last_ts + 1;
		tx->ts_delta = ts - batch->ts;
	} else {
		tx->ts_delta -= batch->ts;
	}
	tx->encode_id = batch->encode_id;
	tx->delta = (uint16_t)(tx->next_seq - batch->first_index);
	tx->first_index = batch->first_index;
	tx->next_index = batch->first_index;
}

size_t rtp_tx_header(const struct rtp_tx *tx, const struct rtp_batch *batch, unsigned i,
		     uint16_t seq, uint8_t *out)
{
	uint32_t ast = rtp_abs_send_time_of_ns(batch->time_ns);

	memcpy(out, tx->head, RTP_TX_HEADER_MAX);
	out[1] = (uint8_t)(out[1] | batch->pkt[i].marker << 7);
	put_be16(out + 2, seq);
	put_be32(out + 4, batch->ts + tx->ts_delta);
	put_be24(out + tx->ast_off, ast);
	return tx->header_len;
}

void rtp_tx_sent(struct rtp_tx *tx, const struct rtp_batch *batch, unsigned first, unsigned n)
{
	const struct rtp_batch_pkt *last;

	if (!n)
		return;
	last = &batch->pkt[first + n - 1];
	tx->packets += n;
	tx->octets += last->off + last->len - batch->pkt[first].off;
	tx->last_ts = batch->ts + tx->ts_delta;
	tx->last_time_ns = batch->time_ns;
	tx->next_index = batch->first_index + first + n;
	tx->next_seq = (uint16_t)(tx->next_index + tx->delta);
	tx->started = true;
}

size_t rtp_tx_beside(struct rtp_tx *tx, uint8_t pt, bool marker, uint32_t ts, size_t payload_len,
		     int64_t now_ns, uint8_t *out)
{
	memcpy(out, tx->head, RTP_TX_HEADER_MAX);
	out[1] = (uint8_t)(marker << 7 | pt);
	put_be16(out + 2, tx->next_seq++);
	put_be32(out + 4, ts);
	put_be24(out + tx->ast_off, rtp_abs_send_time_of_ns(now_ns));
	tx->packets++;
	tx->octets += (uint32_t)payload_len;
	tx->first_index = tx->next_index;
	return tx->header_len;
}

bool rtp_tx_index_of_seq(const struct rtp_tx *tx, uint16_t seq, uint32_t *index)
{
	uint16_t back = (uint16_t)(tx->next_seq - seq); /* 1: the newest sent */
	uint32_t sent = tx->next_index - tx->first_index;

	if (!tx->encode_id || back == 0 || back > 32768 || back > sent)
		return false;
	*index = tx->next_index - back;
	return true;
}
