#include "mcu/rtp/payload_h263.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mcu/rtp/depay.h"

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

/* RFC 4629 5.1 and H.263 5.1, bit by bit. */
static const struct {
	size_t len;
	uint8_t p[16];
	struct rtp_h263_desc want;
} good[] = {
	/* a fragment */
	{ 3, { 0, 0, 0x55 }, { .header_bytes = 2 } },
	/* CIF: 100000 tttttttt 10 0 0 0 011 k */
	{ 7, { 0x04, 0, 0x80, 0x02, 0x0c, 0, 0 },
	  { .header_bytes = 2, .start = true, .picture = true, .key = true } },
	{ 7, { 0x04, 0, 0x80, 0x02, 0x0e, 0, 0 },
	  { .header_bytes = 2, .start = true, .picture = true } },
	/* the reserved bits and those of the end say nothing */
	{ 7, { 0xfc, 0x07, 0x83, 0xfe, 0x0c, 0, 0 },
	  { .header_bytes = 2, .start = true, .picture = true, .key = true } },
	/* V: an octet; PLEN: a copy of the picture's header */
	{ 8, { 0x06, 0, 0xaa, 0x80, 0x02, 0x0c, 0, 0 },
	  { .header_bytes = 3, .start = true, .picture = true, .key = true } },
	{ 8, { 0x00, 0x18, 1, 2, 3, 9, 9, 9 }, { .header_bytes = 5 } },
	{ 9, { 0x06, 0x10, 1, 2, 3, 0x80, 0x02, 0x0c, 0 },
	  { .header_bytes = 5, .start = true, .picture = true, .key = true } },
	/* a group of blocks */
	{ 4, { 0x04, 0, 0x88, 1 }, { .header_bytes = 2, .start = true } },
	/* the extended kind: says its size (001), and is intra (000) */
	{ 10, { 0x04, 0, 0x80, 0x02, 0x1c, 0xa0, 0x01, 0x00, 0x10, 0 },
	  { .header_bytes = 2, .start = true, .picture = true, .key = true } },
	/* inter; and intra without its size */
	{ 10, { 0x04, 0, 0x80, 0x02, 0x1c, 0xa0, 0x01, 0x04, 0x10, 0 },
	  { .header_bytes = 2, .start = true, .picture = true } },
	{ 10, { 0x04, 0, 0x80, 0x02, 0x1c, 0x00, 0x01, 0x00, 0x08, 0 },
	  { .header_bytes = 2, .start = true, .picture = true } },
	/* cut off before the kind is known */
	{ 4, { 0x04, 0, 0x80, 0x02 }, { .header_bytes = 2, .start = true, .picture = true } },
};

static void reads_descriptors(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		struct rtp_h263_desc d;

		assert_int_equal(rtp_h263_parse(&d, good[i].p, good[i].len), 0);
		if (d.header_bytes != good[i].want.header_bytes || d.start != good[i].want.start ||
		    d.picture != good[i].want.picture || d.key != good[i].want.key)
			fail_msg("row %zu: %zu %d %d %d", i, d.header_bytes, d.start, d.picture, d.key);
		/* never beyond the end */
		for (size_t len = 0; len <= good[i].want.header_bytes; len++)
			assert_int_equal(rtp_h263_parse(&d, good[i].p, len), -EBADMSG);
	}
}

static size_t make_picture(uint8_t *p, size_t len, bool key)
{
	static const uint8_t head[] = { 0, 0, 0x80, 0x02, 0x0c };

	memcpy(p, head, sizeof head);
	p[4] |= key ? 0 : 2;
	for (size_t i = sizeof head; i < len; i++)
		p[i] = (uint8_t)(i * 7 % 255 + 1);
	return len;
}

static void pictures_survive(void **state)
{
	static const size_t lens[] = { 5, 100, 1138, 1139, 1140, 1141, 5000, 40000 };
	static uint8_t in[40000];

	(void)state;
	for (size_t k = 0; k < 2 * sizeof lens / sizeof lens[0]; k++) {
		struct rtp_batch *b = rtp_batch_get(batches, 0);
		struct buf *au = buf_get(bufs);
		struct rtp_unit_info info;
		struct rtp_depay d;
		size_t len = make_picture(in, lens[k / 2], k % 2);

		assert_int_equal(rtp_h263_packetize(b, in, len, RTP_VIDEO_PAYLOAD), 0);
		assert_int_equal(b->n, (len - 2 + 1137) / 1138);
		rtp_depay_begin(&d, CODEC_H263, au);
		for (unsigned i = 0; i < b->n; i++) {
			const uint8_t *p = b->data + b->pkt[i].off;
			struct rtp_payload_info what;

			assert_true(b->pkt[i].len <= RTP_VIDEO_PAYLOAD);
			assert_int_equal(b->pkt[i].marker, i + 1u == b->n);
			d.ops->describe(p, b->pkt[i].len, &what);
			assert_int_equal(what.start, !i && k % 2 ? RTP_START_KEY : RTP_START_NO);
			assert_int_equal(what.first, i == 0);
			assert_int_equal(d.ops->put(&d, p, b->pkt[i].len), 0);
		}
		assert_int_equal(d.ops->end(&d, &info), 0);
		assert_true(info.picture && info.sets && info.random_access == k % 2);
		assert_int_equal(au->len, len);
		assert_memory_equal(au->data, in, len);
		rtp_batch_unref(&b);
		buf_unref(&au);
	}
}

static void refuses(void **state)
{
	static const uint8_t fragment[] = { 0, 0, 5 }, start[] = { 4, 0, 0x80, 2, 0x0c },
			     group[] = { 4, 0, 0x88, 1 };
	struct rtp_batch *b = rtp_batch_get(batches, 0);
	struct buf *au = buf_get(bufs);
	struct rtp_h263_depay d;
	uint8_t in[64];

	(void)state;
	make_picture(in, sizeof in, true);
	assert_int_equal(rtp_h263_packetize(b, in, sizeof in, 63), -EINVAL);
	assert_int_equal(rtp_h263_packetize(b, in, 2, 100), -EBADMSG);
	assert_int_equal(rtp_h263_packetize(b, in + 1, 20, 100), -EBADMSG);
	rtp_h263_depay_begin(&d, au);
	assert_int_equal(rtp_h263_depay_end(&d), -EBADMSG);
	assert_int_equal(rtp_h263_depay_put(&d, fragment, 3), -EBADMSG); /* its start is missing */
	assert_int_equal(rtp_h263_depay_put(&d, group, 4), -EBADMSG);
	assert_int_equal(rtp_h263_depay_put(&d, start, 5), 0);
	assert_int_equal(rtp_h263_depay_put(&d, group, 4), 0);
	assert_int_equal(rtp_h263_depay_put(&d, start, 5), -EBADMSG); /* another picture */
	assert_int_equal(rtp_h263_depay_put(&d, fragment, 2), -EBADMSG);
	assert_int_equal(rtp_h263_depay_put(&d, fragment, 3), 0);
	assert_int_equal(rtp_h263_depay_end(&d), 0);
	assert_memory_equal(au->data, "\0\0\x80\x02\x0c\0\0\x88\x01\x05", 10);
	assert_int_equal(au->len, 10);
	/* what does not fit is not written */
	au->len = au->cap - RTP_AU_TAIL - 1;
	assert_int_equal(rtp_h263_depay_put(&d, group, 4), -EMSGSIZE);
	buf_unref(&au);
	rtp_batch_unref(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_descriptors),
		cmocka_unit_test_setup_teardown(pictures_survive, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
