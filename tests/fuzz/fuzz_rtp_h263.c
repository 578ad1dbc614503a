/* H.263 payloads, both ways. */
#include <stdint.h>

#include "tests/fuzz/rtp_payload.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_open();
	if (size > FUZZ_MAX)
		return 0;
	fuzz_depacketize(CODEC_H263, rtp_h263_packetize, data, size);
	fuzz_packetize(CODEC_H263, rtp_h263_packetize, data, size, true);
	return 0;
}
