#include <errno.h>
#include <time.h>

#include "mixer/codec/aenc.h"
#include "tests/mcu/room/audio_in_rig.h"
#include "tests/support/alloc_count.h"

static void test_dtx_is_silence_and_not_loss(void **state)
{
	struct rig r;
	double ms = 0;

	(void)state;
	rig_open(&r, false);
	role_assert_mixa();
	for (int round = 0; round < 20; round++) {
		for (int k = 0; k < 25; k++, ms += 20) {
			send_stub(&r, 8, 1, ms);
			play_until(&r, ms);
			if (k > 5) {
				assert_true(audio_in_active(r.in));
				assert_true(audio_in_level_dbov(r.in) > -15);
			}
		}
		/* Silence: nothing is sent, the clock of the time stamps goes on. */
		r.ts += 48 * 1000;
		ms += 1000;
		play_until(&r, ms - 20);
		assert_false(tick(&r));
		assert_false(audio_in_active(r.in));
		assert_near(audio_in_level_dbov(r.in), -127, 0);
		r.tick--;
	}
	assert_int_equal(stats(&r).lost, 0);
	assert_int_equal(stats(&r).received, 20 * 25);
	/* A tenth of a second of each silence is the codec's fading. */
	assert_in_range(stats(&r).concealed_samples, 20 * 4000, 20 * 5800);
	/* No click: nothing starts or ends harder than the tone itself. */
	assert_true(r.max_step < tone_step() * 1.1f);
	rig_close(&r);
}

static void test_losses_are_concealed(void **state)
{
	struct rig r;
	uint32_t seed = 2;
	uint64_t lost = 0;

	(void)state;
	rig_open(&r, false);
	role_assert_mixa();
	for (int i = 0; i < 3000; i++) {
		/* 5 %, and a burst of 5 now and then. */
		if (i > 50 && i < 2990 && (tone_noise(&seed) > 0.9f || i % 500 < 5)) {
			lose(&r, 8);
			lost++;
		} else {
			send_stub(&r, 8, 1, i * 20);
		}
		play_until(&r, i * 20);
		if (i == 10) {
			r.max_step = 0;
			r.silent_ticks = 0;
		}
	}
	assert_int_equal(stats(&r).lost, lost);
	assert_in_range(stats(&r).concealed_samples / TICK, lost * 8 / 10, lost * 12 / 10);
	assert_in_range(stats(&r).delay_ms, 10, 60);
	assert_continuous(&r);
	assert_int_equal(r.silent_ticks, 0);
	rig_close(&r);
}

/* Voice-like, so that SILK spends redundancy on it. */
static void make_voice(float *pcm, int64_t t)
{
	float part[TICK];

	memset(pcm, 0, TICK * sizeof *pcm);
	for (int k = 1; k < 15; k++) {
		tone_fill(part, TICK, 1, 150 * k, 0.2 / k, t * TICK + 31 * k);
		for (int i = 0; i < TICK; i++)
			pcm[i] += part[i];
	}
	for (int i = 0; i < TICK; i++)
		pcm[i] *= 0.5f + 0.5f * sinf(2 * (float)M_PI * (float)(t * TICK + i) / 12000);
}

/* n ticks of Opus; every lose-th packet is lost (0: none). */
static void run_opus(struct rig *r, bool fec, int n, int lose) ON_THREAD(ROLE_MIXA)
{
	struct aenc_cfg cfg = { .format = CODEC_OPUS, .fec = fec, .loss_percent = 20 };
	struct aenc *e = NULL;
	uint8_t data[1275];
	float pcm[TICK];

	assert_int_equal(aenc_new(&e, &cfg), 0);
	for (int i = 0; i < n; i++) {
		int len;

		make_voice(pcm, i);
		len = aenc_encode_to(e, pcm, data, sizeof data);
		assert_true(len > 0);
		if (!lose || i % lose != lose - 1)
			send_as(r, PT, data, (size_t)len, i * 20);
		r->seq++;
		r->ts += TICK;
		play_until(r, i * 20);
	}
	aenc_free(&e);
}

static void test_opus_fec_recovers_lost_packets(void **state)
{
	struct rig r;

	(void)state;
	role_assert_mixa();
	rig_open(&r, true);
	run_opus(&r, true, 1000, 10);
	assert_in_range(stats(&r).lost, 98, 100);
	/* The first loss teaches it to wait for the successor. */
	assert_true(stats(&r).fec_used >= 75);
	assert_true(stats(&r).concealed_samples < 26 * TICK);
	assert_true(audio_in_speaking(r.in));
	rig_close(&r);
	rig_open(&r, true);
	run_opus(&r, false, 300, 10);
	assert_int_equal(stats(&r).fec_used, 0);
	assert_in_range(stats(&r).concealed_samples / TICK, 25, 36);
	rig_close(&r);
}

