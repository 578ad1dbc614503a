/* Announcements to one leg of a room, chimes to all, and how loud a room is to a leg. */
#include "mcu/room/audio_ear.h"
#include "mcu/room/room_ears.h"
#include "tests/mcu/room/room_audio_rig.h"

enum { PROMPT_TONE = 1500, TALK_TONE = 500, TALK2_TONE = 700 };

static struct { unsigned n; uint32_t id; bool stopped; } over;

static void on_over(void *obj, void *arg)
{
	(void)obj;
	over.n++;
	over.id = (uint32_t)((uintptr_t)arg >> 1);
	over.stopped = (uintptr_t)arg & 1;
}

/* Of a tone, half as loud as may be. */
static struct prompt *tone_of(size_t ticks, double hz)
{
	size_t n = ticks * TICK;
	struct prompt *p = malloc(sizeof *p + n * sizeof p->pcm[0]);

	assert_non_null(p);
	p->n = n;
	for (size_t i = 0; i < n; i++)
		p->pcm[i] = (int16_t)(16384 * sin(2 * M_PI * hz * (double)i / 48000));
	return p;
}

static void change(struct rig *r, struct person *p, struct ear_change c) ON_THREAD(ROLE_CTL)
{
	c.leg = p->leg;
	if (!audio_leg_ear(p->leg))
		assert_int_equal(audio_ear_new(&c.ear), 0);
	audio_leg_set_prompt_over(p->leg, on_over, p);
	assert_int_equal(room_audio_change_ear(r->room, &c), 0);
	mbox_run(r->worker);
}

static struct ear_change play(uint32_t id, const struct prompt *s)
{
	return (struct ear_change){ .add = { .id = id, .n = 1, .part = { s } } };
}

/* One who talks, the one it is said to, another. */
static struct rig *three(double hz, bool sends) ON_THREAD(ROLE_CTL)
{
	struct rig *r = rig_open();

	over.n = 0;
	person_add(r, TALK_TONE, true);
	person_add(r, hz, true);
	person_add(r, 0, true);
	r->who[1]->sends = sends;
	rig_route(r);
	rig_ticks(r, 50);
	return r;
}

static void nobody_missed_a_tick(const struct rig *r, uint64_t before)
{
	uint64_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		n += r->who[i]->gaps;
	assert_int_equal(n, before);
}

/* Whoever it is said to hears it above the others, who hear nothing of it. */
static void only_one_hears(double hz, bool sends)
{
	struct prompt *s = tone_of(40, PROMPT_TONE);
	struct rig *r;

	role_assert_ctl();
	role_assert_mixa();
	r = three(hz, sends);
	assert_near(heard(r->who[1], TALK_TONE), 0.2, 0.03);
	change(r, r->who[1], play(5, s));
	rig_ticks(r, 20);
	assert_near(heard(r->who[1], PROMPT_TONE), 0.5, 0.06);
	assert_near(heard(r->who[1], TALK_TONE), 0.2 * (double)PROMPT_ROOM_GAIN, 0.01);
	assert_int_equal(r->who[1]->own, 1);
	assert_int_equal(r->who[2]->shared, 1);
	for (int i = 0; i < 3; i += 2)
		assert_true(heard(r->who[i], PROMPT_TONE) < 0.002);
	assert_near(heard(r->who[2], TALK_TONE), 0.2, 0.03);
	assert_int_equal(over.n, 0);
	rig_ticks(r, 50);
	assert_int_equal(over.n, 1);
	assert_int_equal(over.id, 5);
	assert_false(over.stopped);
	assert_near(heard(r->who[1], TALK_TONE), 0.2, 0.03);
	assert_true(heard(r->who[1], PROMPT_TONE) < 0.01);
	for (int i = 0; i < 3; i += 2)
		assert_true(heard(r->who[i], PROMPT_TONE) < 0.002);
	rig_ticks(r, 120);
	assert_int_equal(over.n, 1);
	if (hz <= 0) {
		/* It is one of all again, and its encoder is gone. */
		assert_int_equal(r->who[1]->shared, 1);
		assert_int_equal(rig_counts(r).talker_encoders, 1);
	}
	nobody_missed_a_tick(r, 0);
	rig_close(r);
	free(s);
}

static void test_to_a_talker(void **state)
{
	(void)state;
	only_one_hears(TALK2_TONE, true);
}

