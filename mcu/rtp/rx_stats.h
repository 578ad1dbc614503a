/* Reception statistics of one received stream (RFC 3550 A.1, A.3, A.8): source
 * validation, roll-over, loss, jitter, and the report block made of them.
 * Plain struct; owner: the leg on its shard. */
#ifndef MCU_RTP_RX_STATS_H
#define MCU_RTP_RX_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/rtp/rtcp.h"

enum rx_verdict {
	RX_OK = 1,
	RX_PROBATION, /* the source has not sent two packets in sequence yet */
	RX_JUMP,      /* far off; if the next one follows it, it was a restart */
	RX_RESTART,   /* this packet starts the sequence anew: reset what depends on it */
};

struct rx_stats {
	uint32_t ssrc, clock_hz;
	/* public to read */
	uint64_t received;  /* packets since the last restart */
	uint64_t octets;    /* payload octets since rx_stats_init */
	uint64_t restarts;
	int64_t ext_seq;    /* highest, with roll-overs from 65536 up */
	/* private */
	bool started;
	uint8_t probation;
	uint32_t bad_seq;
	int64_t base_seq;
	uint64_t expected_prior, received_prior;
	uint32_t jitter_q4;
	uint32_t last_ts;
	int64_t last_arrival_ns;
	bool have_transit;
	uint32_t lsr;
	int64_t lsr_arrival_ns;
};

void rx_stats_init(struct rx_stats *s, uint32_t ssrc, uint32_t clock_hz);
/* Another codec, and with it another clock: the jitter is kept, in its new unit. */
void rx_stats_set_clock(struct rx_stats *s, uint32_t clock_hz);
/* A valid RTP packet of this source. */
enum rx_verdict rx_stats_packet(struct rx_stats *s, uint16_t seq, uint32_t ts, size_t payload_len,
				int64_t arrival_ns);
/* One of a payload type whose time stamps do not follow the clock (RFC 4733). */
enum rx_verdict rx_stats_timeless(struct rx_stats *s, uint16_t seq, size_t payload_len);
/* n packets of the source that were not looked at, but came. */
void rx_stats_unseen(struct rx_stats *s, uint32_t n, size_t payload_len);
/* A sender report of this source. */
void rx_stats_sr(struct rx_stats *s, uint64_t ntp, int64_t arrival_ns);
/* The block for the next report; closes the interval of fraction_lost. False
 * while the source is not valid. */
bool rx_stats_block(struct rx_stats *s, int64_t now_ns, struct rtcp_block *out);

int64_t rx_stats_lost(const struct rx_stats *s); /* cumulative; negative: duplicates */
int64_t rx_stats_jitter_ns(const struct rx_stats *s);

#endif
