/* Transport-wide congestion control feedback, the receiver's side
 * (draft-holmer-rmcat-transport-wide-cc-extensions-01). Record every packet of
 * the transport that carries the extension, whatever its SSRC (probes and
 * retransmissions too), and send what twcc_build makes every 50 to 100 ms.
 * Bounded: the newest TWCC_WINDOW sequence numbers. One thread. */
#ifndef MCU_RTP_TWCC_H
#define MCU_RTP_TWCC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TWCC_WINDOW = 1024, TWCC_CAP_MIN = 512 };
/* How often: a few packets are not worth one of their own. */
enum { TWCC_PERIOD_MS = 50, TWCC_MANY = 10, TWCC_PATIENCE_MS = 250 };

struct twcc {
	bool started;
	uint8_t fb_count;
	int64_t next;  /* first sequence number the next feedback covers */
	int64_t high;  /* highest recorded */
	int64_t built_ns;
	uint64_t late; /* counter: too old to report */
	unsigned late_run;
	int64_t arrival_ns[TWCC_WINDOW]; /* of seq % TWCC_WINDOW; < 0: missing */
};

void twcc_init(struct twcc *t);
/* seq: of the extension; arrival_ns >= 0, of the media clock. */
void twcc_record(struct twcc *t, uint16_t seq, int64_t arrival_ns);
/* Something to report, and long enough since the last time: TWCC_PERIOD_MS, with
 * fewer than TWCC_MANY packets TWCC_PATIENCE_MS. */
bool twcc_due(const struct twcc *t, int64_t now_ns);
/* One RTCP packet (header included, multiple of 4 octets) into out; octets, or 0
 * when there is nothing left to report or cap is below TWCC_CAP_MIN. Call until 0. */
size_t twcc_build(struct twcc *t, int64_t now_ns, uint32_t ssrc, uint32_t media_ssrc, uint8_t *out,
		  size_t cap);

#endif
