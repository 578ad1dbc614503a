/* Who hears whom and how loud, what silence costs, and what hosts ask for. */
#include <errno.h>

#include "tests/mcu/room/room_audio_rig.h"
#include "tests/support/alloc_count.h"

#include "mcu/base/metrics.h"

/* Everybody a tone of his own: heard by all others, never by himself. */
static void golden(int legs)
{
	double own = 0, least = 1, loud = 0.6 / legs;
	struct rig *r;

	role_assert_ctl();
	r = rig_open();
	r->e.cfg.listener_bps = 256000;
	for (int i = 0; i < legs; i++)
		person_add(r, 300 + 100 * i, true)->volume = loud;
	rig_route(r);
	rig_ticks(r, 60);
	for (int i = 0; i < legs; i++)
		for (int k = 0; k < legs; k++) {
			double a = heard(r->who[i], 300 + 100 * k) / loud;

			if (i == k)
				own = a > own ? a : own;
			else
				least = a < least ? a : least;
		}
	print_message("%d legs: others at least %.2f, oneself at most %.3f\n", legs, least, own);
	assert_true(least > 0.7);
	assert_true(own < 0.12);
	for (int i = 0; i < legs; i++)
		assert_int_equal(r->who[i]->own, 1);
	rig_close(r);
}

static void test_each_hears_all_others_and_never_himself(void **state)
{
	(void)state;
	golden(2);
	golden(3);
	golden(10);
	golden(50);
}

/* The loudest three of six; the others are not in the mix and share it. */
static void test_only_the_loudest_are_mixed(void **state)
{
	struct rig *r;

	(void)state;
	role_assert_ctl();
	r = rig_open_with(1, 3);
	for (int i = 0; i < 6; i++)
		person_add(r, 400 + 300 * i, true)->volume = i % 2 ? 0.2 : 0.05;
	rig_route(r);
	rig_ticks(r, 150);
	for (int i = 0; i < 6; i++)
		for (int k = 0; k < 6; k++)
			if (i != k && k % 2)
				assert_true(heard(r->who[i], 400 + 300 * k) > 0.1);
			else
				assert_true(heard(r->who[i], 400 + 300 * k) < 0.01);
	assert_int_equal(rig_counts(r).talker_encoders, 3);
	rig_close(r);
}

static int64_t encodes(void)
{
	static const char name[] = "\nmcu_audio_encodes_total ";
	struct metrics_text t = { 0 };
	const char *at;
	int64_t n;

	assert_int_equal(metrics_write(&t), 0);
	at = strstr(t.text, name);
	assert_non_null(at);
	n = strtoll(at + sizeof name - 1, NULL, 10);
	metrics_text_free(&t);
	return n;
}

/* Nobody says anything: after a moment a packet every 400 ms, and no more encodes;
 * then it goes on at once, where the time stamps say. */
static void test_silence_costs_nothing(void **state)
{
	struct person *talker, *listener, *phone;
	uint32_t ts, rests = 0;
	int64_t made;
	struct rig *r;

	(void)state;
	role_assert_ctl();
	r = rig_open();
	r->e.cfg.dtx = true;
	talker = person_add(r, 500, true);
	listener = person_add(r, 0, true);
	phone = person_add_format(r, 0, true, AUDIO_FORMAT_PCMA);
	rig_route(r);
	rig_ticks(r, 50);
	assert_true(heard(listener, 500) > 0.1);
	/* the only talker hears nothing but silence himself */
	talker->packets = listener->packets = 0;
	rig_ticks(r, 200);
	assert_in_range(talker->packets, 8, 12);
	assert_int_equal(listener->packets, 200);
	talker->hz = 0;
	rig_ticks(r, 150); /* concealment, hangover, the mix of his own */
	made = encodes();
	talker->packets = listener->packets = phone->packets = 0;
	rig_ticks(r, 500);
	assert_in_range(listener->packets, 24, 26);
	assert_in_range(talker->packets, 24, 26);
	assert_int_equal(phone->packets, 500); /* its codec knows no rests */
	assert_in_range(encodes() - made, 524, 526);
	/* time goes on meanwhile */
	while (!listener->shared)
		rig_tick(r);
	ts = listener->batch_ts;
	talker->hz = 500;
	do {
		rig_tick(r);
		rests++;
	} while (!listener->shared);
	assert_int_equal(listener->batch_ts - ts, rests * TICK);
	while (!listener->marked && rests++ < 100)
		rig_tick(r);
	assert_true(rests < 60);
	rig_tick(r);
	assert_false(listener->marked);
	listener->gaps = 0;
	rig_ticks(r, 30);
	assert_int_equal(listener->gaps, 0);
	assert_true(heard(listener, 500) > 0.1);
	assert_true(heard(phone, 500) > 0.1);
	rig_close(r);
}

