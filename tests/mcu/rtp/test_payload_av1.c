#include "mcu/rtp/payload_av1.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct rtp_batch_pool *batches;
static struct buf_pool *bufs;

enum {
	AU_BYTES = 64 * 1024,
	/* OBU headers with a size; first octets of frames */
	SEQ = 0x0a,
	TD = 0x12,
	FRAME = 0x32,
	KEY = 0x10,
	INTER = 0x30,
};

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

/* An OBU with its size, payload of len octets beginning with first. */
static size_t put_obu(uint8_t *tu, size_t at, uint8_t head, uint8_t first, size_t len)
{
	size_t n = len;

	tu[at++] = head;
	for (; n >= 128; n >>= 7)
		tu[at++] = (uint8_t)(n | 0x80);
	tu[at++] = (uint8_t)n;
	for (size_t i = 0; i < len; i++)
		tu[at++] = i ? (uint8_t)(i * 13 + len) : first;
	return at;
}

static size_t put_delimiter(uint8_t *tu)
{
	return put_obu(tu, 0, TD, 0, 0);
}

static int depay(struct buf *au, const struct rtp_batch *b)
{
	struct rtp_av1_depay d;
	int err = 0;

	au->len = 0;
	rtp_av1_depay_begin(&d, au);
	for (unsigned i = 0; i < b->n && !err; i++)
		err = rtp_av1_depay_put(&d, b->data + b->pkt[i].off, b->pkt[i].len);
	return err ? err : rtp_av1_depay_end(&d);
}

static void round_trips(void **state)
{
	static const size_t lens[] = { 1, 2, 50, 85, 86, 87, 88, 89, 90, 91, 92, 93, 94, 95, 96, 97,
				       98, 99, 100, 127, 128, 180, 181, 182, 183, 184, 185, 186,
				       187, 188, 189, 190, 400, 16383, 16384, 30000 };
	static uint8_t tu[40000];

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(lens) / sizeof(lens[0]); i++) {
		struct rtp_batch *b = rtp_batch_get(batches, 0);
		struct buf *au = buf_get(bufs);
		bool key = i % 2;
		size_t n = put_delimiter(tu);

		if (key)
			n = put_obu(tu, n, SEQ, 0, 11);
		n = put_obu(tu, n, FRAME, key ? KEY : INTER, lens[i / 2]);
		assert_int_equal(rtp_av1_is_key(tu, n), key);
		assert_int_equal(rtp_av1_packetize(b, tu, n, 100), 0);
		for (unsigned k = 0; k < b->n; k++) {
			const uint8_t *p = b->data + b->pkt[k].off;
			bool last = k + 1u == b->n;

			/* cut inside OBUs only; a sequence begins with the first packet */
			assert_int_equal(p[0] & 0x80, k ? 0x80 : 0);
			assert_int_equal(p[0] & 0x40, last ? 0 : 0x40);
			assert_int_equal(p[0] & 0x30, k || !key ? 0x10 : 0x20);
			assert_int_equal(p[0] & 0x0f, k || !key ? 0 : 0x08);
			assert_int_equal(b->pkt[k].marker, last);
			assert_true(b->pkt[k].len <= 100);
			if (!last)
				assert_int_equal(b->pkt[k].len, b->pkt[0].len);
			assert_int_equal(rtp_av1_starts_key(p, b->pkt[k].len), key && !k);
		}
		assert_int_equal(depay(au, b), 0);
		assert_int_equal(au->len, n);
		assert_memory_equal(au->data, tu, n);
		buf_unref(&au);
		rtp_batch_unref(&b);
	}
}

