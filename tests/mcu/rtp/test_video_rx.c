/* Order, loss, repair, restarts. */
#include "mcu/rtp/video_rx.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/mcu/rtp/video_rx_harness.h"

static void plain_flow(void **state)
{
	struct video_rx_wants w = tick();

	(void)state;
	assert_false(w.pli); /* nobody there yet */
	flow(50);
	assert_false(video_rx_waits_for_key(rx));
	assert_int_equal(tick().n_nack, 0);
	assert_int_equal(video_rx_stats(rx)->frames, 51);
	assert_int_equal(video_rx_stats(rx)->keys, 1);
	assert_int_equal(video_rx_stats(rx)->plis, 0);
}

static void waits_for_a_key_frame(void **state)
{
	(void)state;
	send_frame(false, 900);
	assert_int_equal(drain(), 0);
	struct video_rx_wants w = tick();

	assert_true(w.pli); /* at once */
	assert_int_equal(w.ssrc, 1);
	assert_false(tick().pli);
	now += 499 * MS;
	assert_false(tick().pli);
	now += MS;
	assert_true(tick().pli);
	flow(3);
	assert_int_equal(popped, 4);
}

static void reordering_is_put_right(void **state)
{
	uint16_t first;

	(void)state;
	first = make_frame(true, 2000); /* 1 + 5 packets: back to front */
	for (uint16_t q = seq; q != first;)
		deliver(--q);
	assert_int_equal(drain(), 1);
	first = make_frame(false, 2000);
	uint16_t second = make_frame(false, 700);

	deliver_range(second, seq); /* a frame before the one it follows */
	assert_int_equal(drain(), 0);
	deliver((uint16_t)(first + 2));
	deliver((uint16_t)(first + 1));
	deliver((uint16_t)(first + 4));
	deliver((uint16_t)(first + 3));
	assert_int_equal(drain(), 0);
	deliver(first);
	assert_int_equal(drain(), 2);
}

static void duplicates_and_late_ones_do_nothing(void **state)
{
	uint16_t first, q;

	(void)state;
	flow(2);
	first = make_frame(false, 2000);
	for (q = first; q != seq; q++) {
		deliver(q);
		deliver(q);
	}
	assert_int_equal(drain(), 1);
	deliver_range(first, seq);
	assert_int_equal(drain(), 0);
	assert_true(video_rx_stats(rx)->duplicate > 0);
	assert_true(video_rx_stats(rx)->late > 0);
	assert_false(tick().pli);
	send_frame(false, 700);
	assert_int_equal(drain(), 1);
}

static void repaired_by_retransmission(void **state)
{
	uint16_t first, second;
	struct video_rx_wants w;

	(void)state;
	flow(2);
	first = make_frame(false, 2000);
	for (uint16_t q = first; q != seq; q++)
		if (q != first + 1 && q != first + 3)
			deliver(q);
	second = make_frame(false, 700);
	deliver_range(second, seq);
	assert_int_equal(drain(), 0);
	w = tick();
	assert_false(w.pli);
	assert_int_equal(w.n_nack, 2);
	assert_int_equal(w.nack[0], (uint16_t)(first + 1));
	assert_int_equal(w.nack[1], (uint16_t)(first + 3));
	now += 40 * MS;
	deliver(w.nack[1]);
	assert_int_equal(drain(), 0);
	deliver(w.nack[0]);
	assert_int_equal(drain(), 2);
	assert_int_equal(video_rx_stats(rx)->repaired, 2);
	assert_int_equal(video_rx_stats(rx)->holes, 0);
}

static void loss_beyond_repair_needs_a_key_frame(void **state)
{
	uint16_t first;
	struct video_rx_wants w;

	(void)state;
	flow(2);
	first = make_frame(false, 2000);
	deliver_range((uint16_t)(first + 1), seq);
	for (int i = 0; i < 20; i++) {
		send_frame(false, 700);
		w = tick();
		assert_int_equal(drain(), 0);
		if (w.pli)
			break;
		assert_true(now < 2 * NS_PER_S);
	}
	assert_true(w.pli);
	assert_int_equal(video_rx_stats(rx)->holes, 1);
	deliver(first); /* too late to be of use */
	send_frame(false, 700);
	assert_int_equal(drain(), 0);
	assert_int_equal(tick().n_nack, 0); /* nothing is asked for while waiting */
	flow(5);
}

static void the_gap_is_given_up_within_200_ms(void **state)
{
	uint16_t first;
	int64_t since;

	(void)state;
	video_rx_set_rtt(rx, 3 * NS_PER_S);
	flow(0);
	first = make_frame(false, 2000);
	since = now;
	deliver_range((uint16_t)(first + 1), seq);
	while (!tick().pli)
		now += MS;
	assert_int_equal(now - since, 200 * MS);
}

static void without_nack_only_reordering_is_waited_for(void **state)
{
	uint16_t first;
	int64_t since;

	(void)state;
	open_rx(&(struct video_rx_cfg){ .nack = false });
	flow(0);
	first = make_frame(false, 2000);
	since = now;
	deliver_range((uint16_t)(first + 1), seq);
	for (; !video_rx_waits_for_key(rx); now += MS)
		assert_int_equal(tick().n_nack, 0);
	assert_true(now - since < 50 * MS);
	flow(1);
}

