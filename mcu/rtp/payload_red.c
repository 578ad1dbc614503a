#include "mcu/rtp/payload_red.h"

#include <errno.h>
#include <string.h>

#include "mcu/rtp/bytes.h"

enum { FOLLOWS = 0x80, BLOCK_HEADER = 4, PRIMARY_HEADER = 1 };

int rtp_red_parse(const uint8_t *payload, size_t len, struct rtp_red_block out[RTP_RED_MAX_BLOCKS])
{
	size_t at = 0, n = 0, sum = 0;

	for (;; at += BLOCK_HEADER) {
		uint32_t h;

		if (at >= len || n == RTP_RED_MAX_BLOCKS)
			return -EBADMSG;
		out[n] = (struct rtp_red_block){ .pt = payload[at] & 0x7f };
		if (!(payload[at] & FOLLOWS))
			break;
		if (len - at < BLOCK_HEADER)
			return -EBADMSG;
		h = get_be32(payload + at);
		out[n].ts_offset = (uint16_t)(h >> 10 & RTP_RED_OFFSET_MAX);
		out[n].len = h & RTP_RED_LENGTH_MAX;
		sum += out[n++].len;
	}
	at += PRIMARY_HEADER;
	if (len - at < sum)
		return -EBADMSG;
	out[n++].len = len - at - sum;
	for (size_t i = 0; i < n; i++) {
		out[i].data = payload + at;
		at += out[i].len;
	}
	return (int)n;
}

int rtp_red_primary_pt(const uint8_t *payload, size_t len)
{
	size_t at = 0;

	while (at < len && payload[at] & FOLLOWS)
		at += BLOCK_HEADER;
	return at < len ? payload[at] : -EBADMSG;
}

size_t rtp_red_build(uint8_t *out, size_t cap, const struct rtp_red_block *block, size_t n)
{
	size_t total = PRIMARY_HEADER, at = 0;

	if (n < 1 || n > RTP_RED_MAX_BLOCKS)
		return 0;
	for (size_t i = 0; i < n; i++) {
		total += block[i].len + (i + 1 < n ? BLOCK_HEADER : 0);
		if (block[i].pt > 127 || total > cap)
			return 0;
		if (i + 1 < n && (block[i].len > RTP_RED_LENGTH_MAX ||
				  block[i].ts_offset > RTP_RED_OFFSET_MAX))
			return 0;
	}
	for (size_t i = 0; i + 1 < n; i++, at += BLOCK_HEADER)
		put_be32(out + at, (uint32_t)(FOLLOWS | block[i].pt) << 24 |
				       (uint32_t)block[i].ts_offset << 10 | (uint32_t)block[i].len);
	out[at++] = block[n - 1].pt;
	for (size_t i = 0; i < n; i++) {
		if (block[i].len)
			memcpy(out + at, block[i].data, block[i].len);
		at += block[i].len;
	}
	return at;
}
