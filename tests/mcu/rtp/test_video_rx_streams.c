/* Kinds of streams, and bad networks. */
#include "mcu/rtp/video_rx.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/mcu/rtp/video_rx_harness.h"

static void stream_without_markers(void **state)
{
	uint16_t first = make_frame(true, 2000);

	(void)state;
	make_frame(false, 700);
	make_frame(false, 700);
	for (uint16_t q = first; q != seq; q++)
		sent[q % SENT_MAX].p[1] &= 0x7f;
	deliver_range(first, seq);
	assert_int_equal(drain(), 2); /* the last one waits for its successor */
}

static void parameter_sets_sent_apart(void **state)
{
	static const uint8_t sps[] = { 0x67, 0x42, 0xe0, 0x1f }, pps[] = { 0x68, 0xce };
	const struct {
		const uint8_t *p;
		size_t len;
	} sets[] = { { sps, 4 }, { pps, 2 } };
	uint16_t first = seq;
	struct rtp_batch *b;

	(void)state;
	/* each with a marker of its own, then the IDR slice */
	for (int i = 0; i < 2; i++) {
		b = rtp_batch_get(batches, 0);
		assert_int_equal(rtp_batch_add(b, NULL, 0, sets[i].p, sets[i].len, true), 0);
		remember(b, ts0);
		rtp_batch_unref(&b);
	}
	static uint8_t au[2004] = { 0, 0, 0, 1 };

	write_slice(au + 4, 0, true, 2000);
	b = rtp_batch_get(batches, 0);
	assert_int_equal(rtp_h264_packetize(b, au, sizeof(au), 500), 0);
	remember(b, ts0);
	rtp_batch_unref(&b);
	frame_no = 1;
	deliver_range(first, seq);
	assert_int_equal(drain(), 1);
	assert_int_equal(popped_keys, 1);
	send_frame(false, 700);
	assert_int_equal(drain(), 1);
}

/* SPS in front of a frame that is no IDR: not a key frame, and not the end. */
static void sps_without_idr(void **state)
{
	static const uint8_t au[] = { 0, 0, 0, 1, 0x67, 0x42, 0xe0, 0x1f,
				      0, 0, 0, 1, 0x41, 0x80, 9 };
	struct rtp_batch *b = rtp_batch_get(batches, 0);
	uint16_t first = seq;

	(void)state;
	assert_int_equal(rtp_h264_packetize(b, au, sizeof(au), 500), 0);
	remember(b, ts0);
	rtp_batch_unref(&b);
	frame_no = 1;
	deliver_range(first, seq);
	assert_int_equal(drain(), 0);
	assert_true(tick().pli);
	assert_int_equal(video_rx_stats(rx)->frames_dropped, 1);
	flow(2);
}

static void probes_between_frames(void **state)
{
	(void)state;
	send_frame(true, 2000);
	for (int i = 0; i < 20; i++) {
		/* padding only, with the time stamp of the frame before */
		struct sent *s = &sent[seq % SENT_MAX];
		uint8_t padding[4] = { 0, 0, 0, 4 };
		struct rtp_packet p = { .pt = 96, .seq = seq, .ts = ts0 + (frame_no - 1) * 3000,
					.ssrc = ssrc, .payload = padding, .payload_len = 4 };

		s->len = rtp_write(s->p, sizeof(s->p), &p);
		s->p[0] |= 0x20;
		deliver(seq++);
		send_frame(false, 700);
	}
	drain();
	assert_int_equal(popped, 21);
	assert_false(tick().pli);
}

static void malformed_unit_is_dropped(void **state)
{
	uint16_t first;

	(void)state;
	flow(1);
	first = make_frame(false, 2000);
	sent[(first + 2) % SENT_MAX].p[12] = 0x7d; /* an FU-B in the middle */
	deliver_range(first, seq);
	send_frame(false, 700);
	assert_int_equal(drain(), 0);
	assert_int_equal(video_rx_stats(rx)->malformed, 1);
	assert_true(tick().pli);
	flow(1);
}