static void test_to_one_who_could_talk(void **state)
{
	(void)state;
	only_one_hears(0, true);
}

static void test_to_one_who_only_listens(void **state)
{
	(void)state;
	only_one_hears(0, false);
}

/* The talker itself does not come back to it in what it is told. */
static void test_a_talker_does_not_hear_itself(void **state)
{
	struct prompt *s = tone_of(40, PROMPT_TONE);
	struct rig *r;

	(void)state;
	role_assert_ctl();
	role_assert_mixa();
	r = three(TALK2_TONE, true);
	change(r, r->who[0], play(1, s));
	rig_ticks(r, 20);
	assert_near(heard(r->who[0], PROMPT_TONE), 0.5, 0.06);
	assert_true(heard(r->who[0], TALK_TONE) < 0.002);
	rig_close(r);
	free(s);
}

static void test_loop_and_stop(void **state)
{
	struct prompt *s = tone_of(30, PROMPT_TONE);
	struct ear_change loop = play(9, s);
	struct rig *r;

	(void)state;
	role_assert_ctl();
	role_assert_mixa();
	r = three(0, true);
	loop.add.loop = loop.add.until_digit = true;
	change(r, r->who[1], loop);
	rig_ticks(r, 200);
	assert_near(heard(r->who[1], PROMPT_TONE), 0.5, 0.06);
	assert_int_equal(over.n, 0);
	change(r, r->who[1], (struct ear_change){ .stop_until_digit = true });
	rig_ticks(r, 30);
	assert_int_equal(over.n, 1);
	assert_true(over.stopped);
	assert_true(heard(r->who[1], PROMPT_TONE) < 0.01);
	rig_ticks(r, 200);
	assert_int_equal(over.n, 1);
	rig_close(r);
	free(s);
}

/* What is said to somebody who is not connected waits, and can be stopped meanwhile. */
static void test_waits_for_the_connection(void **state)
{
	struct prompt *s = tone_of(10, PROMPT_TONE);
	struct rig *r;

	(void)state;
	role_assert_ctl();
	role_assert_mixa();
	r = three(0, true);
	r->who[1]->hears = false;
	rig_route(r);
	change(r, r->who[1], play(1, s));
	change(r, r->who[1], play(2, s));
	rig_ticks(r, 100);
	assert_int_equal(over.n, 0);
	change(r, r->who[1], (struct ear_change){ .stop = true, .add = play(3, s).add });
	rig_ticks(r, 1);
	assert_int_equal(over.n, 2);
	assert_int_equal(over.id, 2);
	assert_true(over.stopped);
	r->who[1]->hears = true;
	rig_route(r);
	rig_ticks(r, 8);
	assert_true(tone_amplitude(r->who[1]->heard + 5 * TICK, 5 * TICK, 1, PROMPT_TONE) > 0.3);
	rig_ticks(r, 5);
	assert_int_equal(over.n, 3);
	assert_false(over.stopped);
	rig_close(r);
	free(s);
}

/* It leaves in the middle: nothing is left of it. */
static void test_leaving_in_the_middle(void **state)
{
	struct prompt *s = tone_of(100, PROMPT_TONE);
	struct rig *r;

	(void)state;
	role_assert_ctl();
	role_assert_mixa();
	r = three(0, false);
	change(r, r->who[1], play(1, s));
	rig_ticks(r, 20);
	assert_int_equal(rig_counts(r).talker_encoders, 2);
	r->who[1]->away = true;
	rig_route(r);
	rig_ticks(r, 20);
	assert_int_equal(rig_counts(r).talker_encoders, 1);
	assert_int_equal(over.n, 0);
	rig_close(r);
	free(s);
}

static void test_chime_is_for_all(void **state)
{
	struct prompt *s = tone_of(15, PROMPT_TONE);
	struct rig *r;

	(void)state;
	role_assert_ctl();
	r = three(TALK2_TONE, true);
	room_audio_chime(r->room, s);
	room_audio_chime(r->room, s); /* one at a time */
	mbox_run(r->worker);
	rig_ticks(r, 12);
	for (int i = 0; i < 3; i++)
		assert_near(heard(r->who[i], PROMPT_TONE), 0.5, 0.06);
	assert_true(heard(r->who[0], TALK_TONE) < 0.002);
	assert_near(heard(r->who[2], TALK_TONE), 0.2, 0.03);
	rig_ticks(r, 30);
	for (int i = 0; i < 3; i++)
		assert_true(heard(r->who[i], PROMPT_TONE) < 0.01);
	nobody_missed_a_tick(r, 0);
	rig_close(r);
	free(s);
}