static void key_frame_behind_a_hole_is_taken_when_the_hole_is_given_up(void **state)
{
	uint16_t first;

	(void)state;
	flow(1);
	first = make_frame(false, 700);
	deliver_range((uint16_t)(first + 1), seq);
	send_frame(true, 2000);
	send_frame(false, 700);
	assert_int_equal(drain(), 0);
	now += 200 * MS;
	assert_false(tick().pli); /* no need: it is here already */
	assert_int_equal(drain(), 2);
	assert_int_equal(popped_keys, 2);
}

static void lost_packet_of_the_key_frame_is_repaired(void **state)
{
	(void)state;
	for (uint16_t miss = 0; miss < 6; miss++) {
		uint16_t first;
		struct video_rx_wants w;

		open_rx(&(struct video_rx_cfg){ .nack = true });
		send_frame(false, 700);
		assert_true(tick().pli);
		first = make_frame(true, 2000);
		assert_int_equal((uint16_t)(seq - first), 6);
		for (uint16_t q = first; q != seq; q++)
			if (q != (uint16_t)(first + miss))
				deliver(q);
		send_frame(false, 1200);
		w = tick();
		assert_int_equal(w.n_nack, 1);
		assert_int_equal(w.nack[0], (uint16_t)(first + miss));
		deliver(w.nack[0]);
		assert_int_equal(drain(), 2);
	}
}

static void idr_whose_sets_are_lost_is_not_shown(void **state)
{
	uint16_t first;

	(void)state;
	first = make_frame(true, 2000);
	deliver_range((uint16_t)(first + 1), seq); /* the very first packet never comes */
	send_frame(false, 700);
	assert_int_equal(drain(), 0);
	assert_true(tick().pli);
	flow(1);
	/* unless they come out of band */
	open_rx(&(struct video_rx_cfg){ .nack = true, .sps_out_of_band = true });
	first = make_frame(true, 2000);
	deliver_range((uint16_t)(first + 1), seq);
	struct video_au au;

	assert_true(video_rx_pop(rx, &au));
	assert_true(au.key);
	buf_unref(&au.buf);
}

static void new_source_replaces_the_old(void **state)
{
	(void)state;
	flow(3);
	ssrc = 2;
	seq = 30000;
	ts0 = 12345;
	flow(3); /* its first packet, held in probation, is not lost */
	assert_int_equal(video_rx_stats(rx)->restarts, 1);
	assert_int_equal(video_rx_stats(rx)->plis, 0);
	/* a stray packet of a third does nothing */
	ssrc = 3;
	deliver(make_frame(true, 400));
	ssrc = 2;
	frame_no--;
	seq--;
	seq--;
	assert_int_equal(drain(), 0);
}

static void stray_source_is_ignored(void **state)
{
	struct buf *b;
	uint16_t keep;

	(void)state;
	flow(1);
	keep = seq;
	ssrc = 77;
	make_frame(false, 400);
	deliver(keep);
	ssrc = 1;
	seq = keep;
	frame_no--;
	send_frame(false, 700);
	assert_int_equal(drain(), 1);
	b = buf_get(pkts);
	b->len = 5;
	memset(b->data, 0x80, 5);
	video_rx_put(rx, b, now);
	assert_int_equal(video_rx_stats(rx)->malformed, 1);
	send_frame(false, 700);
	assert_int_equal(drain(), 1);
}

static void jump_of_the_sequence_is_a_restart(void **state)
{
	(void)state;
	flow(3);
	seq = (uint16_t)(seq + 20000);
	flow(3);
	seq = (uint16_t)(seq - 9000);
	flow(3);
	assert_int_equal(video_rx_stats(rx)->restarts, 2);
	assert_int_equal(video_rx_stats(rx)->plis, 0);
}

static void gap_beyond_the_window(void **state)
{
	(void)state;
	flow(3);
	for (int i = 0; i < 400; i++)
		make_frame(false, 1200); /* 1,200 packets never come */
	send_frame(false, 700);
	assert_true(tick().pli);
	assert_int_equal(drain(), 0);
	flow(3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(plain_flow),
		T(waits_for_a_key_frame),
		T(reordering_is_put_right),
		T(duplicates_and_late_ones_do_nothing),
		T(repaired_by_retransmission),
		T(loss_beyond_repair_needs_a_key_frame),
		T(the_gap_is_given_up_within_200_ms),
		T(without_nack_only_reordering_is_waited_for),
		T(key_frame_behind_a_hole_is_taken_when_the_hole_is_given_up),
		T(lost_packet_of_the_key_frame_is_repaired),
		T(idr_whose_sets_are_lost_is_not_shown),
		T(new_source_replaces_the_old),
		T(stray_source_is_ignored),
		T(jump_of_the_sequence_is_a_restart),
		T(gap_beyond_the_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
