/* Those who come later, and large pictures: what goes when, to whom. */
#include "mcu/rtp/keyframe_gate.h"
#include "tests/mcu/room/egress_rig.h"

/* 8 octets per step, two packets; a picture of more than four goes in pieces. */
enum { BPS = 1280, KEY_PACKETS = 12 };

static const int64_t FRAME_NS = NS_PER_S / 30;

static struct video_encode e, f;
static uint32_t next_index;

static int begin(void **state)
{
	int err = set_up(state);

	role_assert_ctl();
	e = (struct video_encode){ .id = 1, .bps = BPS };
	f = (struct video_encode){ .id = 2, .bps = BPS };
	egress_open(the.x, &e);
	egress_open(the.x, &f);
	mbox_run(the.shard);
	next_index = 0;
	the.now_ns = NS_PER_S;
	return err;
}

/* The next picture of e, now. */
static void next(unsigned n, bool key)
{
	struct rtp_batch *b = picture(&e, next_index, n, key);

	b->time_ns = the.now_ns;
	b->ts = (uint32_t)(the.now_ns / 1000 * 9 / 100);
	next_index += n;
	egress_post_video(the.x, b);
	mbox_run(the.shard);
}

/* n of them, one after the other, in their time. */
static void play_on(unsigned n)
{
	while (n--) {
		run_until(the.now_ns + FRAME_NS);
		next(1, false);
	}
}

static void assert_has_all_from(const struct viewer *v, unsigned index)
{
	assert_in_sequence(v);
	assert_int_equal(v->n, next_index - index);
	for (size_t i = 0; i < v->n; i++)
		assert_int_equal(index_of(&v->sent[i]), index + i);
}

static void test_a_late_one_gets_what_the_others_had(void **state)
{
	struct viewer *a = viewer_new(1), *b = viewer_new(2);
	int64_t came;

	(void)state;
	role_assert_net();
	egress_watch(the.x, 1, &a->video);
	play_on(3);
	next(2, true);
	play_on(15);
	e.key_requests = 0;
	came = the.now_ns;
	egress_watch(the.x, 1, &b->video);
	assert_int_equal(b->n, 2); /* at once: what fits into a step */
	assert_int_equal(b->sent[0].seq, 65530);
	assert_true(b->video.late);
	play_on(3); /* the stream goes on meanwhile */
	assert_false(b->video.late);
	assert_has_all_from(b, 3);
	assert_has_all_from(a, 3);
	for (size_t i = 0; i < b->n; i++)
		assert_int_equal(b->sent[i].ts - b->sent[0].ts, a->sent[i].ts - a->sent[0].ts);
	/* two packets per step */
	for (size_t i = 2; i < 17; i++)
		assert_in_range(b->sent[i].at_ns - came, (i - 2) / 2 * 5 * NS_PER_MS,
				((i - 2) / 2 + 1) * 5 * NS_PER_MS);
	assert_int_equal(e.key_requests, 0);
	run_until(the.now_ns + 20 * NS_PER_MS);
	assert_int_equal(timers_running(), 0);
	viewer_free(a);
	viewer_free(b);
}

/* Somebody comes so many pictures after a key frame, some of which were lost on the way
 * to this shard in between: it waits for another one. */
static void waits(unsigned pictures, uint32_t lost, unsigned more) ON_THREAD(ROLE_NET)
{
	struct viewer *a = viewer_new(1), *b = viewer_new(2);

	egress_watch(the.x, 1, &a->video);
	next(1, true);
	play_on(pictures);
	next_index += lost;
	play_on(more);
	e.key_requests = 0;
	egress_watch(the.x, 1, &b->video);
	assert_int_equal(b->n, 0);
	assert_int_equal(e.key_requests, 1);
	next(1, true);
	assert_int_equal(b->n, 1);
	viewer_free(a);
	viewer_free(b);
}

static void test_an_old_key_frame_is_not_for_starting(void **state)
{
	(void)state;
	role_assert_net();
	waits(19, 0, 0); /* 633 ms */
}

static void test_a_gap_is_not_for_starting(void **state)
{
	(void)state;
	role_assert_net();
	waits(2, 1, 2);
}

