/* DTMF digits as RTP events (RFC 4733), both ways. Pure but for what is passed in;
 * plain structs, nothing is allocated. Owner: the leg on its shard.
 *
 * Receiving: an event is known by its time stamp, and told when its first packet comes,
 * marker or not; repeats, the end and its copies belong to it, also when the end is
 * lost. Longer ones than a packet can say go on under another time stamp (section
 * 2.5.1.3), and so do those of senders that never keep it; both are still one digit.
 *
 * Events take sequence numbers of the stream of sound they are in:
 * telephone_event_seq() says what a packet's number would be without them, so that
 * what was never sent is not missed. */
#ifndef MCU_RTP_TELEPHONE_EVENT_H
#define MCU_RTP_TELEPHONE_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/quota.h"
#include "mcu/rtp/packet.h"

enum {
	TELEPHONE_EVENT_BYTES = 4,
	TELEPHONE_EVENT_SEQS = 64, /* remembered, for packets out of order */
	/* Nobody presses more: beyond this, and so many in advance, they are dropped. */
	TELEPHONE_EVENT_PER_S = 20,
	TELEPHONE_EVENT_BURST = 40,
	TELEPHONE_EVENT_QUEUE = 64, /* digits that wait to be sent */
};

/* "0123456789*#ABCD" by code (section 3.2). */
extern const char telephone_event_digits[17];

struct telephone_event {
	uint8_t code;
	bool end;
	uint8_t volume; /* -dBm0 */
	uint16_t duration;
};

/* The first event of a payload. 0 or -EINVAL: too short. */
int telephone_event_parse(struct telephone_event *out, const uint8_t *p, size_t len);
void telephone_event_write(const struct telephone_event *e, uint8_t out[TELEPHONE_EVENT_BYTES]);

struct telephone_event_rx {
	/* private; a zeroed one has heard nothing */
	bool have, ended, have_ssrc;
	uint32_t ssrc, ts;
	uint8_t code;
	uint16_t duration;
	int64_t last_ns; /* its newest packet */
	struct quota quota;
	uint16_t passed; /* packets of events so far, that count */
	uint16_t n_seqs, next_seq, newest;
	uint16_t seq[TELEPHONE_EVENT_SEQS];
};

/* A packet of the payload type of events. hz: their clock. The digit, when it is the
 * first of one; 0: it is not, or no digit at all. */
char telephone_event_rx(struct telephone_event_rx *r, const struct rtp_packet *p, uint32_t hz,
			int64_t arrival_ns);
/* Of a packet of sound. */
uint16_t telephone_event_seq(struct telephone_event_rx *r, uint32_t ssrc, uint16_t seq);

/* Sending, one packet every 20 ms: a digit of 100 ms, its end three times, 60 ms of
 * nothing; then the next. */
struct telephone_event_tx {
	/* private; a zeroed one has nothing to send */
	char queue[TELEPHONE_EVENT_QUEUE];
	uint8_t n, step;
	uint32_t ts;
};

/* Digits, and "," for a second of nothing. 0; -EINVAL: something else; -ENOSPC: too many
 * wait. Either way none of it is taken. */
int telephone_event_tx_put(struct telephone_event_tx *t, const char *digits);
/* Whether any are still to be sent. */
bool telephone_event_tx_waits(const struct telephone_event_tx *t);
/* Whether a digit is being sent, and sound is not. */
bool telephone_event_tx_active(const struct telephone_event_tx *t);

struct telephone_event_out {
	uint8_t payload[TELEPHONE_EVENT_BYTES];
	bool marker;
	uint32_t ts;
};
/* Every 20 ms. now_ts: of the stream; hz: of events. False: nothing is to be sent now. */
bool telephone_event_tx_tick(struct telephone_event_tx *t, uint32_t now_ts, uint32_t hz,
			     struct telephone_event_out *out);

#endif
