/* Rooms of many codecs: who hears whom, on which side, and what is encoded. */
#include "tests/mcu/room/room_audio_rig.h"

enum { OPUS, OPUS2, PCMU, PCMA, G722, EACH };

static const double hz_of[EACH] = { 400, 700, 1100, 1600, 2300 };
static const enum audio_format format_of[EACH] = {
	AUDIO_FORMAT_OPUS, AUDIO_FORMAT_OPUS_STEREO, AUDIO_FORMAT_PCMU, AUDIO_FORMAT_PCMA,
	AUDIO_FORMAT_G722,
};

/* One of each codec, in a room of so many channels. */
static struct rig *one_of_each(int channels) ON_THREAD(ROLE_CTL)
{
	struct rig *r = rig_open_channels(channels);

	for (int i = 0; i < EACH; i++) {
		struct person *p = person_add_format(r, hz_of[i], true, format_of[i]);

		/* Whoever can do stereo gets mono in a mono room. */
		if (channels == 1 && p->format == AUDIO_FORMAT_OPUS_STEREO)
			p->format = AUDIO_FORMAT_OPUS;
	}
	rig_route(r);
	return r;
}

static void assert_all_hear_all(const struct rig *r, double off)
{
	for (int i = 0; i < EACH; i++)
		for (int k = 0; k < EACH; k++)
			for (size_t side = 0; side < r->who[i]->in_ch; side++)
				if (i == k)
					assert_true(heard_on(r->who[i], side, hz_of[k]) < 0.003);
				else
					assert_near(tone_db(heard_on(r->who[i], side, hz_of[k]) / 0.2),
						    0, off);
}

static void test_every_codec_hears_every_other(void **state)
{
	struct room_audio_counts c;
	struct rig *r;

	(void)state;
	role_assert_ctl();
	for (int channels = 1; channels <= 2; channels++) {
		r = one_of_each(channels);
		rig_ticks(r, 100);
		assert_all_hear_all(r, 1.0);
		for (int i = 0; i < EACH; i++) {
			assert_int_equal(r->who[i]->own, 1);
			assert_true(r->who[i]->gaps <= 1);
		}
		/* All talk: each has its own encoder, nobody takes a listener mix. */
		c = rig_counts(r);
		assert_int_equal(c.talker_encoders, EACH);
		assert_int_equal(c.listener_encoders, 0);
		rig_close(r);
	}
}

static void test_a_format_is_encoded_while_somebody_takes_it(void **state)
{
	struct person *first[EACH], *second[EACH];
	struct rig *r;

	(void)state;
	role_assert_ctl();
	r = rig_open_channels(2);
	person_add(r, 500, false);
	for (int i = 0; i < EACH; i++) {
		first[i] = person_add_format(r, 0, true, format_of[i]);
		second[i] = person_add_format(r, 0, false, format_of[i]);
		first[i]->away = second[i]->away = true;
	}
	for (int i = 0; i < EACH; i++) {
		first[i]->away = second[i]->away = false;
		rig_route(r);
		rig_ticks(r, 50);
		assert_int_equal(rig_counts(r).listener_encoders, i + 1);
		assert_int_equal(r->shared, i + 1);
		for (int k = 0; k <= i; k++) {
			assert_int_equal(first[k]->shared, 1);
			assert_int_equal(second[k]->shared, 1);
			assert_near(heard(first[k], 500), 0.2, 0.02);
		}
	}
	for (int i = 0; i < EACH; i++) {
		first[i]->away = true;
		rig_route(r);
		rig_tick(r);
		assert_int_equal(rig_counts(r).listener_encoders, EACH - i);
		second[i]->away = true;
		rig_route(r);
		rig_tick(r);
		assert_int_equal(rig_counts(r).listener_encoders, EACH - i - 1);
	}
	assert_int_equal(rig_counts(r).talker_encoders, 1);
	rig_close(r);
}