static void test_a_large_picture_goes_in_pieces(void **state)
{
	struct viewer *a = viewer_new(1);
	int64_t first;

	(void)state;
	role_assert_net();
	egress_watch(the.x, 1, &a->video);
	next(4, true); /* not large yet */
	assert_int_equal(a->n, 4);
	assert_int_equal(a->calls, 1);
	run_until(the.now_ns + FRAME_NS);
	first = the.now_ns;
	next(KEY_PACKETS, true);
	assert_int_equal(a->n, 6);
	run_until(the.now_ns + FRAME_NS);
	assert_int_equal(a->n, 4 + KEY_PACKETS);
	assert_int_equal(a->calls, 1 + 6);
	for (size_t i = 0; i < KEY_PACKETS; i++)
		assert_in_range(a->sent[4 + i].at_ns - first,
				(i ? (int64_t)(i / 2 - (i > 1)) : 0) * 5 * NS_PER_MS,
				(int64_t)(i / 2) * 5 * NS_PER_MS);
	assert_int_equal(timers_running(), 0);
	assert_has_all_from(a, 0);
	viewer_free(a);
}

/* The next one does not wait: what is left of the large one goes before it. */
static void test_a_picture_does_not_overtake_another(void **state)
{
	struct viewer *a = viewer_new(1);

	(void)state;
	role_assert_net();
	egress_watch(the.x, 1, &a->video);
	next(KEY_PACKETS, true);
	run_until(the.now_ns + 6 * NS_PER_MS);
	assert_true(a->n < KEY_PACKETS);
	next(1, false);
	assert_has_all_from(a, 0);
	next(KEY_PACKETS, true);
	next(KEY_PACKETS, true);
	run_until(the.now_ns + FRAME_NS);
	assert_has_all_from(a, 0);
	/* A shard that wakes up late sends what is due. */
	next(KEY_PACKETS, true);
	the.now_ns += 30 * NS_PER_MS;
	run_until(the.now_ns + NS_PER_MS);
	assert_has_all_from(a, 0);
	viewer_free(a);
}

/* Whoever comes in the middle of a large one, however far it has got. */
static void test_who_comes_in_the_middle_of_a_picture(void **state)
{
	enum { N = 12 };
	struct viewer *v[N];

	(void)state;
	role_assert_net();
	for (uint32_t i = 0; i < N; i++) {
		v[i] = viewer_new(i + 1);
		egress_watch(the.x, 1, &v[i]->video);
		if (!i)
			next(KEY_PACKETS, true);
		run_until(the.now_ns + 3 * NS_PER_MS);
	}
	play_on(4);
	assert_int_equal(timers_running(), 0);
	for (uint32_t i = 0; i < N; i++) {
		assert_has_all_from(v[i], 0);
		viewer_free(v[i]);
	}
}

/* A piece to everybody, then sound, then the next piece. */
static void test_sound_goes_between_the_pieces(void **state)
{
	enum { N = 10 };
	struct viewer *v[N];
	size_t sound_at, video = 0;

	(void)state;
	role_assert_net();
	for (uint32_t i = 0; i < N; i++) {
		v[i] = viewer_new(i + 1);
		egress_watch(the.x, 1, &v[i]->video);
	}
	egress_listen(the.x, ROOM, &v[N - 1]->audio);
	next(KEY_PACKETS, true);
	egress_post_audio(the.x, sound(0)); /* the loop has not looked at it yet */
	run_until(the.now_ns + 5 * NS_PER_MS);
	sound_at = the.audio_at;
	for (int i = 0; i < N; i++)
		for (size_t k = 0; k < v[i]->n; k++)
			video += v[i]->sent[k].order < sound_at;
	assert_int_equal(video, N * KEY_PACKETS / 6); /* one piece to each */
	for (int i = 0; i < N; i++) {
		if (i < N - 1)
			assert_int_equal(v[i]->n, 2 * KEY_PACKETS / 6);
		viewer_free(v[i]);
	}
}

