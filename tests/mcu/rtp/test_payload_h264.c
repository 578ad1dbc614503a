#include "mcu/rtp/payload_h264.h"

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

/* Appends a NAL unit of len octets with the given head to an Annex B stream. */
static size_t put_nal(uint8_t *au, size_t at, uint8_t head, size_t len, bool long_code)
{
	if (long_code)
		au[at++] = 0;
	au[at++] = 0;
	au[at++] = 0;
	au[at++] = 1;
	au[at++] = head;
	for (size_t i = 1; i < len; i++)
		au[at++] = (uint8_t)(i % 251 + 2); /* neither 0 nor 1 */
	return at;
}

static void finds_nal_units(void **state)
{
	static const struct {
		size_t len;
		uint8_t p[24];
		size_t n;
		uint8_t heads[3];
		size_t lens[3];
	} rows[] = {
		{ 0, { 0 }, 0, { 0 }, { 0 } },
		{ 3, { 0, 0, 1 }, 0, { 0 }, { 0 } },
		{ 4, { 1, 2, 3, 4 }, 0, { 0 }, { 0 } },
		{ 4, { 0, 0, 1, 9 }, 1, { 9 }, { 1 } },
		{ 8, { 0, 0, 0, 1, 0x67, 5, 0, 0 }, 1, { 0x67 }, { 2 } }, /* zeros behind */
		{ 14, { 0, 0, 1, 0x67, 1, 0, 0, 0, 1, 0x68, 2, 0, 0, 1 },
		  2, { 0x67, 0x68 }, { 2, 2 } },
		{ 12, { 0, 0, 1, 0, 0, 1, 0x65, 8, 0, 0, 2, 1 }, 1, { 0x65 }, { 6 } },
		{ 13, { 7, 7, 0, 0, 1, 0x41, 0, 0, 1, 0x42, 0, 1, 1 },
		  2, { 0x41, 0x42 }, { 1, 4 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const uint8_t *p = rows[i].p, *end = p + rows[i].len, *nal;
		size_t len, n = 0;

		for (; rtp_h264_next_nal(&p, end, &nal, &len); n++) {
			if (n >= rows[i].n || nal[0] != rows[i].heads[n] || len != rows[i].lens[n])
				fail_msg("row %zu, unit %zu: %02x, %zu octets", i, n, nal[0], len);
		}
		assert_int_equal(n, rows[i].n);
		assert_ptr_equal(p, end);
	}
}

static int depay_batch(struct rtp_h264_depay *d, const struct rtp_batch *b, struct buf *au)
{
	int err = 0;

	rtp_h264_depay_begin(d, au);
	for (unsigned i = 0; i < b->n && !err; i++)
		err = rtp_h264_depay_put(d, b->data + b->pkt[i].off, b->pkt[i].len);
	return err ? err : rtp_h264_depay_end(d);
}

static void fragments_are_of_equal_size(void **state)
{
	static uint8_t in[70000];

	(void)state;
	for (size_t len = 2; len < 60000; len += len < 3600 ? 1 : 997) {
		struct rtp_batch *b = rtp_batch_get(batches, 0);
		struct buf *au = buf_get(bufs);
		struct rtp_h264_depay d;
		size_t n = put_nal(in, 0, 0x41, len, true);

		assert_int_equal(rtp_h264_packetize(b, in, n, 1140), 0);
		if (len <= 1140)
			assert_int_equal(b->n, 1);
		else
			assert_int_equal(b->n, (len - 1 + 1137) / 1138); /* as few as possible */
		for (unsigned i = 0; i < b->n; i++) {
			assert_true(b->pkt[i].len <= 1140);
			if (i + 1u < b->n)
				assert_int_equal(b->pkt[i].len, b->pkt[0].len);
			else
				assert_true(b->pkt[i].len <= b->pkt[0].len);
			assert_int_equal(b->pkt[i].marker, i + 1u == b->n);
		}
		assert_int_equal(depay_batch(&d, b, au), 0);
		assert_int_equal(au->len, n);
		assert_memory_equal(au->data, in, n);
		assert_true(d.has_slice);
		assert_false(d.has_idr);
		rtp_batch_unref(&b);
		buf_unref(&au);
	}
}

static void key_frame_goes_stap_then_fragments(void **state)
{
	static uint8_t in[9000], want[9000];
	struct rtp_batch *b = rtp_batch_get(batches, 0);
	struct buf *au = buf_get(bufs);
	struct rtp_h264_depay d;
	size_t n = 0, w = 0;

	(void)state;
	n = put_nal(in, n, 0x09, 2, true); /* delimiter: left out */
	n = put_nal(in, n, 0x67, 20, true);
	n = put_nal(in, n, 0x28, 4, true);
	n = put_nal(in, n, 0x06, 30, false);
	n = put_nal(in, n, 0x65, 5000, false);
	n = put_nal(in, n, 0x0c, 50, false); /* filler: left out */
	w = put_nal(want, w, 0x67, 20, true);
	w = put_nal(want, w, 0x28, 4, true);
	w = put_nal(want, w, 0x06, 30, true);
	w = put_nal(want, w, 0x65, 5000, true);
	assert_int_equal(rtp_h264_packetize(b, in, n, 1140), 0);
	assert_int_equal(b->n, 1 + 5);
	assert_int_equal(b->pkt[0].len, 1 + 3 * 2 + 20 + 4 + 30);
	assert_int_equal(b->data[0], 0x60 | H264_NAL_STAP_A); /* the highest NRI */
	assert_int_equal(b->pkt[1].len, b->pkt[4].len);
	assert_true(b->pkt[5].marker);
	assert_int_equal(rtp_h264_classify(b->data, b->pkt[0].len), RTP_H264_STARTS_SPS);
	assert_int_equal(depay_batch(&d, b, au), 0);
	assert_int_equal(au->len, w);
	assert_memory_equal(au->data, want, w);
	assert_true(d.has_idr && d.has_sps && d.has_pps && d.has_slice);
	rtp_batch_unref(&b);
	buf_unref(&au);
}

static void aggregation_respects_the_size(void **state)
{
	static uint8_t in[9000];
	struct rtp_batch *b = rtp_batch_get(batches, 0);
	struct buf *au = buf_get(bufs);
	struct rtp_h264_depay d;
	size_t n = 0;

	(void)state;
	for (int i = 0; i < 40; i++) /* more than one STAP-A may name */
		n = put_nal(in, n, 0x41, 3, true);
	for (int i = 0; i < 3; i++)
		n = put_nal(in, n, 0x41, 60, true); /* one fits beside nothing else */
	assert_int_equal(rtp_h264_packetize(b, in, n, 64), 0);
	for (unsigned i = 0; i < b->n; i++)
		assert_true(b->pkt[i].len <= 64);
	assert_int_equal(b->pkt[b->n - 1].len, 60);
	assert_int_equal(depay_batch(&d, b, au), 0);
	assert_int_equal(au->len, n);
	assert_memory_equal(au->data, in, n);
	rtp_batch_unref(&b);
	buf_unref(&au);
}

static void packetizer_refuses(void **state)
{
	static uint8_t in[700 * 1024];
	struct rtp_batch *b = rtp_batch_get(batches, 0);
	size_t n = put_nal(in, 0, 0x65, 650 * 1024, true);

	(void)state;
	assert_int_equal(rtp_h264_packetize(b, in, n, 63), -EINVAL);
	assert_int_equal(rtp_h264_packetize(b, in, n, 70000), -EINVAL);
	assert_int_equal(rtp_h264_packetize(b, in, 0, 1140), -EBADMSG);
	assert_int_equal(rtp_h264_packetize(b, (const uint8_t *)"abcdef", 6, 1140), -EBADMSG);
	assert_int_equal(rtp_h264_packetize(b, in, n, 1140), -ENOSPC);
	rtp_batch_unref(&b);
}

struct depay_row {
	const char *what;
	int err; /* of the first that fails, or of the end */
	struct {
		size_t len;
		uint8_t p[12];
	} pay[3];
};

static const struct depay_row depay_rows[] = {
	{ "nothing", -EBADMSG, { { 0, { 0 } } } },
	{ "single", 0, { { 2, { 0x41, 9 } } } },
	{ "single of one octet", 0, { { 1, { 0x41 } } } },
	{ "type 0", -EBADMSG, { { 2, { 0x60, 9 } } } },
	{ "type 30", -EBADMSG, { { 2, { 0x7e, 9 } } } },
	{ "forbidden bit", -EBADMSG, { { 2, { 0xc1, 9 } } } },
	{ "STAP-B", -EBADMSG, { { 8, { 0x79, 0, 1, 0, 2, 0x41, 9, 0 } } } },
	{ "MTAP16", -EBADMSG, { { 8, { 0x7a, 0, 1, 0, 2, 0x41, 9, 0 } } } },
	{ "FU-B", -EBADMSG, { { 6, { 0x7d, 0xc1, 0, 1, 9, 9 } } } },
	{ "STAP-A", 0, { { 8, { 0x78, 0, 2, 0x67, 9, 0, 1, 0x68 } } } },
	{ "STAP-A, empty", -EBADMSG, { { 1, { 0x78 } } } },
	{ "STAP-A, size cut off", -EBADMSG, { { 2, { 0x78, 0 } } } },
	{ "STAP-A, unit of 0", -EBADMSG, { { 6, { 0x78, 0, 0, 0, 1, 0x68 } } } },
	{ "STAP-A, unit too long", -EBADMSG, { { 5, { 0x78, 0, 3, 0x67, 9 } } } },
	{ "STAP-A, 65535", -EBADMSG, { { 5, { 0x78, 255, 255, 0x67, 9 } } } },
	{ "STAP-A, octet behind", -EBADMSG, { { 6, { 0x78, 0, 2, 0x67, 9, 0 } } } },
	{ "STAP-A in STAP-A", -EBADMSG, { { 6, { 0x78, 0, 3, 0x78, 0, 0 } } } },
	{ "FU-A", 0,
	  { { 3, { 0x7c, 0x85, 1 } }, { 3, { 0x7c, 0x05, 2 } }, { 3, { 0x7c, 0x45, 3 } } } },
	{ "FU-A whole", 0, { { 3, { 0x7c, 0xc5, 1 } } } },
	{ "FU-A head only", -EBADMSG, { { 1, { 0x7c } } } },
	{ "FU-A without start", -EBADMSG, { { 3, { 0x7c, 0x05, 1 } } } },
	{ "FU-A without end", -EBADMSG, { { 3, { 0x7c, 0x85, 1 } } } },
	{ "FU-A two starts", -EBADMSG, { { 3, { 0x7c, 0x85, 1 } }, { 3, { 0x7c, 0x85, 2 } } } },
	{ "FU-A interrupted", -EBADMSG, { { 3, { 0x7c, 0x85, 1 } }, { 2, { 0x41, 2 } } } },
	{ "FU-A of a STAP-A", -EBADMSG, { { 3, { 0x7c, 0xd8, 1 } } } },
	{ "FU-A of type 0", -EBADMSG, { { 3, { 0x7c, 0xc0, 1 } } } },
};

static void depacketizer_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(depay_rows) / sizeof(depay_rows[0]); i++) {
		const struct depay_row *r = &depay_rows[i];
		struct buf *au = buf_get(bufs);
		struct rtp_h264_depay d;
		int err = 0;

		rtp_h264_depay_begin(&d, au);
		for (size_t k = 0; k < 3 && r->pay[k].len && !err; k++) {
			uint8_t *exact = malloc(r->pay[k].len);

			assert_non_null(exact);
			memcpy(exact, r->pay[k].p, r->pay[k].len);
			err = rtp_h264_depay_put(&d, exact, r->pay[k].len);
			free(exact);
		}
		if (!err)
			err = rtp_h264_depay_end(&d);
		if (err != r->err)
			fail_msg("%s: %d", r->what, err);
		buf_unref(&au);
	}
}

