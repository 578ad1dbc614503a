#include <errno.h>

#include "tests/mcu/room/room_audio_rig.h"
#include "tests/support/alloc_count.h"

static const double hz_of[] = { 400, 700, 1100 };
enum { TALKERS = 3, LISTENERS = 2 };

static struct rig *three_talk(void) ON_THREAD(ROLE_CTL)
{
	struct rig *r = rig_open();

	for (int i = 0; i < TALKERS; i++)
		person_add(r, hz_of[i], true);
	for (int i = 0; i < LISTENERS; i++)
		person_add(r, 0, true);
	rig_route(r);
	return r;
}

static void test_everybody_hears_the_others(void **state)
{
	struct rig *r;

	(void)state;
	role_assert_ctl();
	r = three_talk();
	rig_ticks(r, 100);
	for (int i = 0; i < TALKERS + LISTENERS; i++)
		for (int k = 0; k < TALKERS; k++)
			if (i == k)
				assert_true(heard(r->who[i], hz_of[k]) < 0.002);
			else
				assert_near(heard(r->who[i], hz_of[k]), 0.2, 0.03);
	rig_close(r);
}

static void test_listeners_share_one_packet(void **state)
{
	struct room_audio_counts c;
	struct rig *r;

	(void)state;
	role_assert_ctl();
	r = three_talk();
	rig_ticks(r, 20);
	for (int t = 0; t < 50; t++) {
		rig_tick(r);
		assert_int_equal(r->shared, 1);
		for (int i = 0; i < TALKERS; i++)
			assert_int_equal(r->who[i]->own, 1);
		for (int i = TALKERS; i < TALKERS + LISTENERS; i++)
			assert_int_equal(r->who[i]->shared, 1);
	}
	c = rig_counts(r);
	assert_int_equal(c.listener_mixes, 1);
	assert_int_equal(c.listener_encoders, 1);
	assert_int_equal(c.talker_encoders, TALKERS);
	rig_close(r);
}

/* Two seconds after its last word a talker is a listener again. */
static void test_own_encoder_is_held(void **state)
{
	struct person *a;
	struct rig *r;
	int64_t last = 0;

	(void)state;
	role_assert_ctl();
	role_assert_mixa();
	r = rig_open();
	a = person_add(r, 500, true);
	person_add(r, 0, false);
	rig_route(r);
	rig_ticks(r, 50);
	assert_int_equal(a->own, 1);
	a->hz = 0;
	for (int t = 0; t < 200 && a->own; t++) {
		rig_tick(r);
		if (audio_leg_active(a->leg))
			last = r->tick;
	}
	assert_int_equal(a->shared, 1);
	assert_in_range(r->tick - last, 100, 101); /* the last tick was a fading one */
	assert_int_equal(rig_counts(r).talker_encoders, 0);
	/* Without a gap, all the while. */
	assert_int_equal(a->gaps, 0);
	rig_close(r);
}

static void test_muted_vanishes_within_two_ticks(void **state)
{
	struct person *a, *b;
	struct rig *r;

	(void)state;
	role_assert_ctl();
	r = rig_open();
	a = person_add(r, 500, true);
	b = person_add(r, 0, true);
	rig_route(r);
	rig_ticks(r, 50);
	assert_near(heard(b, 500), 0.2, 0.03);
	a->muted = true;
	rig_route(r);
	rig_ticks(r, 2);
	/* It may be on the skip list yet, but it is not heard any more: the third
	 * packet holds the codec's delay of the second. */
	rig_tick(r);
	rig_tick(r);
	assert_true(tone_amplitude(b->heard + (HEARD_TICKS - 1) * TICK, TICK, 1, 500) < 0.002);
	a->muted = false;
	rig_route(r);
	rig_ticks(r, 50);
	assert_near(heard(b, 500), 0.2, 0.03);
	rig_close(r);
}

static void test_speaker_is_told_and_forgotten(void **state)
{
	struct person *a;
	struct rig *r;

	(void)state;
	role_assert_ctl();
	r = rig_open();
	a = person_add(r, 500, false);
	person_add(r, 0, false);
	rig_route(r);
	rig_ticks(r, 100);
	assert_int_equal(r->speakers, 1);
	assert_int_equal(r->speaker, a->id);
	a->away = true;
	rig_route(r);
	rig_ticks(r, 2);
	assert_int_equal(r->speakers, 2);
	assert_int_equal(r->speaker, 0);
	rig_close(r);
}