/* Many OBUs of any size: the same unit comes out, in packets that fit. */
static void round_trips_of_many(void **state)
{
	static uint8_t tu[40000];
	unsigned seed = 3;

	(void)state;
	for (int i = 0; i < 3000; i++) {
		struct rtp_batch *b = rtp_batch_get(batches, 0);
		struct buf *au = buf_get(bufs);
		size_t n = put_delimiter(tu), max = 64 + (unsigned)rand_r(&seed) % 100;
		unsigned count = 1 + (unsigned)rand_r(&seed) / 64 % 7;

		for (unsigned k = 0; k < count; k++) {
			size_t len = (unsigned)rand_r(&seed) / 64 % (i % 3 ? 300 : 12);

			/* metadata, as they may be empty */
			n = put_obu(tu, n, 0x2a, 7, len);
		}
		assert_int_equal(rtp_av1_packetize(b, tu, n, max), 0);
		for (unsigned k = 0; k < b->n; k++)
			assert_true(b->pkt[k].len <= max);
		assert_int_equal(depay(au, b), 0);
		assert_int_equal(au->len, n);
		assert_memory_equal(au->data, tu, n);
		buf_unref(&au);
		rtp_batch_unref(&b);
	}
}

static void leaves_out_what_is_not_sent(void **state)
{
	static uint8_t tu[400], want[400];
	struct rtp_batch *b = rtp_batch_get(batches, 0);
	struct buf *au = buf_get(bufs);
	size_t n = put_delimiter(tu), w = put_delimiter(want);

	(void)state;
	n = put_obu(tu, n, 0x7a, 0, 20); /* padding */
	n = put_obu(tu, n, 0x42, 0, 20); /* tile list */
	n = put_obu(tu, n, FRAME, INTER, 40);
	w = put_obu(want, w, FRAME, INTER, 40);
	assert_int_equal(rtp_av1_packetize(b, tu, n, 100), 0);
	assert_int_equal(b->n, 1);
	assert_int_equal(b->pkt[0].len, 1 + 1 + 40);
	assert_int_equal(b->data[b->pkt[0].off + 1], FRAME & ~2);
	assert_int_equal(depay(au, b), 0);
	assert_int_equal(au->len, w);
	assert_memory_equal(au->data, want, w);
	rtp_batch_unref(&b);
	/* without a size, to the end: the last OBU may be so */
	b = rtp_batch_get(batches, 0);
	assert_int_equal(rtp_av1_packetize(b, (const uint8_t *)"\x12\0\x30\x30\1\2", 6, 100), 0);
	assert_int_equal(depay(au, b), 0);
	assert_int_equal(au->len, 7);
	assert_memory_equal(au->data, "\x12\0\x32\3\x30\1\2", 7);
	buf_unref(&au);
	rtp_batch_unref(&b);
}

static void refuses_what_cannot_be_sent(void **state)
{
	static const struct {
		size_t len;
		uint8_t p[12];
	} rows[] = {
		{ 0, { 0 } },
		{ 2, { TD, 0 } },                  /* nothing but a delimiter */
		{ 3, { FRAME, 2, 0 } },            /* longer than there is */
		{ 3, { 0xb2, 1, 0 } },             /* forbidden bit */
		{ 1, { 0x34 } },                   /* extension cut off */
		{ 1, { FRAME } },                  /* size cut off */
		{ 11, { FRAME, 255, 255, 255, 255, 255, 255, 255, 255, 1 } },
		{ 6, { FRAME, 1, INTER, FRAME, 9, 0 } },
	};
	struct rtp_batch *b = rtp_batch_get(batches, 0);
	static uint8_t tu[40000];
	size_t n = put_obu(tu, 0, FRAME, INTER, 39000);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rtp_av1_packetize(b, rows[i].p, rows[i].len, 100) != -EBADMSG)
			fail_msg("row %zu is taken", i);
		assert_false(rtp_av1_is_key(rows[i].p, rows[i].len));
	}
	assert_int_equal(rtp_av1_packetize(b, tu, n, 63), -EINVAL);
	assert_int_equal(rtp_av1_packetize(b, tu, n, 65536), -EINVAL);
	assert_int_equal(rtp_av1_packetize(b, tu, n, 64), -ENOSPC);
	rtp_batch_unref(&b);
}

