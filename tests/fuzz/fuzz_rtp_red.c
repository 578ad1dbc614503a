/* RFC 2198: whatever parses lies inside the input, and is built again as it was. */
#include <stdlib.h>
#include <string.h>

#include "mcu/rtp/payload_red.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rtp_red_block block[RTP_RED_MAX_BLOCKS];
	int n = rtp_red_parse(data, size, block), pt = rtp_red_primary_pt(data, size);
	const uint8_t *at;
	uint8_t *out;

	if (n < 0)
		return 0;
	if (n > RTP_RED_MAX_BLOCKS || pt != block[n - 1].pt)
		abort();
	at = block[0].data;
	for (int i = 0; i < n; i++) {
		if (block[i].data != at || block[i].len > (size_t)(data + size - at))
			abort();
		at += block[i].len;
	}
	if (at != data + size)
		abort();
	out = malloc(size);
	if (!out || rtp_red_build(out, size, block, (size_t)n) != size || memcmp(out, data, size))
		abort();
	free(out);
	return 0;
}