static void test_no_encoder_without_a_receiver(void **state)
{
	struct person *a, *b;
	struct rig *r;

	(void)state;
	role_assert_ctl();
	r = rig_open();
	a = person_add(r, 500, false);
	b = person_add(r, 0, false);
	rig_route(r);
	rig_ticks(r, 50);
	assert_int_equal(rig_counts(r).talker_encoders, 1);
	assert_int_equal(rig_counts(r).listener_encoders, 1);
	b->away = true;
	rig_route(r);
	rig_tick(r);
	assert_int_equal(rig_counts(r).listener_encoders, 0);
	a->hears = false; /* it has put its loudspeaker off */
	rig_route(r);
	rig_tick(r);
	assert_int_equal(rig_counts(r).talker_encoders, 0);
	a->away = true;
	b->away = false;
	rig_route(r);
	rig_tick(r);
	assert_int_equal(rig_counts(r).listener_encoders, 1);
	b->away = true;
	rig_route(r);
	rig_tick(r);
	assert_int_equal(rig_counts(r).listener_encoders, 0);
	assert_int_equal(rig_counts(r).listener_mixes, 0);
	rig_close(r);
}

/* Who talks and who talked are more than a packet can leave out. */
static void test_a_crowd_silences_nobody(void **state)
{
	enum { HALF = 140 };
	struct person *quiet;
	struct rig *r;

	(void)state;
	role_assert_ctl();
	r = rig_open();
	for (int i = 0; i < 2 * HALF; i++) {
		person_add(r, 300, false)->hz = i < HALF ? 300 : 0;
	}
	quiet = person_add(r, 0, false);
	rig_route(r);
	rig_ticks(r, 8);
	assert_int_equal(rig_counts(r).talker_encoders, HALF);
	for (int i = 0; i < 2 * HALF; i++)
		r->who[i]->hz = i < HALF ? 0 : 300;
	/* Concealment and hangover of the first half have run out after these. */
	rig_ticks(r, 30);
	assert_int_equal(quiet->gaps, 0);
	assert_true(rig_counts(r).talker_encoders >= HALF);
	assert_true(rig_counts(r).talker_encoders <= RTP_BATCH_SKIP_MAX);
	rig_close(r);
}

/* --- a recording ---------------------------------------------------------------- */

struct tape {
	struct room_sink sink;
	struct sink_link link;
	size_t frames;
	int64_t first_ns, next_ns, worst_ns;
	bool detached, opus;
};

static void tape_video(void *obj, struct buf *au, int64_t pts_ns, bool key)
{
	(void)obj;
	(void)au;
	(void)pts_ns;
	(void)key;
}

static void tape_audio(void *obj, struct buf *frame, int64_t pts_ns)
{
	struct tape *t = obj;
	int64_t off = t->frames ? pts_ns - t->next_ns : 0;

	assert_true(frame->len > 0);
	if (!t->frames++)
		t->first_ns = pts_ns;
	off = off < 0 ? -off : off;
	t->worst_ns = off > t->worst_ns ? off : t->worst_ns;
	t->next_ns = pts_ns + (t->opus ? 960 : 1024) * NS_PER_S / 48000;
}

static void tape_detached(void *obj, void *arg)
{
	(void)arg;
	((struct tape *)obj)->detached = true;
}

static void tape_attach(struct rig *r, struct tape *t, enum room_sink_sound sound) ON_THREAD(ROLE_CTL)
{
	*t = (struct tape){ .sink = { .obj = t, .video = tape_video, .audio = tape_audio,
				      .sound = sound } };
	t->link = (struct sink_link){ .sink = &t->sink, .done = tape_detached, .obj = t };
	room_audio_add_sink(r->room, &t->link);
	mbox_run(r->worker);
}

static void tape_detach(struct rig *r, struct tape *t) ON_THREAD(ROLE_CTL)
{
	room_audio_remove_sink(r->room, &t->link);
	mbox_run(r->worker);
	mbox_run(r->ctl);
	assert_true(t->detached);
}

static void test_recording_follows_the_media_clock(void **state)
{
	struct tape t;
	struct rig *r;
	int64_t end;

	(void)state;
	role_assert_ctl();
	r = rig_open();
	rig_route(r); /* an empty room is recorded too */
	tape_attach(r, &t, ROOM_SINK_AAC);
	rig_ticks(r, 100);
	assert_int_equal(rig_counts(r).listener_encoders, 1);
	r->tick += 30; /* the machine stood still */
	rig_ticks(r, 70);
	end = START_S * NS_PER_S + r->tick * 20 * NS_PER_MS;
	/* Frame follows frame, to the nanosecond's rounding, and none is missing. */
	assert_true(t.worst_ns <= 1);
	assert_true(end - t.next_ns < 70 * NS_PER_MS && t.next_ns <= end);
	tape_detach(r, &t);
	rig_tick(r);
	assert_int_equal(rig_counts(r).listener_encoders, 0);
	rig_close(r);
}

