/* RTCP compounds: every item and everything that can be read from it. */
#include <stdint.h>
#include <stdlib.h>

#include "mcu/rtp/rtcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint32_t sink;

static void read_entries(const struct rtcp_item *item)
{
	for (unsigned i = 0; i < item->n; i++) {
		struct rtcp_block block;
		uint32_t ssrc;
		uint64_t bps;
		uint8_t seq;

		switch (item->type) {
		case RTCP_SR:
		case RTCP_RR:
			rtcp_item_block(item, i, &block);
			(void)rtcp_rtt_ns(&block, 0x1234567890abcdef);
			break;
		case RTCP_BYE: sink = rtcp_item_bye(item, i); break;
		case RTCP_FIR: rtcp_item_fir(item, i, &ssrc, &seq); break;
		case RTCP_TMMBR:
			rtcp_item_tmmbr(item, i, &ssrc, &bps);
			(void)rtcp_item_tmmbr_overhead(item, i);
			break;
		case RTCP_REMB: sink = rtcp_item_remb(item, i); break;
		default: break;
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rtcp_iter it;
	struct rtcp_item item;
	uint16_t seqs[40];

	if (rtcp_iter_init(&it, data, size))
		return 0;
	while (rtcp_next(&it, &item)) {
		read_entries(&item);
		if (item.type == RTCP_NACK && rtcp_item_nacks(&item, seqs, 40) < 1)
			abort();
		for (size_t i = 0; item.type == RTCP_SDES && i < item.cname_len; i++)
			sink = (uint8_t)item.cname[i];
		for (size_t i = 0; i < item.fci_len; i++)
			sink = item.fci[i];
	}
	return 0;
}
