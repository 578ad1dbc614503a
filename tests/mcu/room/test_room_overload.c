/* What a room gives up, seen by its legs. */
#include "tests/mcu/room/room_demand_rig.h"

static unsigned height_of(const struct leg *l) ON_THREAD(ROLE_CTL)
{
	struct leg_info i;

	leg_get_info(l, &i);
	return i.view_height;
}

static void give_up(struct room *r, enum overload_level level) ON_THREAD(ROLE_CTL)
{
	room_load(r)->level = level;
	assert_int_not_equal(room_overload(r), level);
	room_give_up(r);
	assert_int_equal(room_overload(r), level);
	for (int i = 0; i < 20; i++)
		turn();
}

static struct leg *come(struct room *r, struct leg_net **net) ON_THREAD(ROLE_CTL)
{
	struct leg *l = join(r, net);

	negotiate(l, true, true);
	(*net)->cfg.ev->connected((*net)->cfg.obj);
	return l;
}

static void test_the_top_rung_goes_and_comes_back(void **state)
{
	struct leg_net *net[3];
	struct leg *l[3];
	struct room *r;

	(void)state;
	role_assert_ctl();
	r = open_room();
	l[0] = come(r, &net[0]);
	l[1] = come(r, &net[1]);
	assert_int_equal(leg_set_view(l[1], &(struct leg_view){ .max_height = H / 2 }, NULL), 0);
	RUN_UNTIL(r, video_encoders, 2);
	assert_int_equal(height_of(l[0]), H);
	assert_int_equal(room_fps(r), FPS);
	give_up(r, OVERLOAD_FPS_1_3);
	assert_int_equal(room_fps(r), FPS / 3);
	assert_int_equal(height_of(l[0]), H);
	give_up(r, OVERLOAD_NO_TOP);
	RUN_UNTIL(r, video_encoders, 1);
	assert_int_equal(height_of(l[0]), H / 2);
	assert_int_equal(net[0]->watched, net[1]->watched);
	/* who comes now, too */
	l[2] = come(r, &net[2]);
	assert_int_equal(height_of(l[2]), H / 2);
	assert_int_equal(counts(r).video_encoders, 1);
	give_up(r, OVERLOAD_NONE);
	RUN_UNTIL(r, video_encoders, 2);
	assert_int_equal(height_of(l[0]), H);
	assert_int_equal(height_of(l[1]), H / 2);
	assert_int_equal(height_of(l[2]), H);
	close_room(r);
}

static void test_nothing_is_decoded_for_pictures_that_stand_still(void **state)
{
	struct leg_net *net;
	struct room *r;

	(void)state;
	role_assert_ctl();
	role_assert_net();
	r = open_room();
	come(r, &net);
	for (int i = 0; i < 20; i++)
		turn();
	assert_true(video_leg_needs_key(net->cfg.video));
	give_up(r, OVERLOAD_NO_TOP);
	assert_false(video_leg_needs_key(net->cfg.video));
	give_up(r, OVERLOAD_FROZEN);
	assert_int_equal(room_fps(r), 1);
	assert_int_equal(counts(r).video_encoders, 1);
	give_up(r, OVERLOAD_NO_TOP);
	assert_true(video_leg_needs_key(net->cfg.video));
	close_room(r);
}

static void sink_done(void *obj, void *arg)
{
	(void)arg;
	*(bool *)obj = true;
}

static void no_picture(void *obj, struct buf *au, int64_t pts_ns, bool key)
{
	(void)obj;
	(void)au;
	(void)pts_ns;
	(void)key;
}

static void no_sound(void *obj, struct buf *frame, int64_t pts_ns)
{
	(void)obj;
	(void)frame;
	(void)pts_ns;
}

static void test_what_is_recorded_stays(void **state)
{
	static const struct room_sink sink = { .video = no_picture, .audio = no_sound, .gop_s = 4 };
	struct outlet *outlet;
	struct leg_net *net;
	struct room *r;
	struct leg *l;
	bool done = false;

	(void)state;
	role_assert_ctl();
	r = open_room();
	l = come(r, &net);
	assert_int_equal(room_sink_attach(r, &sink, &outlet), 0);
	assert_true(room_load(r)->keeps_top);
	give_up(r, OVERLOAD_NO_TOP);
	assert_int_equal(height_of(l), H);
	assert_int_equal(counts(r).video_encoders, 1);
	/* what was recorded is dropped when it no longer is */
	room_sink_detach(&outlet, sink_done, &done);
	while (!done)
		turn();
	assert_false(room_load(r)->keeps_top);
	RUN_UNTIL(r, video_encoders, 1);
	assert_int_equal(height_of(l), H / 2);
	close_room(r);
}

static void test_what_it_costs_is_counted(void **state)
{
	int64_t end = clock_now_ns(&clock_monotonic) + WAIT_MS * NS_PER_MS;
	const struct overload_room *o;
	struct work_done d = { 0 };
	struct leg_net *net;
	struct room *r;

	(void)state;
	role_assert_ctl();
	r = open_room();
	o = room_load(r);
	assert_int_equal(o->jobs, 0);
	assert_false(o->keeps_top);
	come(r, &net);
	while (d.jobs < 3 && clock_now_ns(&clock_monotonic) < end) {
		turn();
		room_get_work(r, &d);
	}
	o = room_load(r);
	assert_true(o->jobs >= 3);
	assert_true(o->cpu_ns > 0);
	close_room(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_the_top_rung_goes_and_comes_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_nothing_is_decoded_for_pictures_that_stand_still,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_is_recorded_stays, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_it_costs_is_counted, set_up, tear_down),
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