/* Each sound is encoded once, and Opus is what the listeners get. */
static void test_sinks_share_what_is_encoded(void **state)
{
	struct tape aac[2], opus[2];
	struct rig *r;

	(void)state;
	role_assert_ctl();
	r = three_talk();
	rig_ticks(r, 10);
	size_t before = rig_counts(r).listener_encoders;

	for (int i = 0; i < 2; i++) {
		tape_attach(r, &aac[i], ROOM_SINK_AAC);
		tape_attach(r, &opus[i], ROOM_SINK_OPUS);
		opus[i].opus = true;
	}
	rig_ticks(r, 100);
	assert_in_range(rig_counts(r).listener_encoders, before + 1, before + 2);
	for (int i = 0; i < 2; i++) {
		assert_in_range(aac[i].frames, 90, 94);
		assert_int_equal(opus[i].frames, 100);
		assert_true(aac[i].worst_ns <= 1 && opus[i].worst_ns <= 1);
		assert_int_equal(opus[i].first_ns, opus[0].first_ns);
	}
	tape_detach(r, &aac[0]);
	tape_detach(r, &opus[0]);
	rig_ticks(r, 10);
	assert_int_equal(opus[0].frames, 100);
	assert_int_equal(opus[1].frames, 110);
	assert_in_range(aac[1].frames, aac[0].frames + 8, aac[0].frames + 10);
	tape_detach(r, &aac[1]);
	tape_detach(r, &opus[1]);
	rig_tick(r);
	assert_int_equal(rig_counts(r).listener_encoders, before);
	rig_close(r);
}

/* In rests listeners get nothing; what is recorded goes on. */
static void test_opus_for_sinks_has_no_gaps(void **state)
{
	struct tape t;
	struct rig *r;

	(void)state;
	role_assert_ctl();
	r = rig_open();
	rig_route(r);
	tape_attach(r, &t, ROOM_SINK_OPUS);
	t.opus = true;
	rig_ticks(r, 100);
	assert_int_equal(t.frames, 100);
	assert_true(t.worst_ns <= 1);
	/* The sound that was mixed at its beginning, less what the codec holds back. */
	assert_in_range(START_S * NS_PER_S + (r->tick - 100) * 20 * NS_PER_MS - t.first_ns, 1,
			20 * NS_PER_MS);
	tape_detach(r, &t);
	rig_close(r);
}

/* The silence of a long stall comes bit by bit: a tick is short. */
static void test_a_long_stall_is_made_up_for_slowly(void **state)
{
	struct tape t;
	struct rig *r;
	int64_t end;

	(void)state;
	role_assert_ctl();
	r = rig_open();
	rig_route(r);
	tape_attach(r, &t, ROOM_SINK_AAC);
	rig_ticks(r, 100);
	r->tick += 400;
	for (int i = 0; i < 70; i++) {
		size_t had = t.frames;

		rig_tick(r);
		assert_true(t.frames - had <= 9);
	}
	end = START_S * NS_PER_S + r->tick * 20 * NS_PER_MS;
	assert_true(t.worst_ns <= 1);
	assert_true(end - t.next_ns < 70 * NS_PER_MS && t.next_ns <= end);
	tape_detach(r, &t);
	rig_close(r);
}

static void test_steady_state_allocates_nothing(void **state)
{
	struct tape t;
	struct rig *r;
	size_t before;

	(void)state;
	role_assert_ctl();
	r = three_talk();
	rig_ticks(r, 200);
	before = allocations;
	assert_true(before > 0);
	rig_ticks(r, 200);
	assert_int_equal(allocations, before);
	/* libavcodec's AAC encoder has its own mind; once per recorded room. */
	tape_attach(r, &t, ROOM_SINK_AAC);
	rig_ticks(r, 50);
	before = allocations;
	rig_ticks(r, 200);
	print_message("allocations of libavcodec while recording: %.2f per tick\n",
		      (double)(allocations - before) / 200);
	assert_true(allocations - before <= 200 * 8);
	tape_detach(r, &t);
	rig_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everybody_hears_the_others),
		cmocka_unit_test(test_listeners_share_one_packet),
		cmocka_unit_test(test_own_encoder_is_held),
		cmocka_unit_test(test_muted_vanishes_within_two_ticks),
		cmocka_unit_test(test_speaker_is_told_and_forgotten),
		cmocka_unit_test(test_no_encoder_without_a_receiver),
		cmocka_unit_test(test_a_crowd_silences_nobody),
		cmocka_unit_test(test_recording_follows_the_media_clock),
		cmocka_unit_test(test_sinks_share_what_is_encoded),
		cmocka_unit_test(test_opus_for_sinks_has_no_gaps),
		cmocka_unit_test(test_a_long_stall_is_made_up_for_slowly),
		cmocka_unit_test(test_steady_state_allocates_nothing),
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
