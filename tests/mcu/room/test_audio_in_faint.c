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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_faint_is_not_decoded),
		cmocka_unit_test(a_sender_that_is_wrong_is_heard),
		cmocka_unit_test(a_sender_that_becomes_wrong_is_heard_within_a_second),
		cmocka_unit_test(a_tail_is_no_lie),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
