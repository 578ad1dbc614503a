#include "tests/mcu/room/audio_in_rig.h"

/* Sanitizers take ten times as long. In eight minutes 144 ms would pile up, or be
 * missing, in an hour more than a second: both are far out of the range below. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { MINUTES = 8, SETTLED_MINUTES = 4 };
#else
enum { MINUTES = 60, SETTLED_MINUTES = 10 };
#endif
enum { PER_MINUTE = 3000 };

/* A long time by a sender's clock. The delay stays at the target, and the tone is
 * as loud and as pure as ever. */
static void long_talk_of(double ppm)
{
	int late_max = 0, late_min = 1000;
	uint64_t removed = 0, added = 0;
	double worst_db = -200;
	struct rig r;

	rig_open(&r, false);
	role_assert_mixa();
	for (int i = 0; i < MINUTES * PER_MINUTE; i++) {
		double ms = i * 20 * (1 - ppm * 1e-6), db;
		struct audio_in_stats s;

		send_stub(&r, 8, 1, ms);
		play_until(&r, ms);
		if (i == 500) {
			r.max_step = 0;
			removed = stats(&r).removed_samples;
			added = stats(&r).added_samples;
		}
		if (i < SETTLED_MINUTES * PER_MINUTE)
			continue;
		s = stats(&r);
		late_max = s.delay_ms > late_max ? s.delay_ms : late_max;
		late_min = s.delay_ms < late_min ? s.delay_ms : late_min;
		if (i % 500)
			continue;
		db = tone_residue_db(r.out, TICK, 1, STUB_HZ * (1 + ppm * 1e-6));
		worst_db = db > worst_db ? db : worst_db;
		assert_near(tone_amplitude(r.out, TICK, 1, STUB_HZ), STUB_AMP, 0.005);
	}
	assert_continuous(&r);
	assert_in_range(late_min, 17, 25);
	assert_in_range(late_max, 17, 25);
	assert_true(worst_db < -60);
	assert_int_equal(stats(&r).lost, 0);
	assert_int_equal(stats(&r).overflow, 0);
	assert_int_equal(stats(&r).concealed_samples, 0);
	assert_int_equal(stats(&r).removed_samples, removed);
	assert_int_equal(stats(&r).added_samples, added);
	assert_near(stats(&r).drift_ppm, ppm, 20);
	print_message("%d minutes at %+.0f ppm: delay %d…%d ms, residue below %.0f dB\n", MINUTES,
		      ppm, late_min, late_max, worst_db);
	rig_close(&r);
}

static void test_a_long_talk_with_a_fast_clock(void **state)
{
	(void)state;
	long_talk_of(300);
}

static void test_a_long_talk_with_a_slow_clock(void **state)
{
	(void)state;
	long_talk_of(-300);
}

static void test_packet_lengths(void **state)
{
	static const int units[] = { 1, 2, 4, 8, 16, 24, 48 };

	(void)state;
	role_assert_mixa();
	for (size_t k = 0; k < sizeof units / sizeof *units; k++) {
		struct rig r;
		double step_ms = units[k] * 2.5;

		rig_open(&r, false);
		for (int i = 0; i * step_ms < 10000; i++) {
			send_stub(&r, units[k], 1, i * step_ms);
			play_until(&r, i * step_ms);
			if (i * step_ms > 300 && i * step_ms < 500) {
				r.max_step = 0;
				r.silent_ticks = 0;
			}
		}
		assert_continuous(&r);
		assert_int_equal(r.silent_ticks, 0);
		assert_int_equal(stats(&r).lost, 0);
		assert_int_equal(stats(&r).concealed_samples, 0);
		assert_in_range(stats(&r).delay_ms, 15, 45);
		rig_close(&r);
	}
}

static void test_jitter_adapts_without_a_click(void **state)
{
	struct rig r;
	uint32_t seed = 8;
	int i;

	(void)state;
	rig_open(&r, false);
	role_assert_mixa();
	for (i = 0; i < 3000; i++) {
		send_stub(&r, 8, 1, i * 20 + 50 * ((double)tone_noise(&seed) + 1));
		play_until(&r, i * 20);
		if (i == 10)
			r.max_step = 0;
		if (i == 1000)
			r.silent_ticks = 0;
	}
	assert_in_range(stats(&r).target_ms, 90, 105);
	assert_in_range(stats(&r).delay_ms, 75, 130);
	assert_true(stats(&r).late + stats(&r).lost < 40);
	assert_int_equal(r.silent_ticks, 0);
	/* The network gets better: a tone all the time, so by pitch periods. */
	for (; i < 6000; i++) {
		send_stub(&r, 8, 1, i * 20);
		play_until(&r, i * 20);
	}
	assert_int_equal(stats(&r).target_ms, 20);
	assert_in_range(stats(&r).delay_ms, 15, 50);
	assert_true(stats(&r).removed_samples > 48 * 30);
	assert_true(r.max_step < tone_step() * 1.5f);
	rig_close(&r);
}

static void test_burst_drains_in_sound_and_in_silence(void **state)
{
	(void)state;
	role_assert_mixa();
	for (uint8_t what = 0; what <= 1; what++) {
		struct rig r;
		int i;

		rig_open(&r, false);
		for (i = 0; i < 300; i++) {
			send_stub(&r, 8, 1, i * 20);
			play_until(&r, i * 20);
		}
		/* 300 ms of nothing, then all of it at once. */
		play_until(&r, 315 * 20 - 20);
		for (; i < 315; i++)
			send_stub(&r, 8, what, 315 * 20 - 10);
		for (; i < 365; i++) {
			send_stub(&r, 8, what, i * 20);
			play_until(&r, i * 20);
			if (i == 317)
				assert_true(stats(&r).delay_ms > 200);
		}
		/* A second later it is mostly gone. */
		assert_in_range(stats(&r).delay_ms, 15, what ? 60 : 40);
		assert_int_equal(stats(&r).lost, 0);
		rig_close(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_long_talk_with_a_fast_clock),
		cmocka_unit_test(test_a_long_talk_with_a_slow_clock),
		cmocka_unit_test(test_packet_lengths),
		cmocka_unit_test(test_jitter_adapts_without_a_click),
		cmocka_unit_test(test_burst_drains_in_sound_and_in_silence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