static void test_what_is_not_ours_is_dropped(void **state)
{
	struct rig r;
	uint8_t payload[2] = { 8, 1 }, bad[2] = { 200, 1 };
	struct buf *b;

	(void)state;
	role_assert_mixa();
	rig_open(&r, false);
	send_as(&r, PT + 1, payload, 2, 0);
	send_as(&r, PT, bad, 2, 0);
	send_as(&r, PT, payload, 1, 0);
	b = buf_get(r.pool);
	memset(b->data, 0xff, 100);
	b->len = 5;
	b->tag = audio_tag(CODEC_OPUS, PT, false);
	audio_in_put(r.in, b, at_ms(0));
	assert_int_equal(stats(&r).malformed, 4);
	assert_int_equal(stats(&r).received, 0);
	/* Padding alone: a probe, no error. */
	send_as(&r, PT, payload, 0, 0);
	assert_int_equal(stats(&r).malformed, 4);
	for (int t = 0; t < 10; t++)
		assert_false(tick(&r));
	rig_close(&r);
}

/* A decoder gone mad costs its own leg, not the mix. */
static void test_nan_never_gets_out(void **state)
{
	struct rig r;

	(void)state;
	role_assert_mixa();
	rig_open(&r, false);
	for (int i = 0; i < 100; i++) {
		send_stub(&r, 8, i % 10 == 5 ? 2 : 1, i * 20);
		tick(&r);
		for (int k = 0; k < TICK; k++)
			assert_true(fabsf(r.out[k]) <= 1);
	}
	assert_in_range(stats(&r).malformed, 8, 10);
	rig_close(&r);
}

static void test_new_ssrc_is_a_new_stream(void **state)
{
	struct rig r;
	int i;

	(void)state;
	role_assert_mixa();
	rig_open(&r, false);
	for (i = 0; i < 100; i++) {
		send_stub(&r, 8, 1, i * 20);
		play_until(&r, i * 20);
	}
	/* One stray packet does not take over. */
	r.ssrc = 99;
	send_stub(&r, 8, 0, i * 20);
	r.seq--;
	r.ts -= TICK;
	r.ssrc = SSRC;
	for (; i < 200; i++) {
		send_stub(&r, 8, 1, i * 20);
		play_until(&r, i * 20);
	}
	assert_int_equal(stats(&r).restarts, 0);
	assert_int_equal(stats(&r).lost, 0);
	r.ssrc = 77;
	r.seq = 3;
	r.ts = 55;
	for (; i < 300; i++) {
		send_stub(&r, 8, 1, i * 20);
		play_until(&r, i * 20);
	}
	assert_int_equal(stats(&r).restarts, 1);
	assert_int_equal(stats(&r).lost, 0);
	assert_true(audio_in_active(r.in));
	rig_close(&r);
}

static void test_mute_fades_and_comes_back(void **state)
{
	struct rig r;
	int i;

	(void)state;
	role_assert_mixa();
	rig_open(&r, false);
	for (i = 0; i < 100; i++) {
		send_stub(&r, 8, 1, i * 20);
		play_until(&r, i * 20);
	}
	audio_in_set_muted(r.in, true);
	assert_true(audio_in_muted(r.in));
	for (; i < 200; i++) {
		bool sound;

		send_stub(&r, 8, 1, i * 20);
		sound = tick(&r);
		if (i > 100) {
			assert_false(sound);
			assert_near(tone_amplitude(r.out, TICK, 1, STUB_HZ), 0, 0);
		}
	}
	assert_false(audio_in_speaking(r.in));
	audio_in_set_muted(r.in, false);
	for (; i < 220; i++) {
		send_stub(&r, 8, 1, i * 20);
		tick(&r);
	}
	assert_true(audio_in_active(r.in));
	assert_near(tone_amplitude(r.out, TICK, 1, STUB_HZ), STUB_AMP, 0.02);
	rig_close(&r);
}

static void test_steady_state_allocates_nothing(void **state)
{
	struct rig r;
	size_t before = 0;

	(void)state;
	role_assert_mixa();
	rig_open(&r, false);
	for (int i = 0; i < 2000; i++) {
		double ms = i * 20 * (1 - 100e-6) + (i % 7);

		if (i == 500)
			before = allocations;
		send_stub(&r, 8, 1, ms);
		play_until(&r, ms);
	}
	assert_true(allocations > 0);
	assert_int_equal(allocations - before, 0);
	rig_close(&r);
}

static void test_print_cost(void **state)
{
	struct timespec t0, t1;
	struct rig r;

	(void)state;
	role_assert_mixa();
	rig_open(&r, false);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t0);
	for (int i = 0; i < 5000; i++) {
		send_stub(&r, 8, 1, i * 20);
		tick(&r);
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t1);
	print_message("cost: receiving chain without the codec %.1f us per tick\n",
		      ((double)(t1.tv_sec - t0.tv_sec) * 1e6 +
		       (double)(t1.tv_nsec - t0.tv_nsec) / 1e3) / 5000);
	rig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dtx_is_silence_and_not_loss),
		cmocka_unit_test(test_losses_are_concealed),
		cmocka_unit_test(test_opus_fec_recovers_lost_packets),
		cmocka_unit_test(test_what_is_not_ours_is_dropped),
		cmocka_unit_test(test_nan_never_gets_out),
		cmocka_unit_test(test_new_ssrc_is_a_new_stream),
		cmocka_unit_test(test_mute_fades_and_comes_back),
		cmocka_unit_test(test_steady_state_allocates_nothing),
		cmocka_unit_test(test_print_cost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
