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

/* --- content as a stream of its own ------------------------------------------------ */

/* Agrees on that; of is what it can take. */
static void agree_beside(struct presenter *p, bool sends, bool content_rx,
			 const struct leg_tx_format *of) ON_THREAD(ROLE_CTL)
{
	struct leg_media m = {
		.audio = { .rx = sends, .tx = true, LEG_FORMAT(CODEC_OPUS, 111) },
		.video = { .rx = sends, .tx = true, LEG_FORMAT(CODEC_H264, 96) },
		.content = { .rx = content_rx, .tx = true, LEG_FORMAT(CODEC_H264, 97) },
	};

	if (of)
		m.content.tx_format = *of;
	assert_int_equal(leg_set_media(p->leg, &m), 0);
}

static void until_watching(struct room *r, const struct presenter *p, bool content)
	ON_THREAD(ROLE_CTL)
{
	int64_t end = clock_now_ns(&clock_monotonic) + WAIT_MS * NS_PER_MS;

	(void)r;
	while ((p->net->watched_content != 0) != content && clock_now_ns(&clock_monotonic) < end)
		turn();
	assert_int_equal(p->net->watched_content != 0, content);
}

/* All who are sent it share one encode, which nobody's view knows of. */
static void test_content_beside_the_view(void **state)
{
	struct presenter a, b, c;
	struct room_view_info info;
	struct room *r;

	(void)state;
	role_assert_ctl();
	r = open_with(&a, &b);
	leg_present(a.leg, false);
	c = come(r);
	agree_beside(&b, true, false, NULL);
	agree_beside(&c, true, false, NULL);
	assert_presented(r, 0, 3);
	RUN_UNTIL(r, video_encoders, 1);
	assert_int_equal(b.net->watched_content, 0);
	leg_present(a.leg, true);
	until_watching(r, &b, true);
	until_watching(r, &c, true);
	RUN_UNTIL(r, video_encoders, 2);
	assert_int_equal(counts(r).pictures, 2);
	assert_int_equal(b.net->watched_content, c.net->watched_content);
	assert_int_not_equal(b.net->watched_content, b.net->watched);
	assert_int_equal(b.net->watched, a.net->watched);
	assert_int_equal(a.net->watched_content, 0);
	assert_int_equal(room_view_count(r), 1);
	room_view_info(r, 0, &info);
	assert_int_equal(info.encoders, 1);
	assert_presented(r, content_of(&a), 4); /* the view shows it as before */
	leg_leave(c.leg, "left");
	RUN_UNTIL(r, video_encoders, 2);
	agree(&b, true, true, false);
	RUN_UNTIL(r, video_encoders, 1);
	agree_beside(&b, true, false, NULL);
	RUN_UNTIL(r, video_encoders, 2);
	leg_present(a.leg, false);
	until_watching(r, &b, false);
	RUN_UNTIL(r, video_encoders, 1);
	close_room(r);
}

/* Nobody gets its own back; who presents next gets nothing, and who did gets that. */
static void test_who_presents_does_not_get_its_own(void **state)
{
	struct presenter a, b;
	uint32_t first;
	struct room *r;

	(void)state;
	role_assert_ctl();
	r = open_room();
	a = come(r);
	b = come(r);
	agree_beside(&a, true, true, NULL);
	agree_beside(&b, true, true, NULL);
	assert_presented(r, 0, 2); /* none has come yet */
	RUN_UNTIL(r, video_encoders, 1);
	a.net->cfg.ev->content(a.net->cfg.obj, true);
	assert_presented(r, content_of(&a), 3);
	until_watching(r, &b, true);
	assert_int_equal(a.net->watched_content, 0);
	first = b.net->watched_content;
	b.net->cfg.ev->content(b.net->cfg.obj, true);
	assert_presented(r, content_of(&b), 3);
	until_watching(r, &b, false);
	until_watching(r, &a, true);
	assert_int_equal(a.net->watched_content, first); /* the same goes on */
	/* the one that was outdone ends: nothing changes */
	a.net->cfg.ev->content(a.net->cfg.obj, false);
	turn();
	assert_presented(r, content_of(&b), 3);
	b.net->cfg.ev->content(b.net->cfg.obj, false);
	assert_presented(r, 0, 2);
	until_watching(r, &a, false);
	RUN_UNTIL(r, video_encoders, 1);
	/* one way: it begins by itself, and goes on when it may get some, too */
	agree(&a, true, true, true);
	assert_presented(r, content_of(&a), 3);
	until_watching(r, &b, true);
	agree_beside(&a, true, true, NULL);
	assert_presented(r, content_of(&a), 3);
	a.net->cfg.ev->content(a.net->cfg.obj, false);
	assert_presented(r, 0, 2);
	/* what comes too late, and who is held */
	agree(&a, true, true, false);
	a.net->cfg.ev->content(a.net->cfg.obj, true);
	leg_hold_content(b.leg, true);
	b.net->cfg.ev->content(b.net->cfg.obj, true);
	turn();
	assert_presented(r, 0, 2);
	close_room(r);
}

/* Who takes less gets another encode; a viewer of content alone, the only one; and what is
 * presented is decoded although no view shows it. */
static void test_content_for_whom(void **state)
{
	const struct leg_tx_format small = { .codec = CODEC_H264, .pt = 97, .max_fs = 99,
					     .max_mbps = 99 * 15 };
	struct leg_media alone = { .content = { .tx = true, LEG_FORMAT(CODEC_H264, 97) } };
	struct presenter a, b, c;
	struct room_view view;
	struct errmsg why;
	struct room *r;

	(void)state;
	role_assert_ctl();
	r = open_room();
	a = come(r);
	agree(&a, true, true, true);
	b = come(r);
	agree_beside(&b, false, false, NULL);
	c = come(r);
	agree_beside(&c, false, false, &small);
	until_watching(r, &b, true);
	until_watching(r, &c, true);
	assert_int_not_equal(b.net->watched_content, c.net->watched_content);
	RUN_UNTIL(r, video_encoders, 3);
	leg_leave(c.leg, "left");
	RUN_UNTIL(r, video_encoders, 2);
	view = *room_view(r, NULL);
	view.plan.kind = LAYOUT_LECTURE;
	view.plan.pin[0] = leg_id(a.leg);
	view.plan.n_pins = 1;
	assert_int_equal(room_set_view(r, NULL, &view, &why), 0);
	shoot_until(r, a.net->cfg.content, 1);
	assert_int_equal(leg_set_media(b.leg, &alone), 0);
	until_watching(r, &b, true);
	assert_int_equal(b.net->watched, 0);
	leg_leave(a.leg, "left");
	until_watching(r, &b, false);
	RUN_UNTIL(r, video_encoders, 0);
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
		cmocka_unit_test_setup_teardown(test_content_beside_the_view, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_who_presents_does_not_get_its_own, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_content_for_whom, set_up, tear_down),
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