static void test_left_stays_left(void **state)
{
	struct person *left, *right, *stereo, *mono, *phone;
	struct rig *r;

	(void)state;
	role_assert_ctl();
	r = rig_open_channels(2);
	left = person_add_format(r, 400, true, AUDIO_FORMAT_OPUS_STEREO);
	left->sides = 1;
	right = person_add_format(r, 1100, true, AUDIO_FORMAT_OPUS_STEREO);
	right->sides = 2;
	stereo = person_add_format(r, 0, true, AUDIO_FORMAT_OPUS_STEREO);
	mono = person_add_format(r, 0, true, AUDIO_FORMAT_OPUS);
	phone = person_add_format(r, 1600, true, AUDIO_FORMAT_PCMA);
	rig_route(r);
	rig_ticks(r, 100);
	assert_near(heard_on(stereo, 0, 400), 0.2, 0.02);
	assert_true(heard_on(stereo, 1, 400) < 0.006);
	assert_near(heard_on(stereo, 1, 1100), 0.2, 0.02);
	assert_true(heard_on(stereo, 0, 1100) < 0.006);
	/* The others of a stereo room hear the middle of it, and are in the middle. */
	assert_near(heard(mono, 400), 0.1, 0.01);
	assert_near(heard(mono, 1100), 0.1, 0.01);
	assert_near(heard(phone, 400), 0.1, 0.01);
	assert_near(heard_on(stereo, 0, 1600), 0.2, 0.02);
	assert_near(heard_on(stereo, 1, 1600), 0.2, 0.02);
	/* N-1 is stereo too. */
	assert_true(heard_on(left, 0, 400) < 0.003 && heard_on(left, 1, 400) < 0.003);
	assert_near(heard_on(left, 1, 1100), 0.2, 0.02);
	assert_true(heard_on(left, 0, 1100) < 0.006);
	assert_near(heard_on(right, 0, 400), 0.2, 0.02);
	rig_close(r);
}

/* Talking on while another codec is agreed on: the own encoder changes with it. */
static void test_another_codec_is_negotiated(void **state)
{
	struct person *a, *b;
	struct rig *r;

	(void)state;
	role_assert_ctl();
	r = rig_open();
	a = person_add(r, 400, true);
	b = person_add(r, 700, true);
	rig_route(r);
	rig_ticks(r, 50);
	assert_near(heard(a, 700), 0.2, 0.02);
	adec_free(&a->dec);
	assert_int_equal(adec_new(&a->dec, CODEC_G722, 1), 0);
	a->format = AUDIO_FORMAT_G722;
	a->batch_index = 0;
	rig_route(r);
	rig_ticks(r, 50);
	assert_near(heard(a, 700), 0.2, 0.02);
	assert_true(heard(a, 400) < 0.003);
	assert_near(heard(b, 400), 0.2, 0.02);
	assert_int_equal(rig_counts(r).talker_encoders, 2);
	rig_close(r);
}

/* The sender changes its codec in the middle of a word (RFC 3264, 5.1). */
static void test_the_sender_changes_its_codec(void **state)
{
	static const enum codec next[] = { CODEC_PCMU, CODEC_G722, CODEC_OPUS, CODEC_PCMA };
	struct person *a, *b;
	struct rig *r;

	(void)state;
	role_assert_ctl();
	r = rig_open();
	a = person_add(r, 600, false);
	b = person_add(r, 0, true);
	rig_route(r);
	rig_ticks(r, 50);
	for (size_t i = 0; i < sizeof next / sizeof next[0]; i++) {
		struct aenc_cfg cfg = { .format = next[i], .bitrate_bps = 64000 };
		struct audio_leg_stats s;

		aenc_free(&a->enc);
		assert_int_equal(aenc_new(&a->enc, &cfg), 0);
		a->speaks = next[i];
		rig_ticks(r, 50);
		assert_near(heard(b, 600), 0.2, 0.02);
		audio_leg_get_stats(a->leg, &s);
		assert_int_equal(s.lost, 0);
		assert_true(s.delay_ms < 60);
	}
	rig_close(r);
}

static void test_time_stamps_are_in_the_codecs_clock(void **state)
{
	uint32_t before[EACH];
	struct rig *r;

	(void)state;
	role_assert_ctl();
	r = one_of_each(2);
	rig_ticks(r, 10);
	for (int i = 0; i < EACH; i++)
		before[i] = r->who[i]->batch_ts;
	rig_ticks(r, 50);
	for (int i = 0; i < EACH; i++)
		assert_int_equal(r->who[i]->batch_ts - before[i], i < PCMU ? 48000 : 8000);
	rig_close(r);
}

