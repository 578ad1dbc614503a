#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "mcu/base/clock.h"
#include "mcu/rtp/audio_target.h"

enum { MIN_MS = 20, MAX_MS = 200, PACKETS = 60000, PACKET_MS = 20 };

/* The quantile by its definition: all bins grow less with each packet, and are added up. */
static double plain_bin[AUDIO_TARGET_BINS];

static int plain(int64_t late_ns)
{
	double keep = 1 - PACKET_MS / 1e4, total = 0, above = 0;
	int64_t bin = late_ns / (AUDIO_TARGET_BIN_MS * NS_PER_MS);
	int k, ms;

	for (int i = 0; i < AUDIO_TARGET_BINS; i++)
		plain_bin[i] *= keep;
	plain_bin[bin < AUDIO_TARGET_BINS ? bin : AUDIO_TARGET_BINS - 1] += PACKET_MS / 1e3;
	for (int i = 0; i < AUDIO_TARGET_BINS; i++)
		total += plain_bin[i];
	for (k = AUDIO_TARGET_BINS - 1; k > 0; k--) {
		above += plain_bin[k];
		if (above > total * (1 - 0.985))
			break;
	}
	ms = (k + 1) * AUDIO_TARGET_BIN_MS;
	return ms < MIN_MS ? MIN_MS : ms > MAX_MS ? MAX_MS : ms;
}

/* Calm and rough times in turn. */
static int64_t some_lateness_ns(int i)
{
	int most = i / 3000 % 3 == 0 ? 5 : i / 3000 % 3 == 1 ? 60 : 400;

	return rand() % 20 ? rand() % (5 * (int)NS_PER_MS) : rand() % most * NS_PER_MS;
}

/* At the very edge of a bin sums in another order may differ. */
static void the_target_is_the_quantile(void **state)
{
	struct audio_target t;
	int other = 0;

	(void)state;
	srand(1);
	audio_target_init(&t, MIN_MS, MAX_MS);
	plain_bin[39 / AUDIO_TARGET_BIN_MS] = 0.05; /* what is believed at first */
	/* now and then one that is not late, so that lateness is what it says */
	for (int i = 0; i < PACKETS; i++) {
		int64_t late = i % 50 ? some_lateness_ns(i) : 0;
		int64_t at = 100 * NS_PER_S + i * (int64_t)PACKET_MS * NS_PER_MS;
		int want = plain(late), got;

		/* arrivals far enough apart that none waited behind another */
		audio_target_put(&t, late, at, PACKET_MS * NS_PER_MS);
		got = (int)(t.target_ns / NS_PER_MS);
		assert_in_range(got, want - AUDIO_TARGET_BIN_MS, want + AUDIO_TARGET_BIN_MS);
		other += got != want;
	}
	assert_in_range(other, 0, PACKETS / 500);
}

/* Hours of it. */
static void it_stays_well(void **state)
{
	struct audio_target t;

	(void)state;
	audio_target_init(&t, MIN_MS, MAX_MS);
	for (int i = 0; i < 1000000; i++)
		audio_target_put(&t, i % 10 ? 0 : 100 * NS_PER_MS,
				 NS_PER_S + i * (int64_t)PACKET_MS * NS_PER_MS,
				 PACKET_MS * NS_PER_MS);
	assert_int_equal(t.target_ns / NS_PER_MS, 105);
	for (int i = 1000000; i < 1010000; i++)
		audio_target_put(&t, 0, NS_PER_S + i * (int64_t)PACKET_MS * NS_PER_MS,
				 PACKET_MS * NS_PER_MS);
	assert_int_equal(t.target_ns / NS_PER_MS, MIN_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_target_is_the_quantile),
		cmocka_unit_test(it_stays_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
