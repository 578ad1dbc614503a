/* Batches, the streams made of them, and their history. */
#include "mcu/rtp/tx.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mcu/base/clock.h"
#include "mcu/rtp/history.h"
#include "mcu/rtp/packet.h"

static struct rtp_batch_pool *pool;

static int setup(void **state)
{
	(void)state;
	return rtp_batch_pool_new(&pool, "test", 16, 16000, 100);
}

static int teardown(void **state)
{
	(void)state;
	rtp_batch_pool_free(&pool); /* aborts when a batch is missing */
	return 0;
}

static struct rtp_batch *frame(uint32_t encode, uint32_t index, unsigned n, uint32_t ts, int64_t t)
{
	struct rtp_batch *b = rtp_batch_get(pool, 0);

	assert_non_null(b);
	b->encode_id = encode;
	b->first_index = index;
	b->ts = ts;
	b->time_ns = t;
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(rtp_batch_add(b, (const uint8_t *)"\x7c\x05", 2,
					       (const uint8_t *)"payload", 7, i + 1 == n), 0);
	return b;
}

static void batch_holds_what_it_is_given(void **state)
{
	struct rtp_batch *b = rtp_batch_get(pool, 100), *second;
	uint8_t big[15990] = { 0 };

	(void)state;
	assert_int_equal(rtp_batch_add(b, (const uint8_t *)"ab", 2, (const uint8_t *)"cd", 2,
				       false), 0);
	const uint8_t *first = b->data + b->pkt[0].off;

	assert_int_equal(rtp_batch_add(b, NULL, 0, (const uint8_t *)"e", 1, false), 0);
	rtp_batch_mark_last(b);
	assert_int_equal(b->n, 2);
	assert_int_equal(b->bytes, 5);
	assert_memory_equal(first, "abcd", 4);
	assert_ptr_equal(first, b->data + b->pkt[0].off);
	assert_int_equal(b->pkt[1].off, 4);
	assert_false(b->pkt[0].marker);
	assert_true(b->pkt[1].marker);
	assert_int_equal(rtp_batch_add(b, NULL, 0, big, 0, false), -ENOSPC);
	assert_int_equal(rtp_batch_add(b, NULL, 0, big, sizeof(big), false), 0);
	assert_int_equal(rtp_batch_add(b, NULL, 0, big, 6, false), -ENOSPC);
	assert_int_equal(rtp_batch_add(b, NULL, 0, big, SIZE_MAX, false), -ENOSPC);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(rtp_batch_add(b, NULL, 0, big, 1, false), 0);
	second = rtp_batch_ref(b);
	rtp_batch_unref(&b);
	assert_null(b);
	assert_int_equal(rtp_batch_pool_in_use(pool), 1);
	assert_int_equal(second->bytes, 5 + sizeof(big) + 3);
	rtp_batch_unref(&second);
	rtp_batch_unref(&second);
	assert_int_equal(rtp_batch_pool_in_use(pool), 0);
}

static void batch_bounds(void **state)
{
	struct rtp_batch_pool *p;
	struct rtp_batch *b[6];

	(void)state;
	assert_int_equal(rtp_batch_pool_new(&p, "x", 0, 1, 1), -EINVAL);
	assert_int_equal(rtp_batch_pool_new(&p, "x", 2, RTP_BATCH_VIDEO_BYTES, 2), 0);
	for (size_t i = 0; i < 5; i++)
		b[i] = rtp_batch_get(p, 1000); /* two small ones, then big ones */
	assert_non_null(b[3]);
	assert_null(b[4]);
	assert_int_equal(rtp_batch_pool_empty_count(p), 1);
	assert_true(b[0]->max_bytes < b[3]->max_bytes);
	assert_int_equal(b[3]->max_bytes, RTP_BATCH_VIDEO_BYTES);
	assert_non_null(rtp_batch_reserve(b[3], 10, false));
	assert_non_null(rtp_batch_reserve(b[3], 10, false));
	assert_null(rtp_batch_reserve(b[3], 10, false)); /* two packets at most */
	for (size_t i = 0; i < 4; i++)
		rtp_batch_unref(&b[i]);
	rtp_batch_pool_free(&p);
}

