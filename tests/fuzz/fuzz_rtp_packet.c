/* RTP headers, their extensions, and the Opus TOC. */
#include <stdint.h>
#include <stdlib.h>

#include "mcu/rtp/packet.h"
#include "mcu/rtp/payload_opus.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_extensions(const struct rtp_packet *p, const uint8_t *data, size_t size)
{
	for (unsigned id = 0; id < 256; id++) {
		char mid[RTP_MID_MAX + 1];
		const uint8_t *d;
		size_t len;
		uint32_t time24;
		uint16_t seq;
		unsigned degrees;
		int level;
		bool voice;

		if (rtp_ext_find(p, (uint8_t)id, &d, &len) && (d < data || d + len > data + size))
			abort();
		if (rtp_ext_audio_level(p, (uint8_t)id, &level, &voice) && (level > 0 || level < -127))
			abort();
		if (rtp_ext_orientation(p, (uint8_t)id, &degrees) && degrees % 90)
			abort();
		(void)rtp_ext_abs_send_time(p, (uint8_t)id, &time24);
		(void)rtp_ext_transport_seq(p, (uint8_t)id, &seq);
		(void)rtp_ext_mid(p, (uint8_t)id, mid);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rtp_packet p, again;
	uint8_t *out;

	if (rtp_parse(&p, data, size))
		return 0;
	if (p.payload < data || p.payload + p.payload_len > data + size)
		abort();
	read_extensions(&p, data, size);
	if (rtp_opus_samples(p.payload, p.payload_len) > 5760)
		abort();
	out = malloc(size);
	if (!out)
		return 0;
	size_t len = rtp_write(out, size, &p);

	if (!len || rtp_parse(&again, out, len) || again.seq != p.seq || again.ts != p.ts ||
	    again.ext_len != p.ext_len || again.payload_len != p.payload_len)
		abort();
	int moved = rtp_rtx_restore(out, len, 1, 2);

	if (moved >= 0 && rtp_parse(&again, out + moved, len - (size_t)moved))
		abort();
	free(out);
	return 0;
}
