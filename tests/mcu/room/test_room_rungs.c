/* A room's rungs by demand: which sizes are encoded, and for whom. */
#include "tests/mcu/room/room_demand_rig.h"

static unsigned height_of(const struct leg *l) ON_THREAD(ROLE_CTL)
{
	struct leg_info i;

	leg_get_info(l, &i);
	return i.view_height;
}

/* Rungs rise and fall with those who want them, one encode each whatever the heads. */
static void test_rungs_follow_their_receivers(void **state)
{
	static const struct leg_view any = { 0 }, low = { .max_height = H / 2 },
				     cheap = { .max_kbps = 100 }, sound = { .no_video = true };
	struct leg_net *net[4];
	struct leg *l[4];
	struct room *r;

	(void)state;
	role_assert_ctl();
	r = open_room();
	for (int i = 0; i < 4; i++) {
		l[i] = join(r, &net[i]);
		if (i == 1)
			assert_int_equal(leg_set_view(l[i], &low, NULL), 0);
		negotiate_format(l[i], true, true, i == 3 ? CODEC_VP8 : CODEC_H264, 0x42e01f);
		net[i]->cfg.ev->connected(net[i]->cfg.obj);
	}
	assert_int_equal(counts(r).video_encoders, 3);
	assert_int_equal(net[0]->watched, net[2]->watched);
	assert_true(net[1]->watched != net[0]->watched);
	assert_int_equal(height_of(l[0]), H);
	assert_int_equal(height_of(l[1]), H / 2);
	/* To the rung that is there; then the top one of H.264 has nobody. */
	assert_int_equal(leg_set_view(l[0], &cheap, NULL), 0);
	assert_int_equal(net[0]->watched, net[1]->watched);
	assert_int_equal(leg_set_view(l[2], &low, NULL), 0);
	RUN_UNTIL(r, video_encoders, 2);
	assert_int_equal(leg_set_view(l[3], &sound, NULL), 0);
	assert_int_equal(net[3]->watched, 0);
	assert_int_equal(height_of(l[3]), 0);
	assert_int_equal(counts(r).receivers, 3);
	RUN_UNTIL(r, video_encoders, 1);
	assert_int_equal(leg_set_view(l[3], &low, NULL), 0);
	RUN_UNTIL(r, video_encoders, 2);
	for (int i = 0; i < 4; i++)
		assert_int_equal(leg_set_view(l[i], &any, NULL), 0);
	RUN_UNTIL(r, video_encoders, 2);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(height_of(l[i]), H);
		assert_int_equal(leg_set_view(l[i], &sound, NULL), 0);
	}
	RUN_UNTIL(r, video_encoders, 0);
	close_room(r);
}

/* What a receiver has goes on until its new encode has a key frame. */
static void test_the_old_rung_waits(void **state)
{
	static const struct leg_view any = { 0 }, low = { .max_height = H / 2 };
	struct leg_net *net;
	uint32_t first;
	struct room *r;
	struct leg *l;

	(void)state;
	role_assert_ctl();
	the.no_keys = true;
	r = open_room();
	l = join(r, &net);
	negotiate(l, true, true);
	net->cfg.ev->connected(net->cfg.obj);
	first = net->watched;
	assert_int_equal(leg_set_view(l, &low, NULL), 0);
	assert_true(net->watched != first);
	for (int i = 0; i < 20; i++)
		turn();
	assert_int_equal(counts(r).video_encoders, 2);
	assert_int_equal(height_of(l), H);
	/* It thinks better of it: the first is still there. */
	assert_int_equal(leg_set_view(l, &any, NULL), 0);
	assert_int_equal(net->watched, first);
	RUN_UNTIL(r, video_encoders, 1);
	assert_int_equal(leg_set_view(l, &low, NULL), 0);
	for (int i = 0; i < 20; i++)
		turn();
	assert_int_equal(counts(r).video_encoders, 2);
	net->cfg.ev->watching(net->cfg.obj, net->watched);
	assert_int_equal(height_of(l), H / 2);
	RUN_UNTIL(r, video_encoders, 1);
	/* It leaves in the middle of a change. */
	assert_int_equal(leg_set_view(l, &any, NULL), 0);
	leg_leave(l, "left");
	RUN_UNTIL(r, video_encoders, 0);
	close_room(r);
}