static void tells_key_frames(void **state)
{
	static const struct {
		size_t len;
		uint8_t p[12];
		bool key;
	} rows[] = {
		{ 6, { SEQ, 1, 0, FRAME, 1, 0x10 }, true },
		{ 6, { SEQ, 1, 0, 0x1a, 1, 0x10 }, true },        /* frame header */
		{ 6, { SEQ, 1, 0, FRAME, 1, 0x00 }, false },      /* not shown */
		{ 6, { SEQ, 1, 0, FRAME, 1, 0x30 }, false },      /* inter */
		{ 6, { SEQ, 1, 0, FRAME, 1, 0x50 }, false },      /* intra only */
		{ 6, { SEQ, 1, 0, 0x1a, 1, 0x80 }, false },       /* shows an existing frame */
		{ 6, { SEQ, 1, 0x18, FRAME, 1, 0x30 }, true },    /* reduced still picture */
		{ 3, { FRAME, 1, 0x10 }, false },                 /* no sequence header */
		{ 3, { SEQ, 1, 0 }, false },
		{ 9, { SEQ, 1, 0, FRAME, 1, 0x30, FRAME, 1, 0x10 }, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rtp_av1_is_key(rows[i].p, rows[i].len) != rows[i].key)
			fail_msg("row %zu", i);
}

struct wire {
	size_t len;
	uint8_t p[16];
};

/* Packets as others may build them. */
static void reads_aggregations(void **state)
{
	static const struct {
		struct wire pkt[3]; /* until one is empty */
		struct wire want;
		bool key;
	} rows[] = {
		/* W 0: all with sizes; W 2; W 1 */
		{ { { 7, { 0x00, 2, 0x08, 0, 2, 0x30, 0x10 } } },
		  { 8, { TD, 0, SEQ, 1, 0, FRAME, 1, 0x10 } }, true },
		{ { { 6, { 0x28, 2, 0x08, 0, 0x30, 0x10 } } },
		  { 8, { TD, 0, SEQ, 1, 0, FRAME, 1, 0x10 } }, true },
		{ { { 3, { 0x18, 0x08, 0 } }, { 3, { 0x10, 0x30, 0x10 } } },
		  { 8, { TD, 0, SEQ, 1, 0, FRAME, 1, 0x10 } }, true },
		/* a delimiter was sent; sizes inside the OBUs */
		{ { { 10, { 0x30, 2, TD, 0, 3, SEQ, 1, 0, 0x30, 0x10 } } },
		  { 8, { TD, 0, SEQ, 1, 0, FRAME, 1, 0x10 } }, true },
		{ { { 4, { 0x10, FRAME, 1, 0x30 } } }, { 5, { TD, 0, FRAME, 1, 0x30 } }, false },
		/* an extension; an OBU without a payload */
		{ { { 6, { 0x20, 1, 0x28, 0x34, 0x48, 0x30 } } },
		  { 8, { TD, 0, 0x2a, 0, 0x36, 0x48, 1, 0x30 } }, false },
		/* one OBU over three packets, one of them with nothing of it */
		{ { { 3, { 0x50, 0x30, 0x30 } }, { 2, { 0xc0, 0 } }, { 3, { 0x90, 5, 6 } } },
		  { 7, { TD, 0, FRAME, 3, 0x30, 5, 6 } }, false },
		/* its size is itself cut */
		{ { { 2, { 0x50, FRAME } }, { 4, { 0x90, 2, 0x30, 6 } } },
		  { 6, { TD, 0, FRAME, 2, 0x30, 6 } }, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf *au = buf_get(bufs);
		struct rtp_av1_depay d;
		int err = 0;

		rtp_av1_depay_begin(&d, au);
		for (int k = 0; k < 3 && rows[i].pkt[k].len && !err; k++)
			err = rtp_av1_depay_put(&d, rows[i].pkt[k].p, rows[i].pkt[k].len);
		if (err || rtp_av1_depay_end(&d))
			fail_msg("row %zu is refused", i);
		if (au->len != rows[i].want.len ||
		    memcmp(au->data, rows[i].want.p, au->len) != 0)
			fail_msg("row %zu is read wrongly", i);
		if ((d.seen.key && d.seen.sequence) != rows[i].key)
			fail_msg("row %zu: key", i);
		assert_int_equal(rtp_av1_starts_key(rows[i].pkt[0].p, rows[i].pkt[0].len),
				 rows[i].key && i != 3);
		buf_unref(&au);
	}
}

static void refuses_hostile_packets(void **state)
{
	static const struct {
		struct wire pkt[2];
	} rows[] = {
		{ { { 1, { 0x10 } } } },                       /* nothing */
		{ { { 3, { 0x98, 0x30, 0x30 } } } },           /* Z and N */
		{ { { 3, { 0x90, 0x30, 0x30 } } } },           /* goes on from nowhere */
		{ { { 3, { 0x50, 0x30, 0x30 } }, { 3, { 0x10, 0x30, 0x30 } } } },
		{ { { 3, { 0x50, 0x30, 0x30 } } } },           /* left open */
		{ { { 4, { 0x00, 9, 0x30, 0x30 } } } },        /* longer than the packet */
		{ { { 3, { 0x20, 0x80, 0x80 } } } },           /* size cut off */
		{ { { 11, { 0x00, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1 } } } },
		{ { { 3, { 0x00, 0, 0 } } } },                 /* empty elements */
		{ { { 4, { 0x30, 2, 0x30, 0x30 } } } },        /* three were announced */
		{ { { 3, { 0x10, 0xb0, 0x30 } } } },           /* forbidden bit */
		{ { { 2, { 0x10, 0x34 } } } },                 /* extension cut off */
		{ { { 4, { 0x10, FRAME, 9, 0x30 } } } },       /* size inside does not agree */
		{ { { 4, { 0x10, FRAME, 0, 0x30 } } } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf *au = buf_get(bufs);
		struct rtp_av1_depay d;
		int err = 0;

		rtp_av1_depay_begin(&d, au);
		for (int k = 0; k < 2 && rows[i].pkt[k].len && !err; k++) {
			uint8_t *exact = malloc(rows[i].pkt[k].len);

			memcpy(exact, rows[i].pkt[k].p, rows[i].pkt[k].len);
			(void)rtp_av1_starts_key(exact, rows[i].pkt[k].len);
			err = rtp_av1_depay_put(&d, exact, rows[i].pkt[k].len);
			free(exact);
		}
		if (!err)
			err = rtp_av1_depay_end(&d);
		if (err != -EBADMSG)
			fail_msg("row %zu is taken", i);
		buf_unref(&au);
	}
}

static void keeps_the_tail_free(void **state)
{
	static uint8_t part[20000] = { 0x50, 0x30, 0x30 };
	size_t most = AU_BYTES - RTP_AU_TAIL;
	struct buf *au = buf_get(bufs);
	struct rtp_av1_depay d;
	size_t last;

	(void)state;
	rtp_av1_depay_begin(&d, au);
	for (int i = 0; i < 3; i++) {
		part[0] = i ? 0xd0 : 0x50;
		assert_int_equal(rtp_av1_depay_put(&d, part, sizeof(part)), 0);
	}
	/* the octets would fit, but not the third one of the size */
	last = most - au->len;
	part[0] = 0x90;
	assert_int_equal(rtp_av1_depay_put(&d, part, last + 2), -EMSGSIZE);
	assert_int_equal(rtp_av1_depay_put(&d, part, last + 1), -EMSGSIZE);
	assert_true(au->len <= most);
	buf_unref(&au);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trips),
		cmocka_unit_test(round_trips_of_many),
		cmocka_unit_test(leaves_out_what_is_not_sent),
		cmocka_unit_test(refuses_what_cannot_be_sent),
		cmocka_unit_test(tells_key_frames),
		cmocka_unit_test(reads_aggregations),
		cmocka_unit_test(refuses_hostile_packets),
		cmocka_unit_test(keeps_the_tail_free),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
