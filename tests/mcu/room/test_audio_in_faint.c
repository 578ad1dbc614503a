/* Sound that its sender says is not to be heard (RFC 6464). */
#include "tests/mcu/room/audio_in_rig.h"

#include "mcu/room/audio_faint.h"

/* n packets of 20 ms, a tick after each; the ticks that had sound. */
static int run(struct rig *r, int n, uint8_t what, int64_t *at) ON_THREAD(ROLE_MIXA)
{
	int heard = 0;

	while (n--) {
		double ms = (double)(*at)++ * 20;

		send_stub(r, 8, what, ms);
		while ((double)r->tick * 20 <= ms)
			heard += tick(r);
	}
	return heard;
}

static void what_is_faint_is_not_decoded(void **state)
{
	int64_t at = 0;
	struct rig r;

	(void)state;
	rig_open(&r, false);
	role_assert_mixa();
	run(&r, 50, 1, &at);
	r.flags = AUDIO_TAG_FAINT;
	run(&r, 100, 0, &at);
	stub_decodes = 0;
	assert_int_equal(run(&r, 500, 0, &at), 0);
	assert_in_range(stub_decodes, 1, 500 / AUDIO_FAINT_PROBE + 1);
	/* nothing is invented, nothing counts as lost, and it is heard again at once */
	assert_int_equal(stats(&r).concealed_samples, 0);
	r.flags = 0;
	assert_true(run(&r, 50, 1, &at) >= 47);
	rig_close(&r);
}

static void a_sender_that_is_wrong_is_heard(void **state)
{
	int64_t at = 0;
	struct rig r;

	(void)state;
	rig_open(&r, false);
	role_assert_mixa();
	r.flags = AUDIO_TAG_FAINT;
	run(&r, 10, 1, &at);
	assert_int_equal(run(&r, 500, 1, &at), 500);
	rig_close(&r);
}

/* First it was true. */
static void a_sender_that_becomes_wrong_is_heard_within_a_second(void **state)
{
	int64_t at = 0;
	struct rig r;

	(void)state;
	rig_open(&r, false);
	role_assert_mixa();
	r.flags = AUDIO_TAG_FAINT;
	run(&r, 1000, 0, &at);
	run(&r, AUDIO_FAINT_PROBE + 10, 1, &at);
	assert_int_equal(run(&r, 500, 1, &at), 500);
	rig_close(&r);
}

/* The end of a word is in the first packets after it. */
static void a_tail_is_no_lie(void **state)
{
	struct audio_faint f = { 0 };

	(void)state;
	for (int i = 0; i < 10; i++)
		assert_int_equal(audio_faint_next(&f, false), AUDIO_FAINT_PLAY);
	assert_int_equal(audio_faint_next(&f, true), AUDIO_FAINT_PLAY);
	audio_faint_heard(&f, -20);
	assert_false(f.doubted);
	for (int i = 1; i < AUDIO_FAINT_SETTLE; i++)
		assert_int_equal(audio_faint_next(&f, true), AUDIO_FAINT_PLAY);
	assert_int_equal(audio_faint_next(&f, true), AUDIO_FAINT_SKIP);
	assert_int_equal(audio_faint_next(&f, false), AUDIO_FAINT_PLAY);
	assert_int_equal(audio_faint_next(&f, true), AUDIO_FAINT_PLAY);
}

/* A telephone's silence, of which one packet in 50 is handed on (sound_rest.h): numbers
 * without a gap, time stamps with one. */
static void rest(struct rig *r, int n, int64_t *at) ON_THREAD(ROLE_MIXA)
{
	for (int i = 1; i <= n; i++, (*at)++) {
		if (i % 50 == 0)
			send_stub(r, 8, 0, (double)*at * 20);
		else
			r->ts += 8 * STUB_UNIT;
		assert_false(tick(r));
	}
}

static void of_silence_most_packets_may_be_left_out(void **state)
{
	int64_t at = 0;
	struct rig r;
	int delay;

	(void)state;
	rig_open(&r, false);
	role_assert_mixa();
	run(&r, 200, 1, &at);
	delay = stats(&r).delay_ms;
	r.flags = AUDIO_TAG_FAINT;
	run(&r, 50, 0, &at);
	rest(&r, 1000, &at);
	/* nothing was invented or missed, and it is heard again at once, as late as before */
	assert_int_equal(stats(&r).concealed_samples, 0);
	assert_int_equal(stats(&r).lost, 0);
	r.flags = 0;
	assert_true(run(&r, 50, 1, &at) >= 47);
	assert_in_range(stats(&r).delay_ms, delay - 5, delay + 5);
	assert_int_equal(stats(&r).lost, 0);
	rig_close(&r);
}

/* As that, but ticks in which nothing came are left out. */
static void what_rests_needs_no_ticks(void **state)
{
	int64_t at = 0;
	int left_out = 0, delay;
	struct rig r;

	(void)state;
	rig_open(&r, false);
	role_assert_mixa();
	run(&r, 200, 1, &at);
	delay = stats(&r).delay_ms;
	assert_false(audio_in_rests(r.in));
	r.flags = AUDIO_TAG_FAINT;
	run(&r, 50, 0, &at);
	for (int i = 1; i <= 1000; i++, at++) {
		bool comes = i % 50 == 0;

		if (comes)
			send_stub(&r, 8, 0, (double)at * 20);
		else
			r.ts += 8 * STUB_UNIT;
		if (audio_in_rests(r.in) && !comes) {
			r.tick++;
			left_out++;
			continue;
		}
		if (audio_in_rests(r.in))
			audio_in_rested(r.in, left_out);
		left_out = 0;
		assert_false(tick(&r));
	}
	assert_in_range(left_out, 0, 50);
	assert_int_equal(stats(&r).concealed_samples, 0);
	assert_int_equal(stats(&r).lost, 0);
	r.flags = 0;
	assert_true(run(&r, 50, 1, &at) >= 47);
	assert_in_range(stats(&r).delay_ms, delay - 5, delay + 5);
	assert_false(audio_in_rests(r.in));
	rig_close(&r);
}

/* It is silence that would go on. */
static void nothing_is_invented_after_what_is_faint(void **state)
{
	int64_t at = 0;
	struct rig r;

	(void)state;
	rig_open(&r, false);
	role_assert_mixa();
	run(&r, 50, 1, &at);
	r.flags = AUDIO_TAG_FAINT;
	run(&r, 100, 0, &at);
	for (int i = 0; i < 20; i++)
		assert_false(tick(&r));
	assert_int_equal(stats(&r).concealed_samples, 0);
	rig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_faint_is_not_decoded),
		cmocka_unit_test(a_sender_that_is_wrong_is_heard),
		cmocka_unit_test(a_sender_that_becomes_wrong_is_heard_within_a_second),
		cmocka_unit_test(a_tail_is_no_lie),
		cmocka_unit_test(of_silence_most_packets_may_be_left_out),
		cmocka_unit_test(what_rests_needs_no_ticks),
		cmocka_unit_test(nothing_is_invented_after_what_is_faint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
