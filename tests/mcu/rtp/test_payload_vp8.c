#include "mcu/rtp/payload_vp8.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct rtp_batch_pool *batches;
static struct buf_pool *bufs;

enum { AU_BYTES = 64 * 1024 };

static int setup(void **state)
{
	(void)state;
	return rtp_batch_pool_new(&batches, "batches", 512, 600 * 1024, 4) ||
	       buf_pool_new(&bufs, "bufs", AU_BYTES, 4, 4);
}

static int teardown(void **state)
{
	(void)state;
	rtp_batch_pool_free(&batches);
	buf_pool_free(&bufs);
	return 0;
}

/* RFC 7741 4.2, bit by bit. The frame's first octet is 0x10 (key) or 0x11. */
static const struct {
	size_t len;
	uint8_t p[12];
	struct rtp_vp8_desc want;
} good[] = {
	{ 2, { 0x10, 0x10 }, { .header_bytes = 1, .partition_start = true, .first = true,
	  .key = true, .picture_id = -1, .tl0 = -1, .tid = -1, .key_index = -1 } },
	{ 2, { 0x10, 0x11 }, { .header_bytes = 1, .partition_start = true, .first = true,
	  .picture_id = -1, .tl0 = -1, .tid = -1, .key_index = -1 } },
	{ 2, { 0x00, 0x10 }, { .header_bytes = 1, .picture_id = -1, .tl0 = -1, .tid = -1,
	  .key_index = -1 } },
	{ 2, { 0x13, 0x10 }, { .header_bytes = 1, .partition_start = true, .partition = 3,
	  .picture_id = -1, .tl0 = -1, .tid = -1, .key_index = -1 } },
	{ 2, { 0x30, 0x11 }, { .header_bytes = 1, .partition_start = true, .first = true,
	  .non_reference = true, .picture_id = -1, .tl0 = -1, .tid = -1,
	  .key_index = -1 } },
	/* the reserved bits say nothing */
	{ 3, { 0xd8, 0x0f, 0x10 }, { .header_bytes = 2, .partition_start = true,
	  .first = true, .key = true, .picture_id = -1, .tl0 = -1, .tid = -1,
	  .key_index = -1 } },
	{ 4, { 0x90, 0x80, 0x7f, 0x11 }, { .header_bytes = 3, .partition_start = true,
	  .first = true, .picture_id = 127, .tl0 = -1, .tid = -1, .key_index = -1 } },
	{ 5, { 0x90, 0x80, 0x92, 0x34, 0x11 }, { .header_bytes = 4,
	  .partition_start = true, .first = true, .picture_id = 0x1234,
	  .long_picture_id = true, .tl0 = -1, .tid = -1, .key_index = -1 } },
	{ 4, { 0x90, 0x40, 0xfe, 0x11 }, { .header_bytes = 3, .partition_start = true,
	  .first = true, .picture_id = -1, .tl0 = 0xfe, .tid = -1, .key_index = -1 } },
	{ 4, { 0x90, 0x20, 0xbf, 0x11 }, { .header_bytes = 3, .partition_start = true,
	  .first = true, .picture_id = -1, .tl0 = -1, .tid = 2, .layer_sync = true,
	  .key_index = -1 } },
	{ 4, { 0x90, 0x10, 0xff, 0x11 }, { .header_bytes = 3, .partition_start = true,
	  .first = true, .picture_id = -1, .tl0 = -1, .tid = -1, .key_index = 31 } },
	{ 7, { 0xb0, 0xf0, 0xff, 0xff, 7, 0x45, 0x11 }, { .header_bytes = 6,
	  .partition_start = true, .first = true, .non_reference = true,
	  .picture_id = 0x7fff, .long_picture_id = true, .tl0 = 7, .tid = 1,
	  .key_index = 5 } },
};

static void reads_descriptors(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		const struct rtp_vp8_desc *w = &good[i].want;
		struct rtp_vp8_desc d;

		if (rtp_vp8_parse(&d, good[i].p, good[i].len))
			fail_msg("row %zu is refused", i);
		if (d.header_bytes != w->header_bytes || d.non_reference != w->non_reference ||
		    d.partition_start != w->partition_start || d.partition != w->partition ||
		    d.first != w->first || d.key != w->key || d.picture_id != w->picture_id ||
		    d.long_picture_id != w->long_picture_id || d.tl0 != w->tl0 ||
		    d.tid != w->tid || d.layer_sync != w->layer_sync ||
		    d.key_index != w->key_index)
			fail_msg("row %zu is read wrongly", i);
		/* each of them cut short; the memory ends where the packet does */
		for (size_t len = 0; len < good[i].len; len++) {
			uint8_t *cut = malloc(len ? len : 1);

			memcpy(cut, good[i].p, len);
			assert_int_equal(rtp_vp8_parse(&d, cut, len), -EBADMSG);
			free(cut);
		}
	}
}