static void test_what_a_receiver_gets(void **state)
{
	static const struct {
		struct leg_tx_format f;
		int channels;
		enum audio_format want;
	} rows[] = {
		{ { .codec = CODEC_OPUS, .channels = 1 }, 1, AUDIO_FORMAT_OPUS },
		{ { .codec = CODEC_OPUS, .channels = 2 }, 1, AUDIO_FORMAT_OPUS },
		{ { .codec = CODEC_OPUS, .channels = 1 }, 2, AUDIO_FORMAT_OPUS },
		{ { .codec = CODEC_OPUS, .channels = 2 }, 2, AUDIO_FORMAT_OPUS_STEREO },
		{ { .codec = CODEC_OPUS }, 2, AUDIO_FORMAT_OPUS },
		{ { .codec = CODEC_PCMU, .channels = 1 }, 2, AUDIO_FORMAT_PCMU },
		{ { .codec = CODEC_PCMA, .channels = 2 }, 2, AUDIO_FORMAT_PCMA },
		{ { .codec = CODEC_G722 }, 1, AUDIO_FORMAT_G722 },
		{ { .codec = CODEC_NONE }, 1, AUDIO_FORMAT_NONE },
		{ { .codec = CODEC_AAC }, 1, AUDIO_FORMAT_NONE },
		{ { .codec = CODEC_H264 }, 1, AUDIO_FORMAT_NONE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_int_equal(audio_format_of(&rows[i].f, rows[i].channels), rows[i].want);
	assert_int_equal(audio_format_group(7, AUDIO_FORMAT_NONE), 0);
	assert_int_not_equal(audio_format_group(7, AUDIO_FORMAT_PCMU),
			     audio_format_group(7, AUDIO_FORMAT_PCMA));
	assert_int_not_equal(audio_format_group(8, AUDIO_FORMAT_PCMU),
			     audio_format_group(7, AUDIO_FORMAT_PCMU));
}

/* Muted, and another stream, in the middle of a word: at whatever rate its sound is. */
static void test_a_telephone_is_cut_off_in_its_speech(void **state)
{
	static const enum audio_format formats[] = { AUDIO_FORMAT_PCMU, AUDIO_FORMAT_G722,
						     AUDIO_FORMAT_G729, AUDIO_FORMAT_OPUS };

	(void)state;
	role_assert_ctl();
	for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
		struct rig *r = rig_open();
		struct person *a = person_add_format(r, 500, true, formats[i]);
		struct person *b = person_add_format(r, 1100, true, AUDIO_FORMAT_OPUS);

		rig_route(r);
		rig_ticks(r, 50);
		assert_near(tone_db(heard(b, 500) / 0.2), 0, 1.5);
		a->muted = true;
		rig_route(r);
		rig_ticks(r, 20);
		assert_true(heard(b, 500) < 0.003);
		assert_near(tone_db(heard(a, 1100) / 0.2), 0, 1.5);
		a->muted = false;
		rig_route(r);
		rig_ticks(r, 50);
		assert_near(tone_db(heard(b, 500) / 0.2), 0, 1.5);
		for (int k = 0; k < 5; k++) { /* as after a transfer, again and again */
			a->ssrc += 1000;
			rig_ticks(r, 7 + k);
			assert_true(heard(a, 500) < 0.01);
		}
		rig_ticks(r, 50);
		assert_near(tone_db(heard(b, 500) / 0.2), 0, 1.5);
		assert_near(tone_db(heard(a, 1100) / 0.2), 0, 1.5);
		rig_close(r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_codec_hears_every_other),
		cmocka_unit_test(test_a_format_is_encoded_while_somebody_takes_it),
		cmocka_unit_test(test_left_stays_left),
		cmocka_unit_test(test_another_codec_is_negotiated),
		cmocka_unit_test(test_the_sender_changes_its_codec),
		cmocka_unit_test(test_time_stamps_are_in_the_codecs_clock),
		cmocka_unit_test(test_what_a_receiver_gets),
		cmocka_unit_test(test_a_telephone_is_cut_off_in_its_speech),
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