/* What the connection carries counts as well as what one wants. */
static void test_a_connection_chooses_too(void **state)
{
	static const struct leg_view any = { 0 }, low = { .max_height = H / 2 };
	struct leg_net *na, *nb;
	struct leg *a, *b;
	struct room *r;

	(void)state;
	role_assert_ctl();
	r = open_room();
	a = join(r, &na);
	b = join(r, &nb);
	negotiate(a, true, true);
	negotiate(b, true, true);
	na->cfg.ev->connected(na->cfg.obj);
	nb->cfg.ev->connected(nb->cfg.obj);
	na->cfg.ev->carries(na->cfg.obj, 1);
	RUN_UNTIL(r, video_encoders, 2);
	for (int i = 0; i < 20; i++)
		turn();
	assert_int_equal(height_of(a), H / 2);
	assert_int_equal(height_of(b), H);
	assert_int_equal(leg_set_view(b, &low, NULL), 0);
	assert_int_equal(nb->best, 1);
	assert_int_equal(nb->watched, na->watched);
	RUN_UNTIL(r, video_encoders, 1);
	na->cfg.ev->carries(na->cfg.obj, 0);
	RUN_UNTIL(r, video_encoders, 2);
	assert_int_equal(leg_set_view(b, &any, NULL), 0);
	assert_int_equal(nb->best, 0);
	RUN_UNTIL(r, video_encoders, 1);
	assert_int_equal(nb->watched, na->watched);
	close_room(r);
}

static void negotiate_tx(struct leg *l, const struct leg_tx_format *f) ON_THREAD(ROLE_CTL)
{
	struct leg_media m = {
		.audio = { .rx = true, .tx = true, LEG_FORMAT(CODEC_OPUS, 111) },
		.video = { .tx = true, .tx_format = *f },
	};

	m.video.tx_format.pt = 96;
	assert_int_equal(leg_set_media(l, &m), 0);
}

/* Telephones whose level leaves them nothing of the ladder get a rung of their own, one
 * encode for all of a kind; a room has only so many of those. */
static void test_rungs_are_made_for_small_levels(void **state)
{
	static const struct {
		struct leg_tx_format f;
		size_t encoders;
		int shares; /* with which; -1: none */
		unsigned height;
	} row[] = {
		{ { .codec = CODEC_H264, .profile_level_id = 0x42e01f, .max_fs = 3600,
		    .max_mbps = 108000, .max_bps = 14000000 }, 1, -1, 180 },
		{ { .codec = CODEC_H264, .profile_level_id = 0x42e00a, .max_fs = 99,
		    .max_mbps = 1485, .max_bps = 64000 }, 2, -1, 112 },
		{ { .codec = CODEC_H264, .profile_level_id = 0x42800a, .max_fs = 99,
		    .max_mbps = 1485, .max_bps = 64000 }, 2, 1, 112 },
		/* the other mode is another format, at the same rung */
		{ { .codec = CODEC_H264, .profile_level_id = 0x42e00a, .single_nal = true,
		    .max_fs = 99, .max_mbps = 1485, .max_bps = 64000 }, 3, -1, 112 },
		{ { .codec = CODEC_H264, .profile_level_id = 0x42e01f, .single_nal = true }, 4, -1, 180 },
		{ { .codec = CODEC_VP8, .max_bps = 60000 }, 5, -1, 112 },
		{ { .codec = CODEC_H264, .profile_level_id = 0x4d000a, .max_bps = 64000 }, 6, -1, 112 },
		{ { .codec = CODEC_VP8, .max_bps = 60000 }, 6, 5, 112 },
		/* the oldest have two sizes, which count apart */
		{ { .codec = CODEC_H263, .max_fs = 396 }, 7, -1, 216 },
		{ { .codec = CODEC_H263, .max_fs = 99, .max_mbps = 1485 }, 8, -1, 108 },
		{ { .codec = CODEC_H263, .max_fs = 396, .max_bps = 128000 }, 8, 9, 108 },
		/* the room has its share of made ones: it gets the last of the configuration's */
		{ { .codec = CODEC_H264, .profile_level_id = 0x64000a, .max_bps = 64000 }, 9, -1, 90 },
	};
	enum { N = sizeof row / sizeof row[0] };
	struct leg_net *net[N];
	struct leg *l[N];
	struct room *r;

	(void)state;
	role_assert_ctl();
	r = open_room();
	for (int i = 0; i < N; i++) {
		l[i] = join(r, &net[i]);
		negotiate_tx(l[i], &row[i].f);
		net[i]->cfg.ev->connected(net[i]->cfg.obj);
		RUN_UNTIL(r, video_encoders, row[i].encoders);
		assert_true(net[i]->watched != 0);
		for (int k = 0; k < i; k++)
			assert_int_equal(net[k]->watched == net[i]->watched, k == row[i].shares);
		assert_int_equal(height_of(l[i]), row[i].height);
	}
	for (int i = N - 1; i >= 0; i--)
		leg_leave(l[i], "left");
	RUN_UNTIL(r, video_encoders, 0);
	close_room(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_rungs_follow_their_receivers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_old_rung_waits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rungs_are_made_for_small_levels, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_connection_chooses_too, set_up, tear_down),
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
