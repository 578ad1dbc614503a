#include "mcu/rtp/lipsync.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "mcu/base/clock.h"

#define MS NS_PER_MS

static uint64_t ntp(uint32_t s, uint32_t ms)
{
	return (uint64_t)s << 32 | ((uint64_t)ms << 32) / 1000;
}

static void assert_near_ms(int64_t ns, int64_t ms)
{
	if (ns < (ms - 1) * MS || ns > (ms + 1) * MS)
		fail_msg("%lld us, expected %lld ms", (long long)(ns / 1000), (long long)ms);
}

static void holds_for_the_sound(void **state)
{
	struct lipsync l;

	(void)state;
	lipsync_init(&l, 48000, 90000);
	assert_int_equal(lipsync_video_hold_ns(&l, 0, 0), 0);
	lipsync_sr(&l, LIPSYNC_AUDIO, ntp(1000, 0), 48000);
	lipsync_sr(&l, LIPSYNC_VIDEO, ntp(1000, 500), 900000);
	assert_int_equal(lipsync_video_hold_ns(&l, 900000, 0), 0); /* nothing played yet */
	/* the sample of sender time 1000.100 is played at 5 s + 100 ms */
	lipsync_audio_played(&l, 48000 + 4800, 48000, 5100 * MS);
	/* a frame captured at 1000.600 is due at 5.600 */
	assert_near_ms(lipsync_video_hold_ns(&l, 900000 + 9000, 5550 * MS), 50);
	assert_near_ms(lipsync_video_hold_ns(&l, 900000 + 9000, 5600 * MS), 0);
	assert_int_equal(lipsync_video_hold_ns(&l, 900000 + 9000, 5700 * MS), 0);
	assert_int_equal(lipsync_video_hold_ns(&l, 900000 + 9000, 5300 * MS),
			 LIPSYNC_HOLD_MAX_MS * MS);
	/* 10 s off: somebody lies */
	assert_int_equal(lipsync_video_hold_ns(&l, 900000 + 900000, 5600 * MS), 0);
	lipsync_reset(&l, LIPSYNC_VIDEO);
	assert_int_equal(lipsync_video_hold_ns(&l, 900000 + 9000, 5550 * MS), 0);
}

/* From Opus to G.711: the map is void until the next report, in its clock. */
static void the_sound_gets_another_clock(void **state)
{
	struct lipsync l;

	(void)state;
	lipsync_init(&l, 48000, 90000);
	lipsync_sr(&l, LIPSYNC_AUDIO, ntp(1000, 0), 48000);
	lipsync_sr(&l, LIPSYNC_VIDEO, ntp(1000, 500), 900000);
	lipsync_audio_played(&l, 48000 + 4800, 48000, 5100 * MS);
	lipsync_set_clock(&l, LIPSYNC_AUDIO, 8000);
	assert_int_equal(lipsync_video_hold_ns(&l, 900000 + 9000, 5550 * MS), 0);
	lipsync_audio_played(&l, 80000 + 800, 8000, 5100 * MS);
	assert_int_equal(lipsync_video_hold_ns(&l, 900000 + 9000, 5550 * MS), 0);
	lipsync_sr(&l, LIPSYNC_AUDIO, ntp(1000, 0), 80000);
	assert_near_ms(lipsync_video_hold_ns(&l, 900000 + 9000, 5550 * MS), 50);
}

static void survives_wraparound(void **state)
{
	struct lipsync l;

	(void)state;
	lipsync_init(&l, 48000, 90000);
	lipsync_sr(&l, LIPSYNC_AUDIO, ntp(1000, 0), 0xffffff00);
	lipsync_sr(&l, LIPSYNC_VIDEO, ntp(1000, 0), 0xffffff00);
	/* one second later both time stamps have wrapped */
	lipsync_audio_played(&l, 0xffffff00u + 48000u, 48000, 8000 * MS);
	assert_near_ms(lipsync_video_hold_ns(&l, 0xffffff00u + 90000u, 7930 * MS), 70);
	/* the reports wrap too, the played sample is older */
	lipsync_sr(&l, LIPSYNC_AUDIO, ntp(1002, 0), 0xffffff00u + 96000u);
	lipsync_sr(&l, LIPSYNC_VIDEO, ntp(1002, 0), 0xffffff00u + 180000u);
	assert_near_ms(lipsync_video_hold_ns(&l, 0xffffff00u + 90000u, 7930 * MS), 70);
	lipsync_audio_played(&l, 0xffffff00u, 48000, 7000 * MS);
	assert_near_ms(lipsync_video_hold_ns(&l, 0xffffff00u + 90000u, 7930 * MS), 70);
}

static void maps_to_the_sender_clock(void **state)
{
	struct lipsync l;
	int64_t t;

	(void)state;
	lipsync_init(&l, 48000, 90000);
	assert_false(lipsync_ntp_ns(&l, LIPSYNC_VIDEO, 0, &t));
	lipsync_sr(&l, LIPSYNC_VIDEO, 0, 1); /* no wall clock */
	assert_false(lipsync_ntp_ns(&l, LIPSYNC_VIDEO, 0, &t));
	lipsync_sr(&l, LIPSYNC_VIDEO, ntp(0xffffffff, 250), 45000);
	assert_true(lipsync_ntp_ns(&l, LIPSYNC_VIDEO, 0, &t)); /* before the report */
	assert_near_ms(t, 0xffffffff * 1000LL - 250);
	assert_true(lipsync_ntp_ns(&l, LIPSYNC_VIDEO, 90000, &t));
	assert_near_ms(t, 0xffffffff * 1000LL + 750);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holds_for_the_sound),
		cmocka_unit_test(the_sound_gets_another_clock),
		cmocka_unit_test(survives_wraparound),
		cmocka_unit_test(maps_to_the_sender_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