static void keeps_the_tail_free(void **state)
{
	static uint8_t nal[AU_BYTES];
	struct buf *au = buf_get(bufs);
	struct rtp_h264_depay d;

	(void)state;
	nal[0] = 0x41;
	rtp_h264_depay_begin(&d, au);
	assert_int_equal(rtp_h264_depay_put(&d, nal, AU_BYTES - RTP_H264_TAIL - 4), 0);
	assert_int_equal(au->len, au->cap - RTP_H264_TAIL);
	assert_int_equal(rtp_h264_depay_put(&d, nal, 1), -EMSGSIZE);
	buf_unref(&au);
}

static void classifies(void **state)
{
	static const struct {
		enum rtp_h264_start start;
		size_t len;
		uint8_t p[12];
	} rows[] = {
		{ RTP_H264_OTHER, 0, { 0 } },
		{ RTP_H264_OTHER, 1, { 0x67 } },
		{ RTP_H264_STARTS_SPS, 2, { 0x67, 1 } },
		{ RTP_H264_OTHER, 2, { 0x68, 1 } },
		{ RTP_H264_OTHER, 2, { 0x41, 0x80 } },
		{ RTP_H264_STARTS_IDR, 2, { 0x65, 0x88 } },
		{ RTP_H264_OTHER, 2, { 0x65, 0x48 } }, /* not the first slice */
		{ RTP_H264_STARTS_IDR, 3, { 0x7c, 0x85, 0x88 } },
		{ RTP_H264_OTHER, 3, { 0x7c, 0x05, 0x88 } },
		{ RTP_H264_OTHER, 3, { 0x7c, 0x85, 0x48 } },
		{ RTP_H264_OTHER, 2, { 0x7c, 0x85 } },
		{ RTP_H264_STARTS_SPS, 8, { 0x78, 0, 2, 0x67, 1, 0, 1, 0x68 } },
		{ RTP_H264_STARTS_SPS, 8, { 0x78, 0, 1, 0x09, 0, 2, 0x67, 1 } },
		{ RTP_H264_OTHER, 8, { 0x78, 0, 1, 0x68, 0, 2, 0x67, 1 } },
		{ RTP_H264_OTHER, 8, { 0x78, 0, 200, 0x67, 1, 0, 1, 0x68 } },
		{ RTP_H264_OTHER, 3, { 0x78, 0, 2 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rtp_h264_classify(rows[i].p, rows[i].len) != rows[i].start)
			fail_msg("row %zu", i);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

/* Packetization-mode 0: a packet each, or none at all. */
static void single_nal_units(void **state)
{
	struct rtp_batch *b = rtp_batch_get(batches, 0);
	struct buf *au = buf_get(bufs);
	struct rtp_h264_depay d;
	uint8_t in[4096];
	size_t len = 0;

	(void)state;
	len = put_nal(in, len, 0x09, 2, true); /* a delimiter is left out */
	len = put_nal(in, len, 0x67, 12, true);
	len = put_nal(in, len, 0x68, 4, true);
	len = put_nal(in, len, 0x65, 1200, true);
	len = put_nal(in, len, 0x65, 800, true);
	assert_int_equal(rtp_h264_packetize_single(b, in, len, 1200), 0);
	assert_int_equal(b->n, 4);
	rtp_h264_depay_begin(&d, au);
	for (unsigned i = 0; i < b->n; i++) {
		static const size_t lens[] = { 12, 4, 1200, 800 };
		unsigned type = b->data[b->pkt[i].off] & 0x1f;

		assert_int_equal(b->pkt[i].len, lens[i]);
		assert_int_equal(b->pkt[i].marker, i == 3);
		assert_true(type >= 1 && type <= 23); /* neither STAP nor FU */
		assert_int_equal(rtp_h264_depay_put(&d, b->data + b->pkt[i].off, b->pkt[i].len), 0);
	}
	assert_int_equal(rtp_h264_depay_end(&d), 0);
	assert_memory_equal(au->data, in + 6, len - 6);
	rtp_batch_unref(&b);
	buf_unref(&au);
	b = rtp_batch_get(batches, 0);
	assert_int_equal(rtp_h264_packetize_single(b, in, len, 1199), -EMSGSIZE);
	rtp_batch_unref(&b);
	b = rtp_batch_get(batches, 0);
	assert_int_equal(rtp_h264_packetize_single(b, in, 6, 1199), -EBADMSG);
	assert_int_equal(rtp_h264_packetize_single(b, in, len, 10), -EINVAL);
	rtp_batch_unref(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_nal_units),
		T(fragments_are_of_equal_size),
		T(key_frame_goes_stap_then_fragments),
		T(aggregation_respects_the_size),
		T(packetizer_refuses),
		T(depacketizer_table),
		T(keeps_the_tail_free),
		T(single_nal_units),
		cmocka_unit_test(classifies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
