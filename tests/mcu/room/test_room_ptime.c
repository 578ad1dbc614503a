/* Packets of other lengths than a tick: who hears whom, that nobody hears itself, that
 * time goes on evenly, and that rests are told. */
#include "tests/mcu/room/room_audio_rig.h"
#include "tests/support/alloc_count.h"

static const unsigned ptimes[] = { 10, 20, 30, 40, 60 };
enum { N_PTIMES = sizeof ptimes / sizeof ptimes[0] };

/* The packets of every length, of all ticks: none overlaps, none is missing. */
static void test_what_is_due_covers_all_time(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_PTIMES; i++) {
		enum audio_format f = audio_format_make(AUDIO_FORMAT_PCMU, ptimes[i], false);
		uint64_t end_ms = 0;
		uint32_t index = 0;

		assert_int_equal(audio_format_ptime_ms(f), ptimes[i]);
		for (uint64_t tick = 0; tick < 60; tick++) {
			struct audio_due due[AUDIO_FORMAT_DUE];
			size_t n = audio_format_due(f, tick, due);

			for (size_t k = 0; k < n; k++) {
				assert_int_equal(due[k].index, index++);
				assert_int_equal((tick - due[k].ticks_ago) * 20 + due[k].offset_ms,
						 end_ms);
				assert_in_range(due[k].ticks_ago, 0, AUDIO_FORMAT_CYCLE - 1);
				end_ms += ptimes[i];
			}
			assert_true(end_ms <= (tick + 1) * 20 && end_ms + ptimes[i] > (tick + 1) * 20);
			assert_in_range(audio_format_warm_ticks(f, tick), 1, AUDIO_FORMAT_CYCLE);
		}
	}
}