static void test_silence_is_sent_where_that_is_wanted(void **state)
{
	struct person *listener;
	struct rig *r;

	(void)state;
	role_assert_ctl();
	r = rig_open();
	person_add(r, 0, true);
	listener = person_add(r, 0, true);
	rig_route(r);
	rig_ticks(r, 200);
	assert_int_equal(listener->packets, 200);
	rig_close(r);
}

/* What a host turns: for all others, by so much, without a step. */
static void test_volume(void **state)
{
	static const float db[] = { -30, -12, 6, 0 };
	struct person *talker, *listener;
	struct rig *r;
	double before;

	(void)state;
	role_assert_ctl();
	r = rig_open();
	r->e.cfg.listener_bps = 256000;
	talker = person_add(r, 500, true);
	talker->volume = 0.1;
	listener = person_add(r, 0, true);
	rig_route(r);
	rig_ticks(r, 60);
	before = heard(listener, 500);
	assert_near(before, 0.1, 0.01);
	for (size_t i = 0; i < sizeof db / sizeof *db; i++) {
		float most = 0, loudest;

		loudest = (float)pow(10, (double)(i ? fmaxf(db[i], db[i - 1]) : 0) / 20) * 0.1f;
		talker->sound.volume_db = db[i];
		rig_route(r);
		rig_ticks(r, 6);
		/* the change is among what was heard last */
		for (int k = 1; k < HEARD_TICKS * TICK; k++)
			most = fmaxf(most, fabsf(listener->heard[k] - listener->heard[k - 1]));
		assert_true(most < loudest * 2 * (float)M_PI * 500 / 48000 * 1.5f + 0.002f);
		rig_ticks(r, 20);
		assert_near(tone_db(heard(listener, 500) / before), db[i], 0.5);
	}
	rig_close(r);
}

/* Quiet and loud people become equal; nothing is allocated meanwhile. */
static void test_automatic_gain(void **state)
{
	struct person *quiet, *loud, *listener;
	size_t before;
	struct rig *r;
	double ratio;

	(void)state;
	role_assert_ctl();
	r = rig_open();
	quiet = person_add(r, 500, true);
	loud = person_add(r, 900, true);
	quiet->volume = 0.02;
	loud->volume = 0.3;
	listener = person_add(r, 0, true);
	rig_route(r);
	rig_ticks(r, 30);
	ratio = heard(listener, 900) / heard(listener, 500);
	assert_true(ratio > 10);
	for (int i = 0; i < 2; i++) {
		struct person *p = i ? loud : quiet;

		p->sound.voice = audio_leg_voice(p->leg);
		assert_non_null(p->sound.voice);
		assert_ptr_equal(audio_leg_voice(p->leg), p->sound.voice);
		p->sound.gain = true;
	}
	rig_route(r);
	rig_ticks(r, 20);
	before = allocations;
	rig_ticks(r, 280);
	assert_int_equal(allocations, before);
	assert_near(tone_db(heard(listener, 900) / heard(listener, 500)), 0, 2);
	/* -26 dBov: a sine of 0.071 */
	assert_near(tone_db(heard(listener, 500) / 0.071), 0, 2.5);
	quiet->sound.gain = loud->sound.gain = false;
	rig_route(r);
	rig_ticks(r, 60);
	assert_near(heard(listener, 900) / heard(listener, 500), ratio, ratio * 0.1);
	rig_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_hears_all_others_and_never_himself),
		cmocka_unit_test(test_only_the_loudest_are_mixed),
		cmocka_unit_test(test_silence_costs_nothing),
		cmocka_unit_test(test_silence_is_sent_where_that_is_wanted),
		cmocka_unit_test(test_volume),
		cmocka_unit_test(test_automatic_gain),
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