static void cuts_into_equal_parts(void **state)
{
	static const size_t sizes[] = { 1, 63, 64, 99, 100, 198, 199, 1000, 20000 };
	static uint8_t frame[20000];

	(void)state;
	for (size_t i = 0; i < sizeof(frame); i++)
		frame[i] = (uint8_t)(i * 7 + i / 256);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct rtp_batch *b = rtp_batch_get(batches, 0);
		struct buf *au = buf_get(bufs);
		struct rtp_vp8_depay d;

		frame[0] = (uint8_t)(i % 2);
		assert_int_equal(rtp_vp8_packetize(b, frame, sizes[i], 100), 0);
		assert_int_equal(b->n, (sizes[i] + 98) / 99);
		rtp_vp8_depay_begin(&d, au);
		for (unsigned k = 0; k < b->n; k++) {
			assert_true(b->pkt[k].len <= 100);
			assert_int_equal(b->data[b->pkt[k].off], k ? 0 : 0x10);
			assert_int_equal(b->pkt[k].marker, k + 1u == b->n);
			if (k + 1u < b->n)
				assert_int_equal(b->pkt[k].len, b->pkt[0].len);
			assert_int_equal(rtp_vp8_depay_put(&d, b->data + b->pkt[k].off,
							   b->pkt[k].len), 0);
		}
		assert_int_equal(rtp_vp8_depay_end(&d), 0);
		assert_int_equal(d.key, i % 2 == 0);
		assert_int_equal(au->len, sizes[i]);
		assert_memory_equal(au->data, frame, sizes[i]);
		buf_unref(&au);
		rtp_batch_unref(&b);
	}
}

static void refuses_what_cannot_be_sent(void **state)
{
	struct rtp_batch *b = rtp_batch_get(batches, 0);
	static uint8_t frame[40000];

	(void)state;
	assert_int_equal(rtp_vp8_packetize(b, frame, 10, 63), -EINVAL);
	assert_int_equal(rtp_vp8_packetize(b, frame, 10, 65536), -EINVAL);
	assert_int_equal(rtp_vp8_packetize(b, frame, 0, 100), -EBADMSG);
	assert_int_equal(rtp_vp8_packetize(b, frame, sizeof(frame), 64), -ENOSPC);
	rtp_batch_unref(&b);
}

static void puts_partitions_together(void **state)
{
	/* a partition after the other, each with a start of its own */
	static const uint8_t pkts[][4] = { { 0x10, 0x10, 1 }, { 0x00, 2 }, { 0x11, 3 },
					   { 0x01, 4 }, { 0x90, 0x80, 5, 0x11 } };
	static const size_t lens[] = { 3, 2, 2, 2, 4 };
	struct buf *au = buf_get(bufs);
	struct rtp_vp8_depay d;

	(void)state;
	rtp_vp8_depay_begin(&d, au);
	assert_int_equal(rtp_vp8_depay_end(&d), -EBADMSG); /* nothing */
	assert_int_equal(rtp_vp8_depay_put(&d, pkts[1], lens[1]), -EBADMSG); /* no start */
	for (int i = 0; i < 4; i++)
		assert_int_equal(rtp_vp8_depay_put(&d, pkts[i], lens[i]), 0);
	assert_int_equal(rtp_vp8_depay_put(&d, pkts[4], lens[4]), -EBADMSG); /* a second one */
	assert_int_equal(rtp_vp8_depay_end(&d), 0);
	assert_true(d.key);
	assert_int_equal(au->len, 5);
	assert_memory_equal(au->data, "\x10\1\2\3\4", 5);
	buf_unref(&au);
}

static void keeps_the_tail_free(void **state)
{
	static uint8_t part[16001] = { 0x10 };
	struct buf *au = buf_get(bufs);
	struct rtp_vp8_depay d;
	int err = 0;

	(void)state;
	rtp_vp8_depay_begin(&d, au);
	for (int i = 0; i < 5 && !err; i++) {
		part[0] = i ? 0 : 0x10;
		err = rtp_vp8_depay_put(&d, part, sizeof(part));
	}
	assert_int_equal(err, -EMSGSIZE);
	assert_true(au->len + RTP_AU_TAIL <= au->cap);
	buf_unref(&au);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_descriptors),
		cmocka_unit_test(cuts_into_equal_parts),
		cmocka_unit_test(refuses_what_cannot_be_sent),
		cmocka_unit_test(puts_partitions_together),
		cmocka_unit_test(keeps_the_tail_free),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