static void skip_list(void **state)
{
	struct rtp_batch *b = rtp_batch_get(pool, 0);

	(void)state;
	assert_true(rtp_batch_is_for(b, 1));
	/* scattered order, twice */
	for (uint32_t i = 0; i < 2 * RTP_BATCH_SKIP_MAX; i++)
		assert_int_equal(rtp_batch_skip(b, 10 + 2 * ((i * 37) % RTP_BATCH_SKIP_MAX)), 0);
	assert_int_equal(rtp_batch_skip(b, 5), -ENOSPC);
	for (uint32_t i = 0; i < RTP_BATCH_SKIP_MAX; i++) {
		assert_true(rtp_batch_skips(b, 10 + 2 * i));
		assert_false(rtp_batch_skips(b, 11 + 2 * i));
	}
	assert_false(rtp_batch_is_for(b, 10));
	assert_true(rtp_batch_is_for(b, 11));
	b->only_leg = 11;
	assert_true(rtp_batch_is_for(b, 11));
	assert_false(rtp_batch_is_for(b, 13));
	rtp_batch_unref(&b);
}

static const struct rtp_tx_cfg cfg = {
	.ssrc = 0xdeadbeef, .pt = 102, .clock_hz = 90000, .first_seq = 65530,
	.first_ts = 0xffffff00, .mid = "video1", .ext_mid = 4, .ext_abs_send_time = 2,
};

static void header_reads_back(void **state)
{
	struct rtp_batch *b = frame(7, 1000, 3, 3000, 2 * NS_PER_S);
	struct rtp_tx tx;
	uint8_t out[RTP_TX_HEADER_MAX], again[RTP_TX_HEADER_MAX];
	struct rtp_packet p;
	char mid[RTP_MID_MAX + 1];
	uint32_t time24;

	(void)state;
	assert_int_equal(rtp_tx_init(&tx, &cfg), 0);
	rtp_tx_follow(&tx, b);
	for (unsigned i = 0; i < 3; i++) {
		size_t len = rtp_tx_header(&tx, b, i, rtp_tx_seq(&tx, b, i), out);

		assert_int_equal(len, rtp_tx_header_len(&tx));
		assert_int_equal(rtp_parse(&p, out, len), 0);
		assert_int_equal(p.payload_len, 0);
		assert_int_equal(p.seq, (uint16_t)(65530 + i));
		assert_int_equal(p.ts, 0xffffff00);
		assert_int_equal(p.ssrc, 0xdeadbeef);
		assert_int_equal(p.pt, 102);
		assert_int_equal(p.marker, i == 2);
		assert_true(rtp_ext_mid(&p, 4, mid));
		assert_string_equal(mid, "video1");
		assert_true(rtp_ext_abs_send_time(&p, 2, &time24));
		assert_int_equal(time24, 2 << 18);
		rtp_tx_header(&tx, b, i, rtp_tx_seq(&tx, b, i), again);
		assert_memory_equal(out, again, len);
	}
	rtp_batch_unref(&b);
}

static void header_forms(void **state)
{
	static const struct {
		const char *mid;
		uint8_t ext_mid, ext_ast, pt;
		int err;
		size_t len;
	} rows[] = {
		{ NULL, 0, 0, 96, 0, 12 },
		{ "0", 0, 0, 96, 0, 12 },          /* no id for it */
		{ "0", 1, 0, 96, 0, 12 + 4 + 4 },
		{ NULL, 1, 3, 96, 0, 12 + 4 + 4 },
		{ "0", 1, 3, 96, 0, 12 + 4 + 8 },
		{ "0123456789abcdef", 14, 13, 127, 0, 12 + 4 + 24 },
		{ "0123456789abcdefg", 1, 3, 96, -EINVAL, 0 },
		{ "", 1, 0, 96, -EINVAL, 0 },
		{ "0", 15, 0, 96, -EINVAL, 0 },
		{ "0", 1, 0, 128, -EINVAL, 0 },
	};
	struct rtp_batch *b = frame(1, 0, 1, 0, 12345678901);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rtp_tx_cfg c = { .pt = rows[i].pt, .clock_hz = 48000, .mid = rows[i].mid,
					.ext_mid = rows[i].ext_mid,
					.ext_abs_send_time = rows[i].ext_ast };
		uint8_t out[RTP_TX_HEADER_MAX];
		struct rtp_tx tx;
		struct rtp_packet p;
		uint32_t time24;
		char mid[RTP_MID_MAX + 1];

		assert_int_equal(rtp_tx_init(&tx, &c), rows[i].err);
		if (rows[i].err)
			continue;
		rtp_tx_follow(&tx, b);
		assert_int_equal(rtp_tx_header(&tx, b, 0, 9, out), rows[i].len);
		assert_int_equal(rtp_parse(&p, out, rows[i].len), 0);
		assert_int_equal(p.seq, 9);
		assert_int_equal(rtp_ext_mid(&p, rows[i].ext_mid, mid),
				 rows[i].mid && rows[i].ext_mid);
		assert_int_equal(rtp_ext_abs_send_time(&p, rows[i].ext_ast, &time24),
				 rows[i].ext_ast != 0);
		if (rows[i].ext_ast)
			assert_int_equal(time24, rtp_abs_send_time_of_ns(12345678901));
	}
	rtp_batch_unref(&b);
}