static void test_what_a_receiver_wants(void **state)
{
	static const struct {
		struct leg_tx_format f;
		enum audio_format base;
		unsigned ptime;
		bool option;
	} rows[] = {
		{ { .codec = CODEC_PCMU, .ptime_ms = 0 }, AUDIO_FORMAT_PCMU, 20, false },
		{ { .codec = CODEC_PCMU, .ptime_ms = 5 }, AUDIO_FORMAT_PCMU, 10, false },
		{ { .codec = CODEC_PCMA, .ptime_ms = 30 }, AUDIO_FORMAT_PCMA, 30, false },
		{ { .codec = CODEC_PCMA, .ptime_ms = 59 }, AUDIO_FORMAT_PCMA, 40, false },
		{ { .codec = CODEC_G722, .ptime_ms = 200 }, AUDIO_FORMAT_G722, 60, false },
		{ { .codec = CODEC_G722, .cn_pt = 13 }, AUDIO_FORMAT_G722, 20, true },
		{ { .codec = CODEC_G729, .annex_b = true }, AUDIO_FORMAT_G729, 20, true },
		{ { .codec = CODEC_G729, .ptime_ms = 25 }, AUDIO_FORMAT_G729, 20, false },
		{ { .codec = CODEC_OPUS, .ptime_ms = 30 }, AUDIO_FORMAT_OPUS, 20, false },
		{ { .codec = CODEC_OPUS, .ptime_ms = 60, .cbr = true }, AUDIO_FORMAT_OPUS, 60, true },
		{ { .codec = CODEC_OPUS, .max_hz = 8000 }, AUDIO_FORMAT_OPUS_NARROW, 20, false },
		{ { .codec = CODEC_OPUS, .max_hz = 16000 }, AUDIO_FORMAT_OPUS_WIDE, 20, false },
		{ { .codec = CODEC_OPUS, .max_hz = 24000, .channels = 2 },
		  AUDIO_FORMAT_OPUS_STEREO, 20, false },
		{ { .codec = CODEC_OPUS, .max_bps = 24000, .channels = 2 },
		  AUDIO_FORMAT_OPUS_WIDE, 20, false },
		{ { .codec = CODEC_OPUS, .max_bps = 6000 }, AUDIO_FORMAT_OPUS_NARROW, 20, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		enum audio_format f = audio_format_of(&rows[i].f, 2);

		assert_int_equal(audio_format_base(f), rows[i].base);
		assert_int_equal(audio_format_ptime_ms(f), rows[i].ptime);
		assert_int_equal(audio_format_option(f), rows[i].option);
		assert_int_equal(audio_format_codec(f), rows[i].f.codec);
		assert_true(f < AUDIO_FORMAT_N);
	}
}

/* Three of every length talk, and one of each listens. */
static void check_length(enum audio_format base, unsigned ptime) ON_THREAD(ROLE_CTL)
{
	enum audio_format f = audio_format_make(base, ptime, false);
	struct rig *r = rig_open();
	struct person *a = person_add_format(r, 400, true, f);
	struct person *b = person_add_format(r, 1100, true, f);
	struct person *c = person_add_format(r, 0, true, f), *d;
	/* At few bits two tones are not pure. */
	double off_db = base == AUDIO_FORMAT_G729 || base == AUDIO_FORMAT_OPUS_WIDE ||
				base == AUDIO_FORMAT_OPUS_NARROW ? 7 : 1.5;
	uint32_t ts;
	int64_t ns;

	rig_route(r);
	rig_ticks(r, 61);
	assert_near(tone_db(heard(a, 1100) / 0.2), 0, off_db);
	assert_near(tone_db(heard(b, 400) / 0.2), 0, off_db);
	assert_near(tone_db(heard(c, 400) / 0.2), 0, off_db);
	assert_near(tone_db(heard(c, 1100) / 0.2), 0, off_db);
	assert_true(heard(a, 400) < (off_db > 2 ? 0.02 : 0.003));
	assert_int_equal(rig_counts(r).talker_encoders, 2);
	assert_int_equal(rig_counts(r).listener_encoders, 1);
	/* Somebody else of the same length shares what c gets. */
	d = person_add_format(r, 0, false, f);
	rig_route(r);
	ts = c->batch_ts;
	ns = c->batch_ns;
	rig_ticks(r, 60);
	assert_int_equal(rig_counts(r).listener_encoders, 1);
	assert_int_equal(c->batch_ts - ts, codec_clock_hz(audio_format_codec(f)) * 6 / 5);
	assert_int_equal(c->batch_ns - ns, 1200 * NS_PER_MS);
	assert_int_equal(d->packets, 1200 / audio_format_ptime_ms(f));
	assert_int_equal(c->gaps, 0);
	assert_int_equal(d->gaps, 0);
	assert_true(a->gaps <= 1 && b->gaps <= 1);
	rig_close(r);
}

static void test_all_lengths_of_all_codecs(void **state)
{
	(void)state;
	role_assert_ctl();
	for (size_t i = 0; i < N_PTIMES; i++)
		for (enum audio_format base = AUDIO_FORMAT_OPUS; base < AUDIO_FORMAT_BASES; base++)
			if (base != AUDIO_FORMAT_OPUS_STEREO)
				check_length(base, ptimes[i]);
}

/* A talker begins and ends in the middle of a packet: it never hears itself, and
 * misses nothing of the others. */
static void test_talking_begins_within_a_packet(void **state)
{
	(void)state;
	role_assert_ctl();
	for (int late = 0; late < 3; late++) {
		enum audio_format f = audio_format_make(AUDIO_FORMAT_PCMU, 60, false);
		struct rig *r = rig_open();
		struct person *a = person_add_format(r, 400, true, f);
		struct person *b = person_add_format(r, 1100, true, f);

		a->hz = 0;
		rig_route(r);
		rig_ticks(r, 60 + late);
		for (int k = 0; k < 2; k++) {
			a->hz = k ? 0 : 400;
			for (int i = 0; i < 140; i++) {
				rig_tick(r);
				assert_true(heard(a, 400) < 0.006);
				assert_near(heard(a, 1100), 0.2, 0.02);
			}
			assert_true(k ? a->shared || !a->own : !a->shared);
		}
		assert_int_equal(rig_counts(r).talker_encoders, 1);
		assert_int_equal(a->gaps, 0);
		assert_int_equal(b->gaps, 0);
		rig_close(r);
	}
}

/* Silence costs nothing where the receiver knows of rests; others get it in full. */
static void test_rests_are_told(void **state)
{
	static const struct {
		enum audio_format base;
		unsigned ptime;
		bool option;
		unsigned packets, comforts, octets; /* of 80 ticks of silence */
	} rows[] = {
		{ AUDIO_FORMAT_PCMU, 20, true, 10 + 1 + 3, 4, 1 },
		{ AUDIO_FORMAT_PCMU, 20, false, 80, 0, 160 },
		{ AUDIO_FORMAT_G722, 10, true, 20 + 1 + 3, 4, 1 },
		{ AUDIO_FORMAT_PCMA, 60, true, 3 + 1 + 3, 4, 1 },
		{ AUDIO_FORMAT_G729, 20, true, 10 + 1 + 3, 0, 2 },
		{ AUDIO_FORMAT_G729, 30, false, 53, 0, 30 },
		{ AUDIO_FORMAT_OPUS, 40, false, 5 + 3, 0, 0 },
	};

	(void)state;
	role_assert_ctl();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct rig *r = rig_open();
		struct person *a, *b;
		uint32_t ts;

		r->e.cfg.dtx = true;
		a = person_add(r, 400, false);
		b = person_add_format(r, 0, false,
				      audio_format_make(rows[i].base, rows[i].ptime,
							rows[i].option));
		rig_route(r);
		rig_ticks(r, 30);
		assert_int_equal(b->packets, 30 * 20 / rows[i].ptime);
		a->away = true;
		rig_route(r);
		b->packets = b->batch_index = 0;
		ts = b->batch_ts;
		rig_ticks(r, 80);
		/* the end of a sound of another band is heard a tick later */
		assert_in_range(b->packets, rows[i].packets - 1,
				rows[i].packets + 1 + 20 / rows[i].ptime);
		assert_in_range(b->comforts, rows[i].comforts ? rows[i].comforts - 1 : 0,
				rows[i].comforts);
		if (rows[i].octets)
			assert_int_equal(b->batch_len, rows[i].octets);
		/* Whatever was left out, time went on. */
		a->away = false;
		rig_route(r);
		rig_ticks(r, 10);
		assert_in_range(b->batch_ts - ts,
				codec_clock_hz(audio_format_codec(b->format)) / 1000 * (1800 - 60),
				codec_clock_hz(audio_format_codec(b->format)) / 1000 * 1800);
		rig_close(r);
	}
}

/* Talkers and listeners of every codec and length: nothing is allocated per tick. */
static void test_steady_state_allocates_nothing(void **state)
{
	struct rig *r;
	size_t before;

	(void)state;
	role_assert_ctl();
	r = rig_open();
	r->e.cfg.dtx = true;
	person_add(r, 400, false);
	for (size_t i = 0; i < N_PTIMES; i++)
		for (enum audio_format base = AUDIO_FORMAT_OPUS; base < AUDIO_FORMAT_BASES; base++)
			if (base != AUDIO_FORMAT_OPUS_STEREO)
				person_add_format(r, i == 2 ? 500 + 150 * base : 0, false,
						  audio_format_make(base, ptimes[i], i % 2));
	rig_route(r);
	rig_ticks(r, 120);
	before = allocations;
	assert_true(before > 0);
	rig_ticks(r, 120);
	assert_int_equal(allocations - before, 0);
	rig_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_due_covers_all_time),
		cmocka_unit_test(test_what_a_receiver_wants),
		cmocka_unit_test(test_all_lengths_of_all_codecs),
		cmocka_unit_test(test_talking_begins_within_a_packet),
		cmocka_unit_test(test_rests_are_told),
		cmocka_unit_test(test_steady_state_allocates_nothing),
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
