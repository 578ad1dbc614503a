/* For the fuzzers of video payload formats: the input is cut into packets by
 * length octets and put together; then it is taken as an access unit and
 * packetized. Whatever came out must survive packetizing and putting together. */
#ifndef TESTS_FUZZ_RTP_PAYLOAD_H
#define TESTS_FUZZ_RTP_PAYLOAD_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/rtp/depay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef int packetize_fn(struct rtp_batch *b, const uint8_t *au, size_t len, size_t max_payload);

enum { FUZZ_MAX = 4096 };

static struct buf_pool *bufs;
static struct rtp_batch_pool *batches;

static inline void fuzz_open(void)
{
	if (!bufs && (buf_pool_new(&bufs, "fuzz", 1 << 14, 4, 4) ||
		      rtp_batch_pool_new(&batches, "fuzz", 4096, 1 << 16, 2)))
		abort();
}

static inline int put_exact(struct rtp_depay *d, const uint8_t *p, size_t len)
{
	uint8_t *exact = malloc(len ? len : 1); /* the sanitizer sees a read past its end */
	struct rtp_payload_info info;
	int err;

	memcpy(exact, p, len);
	d->ops->describe(exact, len, &info);
	err = len ? d->ops->put(d, exact, len) : 0;
	free(exact);
	return err;
}

static inline void check_room(const struct buf *au)
{
	if ((size_t)(au->data - au->store) + au->len + RTP_AU_TAIL > au->cap)
		abort();
}

/* What comes out of au when it is sent in payloads of at most max octets: -EBADMSG
 * or 0 and *out. */
static inline int send_and_receive(enum codec c, packetize_fn *packetize, const uint8_t *au,
				   size_t len, size_t max, struct buf *out)
{
	struct rtp_batch *b = rtp_batch_get(batches, 0);
	int err = packetize(b, au, len, max);
	struct rtp_unit_info info;
	struct rtp_depay d;

	if (err && err != -EBADMSG)
		abort();
	rtp_depay_begin(&d, c, out);
	for (unsigned i = 0; !err && i < b->n; i++) {
		if (b->pkt[i].len > max || b->pkt[i].marker != (i + 1u == b->n) ||
		    put_exact(&d, b->data + b->pkt[i].off, b->pkt[i].len))
			abort();
	}
	if (!err && d.ops->end(&d, &info))
		abort();
	check_room(out);
	rtp_batch_unref(&b);
	return err;
}

/* au is what a depacketizer gives out, so it comes out of another one as it is. */
static inline void must_survive(enum codec c, packetize_fn *packetize, const uint8_t *au,
				size_t len, size_t max)
{
	struct buf *again = buf_get(bufs);

	if (send_and_receive(c, packetize, au, len, max, again) || again->len != len ||
	    memcmp(again->data, au, len) != 0)
		abort();
	buf_unref(&again);
}

static inline void fuzz_depacketize(enum codec c, packetize_fn *packetize, const uint8_t *data,
				    size_t size)
{
	struct buf *au = buf_get(bufs);
	struct rtp_unit_info info;
	struct rtp_depay d;
	size_t max = size ? 64 + data[0] : 64;
	int err = 0;

	rtp_depay_begin(&d, c, au);
	while (size && !err) {
		size_t len = data[0] < size - 1 ? data[0] : size - 1;

		err = put_exact(&d, data + 1, len);
		check_room(au);
		data += len + 1;
		size -= len + 1;
	}
	if (!err && !d.ops->end(&d, &info) && info.picture)
		must_survive(c, packetize, au->data, au->len, max);
	check_room(au);
	buf_unref(&au);
}

/* same: what is taken comes out octet for octet. */
static inline void fuzz_packetize(enum codec c, packetize_fn *packetize, const uint8_t *data,
				  size_t size, bool same)
{
	size_t max = size ? 64 + data[0] : 64;
	struct buf *out = buf_get(bufs);

	if (!send_and_receive(c, packetize, data, size, max, out)) {
		if (same && (out->len != size || memcmp(out->data, data, size) != 0))
			abort();
		must_survive(c, packetize, out->data, out->len, max);
	}
	buf_unref(&out);
}

#endif