/* Sends a whole batch and says with which sequence number and time it began. */
static void send_all(struct rtp_tx *tx, const struct rtp_batch *b, uint16_t *seq, uint32_t *ts)
{
	uint8_t out[RTP_TX_HEADER_MAX];
	struct rtp_packet p;

	*seq = rtp_tx_seq(tx, b, 0);
	assert_int_equal(rtp_parse(&p, out, rtp_tx_header(tx, b, 0, *seq, out)), 0);
	*ts = p.ts;
	rtp_tx_sent(tx, b, 0, b->n);
}

static void following_continues(void **state)
{
	const int64_t f = NS_PER_S / 30;
	struct rtp_batch *a0 = frame(1, 0xfffffffe, 4, 0xfffff000, 100 * f);
	struct rtp_batch *a1 = frame(1, 2, 3, 0xfffff000 + 3000, 101 * f);
	struct rtp_batch *a2 = frame(1, 5, 2, 0xfffff000 + 6000, 102 * f);
	struct rtp_batch *b0 = frame(2, 500000, 2, 77, 103 * f);
	struct rtp_batch *b1 = frame(2, 500002, 2, 77, 103 * f); /* same time: still moves */
	struct rtp_tx tx;
	uint16_t seq;
	uint32_t ts, index, start;

	(void)state;
	assert_int_equal(rtp_tx_init(&tx, &cfg), 0);
	assert_false(rtp_tx_index_of_seq(&tx, 65530, &index));
	rtp_tx_follow(&tx, a0);
	send_all(&tx, a0, &seq, &start);
	assert_int_equal(seq, 65530);
	send_all(&tx, a1, &seq, &ts);
	assert_int_equal(seq, 65534);
	assert_int_equal(ts - start, 3000);
	assert_true(rtp_tx_index_of_seq(&tx, 65530, &index));
	assert_int_equal(index, 0xfffffffe);
	assert_true(rtp_tx_index_of_seq(&tx, 0, &index)); /* newest, wrapped */
	assert_int_equal(index, 4);
	assert_false(rtp_tx_index_of_seq(&tx, 1, &index));     /* not sent */
	assert_false(rtp_tx_index_of_seq(&tx, 65529, &index)); /* before the start */
	/* a2 is left out; then another encode */
	rtp_tx_follow(&tx, b0);
	send_all(&tx, b0, &seq, &ts);
	assert_int_equal(seq, 1);
	assert_in_range(ts - start, 8999, 9000);
	assert_false(rtp_tx_index_of_seq(&tx, 0, &index)); /* of the encode before */
	assert_true(rtp_tx_index_of_seq(&tx, 2, &index));
	assert_int_equal(index, 500001);
	/* and back to a frame of the same moment */
	rtp_tx_follow(&tx, a2);
	send_all(&tx, a2, &seq, &ts);
	assert_int_equal(seq, 3);
	assert_in_range(ts - start, 9000, 9001);
	b1->encode_id = 3;
	rtp_tx_follow(&tx, b1);
	send_all(&tx, b1, &seq, &ts);
	assert_int_equal(seq, 5);
	assert_int_equal(tx.packets, 4 + 3 + 2 + 2 + 2);
	assert_int_equal(tx.octets, 9 * tx.packets);
	rtp_batch_unref(&a0);
	rtp_batch_unref(&a1);
	rtp_batch_unref(&a2);
	rtp_batch_unref(&b0);
	rtp_batch_unref(&b1);
}

