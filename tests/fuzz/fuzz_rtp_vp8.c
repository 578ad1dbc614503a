/* VP8 payloads, both ways. */
#include <stdint.h>

#include "tests/fuzz/rtp_payload.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_open();
	if (size > FUZZ_MAX)
		return 0;
	fuzz_depacketize(CODEC_VP8, rtp_vp8_packetize, data, size);
	fuzz_packetize(CODEC_VP8, rtp_vp8_packetize, data, size, true);
	(void)rtp_vp8_is_key(data, size);
	return 0;
}