/* Nor does it wait for a picture that has just come. */
static void test_sound_that_waits_goes_first(void **state)
{
	struct viewer *a = viewer_new(1);

	(void)state;
	role_assert_net();
	egress_watch(the.x, 1, &a->video);
	egress_listen(the.x, ROOM, &a->audio);
	egress_post_audio(the.x, sound(0));
	next(1, true);
	assert_int_equal(a->n, 2);
	assert_int_equal(the.audio_at, 1);
	viewer_free(a);
}

/* Batches ran out: what it was to get is gone. */
static void test_the_history_gives_way(void **state)
{
	struct viewer *a = viewer_new(1), *b = viewer_new(2);

	(void)state;
	role_assert_net();
	egress_watch(the.x, 1, &a->video);
	next(2, true);
	play_on(9);
	egress_watch(the.x, 1, &b->video);
	assert_int_equal(b->n, 2);
	e.key_requests = 0;
	egress_trim(the.x);
	mbox_run(the.shard);
	run_until(the.now_ns + 5 * NS_PER_MS);
	assert_int_equal(b->n, 2);
	assert_int_equal(e.key_requests, 1);
	assert_false(b->video.late);
	play_on(1);
	assert_int_equal(b->n, 2);
	next(1, true);
	assert_int_equal(b->n, 3);
	assert_in_sequence(b);
	assert_has_all_from(a, 0);
	viewer_free(a);
	viewer_free(b);
}

/* What was sent late is repaired like everything else, under its own number. */
static void test_what_was_sent_late_is_repaired(void **state)
{
	struct viewer *a = viewer_new(1), *b = viewer_new(2);
	size_t had;

	(void)state;
	role_assert_net();
	egress_watch(the.x, 1, &a->video);
	next(2, true);
	play_on(9);
	egress_watch(the.x, 1, &b->video);
	had = b->n;
	for (size_t i = 0; i < had; i++) {
		egress_nack(the.x, &b->video, b->sent[i].seq, the.now_ns);
		assert_int_equal(b->n, had + i + 1);
		assert_memory_equal(b->sent[had + i].octets, b->sent[i].octets, b->sent[i].len);
	}
	egress_nack(the.x, &b->video, (uint16_t)(b->sent[had - 1].seq + 1), the.now_ns); /* not yet */
	assert_int_equal(b->n, 2 * had);
	e.key_requests = 0;
	egress_key_request(the.x, &b->video); /* it is on its way */
	assert_int_equal(e.key_requests, 0);
	play_on(4);
	egress_key_request(the.x, &b->video);
	assert_int_equal(e.key_requests, 1);
	viewer_free(a);
	viewer_free(b);
}

/* From one encode to another: time does not turn back. */
static void test_a_change_does_not_repeat(void **state)
{
	struct viewer *a = viewer_new(1), *b = viewer_new(2);
	struct rtp_batch *k;

	(void)state;
	role_assert_net();
	egress_watch(the.x, 2, &a->video);
	k = picture(&f, 0, 1, true);
	k->time_ns = the.now_ns + 2 * FRAME_NS;
	egress_post_video(the.x, k);
	mbox_run(the.shard);
	egress_watch(the.x, 1, &b->video);
	next(1, true);
	play_on(1);
	egress_watch(the.x, 1, &a->video); /* it has seen more of f than there was of this key frame */
	assert_int_equal(a->n, 1);
	assert_int_equal(a->video.next_group, 1);
	play_on(3);
	assert_int_equal(a->n, 1);
	next(1, true);
	assert_int_equal(a->n, 2);
	assert_int_equal(a->video.group, 1);
	/* A key frame that is newer than all it has had. */
	k = picture(&f, 1, 1, true);
	run_until(the.now_ns + FRAME_NS);
	k->time_ns = the.now_ns;
	egress_post_video(the.x, k);
	mbox_run(the.shard);
	egress_watch(the.x, 2, &a->video);
	assert_int_equal(a->n, 3);
	assert_int_equal(a->video.group, 2);
	assert_in_sequence(a);
	for (size_t i = 1; i < a->n; i++)
		assert_true((int32_t)(a->sent[i].ts - a->sent[i - 1].ts) > 0);
	viewer_free(a);
	viewer_free(b);
}