static void leaving_out_batches_of_the_same_encode(void **state)
{
	struct rtp_batch *b[4];
	struct rtp_tx tx;
	uint16_t seq;
	uint32_t ts, start, index;

	(void)state;
	for (uint32_t i = 0; i < 4; i++)
		b[i] = frame(1, 2 * i, 2, 960 * i, i * 20 * NS_PER_MS);
	assert_int_equal(rtp_tx_init(&tx, &cfg), 0);
	rtp_tx_follow(&tx, b[0]);
	send_all(&tx, b[0], &seq, &start);
	rtp_tx_follow(&tx, b[3]);
	send_all(&tx, b[3], &seq, &ts);
	assert_int_equal(seq, 65532);
	assert_int_equal(ts - start, 3 * 960);
	assert_false(rtp_tx_index_of_seq(&tx, 65531, &index));
	for (uint32_t i = 0; i < 4; i++)
		rtp_batch_unref(&b[i]);
}

/* A new negotiation: other headers, the same stream. */
static void headers_change_in_place(void **state)
{
	struct rtp_batch *b[4];
	struct rtp_tx_cfg other = cfg;
	struct rtp_packet p;
	uint8_t out[RTP_TX_HEADER_MAX];
	struct rtp_tx tx;
	uint16_t seq;
	uint32_t ts, start, index;

	(void)state;
	for (uint32_t i = 0; i < 4; i++)
		b[i] = frame(1, 2 * i, 2, 3000 * i, i * 20 * NS_PER_MS);
	assert_int_equal(rtp_tx_init(&tx, &cfg), 0);
	rtp_tx_follow(&tx, b[0]);
	send_all(&tx, b[0], &seq, &start);
	other.ssrc = 99;
	other.first_seq = 7;
	other.first_ts = 8;
	assert_int_equal(rtp_tx_change(&tx, &other), 0); /* nothing that is in a header */
	assert_true(rtp_tx_index_of_seq(&tx, seq, &index));
	other.pt = 128;
	assert_int_equal(rtp_tx_change(&tx, &other), -EINVAL);
	assert_true(rtp_tx_index_of_seq(&tx, seq, &index));
	other.pt = 45;
	other.ext_mid = 14;
	other.mid = "new";
	assert_int_equal(rtp_tx_change(&tx, &other), 1);
	/* its bytes would be others now */
	assert_false(rtp_tx_index_of_seq(&tx, seq, &index));
	send_all(&tx, b[1], &seq, &ts);
	assert_int_equal(seq, (uint16_t)(cfg.first_seq + 2));
	assert_int_equal(ts - start, 3000);
	assert_true(rtp_tx_index_of_seq(&tx, seq, &index));
	assert_int_equal(index, 2);
	assert_int_equal(rtp_parse(&p, out, rtp_tx_header(&tx, b[1], 0, seq, out)), 0);
	assert_int_equal(p.pt, 45);
	assert_int_equal(p.ssrc, cfg.ssrc);
	char mid[RTP_MID_MAX + 1];
	assert_true(rtp_ext_mid(&p, 14, mid));
	assert_string_equal(mid, "new");
	/* another clock: time goes on at its rate */
	other.clock_hz = 8000;
	assert_int_equal(rtp_tx_change(&tx, &other), 1);
	assert_int_equal(tx.encode_id, 0); /* even if the same encode goes on */
	rtp_tx_follow(&tx, b[2]);
	send_all(&tx, b[2], &seq, &index);
	assert_int_equal(seq, (uint16_t)(cfg.first_seq + 4));
	assert_int_equal(index - ts, 160);
	for (uint32_t i = 0; i < 4; i++)
		rtp_batch_unref(&b[i]);
}

static void sender_report_clock(void **state)
{
	struct rtp_batch *b = frame(1, 0, 1, 0, 10 * NS_PER_S);
	struct rtp_tx tx;
	uint16_t seq;
	uint32_t ts;

	(void)state;
	assert_int_equal(rtp_tx_init(&tx, &cfg), 0);
	rtp_tx_follow(&tx, b);
	send_all(&tx, b, &seq, &ts);
	assert_int_equal(rtp_tx_ts_at(&tx, 10 * NS_PER_S), ts);
	assert_int_equal(rtp_tx_ts_at(&tx, 12 * NS_PER_S) - ts, 180000);
	assert_int_equal(ts - rtp_tx_ts_at(&tx, 9 * NS_PER_S), 90000);
	rtp_batch_unref(&b);
}