static void too_big_and_no_buffer(void **state)
{
	struct buf *hold[4];

	(void)state;
	flow(1);
	send_frame(false, 33000);
	assert_int_equal(drain(), 0);
	assert_int_equal(video_rx_stats(rx)->too_big, 1);
	assert_true(tick().pli);
	flow(1);
	for (int i = 0; i < 4; i++)
		hold[i] = buf_get(aus);
	send_frame(false, 700);
	assert_int_equal(drain(), 0);
	assert_int_equal(video_rx_stats(rx)->no_buffer, 1);
	assert_true(video_rx_waits_for_key(rx));
	for (int i = 0; i < 4; i++)
		buf_unref(&hold[i]);
	flow(1);
}

static void decoder_asks_for_a_key_frame(void **state)
{
	(void)state;
	flow(1);
	video_rx_need_key(rx);
	assert_true(tick().pli);
	send_frame(false, 700);
	assert_int_equal(drain(), 0);
	video_rx_need_key(rx);
	assert_false(tick().pli);
	flow(1);
}

static void orientation(void **state)
{
	static const struct {
		bool key;
		int cvo;
		unsigned want;
	} rows[] = { { true, 90, 90 }, { false, -1, 90 }, { false, 180, 180 }, { false, -1, 180 },
		     { true, -1, 0 },  { false, -1, 0 },  { true, 270, 270 } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct video_au au;

		cvo = rows[i].cvo;
		send_frame(rows[i].key, 900);
		assert_true(video_rx_pop(rx, &au));
		assert_int_equal(au.rotation, rows[i].want);
		assert_int_equal(au.buf->time_ns, now);
		buf_unref(&au.buf);
	}
}

struct waiting {
	int64_t at;
	uint16_t seq;
};

static struct waiting wire[8192];
static size_t n_wire;

static void on_the_wire(uint16_t q, int64_t delay)
{
	assert_true(n_wire < sizeof(wire) / sizeof(wire[0]));
	wire[n_wire++] = (struct waiting){ now + delay, q };
}

static void arrivals(void)
{
	for (size_t i = 0; i < n_wire;) {
		if (wire[i].at > now) {
			i++;
			continue;
		}
		deliver(wire[i].seq);
		drain();
		memmove(&wire[i], &wire[i + 1], (--n_wire - i) * sizeof(wire[0]));
	}
}

/* Loss, reordering and duplicates, retransmissions that may be lost too, key
 * frames a round trip after they were asked for. */
static void bad_networks(void **state)
{
	unsigned seed = 7;

	(void)state;
	for (unsigned loss = 0; loss <= 30; loss += 5) {
		int64_t key_at = 0, start;

		open_rx(&(struct video_rx_cfg){ .nack = loss != 25 });
		n_wire = 0;
		start = now;
		while (now < start + 30 * NS_PER_S) {
			int64_t frame_end = now + FRAME_MS * MS;
			bool key = frame_no == 0 || (key_at && now >= key_at);
			uint16_t first = make_frame(key, 300 + (unsigned)rand_r(&seed) % 2500);

			now = frame_end - FRAME_MS * MS;
			if (key)
				key_at = 0;
			for (uint16_t q = first; q != seq; q++) {
				unsigned r = (unsigned)rand_r(&seed) / 64;

				if (r % 100 >= loss)
					on_the_wire(q, (10 + r / 100 % 7) * MS);
				if (r / 1000 % 50 == 0)
					on_the_wire(q, (10 + r / 100 % 90) * MS);
			}
			for (; now < frame_end; now += 3 * MS) {
				struct video_rx_wants w;

				arrivals();
				w = tick();
				drain();
				if (w.pli && !key_at)
					key_at = now + 40 * MS;
				for (size_t i = 0; i < w.n_nack; i++)
					if ((unsigned)rand_r(&seed) / 64 % 100 >= loss)
						on_the_wire(w.nack[i], 40 * MS);
			}
		}
		/* of 910 frames: nearly all while repair works, few without it */
		if (loss <= 10)
			assert_true(popped > 850);
		else if (loss <= 20)
			assert_true(popped > 750);
		else
			assert_true(popped > 15 && popped_keys > 1);
		if (loss == 0)
			assert_int_equal(popped_keys, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(stream_without_markers),
		T(parameter_sets_sent_apart),
		T(sps_without_idr),
		T(probes_between_frames),
		T(malformed_unit_is_dropped),
		T(too_big_and_no_buffer),
		T(decoder_asks_for_a_key_frame),
		T(orientation),
		T(bad_networks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
