/* What a room gets of a media child, whatever that writes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "mcu/base/clock.h"
#include "mcu/playback_feed.h"
#include "mixer/video/vframe.h"

#define MS NS_PER_MS

enum { W = 16, H = 8, TICK = MEDIA_BLOCK_FRAMES };

static struct {
	struct media_shm *shm;
	struct vframe_pool *pool;
	struct playback_feed *f;
	struct playback_point p;
	float out[2 * TICK];
} the;

static int setup(void **state)
{
	(void)state;
	role_enter(ROLE_ID_NONE);
	the.shm = calloc(1, media_shm_bytes(W, H));
	assert_int_equal(vframe_pool_new(&the.pool, 16), 0);
	assert_int_equal(playback_feed_new(&the.f, the.shm, W, H, the.pool), 0);
	the.p = (struct playback_point){ .serial = 1, .runs = true };
	playback_feed_set(the.f, &the.p);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	playback_feed_free(&the.f);
	vframe_pool_free(&the.pool);
	free(the.shm);
	return 0;
}

static void put_block(uint32_t serial, int64_t pts_ms, int16_t value)
{
	struct media_block *b = &the.shm->block[the.shm->block_head % MEDIA_BLOCKS];

	b->serial = serial;
	b->pts_ns = pts_ms * MS;
	b->n = TICK;
	for (int i = 0; i < 2 * TICK; i++)
		b->pcm[i] = value;
	the.shm->block_head++;
}

static void put_picture(uint32_t serial, int64_t pts_ms, uint8_t grey)
{
	uint32_t at = the.shm->slot_head % MEDIA_SLOTS;

	the.shm->slot[at] = (struct media_slot){ .serial = serial, .pts_ns = pts_ms * MS, .w = W, .h = H };
	memset((uint8_t *)(the.shm + 1) + at * media_slot_bytes(W, H), grey, media_slot_bytes(W, H));
	the.shm->slot_head++;
}

static bool hear(int64_t at_ms)
{
	return playback_feed_sound(the.f, at_ms * MS, the.out, 1);
}

/* The grey of a new picture; -1: none. */
static int see(int64_t at_ms)
{
	struct vframe *v = playback_feed_picture(the.f, at_ms * MS);
	int grey = v ? v->av->data[0][0] : -1;

	vframe_unref(&v);
	return grey;
}

static bool is(float x, int want)
{
	return x * 32768 > (float)want - 0.5f && x * 32768 < (float)want + 0.5f;
}

static void test_sound_in_its_place(void **state)
{
	(void)state;
	put_block(1, 0, 100);
	put_block(1, 20, 200);
	put_block(1, 60, 400); /* 40…60 is missing */
	assert_true(hear(0));
	assert_true(is(the.out[0], 100) && is(the.out[TICK - 1], 100));
	assert_true(hear(20));
	assert_true(is(the.out[0], 200));
	assert_false(hear(40)); /* silence, and what comes later is kept */
	assert_true(is(the.out[0], 0));
	assert_true(hear(60));
	assert_true(is(the.out[0], 400) && is(the.out[TICK - 1], 400));
	assert_false(hear(80));
}

static void test_late_sound_is_left_out(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++)
		put_block(1, 20 * i, (int16_t)(i + 1));
	assert_true(hear(110)); /* in the middle of the sixth */
	assert_true(is(the.out[0], 6) && is(the.out[TICK - 1], 7));
	assert_true(hear(130));
	assert_true(is(the.out[0], 7) && is(the.out[TICK - 1], 8));
}

static void test_what_was_before_a_seek_is_thrown_away(void **state)
{
	(void)state;
	put_block(1, 0, 100);
	put_picture(1, 0, 10);
	put_block(2, 5000, 200);
	put_picture(2, 5000, 20);
	assert_int_equal(see(0), 10);
	the.p = (struct playback_point){ .serial = 2, .runs = true, .at_ns = 100 * MS, .pos_ns = 5000 * MS };
	playback_feed_set(the.f, &the.p);
	assert_true(hear(100));
	assert_true(is(the.out[0], 200));
	assert_int_equal(see(100), 20);
}

