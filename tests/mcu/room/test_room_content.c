/* Content beside the camera: who presents, where it is shown, what is decoded. */
#include "mcu/room/room_priv.h"
#include "tests/mcu/room/room_demand_rig.h"

static struct {
	void *obj;
	uint32_t by;
	size_t n;
} outdone;

static void on_outdone(void *obj, uint32_t by)
{
	outdone.obj = obj;
	outdone.by = by;
	outdone.n++;
}

struct presenter {
	struct room *room;
	struct leg *leg;
	struct leg_net *net;
};

static void agree(struct presenter *p, bool audio, bool camera, bool content) ON_THREAD(ROLE_CTL)
{
	struct leg_media m = {
		.audio = { .rx = audio, .tx = true, LEG_FORMAT(CODEC_OPUS, 111) },
		.video = { .rx = camera, .tx = true, LEG_FORMAT(CODEC_H264, 96) },
		.content = { .rx = content, .n_rx_formats = 1,
			     .rx_format = { { .codec = CODEC_H264, .pt = 96 } } },
	};

	assert_int_equal(leg_set_media(p->leg, &m), 0);
}

static struct presenter come(struct room *r) ON_THREAD(ROLE_CTL)
{
	static struct leg_watcher w;
	struct presenter p = { .room = r };

	w = watcher;
	w.outdone = on_outdone;
	assert_int_equal(room_join(r, "L", &w, NULL, &p.leg), 0);
	p.net = the.last;
	agree(&p, true, true, false);
	p.net->cfg.ev->connected(p.net->cfg.obj);
	return p;
}

static uint32_t content_of(const struct presenter *p) ON_THREAD(ROLE_CTL)
{
	return source_id(leg_id(p->leg), true);
}

static const struct seat *seat_of(const struct room *r, uint32_t id) ON_THREAD(ROLE_CTL)
{
	const struct seating *s = room_seating(r, NULL);

	for (size_t i = 0; i < s->n; i++)
		if (s->seat[i].id == id)
			return &s->seat[i];
	return NULL;
}

/* Whether it is in the largest of so many tiles; 0: nothing is presented. */
static bool is_presented(const struct room *r, uint32_t id, size_t tiles) ON_THREAD(ROLE_CTL)
{
	const struct seating *s = room_seating(r, NULL);
	const struct seat *of = seat_of(r, id);

	if (room_content(r) != id || s->n != tiles || (id && (!of || of->rect.w <= W / 2)))
		return false;
	for (size_t i = 0; i < s->n; i++)
		if (id && s->seat[i].rect.w > of->rect.w)
			return false;
	return true;
}

static void assert_presented(struct room *r, uint32_t id, size_t tiles) ON_THREAD(ROLE_CTL)
{
	int64_t end = clock_now_ns(&clock_monotonic) + WAIT_MS * NS_PER_MS;

	while (!is_presented(r, id, tiles) && clock_now_ns(&clock_monotonic) < end)
		turn();
	assert_true(is_presented(r, id, tiles));
}

static void test_content_has_a_tile_of_its_own(void **state)
{
	struct presenter a, b;
	struct leg_info i;
	struct room *r;

	(void)state;
	role_assert_ctl();
	r = open_room();
	a = come(r);
	b = come(r);
	assert_presented(r, 0, 2);
	agree(&a, true, true, true);
	assert_presented(r, content_of(&a), 3);
	leg_get_info(a.leg, &i);
	assert_true(i.presents && i.sends_content);
	assert_true(i.shown_w > 0 && i.content_w > i.shown_w);
	assert_int_equal(i.content_w, seat_of(r, content_of(&a))->rect.w);
	assert_int_equal(i.content_h, seat_of(r, content_of(&a))->rect.h);
	/* its camera may be off: what it shares is not */
	leg_mute(a.leg, -1, 1);
	turn();
	leg_get_info(a.leg, &i);
	assert_true(i.content_w > 0);
	/* the section becomes inactive */
	agree(&a, true, true, false);
	assert_presented(r, 0, 2);
	leg_get_info(a.leg, &i);
	assert_false(i.presents || i.sends_content);
	assert_int_equal(i.content_w, 0);
	agree(&b, true, true, true);
	assert_presented(r, content_of(&b), 3);
	leg_leave(b.leg, "left");
	assert_presented(r, 0, 1);
	assert_int_equal(outdone.n, 0);
	close_room(r);
}

/* Two, of whom the first shares something beside its camera. */
static struct room *open_with(struct presenter *a, struct presenter *b) ON_THREAD(ROLE_CTL)
{
	struct room *r = open_room();

	outdone.n = 0;
	*a = come(r);
	*b = come(r);
	agree(a, true, true, true);
	return r;
}

static void test_the_last_one_presents(void **state)
{
	struct presenter a, b;
	struct room *r;

	(void)state;
	role_assert_ctl();
	r = open_with(&a, &b);
	assert_presented(r, content_of(&a), 3);
	agree(&b, true, true, true);
	assert_presented(r, content_of(&b), 3);
	assert_int_equal(outdone.n, 1);
	assert_int_equal(outdone.by, leg_id(b.leg));
	/* whoever was outdone still sends: its turn comes when it says so */
	agree(&b, true, true, false);
	assert_presented(r, 0, 2);
	leg_present(a.leg, true);
	assert_presented(r, content_of(&a), 3);
	leg_present(a.leg, true); /* it does already */
	/* one that has but a camera presents that */
	leg_present(b.leg, true);
	assert_presented(r, leg_id(b.leg), 2);
	assert_int_equal(outdone.n, 2);
	/* and shares its screen beside the camera from then on */
	agree(&b, true, true, true);
	assert_presented(r, content_of(&b), 3);
	leg_present(b.leg, false);
	assert_presented(r, 0, 2);
	assert_int_equal(outdone.n, 2);
	close_room(r);
}

