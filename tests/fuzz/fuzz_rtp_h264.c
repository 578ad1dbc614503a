/* H.264 payloads: the input is cut into packets by length octets and put
 * together; then taken as an Annex B stream, packetized, and put together again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/rtp/payload_h264.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct buf_pool *bufs;
static struct rtp_batch_pool *batches;

static void depacketize(const uint8_t *data, size_t size)
{
	struct buf *au = buf_get(bufs);
	struct rtp_h264_depay d;

	rtp_h264_depay_begin(&d, au);
	while (size) {
		size_t len = data[0] < size - 1 ? data[0] : size - 1;
		uint8_t *exact = malloc(len ? len : 1);

		memcpy(exact, data + 1, len);
		(void)rtp_h264_classify(exact, len);
		if (rtp_h264_depay_put(&d, exact, len))
			size = len + 1; /* the rest is dropped */
		free(exact);
		data += len + 1;
		size -= len + 1;
	}
	(void)rtp_h264_depay_end(&d);
	if (au->len + RTP_H264_TAIL > au->cap)
		abort();
	buf_unref(&au);
}

static size_t count_nals(const uint8_t *p, size_t size, size_t *bytes)
{
	const uint8_t *end = p + size, *nal;
	size_t n = 0, len;

	*bytes = 0;
	while (rtp_h264_next_nal(&p, end, &nal, &len)) {
		unsigned type = nal[0] & 0x1f;

		if (type == H264_NAL_AUD || type == H264_NAL_FILLER)
			continue;
		/* what the depacketizer refuses */
		if (type == 0 || type > 23 || nal[0] & 0x80)
			return 0;
		*bytes += len;
		n++;
	}
	return n;
}

static void round_trip(const uint8_t *data, size_t size)
{
	size_t max = size ? 64 + data[0] : 64, bytes, again, n = count_nals(data, size, &bytes);
	struct rtp_batch *b = rtp_batch_get(batches, 0);
	struct buf *au = buf_get(bufs);
	struct rtp_h264_depay d;
	int err = rtp_h264_packetize(b, data, size, max);

	rtp_h264_depay_begin(&d, au);
	for (unsigned i = 0; !err && i < b->n; i++) {
		if (b->pkt[i].len > max || b->pkt[i].marker != (i + 1u == b->n))
			abort();
		err = rtp_h264_depay_put(&d, b->data + b->pkt[i].off, b->pkt[i].len);
	}
	if (n && !err)
		err = rtp_h264_depay_end(&d);
	if (n && (err || count_nals(au->data, au->len, &again) != n || again != bytes))
		abort();
	buf_unref(&au);
	rtp_batch_unref(&b);
}

/* Mode 0: a packet for each NAL unit, or none. */
static void round_trip_single(const uint8_t *data, size_t size)
{
	size_t max = size ? 64 + data[0] : 64, bytes, sent = 0, n = count_nals(data, size, &bytes);
	struct rtp_batch *b = rtp_batch_get(batches, 0);
	int err = rtp_h264_packetize_single(b, data, size, max);

	for (unsigned i = 0; !err && i < b->n; i++) {
		if (b->pkt[i].len > max || b->pkt[i].marker != (i + 1u == b->n))
			abort();
		sent += b->pkt[i].len;
	}
	if (n && !err && (b->n != n || sent != bytes))
		abort();
	if (err && err != -EMSGSIZE && err != -EBADMSG)
		abort();
	rtp_batch_unref(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!bufs && (buf_pool_new(&bufs, "fuzz", 1 << 16, 4, 4) ||
		      rtp_batch_pool_new(&batches, "fuzz", 4096, 1 << 16, 2)))
		abort();
	if (size > 4096)
		return 0;
	depacketize(data, size);
	round_trip(data, size);
	round_trip_single(data, size);
	return 0;
}