/* How loud the others are is each one's own affair. */
static void test_volume_of_the_room(void **state)
{
	struct rig *r;

	(void)state;
	role_assert_ctl();
	role_assert_mixa();
	r = three(0, false);
	change(r, r->who[1], (struct ear_change){ .volume_db = -12 });
	rig_ticks(r, 30);
	assert_near(heard(r->who[1], TALK_TONE), 0.05, 0.01);
	assert_near(heard(r->who[2], TALK_TONE), 0.2, 0.03);
	change(r, r->who[1], (struct ear_change){ .volume_db = 6 });
	rig_ticks(r, 30);
	assert_near(heard(r->who[1], TALK_TONE), 0.4, 0.05);
	assert_int_equal(rig_counts(r).talker_encoders, 2);
	change(r, r->who[1], (struct ear_change){ .volume_db = 0 });
	rig_ticks(r, 30);
	assert_near(heard(r->who[1], TALK_TONE), 0.2, 0.03);
	assert_int_equal(rig_counts(r).talker_encoders, 1);
	nobody_missed_a_tick(r, 0);
	rig_close(r);
}

static char digits[16];

static void on_digit(void *obj, void *arg)
{
	char c = (char)(uintptr_t)arg;

	(void)obj;
	strncat(digits, &c, 1);
}

/* Digits as tones: told, and heard by nobody, also of one who is muted. */
static void test_tones_are_digits(void **state)
{
	struct person *a, *b;
	struct rig *r = rig_open();

	(void)state;
	role_assert_ctl();
	digits[0] = 0;
	a = person_add_format(r, 300, true, AUDIO_FORMAT_PCMU);
	b = person_add(r, 0, true);
	a->tones = true;
	audio_leg_set_digit(a->leg, on_digit, a);
	rig_route(r);
	rig_ticks(r, 50);
	assert_near(heard(b, 300), 0.2, 0.03);
	a->hz = 770;
	a->hz2 = 1336;
	for (int i = 0; i < 50; i++) {
		rig_tick(r);
		/* What came before is there at first. */
		if (i >= 15)
			assert_true(heard(b, 770) < 0.001 && heard(b, 1336) < 0.001);
	}
	assert_string_equal(digits, "5");
	a->hz = 300;
	a->hz2 = 0;
	rig_ticks(r, 50);
	assert_near(heard(b, 300), 0.2, 0.03);
	a->muted = true;
	rig_route(r);
	a->hz = 941;
	a->hz2 = 1477;
	rig_ticks(r, 20);
	a->hz = 300;
	a->hz2 = 0;
	rig_ticks(r, 20);
	assert_string_equal(digits, "5#");
	assert_true(heard(b, 300) < 0.001);
	rig_close(r);
}

/* More than can have a mix of their own: the rest wait, and everybody hears the room. */
static void test_many_at_once(void **state)
{
	struct prompt *s = tone_of(10, PROMPT_TONE);
	struct rig *r = rig_open();

	(void)state;
	role_assert_ctl();
	role_assert_mixa();
	over.n = 0;
	person_add(r, TALK_TONE, true);
	for (int i = 0; i < 100; i++)
		person_add(r, 0, false);
	rig_route(r);
	rig_ticks(r, 20);
	for (size_t i = 1; i < r->n; i++) {
		change(r, r->who[i], play((uint32_t)i, s));
		mbox_run(r->ctl);
	}
	rig_ticks(r, 150);
	assert_int_equal(over.n, 100);
	nobody_missed_a_tick(r, 0);
	assert_int_equal(rig_counts(r).talker_encoders, 1);
	rig_close(r);
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_to_a_talker),
		cmocka_unit_test(test_to_one_who_could_talk),
		cmocka_unit_test(test_to_one_who_only_listens),
		cmocka_unit_test(test_a_talker_does_not_hear_itself),
		cmocka_unit_test(test_loop_and_stop),
		cmocka_unit_test(test_waits_for_the_connection),
		cmocka_unit_test(test_leaving_in_the_middle),
		cmocka_unit_test(test_chime_is_for_all),
		cmocka_unit_test(test_volume_of_the_room),
		cmocka_unit_test(test_tones_are_digits),
		cmocka_unit_test(test_many_at_once),
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