/* A receiver that goes, or whose encode goes, while it is late. */
static void test_going_in_the_middle(void **state)
{
	struct viewer *a = viewer_new(1), *b = viewer_new(2), *c = viewer_new(3);

	(void)state;
	role_assert_net();
	role_assert_ctl();
	egress_watch(the.x, 1, &a->video);
	next(2, true);
	play_on(9);
	egress_watch(the.x, 1, &b->video);
	egress_watch(the.x, 1, &c->video);
	egress_unwatch(the.x, &b->video);
	assert_false(b->video.late);
	run_until(the.now_ns + 5 * NS_PER_MS);
	assert_int_equal(b->n, 2);
	assert_true(c->n > 2);
	next(KEY_PACKETS, true); /* in pieces */
	egress_close(the.x, &e, on_closed, NULL);
	mbox_run(the.shard);
	mbox_run(the.ctl);
	assert_false(c->video.late);
	assert_int_equal(timers_running(), 0);
	assert_int_equal(rtp_batch_pool_in_use(the.pool), 0);
	viewer_free(a);
	viewer_free(b);
	viewer_free(c);
}

/* 200 within a second, with the encoder's budget of key frames. */
static void test_a_storm_needs_few_key_frames(void **state)
{
	enum { N = 200, STAY = 10 };
	struct viewer *v[N + STAY];
	struct keyframe_gate gate;
	int64_t came[N], start, frame;
	size_t keys = 0, n = 0;

	(void)state;
	role_assert_net();
	keyframe_gate_init(&gate, KEYFRAME_GATE_BURST, KEYFRAME_GATE_REFILL_MS * NS_PER_MS);
	for (uint32_t i = 0; i < N + STAY; i++)
		v[i] = viewer_new(i + 1);
	for (int i = N; i < N + STAY; i++)
		egress_watch(the.x, 1, &v[i]->video);
	next(KEY_PACKETS, true);
	play_on(30);
	e.key_requests = 0;
	start = frame = the.now_ns;
	while (n < N || the.now_ns < start + NS_PER_S + NS_PER_S / 2) {
		for (; n < N && the.now_ns - start >= (int64_t)n * NS_PER_S / N; n++) {
			came[n] = the.now_ns;
			egress_watch(the.x, 1, &v[n]->video);
		}
		if (the.now_ns - frame >= FRAME_NS) {
			bool key = (e.key_requests && keyframe_gate_ask(&gate, the.now_ns)) ||
				   keyframe_gate_poll(&gate, the.now_ns);

			e.key_requests = 0;
			frame += FRAME_NS;
			keys += key;
			next(key ? KEY_PACKETS : 2, key);
		}
		run_until(the.now_ns + NS_PER_MS);
	}
	assert_in_range(keys, 1, 2);
	for (int i = 0; i < N; i++) {
		size_t k = 0;

		assert_in_sequence(v[i]);
		assert_true(v[i]->n > KEY_PACKETS);
		while (index_of(&v[i]->sent[k]) != index_of(&v[i]->sent[0]) + KEY_PACKETS - 1)
			k++;
		assert_true(v[i]->sent[k].at_ns - came[i] < 100 * NS_PER_MS);
		assert_int_equal(index_of(&v[i]->sent[v[i]->n - 1]), next_index - 1);
	}
	for (int i = 0; i < N + STAY; i++) {
		assert_in_sequence(v[i]);
		viewer_free(v[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(fn) cmocka_unit_test_setup_teardown(fn, begin, tear_down)
		T(test_a_late_one_gets_what_the_others_had),
		T(test_an_old_key_frame_is_not_for_starting),
		T(test_a_gap_is_not_for_starting),
		T(test_a_large_picture_goes_in_pieces),
		T(test_a_picture_does_not_overtake_another),
		T(test_who_comes_in_the_middle_of_a_picture),
		T(test_sound_goes_between_the_pieces),
		T(test_sound_that_waits_goes_first),
		T(test_the_history_gives_way),
		T(test_what_was_sent_late_is_repaired),
		T(test_a_change_does_not_repeat),
		T(test_going_in_the_middle),
		T(test_a_storm_needs_few_key_frames),
#undef T
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
