/* Events of any kind and order (RFC 4733): 12 octets each, of a packet's header and
 * payload. No more digits than may be, and each is one. */
#include <stdlib.h>
#include <string.h>

#include "mcu/base/clock.h"
#include "mcu/rtp/bytes.h"
#include "mcu/rtp/telephone_event.h"

enum { STEP = 12 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct telephone_event_rx r = { 0 };
	int64_t now = NS_PER_S, digits = 0;

	for (size_t at = 0; at + STEP <= size; at += STEP) {
		const uint8_t *d = data + at;
		struct rtp_packet p = {
			.marker = d[0] & 1, .ssrc = (uint32_t)d[0] >> 6, .seq = get_be16(d + 1),
			.ts = get_be32(d + 3), .payload = d + 8,
			.payload_len = d[0] & 2 ? d[0] >> 2 & 3 : TELEPHONE_EVENT_BYTES,
		};
		char c;

		now += d[7] * NS_PER_MS;
		c = telephone_event_rx(&r, &p, d[0] & 32 ? 48000 : 8000, now);
		if (c && !strchr(telephone_event_digits, c))
			abort();
		digits += c != 0;
		(void)telephone_event_seq(&r, p.ssrc, (uint16_t)(p.seq + 1));
	}
	if (digits > TELEPHONE_EVENT_BURST + 1 + (now - NS_PER_S) * TELEPHONE_EVENT_PER_S / NS_PER_S)
		abort();
	return 0;
}
