#include "mcu/rtp/payload_opus.h"

#include <errno.h>

enum { SAMPLES_PER_MS = 48, PACKET_SAMPLES_MAX = 120 * SAMPLES_PER_MS };

int rtp_opus_packetize(struct rtp_batch *b, const uint8_t *packet, size_t len, bool marker)
{
	if (!len)
		return -EINVAL;
	return rtp_batch_add(b, NULL, 0, packet, len, marker);
}

/* Samples of one frame by the configuration number, RFC 6716 table 2. */
static int frame_samples(uint8_t toc)
{
	unsigned config = toc >> 3;

	if (config < 12) { /* SILK: 10, 20, 40, 60 ms */
		static const uint8_t ms[] = { 10, 20, 40, 60 };

		return ms[config & 3] * SAMPLES_PER_MS;
	}
	if (config < 16) /* hybrid: 10, 20 ms */
		return (config & 1 ? 20 : 10) * SAMPLES_PER_MS;
	return 120 << (config & 3); /* CELT: 2.5, 5, 10, 20 ms */
}

int rtp_opus_samples(const uint8_t *packet, size_t len)
{
	int n;

	if (!len)
		return -EBADMSG;
	switch (packet[0] & 3) {
	case 0: n = 1; break;
	case 1:
	case 2: n = 2; break;
	default:
		if (len < 2)
			return -EBADMSG;
		n = packet[1] & 0x3f;
	}
	n *= frame_samples(packet[0]);
	return n > 0 && n <= PACKET_SAMPLES_MAX ? n : -EBADMSG;
}

bool rtp_opus_is_dtx(const uint8_t *packet, size_t len)
{
	(void)packet;
	return len <= 2;
}

int rtp_opus_channels(const uint8_t *packet, size_t len)
{
	return len && packet[0] & 4 ? 2 : 1;
}
