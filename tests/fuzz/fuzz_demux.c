/* What a stranger's datagram meets first: the demultiplexer, then the SRTP and
 * SRTCP of a publishing and of a receive-only leg under keys it does not know. */
#include <stdlib.h>
#include <string.h>

#include "mcu/net/demux.h"
#include "mcu/net/srtp_in.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct srtp_in *in[4];

static void make_sessions(void)
{
	for (int i = 0; i < 4; i++) {
		struct srtp_keys k = { .profile = i & 1 ? SRTP_PROFILE_CM : SRTP_PROFILE_GCM };

		if (srtp_in_new(&in[i], &k, i & 2))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum demux_kind kind = demux_classify(data, size);

	if (!in[0])
		make_sessions();
	if (size > 2048 || (kind != DEMUX_RTP && kind != DEMUX_RTCP))
		return 0;
	for (int i = 0; i < 4; i++) {
		uint8_t *copy = malloc(size); /* its own, so that an overrun shows */
		size_t len = size;
		int err;

		if (!copy)
			return 0;
		memcpy(copy, data, size);
		err = kind == DEMUX_RTP ? srtp_in_rtp(in[i], copy, &len)
					: srtp_in_rtcp(in[i], copy, &len);
		if (!err && len > size)
			abort();
		free(copy);
	}
	return 0;
}