/* Who sends no picture takes nobody's place. */
static void test_nothing_to_present(void **state)
{
	struct presenter a, b;
	struct room *r;

	(void)state;
	role_assert_ctl();
	r = open_with(&a, &b);
	agree(&b, true, false, false);
	assert_presented(r, content_of(&a), 3);
	assert_int_equal(leg_present(b.leg, true), -ENOENT);
	assert_presented(r, content_of(&a), 3);
	assert_int_equal(outdone.n, 0);
	/* said before the first offer it waits for that one */
	assert_int_equal(room_join(r, "L", &watcher, NULL, &b.leg), 0);
	b.net = the.last;
	assert_int_equal(leg_present(b.leg, true), 0);
	assert_int_equal(outdone.n, 0);
	agree(&b, true, true, false);
	b.net->cfg.ev->connected(b.net->cfg.obj);
	assert_int_equal(outdone.n, 1);
	assert_presented(r, leg_id(b.leg), 3);
	close_room(r);
}

static void test_who_is_held_does_not_present(void **state)
{
	struct presenter a;
	struct leg_info i;
	struct room *r;

	(void)state;
	role_assert_ctl();
	r = open_room();
	a = come(r);
	agree(&a, true, true, true);
	assert_presented(r, content_of(&a), 2);
	leg_hold_content(a.leg, true);
	assert_presented(r, 0, 1);
	leg_present(a.leg, true);
	agree(&a, true, true, false);
	agree(&a, true, true, true);
	assert_presented(r, 0, 1);
	leg_get_info(a.leg, &i);
	assert_true(i.content_held && i.sends_content && !i.presents);
	leg_hold_content(a.leg, false);
	leg_present(a.leg, true);
	assert_presented(r, content_of(&a), 2);
	close_room(r);
}

/* Somebody who sends a screen and nothing else has one tile. */
static void test_content_alone(void **state)
{
	struct presenter a;
	struct room *r;

	(void)state;
	role_assert_ctl();
	r = open_room();
	a = come(r);
	agree(&a, false, false, true);
	assert_presented(r, content_of(&a), 1);
	agree(&a, true, false, true);
	assert_presented(r, content_of(&a), 2);
	agree(&a, false, false, false);
	assert_presented(r, 0, 0);
	close_room(r);
}

/* Content is decoded as long as it is shown to somebody, and the camera beside it. */
static void test_content_is_decoded_while_shown(void **state)
{
	struct room_view view;
	struct presenter a;
	struct errmsg why;
	struct room *r;

	(void)state;
	role_assert_ctl();
	r = open_room();
	a = come(r);
	agree(&a, true, true, true);
	assert_presented(r, content_of(&a), 2);
	shoot_until(r, a.net->cfg.content, 1);
	shoot_until(r, a.net->cfg.video, 2);
	view = *room_view(r, NULL);
	view.plan.kind = LAYOUT_LECTURE;
	assert_int_equal(room_set_view(r, NULL, &view, &why), 0);
	RUN_UNTIL(r, video_decoders, 1);
	shoot_until(r, a.net->cfg.video, 1);
	view.plan.kind = LAYOUT_SPEAKER_ONLY;
	assert_int_equal(room_set_view(r, NULL, &view, &why), 0);
	RUN_UNTIL(r, tiles, 1);
	shoot_until(r, a.net->cfg.video, 1);
	shoot_until(r, a.net->cfg.content, 1);
	agree(&a, true, false, true);
	RUN_UNTIL(r, video_decoders, 0);
	close_room(r);
}

/* Beside a screen the tile of who speaks is one of many: nobody needs another
 * picture, and the room no further encoder. */
static void test_the_speaker_sees_what_all_see(void **state)
{
	struct room_cfg cfg = { .name = "content", .max_views = 1, .speaker_view = true };
	struct room_view view;
	struct presenter p[3];
	struct errmsg why;
	struct room *r;

	(void)state;
	role_assert_ctl();
	assert_int_equal(room_new(&r, &the.e, &cfg, &room_events, NULL), 0);
	for (int i = 0; i < 3; i++)
		p[i] = come(r);
	view = *room_view(r, NULL);
	view.plan.kind = LAYOUT_SPEAKER;
	assert_int_equal(room_set_view(r, NULL, &view, &why), 0);
	room_audio_events.speaker(r, (void *)(uintptr_t)leg_id(p[0].leg));
	RUN_UNTIL(r, video_encoders, 2);
	for (int i = 0; i < 2; i++) {
		view.plan.kind = i ? LAYOUT_GRID : LAYOUT_PRESENTATION;
		assert_int_equal(room_set_view(r, NULL, &view, &why), 0);
		agree(&p[1], true, true, true);
		assert_presented(r, content_of(&p[1]), 4);
		RUN_UNTIL(r, video_encoders, 1);
	}
	close_room(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_content_has_a_tile_of_its_own, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_last_one_presents, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_nothing_to_present, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_who_is_held_does_not_present, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_content_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_content_is_decoded_while_shown, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_speaker_sees_what_all_see, set_up, tear_down),
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