static void history_finds_by_index(void **state)
{
	struct history *h;
	struct rtp_batch *found;
	unsigned i;

	(void)state;
	assert_int_equal(history_new(&h, 4, 0), 0);
	assert_false(history_find(h, 0, &found, &i));
	/* indices wrap in the middle; 3 packets a frame, and a gap before the last */
	for (uint32_t k = 0; k < 6; k++) {
		struct rtp_batch *b = frame(1, 0xfffffff8 + 3 * k + (k == 5 ? 2 : 0), 3, 0, 0);

		history_put(h, b);
		rtp_batch_unref(&b);
	}
	assert_int_equal(history_frames(h), 4);
	assert_int_equal(history_bytes(h), 4 * 3 * 9);
	assert_false(history_find(h, 0xfffffffd, &found, &i)); /* dropped */
	assert_true(history_find(h, 0xfffffffe, &found, &i));
	assert_int_equal(found->first_index, 0xfffffffe);
	assert_int_equal(i, 0);
	assert_true(history_find(h, 0, &found, &i));
	assert_int_equal(i, 2);
	assert_true(history_find(h, 6, &found, &i));
	assert_int_equal(found->first_index, 4);
	assert_false(history_find(h, 7, &found, &i)); /* in the gap */
	assert_false(history_find(h, 8, &found, &i));
	assert_true(history_find(h, 11, &found, &i));
	assert_false(history_find(h, 12, &found, &i)); /* not yet */
	history_trim(h); /* the older half goes */
	assert_int_equal(history_frames(h), 2);
	assert_false(history_find(h, 0, &found, &i));
	assert_true(history_find(h, 11, &found, &i));
	history_trim(h);
	history_trim(h);
	assert_int_equal(history_frames(h), 0);
	assert_int_equal(history_bytes(h), 0);
	history_trim(h);
	history_free(&h);
	assert_null(h);
}

static void put(struct history *h, uint32_t index, bool key)
{
	struct rtp_batch *b = frame(1, index, 3, 0, 0);

	b->key = key;
	history_put(h, b);
	rtp_batch_unref(&b);
}

static void history_knows_where_to_start(void **state)
{
	struct history *h;

	(void)state;
	assert_int_equal(history_new(&h, 4, 0), 0);
	assert_null(history_key(h));
	put(h, 0xfffffff8, false);
	assert_null(history_key(h));
	put(h, 0xfffffffb, true);
	put(h, 0xfffffffe, false);
	put(h, 1, false);
	assert_int_equal(history_end(h), 4);
	assert_int_equal(history_key(h)->first_index, 0xfffffffb);
	put(h, 5, false); /* number 4 was lost */
	assert_null(history_key(h));
	put(h, 8, true);
	put(h, 11, true);
	put(h, 14, false);
	assert_int_equal(history_key(h)->first_index, 11);
	put(h, 17, false);
	put(h, 20, false);
	put(h, 23, false);
	assert_null(history_key(h)); /* no longer there */
	assert_int_equal(history_end(h), 26);
	history_free(&h);
}

static void history_is_bounded_by_octets(void **state)
{
	struct history *h;
	struct rtp_batch *b, *found;
	unsigned i;

	(void)state;
	assert_int_equal(history_new(&h, 0, 60), 0); /* a frame of 3 packets has 27 octets */
	for (uint32_t k = 0; k < 5; k++) {
		b = frame(1, 3 * k, 3, 0, 0);
		history_put(h, b);
		rtp_batch_unref(&b);
	}
	assert_int_equal(history_frames(h), 2);
	assert_true(history_find(h, 9, &found, &i));
	assert_false(history_find(h, 8, &found, &i));
	b = frame(1, 3, 3, 0, 0); /* runs back: the encode began anew */
	history_put(h, b);
	rtp_batch_unref(&b);
	assert_int_equal(history_frames(h), 1);
	b = frame(1, 6, 10, 0, 0); /* 90 octets: kept all the same, alone */
	history_put(h, b);
	rtp_batch_unref(&b);
	assert_int_equal(history_frames(h), 1);
	assert_true(history_find(h, 15, &found, &i));
	b = frame(2, 16, 1, 0, 0); /* another encode */
	history_put(h, b);
	rtp_batch_unref(&b);
	assert_false(history_find(h, 15, &found, &i));
	history_clear(h);
	assert_int_equal(history_bytes(h), 0);
	history_free(&h);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(batch_holds_what_it_is_given),
		T(batch_bounds),
		T(skip_list),
		T(header_reads_back),
		T(header_forms),
		T(following_continues),
		T(leaving_out_batches_of_the_same_encode),
		T(headers_change_in_place),
		T(sender_report_clock),
		T(history_finds_by_index),
		T(history_knows_where_to_start),
		T(history_is_bounded_by_octets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
