#include "mcu/rtp/rtx.h"

#include <string.h>

#include "mcu/rtp/bytes.h"
#include "mcu/rtp/packet.h"

void rtp_rtx_init(struct rtp_rtx *r, uint32_t ssrc, uint16_t first_seq)
{
	*r = (struct rtp_rtx){ .ssrc = ssrc, .next_seq = first_seq };
}

size_t rtp_rtx_write(struct rtp_rtx *r, const struct rtp_tx *tx, const struct rtp_batch *batch,
		     unsigned i, uint16_t osn, int64_t now_ns, uint8_t *hdr, uint8_t *payload,
		     size_t cap, size_t *payload_len)
{
	const struct rtp_batch_pkt *p = &batch->pkt[i];
	size_t len;

	if (cap < RTP_RTX_OSN_BYTES || cap - RTP_RTX_OSN_BYTES < p->len)
		return 0;
	len = rtp_tx_header(tx, batch, i, r->next_seq++, hdr);
	hdr[1] = (uint8_t)((hdr[1] & 0x80) | r->pt);
	put_be32(hdr + 8, r->ssrc);
	put_be24(hdr + tx->ast_off, rtp_abs_send_time_of_ns(now_ns));
	put_be16(payload, osn);
	memcpy(payload + RTP_RTX_OSN_BYTES, batch->data + p->off, p->len);
	*payload_len = RTP_RTX_OSN_BYTES + (size_t)p->len;
	r->packets++;
	r->octets += (uint32_t)*payload_len;
	return len;
}

size_t rtp_rtx_pad(struct rtp_rtx *r, const struct rtp_tx *tx, uint8_t n, int64_t now_ns,
		   uint8_t *hdr, uint8_t *payload)
{
	memcpy(hdr, tx->head, RTP_TX_HEADER_MAX);
	hdr[0] |= 0x20;
	hdr[1] = r->pt;
	put_be16(hdr + 2, r->next_seq++);
	put_be32(hdr + 4, tx->last_ts);
	put_be32(hdr + 8, r->ssrc);
	put_be24(hdr + tx->ast_off, rtp_abs_send_time_of_ns(now_ns));
	memset(payload, 0, n);
	payload[n - 1] = n;
	r->packets++;
	return tx->header_len;
}