/* The ring may be full of it, and nothing of the seek could come. */
static void test_a_seek_makes_room_before_it_plays(void **state)
{
	(void)state;
	for (int i = 0; i < MEDIA_BLOCKS; i++)
		put_block(1, 20 * i, 100);
	the.p = (struct playback_point){ .serial = 2 };
	playback_feed_set(the.f, &the.p);
	assert_false(hear(0));
	assert_int_equal(the.shm->block_tail, MEDIA_BLOCKS);
}

static void test_what_is_of_a_later_seek_waits(void **state)
{
	(void)state;
	put_block(2, 0, 100);
	put_picture(2, 0, 10);
	assert_false(hear(0));
	assert_int_equal(see(0), -1);
	the.p.serial = 2;
	playback_feed_set(the.f, &the.p);
	assert_true(hear(0));
	assert_int_equal(see(0), 10);
}

static void test_paused_is_silent_and_stands(void **state)
{
	(void)state;
	put_block(1, 0, 100);
	put_picture(1, 0, 10);
	put_picture(1, 40, 20);
	the.p.runs = false;
	playback_feed_set(the.f, &the.p);
	assert_false(hear(100));
	assert_int_equal(see(100), 10);
	assert_int_equal(see(200), -1);
	playback_feed_again(the.f);
	assert_int_equal(see(300), 10);
	assert_int_equal(see(300), -1);
}

static void test_the_newest_picture_that_is_due(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++)
		put_picture(1, 40 * i, (uint8_t)(10 * i + 10));
	assert_int_equal(see(90), 30);
	assert_int_equal(see(100), -1);
	assert_int_equal(see(200), 50);
	assert_int_equal(the.shm->slot_tail, 5);
}

/* Sound and picture of the same moment come in the same tick. */
static void test_they_are_in_step(void **state)
{
	(void)state;
	for (int i = 0; i < 50; i++)
		put_block(1, 20 * i, i < 25 ? 1 : 1000);
	put_picture(1, 0, 10);
	put_picture(1, 500, 20);
	for (int64_t at = 0; at < 480; at += 20) {
		assert_true(hear(at) && is(the.out[0], 1));
		assert_true(see(at) != 20);
	}
	for (int64_t at = 480; at < 520; at += 20)
		assert_true(hear(at));
	assert_true(is(the.out[0], 1000));
	assert_int_equal(see(500), 20);
}

static void test_nonsense_ends_it(void **state)
{
	(void)state;
	put_block(1, 0, 100);
	the.shm->block[0].n = TICK + 1;
	assert_false(hear(0));
	assert_true(playback_feed_broken(the.f));
	teardown(NULL);
	setup(NULL);
	the.shm->block_head = MEDIA_BLOCKS + 1;
	assert_false(hear(0));
	assert_true(playback_feed_broken(the.f));
	teardown(NULL);
	setup(NULL);
	put_picture(1, 0, 1);
	the.shm->slot[0].w = W + 2;
	assert_int_equal(see(0), -1);
	assert_true(playback_feed_broken(the.f));
	teardown(NULL);
	setup(NULL);
	put_picture(1, 0, 1);
	the.shm->slot[0].rotation = 91;
	assert_int_equal(see(0), -1);
	assert_true(playback_feed_broken(the.f));
}

static void test_tails_are_the_servers(void **state)
{
	(void)state;
	put_block(1, 0, 100);
	put_block(1, 20, 200);
	assert_true(hear(0));
	the.shm->block_tail = 77; /* what the child makes of it is of no interest */
	assert_true(hear(20));
	assert_true(is(the.out[0], 200));
	assert_int_equal(the.shm->block_tail, 2);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_sound_in_its_place), TEST(test_late_sound_is_left_out),
		TEST(test_what_was_before_a_seek_is_thrown_away),
		TEST(test_a_seek_makes_room_before_it_plays),
		TEST(test_what_is_of_a_later_seek_waits), TEST(test_paused_is_silent_and_stands),
		TEST(test_the_newest_picture_that_is_due), TEST(test_they_are_in_step),
		TEST(test_nonsense_ends_it), TEST(test_tails_are_the_servers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
