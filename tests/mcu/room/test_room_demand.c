/* A room's encoders and decoders by demand. */
#include "mcu/room/room_priv.h"
#include "mixer/codec/venc.h"
#include "tests/mcu/room/room_demand_rig.h"

/* --- encoders ---------------------------------------------------------------------- */

static bool has_encode(const struct room *r, enum codec c, uint32_t profile_level_id)
	ON_THREAD(ROLE_CTL)
{
	struct leg_tx_format f = { .codec = c, .profile_level_id = profile_level_id };

	return room_has_encode(r, &f);
}

static void test_encoder_follows_its_receivers(void **state)
{
	struct leg_net *na, *nb;
	struct leg *a, *b;
	struct room *r;
	uint32_t first;

	(void)state;
	role_assert_ctl();
	r = open_room();
	a = join(r, &na);
	b = join(r, &nb);
	negotiate(a, true, true);
	assert_int_equal(counts(r).video_encoders, 0); /* not connected yet */
	na->cfg.ev->connected(na->cfg.obj);
	assert_int_equal(counts(r).video_encoders, 1);
	assert_int_equal(counts(r).receivers, 1);
	first = na->watched;
	assert_true(first);
	negotiate(b, true, true);
	nb->cfg.ev->connected(nb->cfg.obj);
	assert_int_equal(counts(r).video_encoders, 1);
	assert_int_equal(nb->watched, first);
	/* One turns the picture off, then the other leaves: nobody watches. */
	negotiate(b, true, false);
	assert_int_equal(nb->watched, 0);
	assert_int_equal(counts(r).receivers, 1);
	leg_leave(a, "left");
	RUN_UNTIL(r, video_encoders, 0);
	/* It comes back as another one. */
	negotiate(b, true, true);
	assert_true(nb->watched && nb->watched != first);
	assert_int_equal(nb->watches, 3);
	assert_int_equal(counts(r).video_encoders, 1);
	close_room(r);
	assert_int_equal(the.ended, 1);
}

/* One encode per format, whatever the number of heads and the words for the same
 * format; it goes with its last receiver. */
static void test_one_encoder_per_format(void **state)
{
	static const struct {
		enum codec codec;
		uint32_t profile;
		int group;
	} want[] = {
		{ CODEC_H264, 0x42e01f, 0 }, { CODEC_VP8, 0, 1 },	 { CODEC_H264, 0x42001f, 0 },
		{ CODEC_H264, 0x4d001f, 2 }, { CODEC_H264, 0x42c033, 0 }, { CODEC_H264, 0x64001f, 3 },
		{ CODEC_VP8, 0, 1 },	     { CODEC_H264, 0x4d401f, 2 },
	};
	enum { N = sizeof want / sizeof want[0] };
	uint32_t id[4] = { 0 };
	struct leg_net *net[N];
	struct leg *leg[N];
	struct room *r;

	(void)state;
	role_assert_ctl();
	r = open_room();
	for (int i = 0; i < N; i++) {
		leg[i] = join(r, &net[i]);
		negotiate_format(leg[i], true, true, want[i].codec, want[i].profile);
		net[i]->cfg.ev->connected(net[i]->cfg.obj);
		if (!id[want[i].group])
			id[want[i].group] = net[i]->watched;
	}
	for (int i = 0; i < N; i++)
		assert_int_equal(net[i]->watched, id[want[i].group]);
	RUN_UNTIL(r, video_encoders, 4);
	assert_int_equal(counts(r).receivers, N);
	assert_true(has_encode(r, CODEC_H264, 0x640c28));
	leg_leave(leg[5], "left"); /* the only one of high profile */
	RUN_UNTIL(r, video_encoders, 3);
	assert_false(has_encode(r, CODEC_H264, 0x64001f));
	assert_true(has_encode(r, CODEC_H264, 0x42001f));
	assert_true(has_encode(r, CODEC_VP8, 0));
	/* A re-offer with another codec moves the receiver. */
	negotiate(leg[1], true, true);
	assert_int_equal(net[1]->watched, id[0]);
	RUN_UNTIL(r, video_encoders, 3);
	negotiate(leg[6], true, true);
	RUN_UNTIL(r, video_encoders, 2);
	close_room(r);
}

static void test_many_receivers_share_one(void **state)
{
	struct leg_net *net[MANY];
	struct leg *leg[MANY];
	struct room *r;

	(void)state;
	role_assert_ctl();
	r = open_room();
	for (int i = 0; i < MANY; i++) {
		leg[i] = join(r, &net[i]);
		negotiate(leg[i], false, true);
		net[i]->cfg.ev->connected(net[i]->cfg.obj);
		turn();
	}
	assert_int_equal(counts(r).video_encoders, 1);
	assert_int_equal(counts(r).receivers, MANY);
	assert_int_equal(counts(r).tiles, 0); /* viewers have none */
	for (int i = 0; i < MANY; i++)
		assert_int_equal(net[i]->watches, 1);
	for (int i = 0; i < MANY; i += 2)
		leg_leave(leg[i], "left");
	RUN_UNTIL(r, legs, MANY / 2);
	assert_int_equal(counts(r).video_encoders, 1);
	close_room(r);
	assert_int_equal(the.emptied, 0);
}

/* However fast wishes change, there is an end to the encoders that wind down; who got
 * none for that gets one when there is a place. */
static void test_fast_changes_are_bounded(void **state)
{
	int64_t end = clock_now_ns(&clock_monotonic) + WAIT_MS * NS_PER_MS;
	struct leg_net *na;
	struct room *r;
	struct leg *a;

	(void)state;
	role_assert_ctl();
	r = open_room();
	a = join(r, &na);
	negotiate(a, true, true);
	na->cfg.ev->connected(na->cfg.obj);
	for (int i = 0; i < 4 * ROUTING_MAX_ENCODES; i++) {
		negotiate_format(a, true, true, CODEC_VP8, 0);
		negotiate(a, true, true);
	}
	assert_int_equal(counts(r).video_encoders, 2 * ROUTING_MAX_ENCODES);
	while (!na->watched && clock_now_ns(&clock_monotonic) < end)
		turn();
	assert_true(na->watched);
	RUN_UNTIL(r, video_encoders, 1);
	close_room(r);
}

static void sink_video(void *obj, struct buf *au, int64_t pts_ns, bool key)
{
	(void)obj;
	(void)au;
	(void)pts_ns;
	(void)key;
}

static void sink_audio(void *obj, struct buf *frame, int64_t pts_ns)
{
	(void)obj;
	(void)frame;
	(void)pts_ns;
}

static void sink_gone(void *obj, void *arg)
{
	(void)arg;
	*(bool *)obj = true;
}

/* Everybody with a picture of its own, as far as there are: the recording has one. */
static void test_a_recording_has_its_place(void **state)
{
	static const struct room_sink sink = { .video = sink_video, .audio = sink_audio, .gop_s = 4 };
	struct room_cfg cfg = { .name = "demand", .max_personal_views = ROUTING_MAX_ENCODES + 8 };
	struct leg_view own = { .hide_self = true };
	struct outlet *outlet;
	struct errmsg why;
	struct leg_net *net;
	struct leg *l;
	struct room *r;
	bool gone = false;

	(void)state;
	role_assert_ctl();
	assert_int_equal(room_new(&r, &the.e, &cfg, &room_events, NULL), 0);
	for (size_t i = 0; i < cfg.max_personal_views; i++) {
		l = join(r, &net);
		assert_int_equal(leg_set_view(l, &own, &why), 0);
		negotiate_format(l, true, true, CODEC_VP8, 0);
		net->cfg.ev->connected(net->cfg.obj);
	}
	RUN_UNTIL(r, video_encoders, ROUTING_MAX_ENCODES - 1);
	assert_int_equal(room_sink_attach(r, &sink, &outlet), 0);
	assert_int_equal(counts(r).video_encoders, ROUTING_MAX_ENCODES);
	room_sink_detach(&outlet, sink_gone, &gone);
	while (!gone)
		turn();
	close_room(r);
}

/* Each view that is recorded has one encode, whoever looks; a sink of a view that goes
 * is of the main one. */
static void test_sinks_share_encodes(void **state)
{
	static const struct room_sink wants[] = {
		{ .video = sink_video, .gop_s = 4 },
		{ .video = sink_video, .audio = sink_audio, .gop_s = 2 },
		{ .video = sink_video, .view = "stage" },
		{ .video = sink_video, .max_height = H / 2 },
		{ .audio = sink_audio },
	};
	enum { SINKS = sizeof wants / sizeof wants[0] };
	struct outlet *o[SINKS], *none;
	struct errmsg why;
	struct room *r;
	bool gone[SINKS] = { false };
	struct room_cfg cfg = { .name = "demand", .max_views = 2 };
	int w, h;

	(void)state;
	role_assert_ctl();
	assert_int_equal(room_new(&r, &the.e, &cfg, &room_events, NULL), 0);
	assert_int_equal(room_add_view(r, "stage", VIEW_EVERYBODY, &why), 0);
	assert_int_equal(room_sink_attach(r, &(struct room_sink){ 0 }, &none), -EINVAL);
	for (size_t i = 0; i < SINKS; i++)
		assert_int_equal(room_sink_attach(r, &wants[i], &o[i]), 0);
	assert_int_equal(counts(r).video_encoders, 3);
	room_sink_size(o[3], &w, &h);
	assert_int_equal(h, H / 2);
	room_sink_size(o[4], &w, &h);
	assert_int_equal(h, 0);
	assert_int_equal(room_remove_view(r, "stage", &why), 0);
	RUN_UNTIL(r, video_encoders, 2);
	for (size_t i = 0; i < SINKS; i++)
		room_sink_detach(&o[i], sink_gone, &gone[i]);
	for (size_t i = 0; i < SINKS; i++)
		while (!gone[i])
			turn();
	RUN_UNTIL(r, video_encoders, 0);
	/* more than there may be */
	struct outlet *many[ROOM_SINKS];

	for (size_t i = 0; i < ROOM_SINKS; i++)
		assert_int_equal(room_sink_attach(r, &wants[4], &many[i]), 0);
	assert_int_equal(room_sink_attach(r, &wants[4], &none), -ENOSPC);
	for (size_t i = 0; i < ROOM_SINKS; i++) {
		gone[0] = false;
		room_sink_detach(&many[i], sink_gone, &gone[0]);
		while (!gone[0])
			turn();
	}
	close_room(r);
}

/* --- decoders ---------------------------------------------------------------------- */

static void test_what_is_not_shown_is_not_decoded(void **state)
{
	struct leg_net *na, *nb;
	struct leg *a, *b;
	struct room *r;

	(void)state;
	role_assert_ctl();
	r = open_room();
	a = join(r, &na);
	negotiate(a, true, false);
	na->cfg.ev->connected(na->cfg.obj);
	/* Nobody looks. */
	shoot_until(r, na->cfg.video, 0);
	assert_int_equal(counts(r).tiles, 1);
	b = join(r, &nb);
	negotiate(b, false, true);
	nb->cfg.ev->connected(nb->cfg.obj);
	shoot_until(r, na->cfg.video, 1);
	leg_mute(a, -1, true);
	RUN_UNTIL(r, video_decoders, 0);
	shoot_until(r, na->cfg.video, 0);
	leg_mute(a, -1, false);
	shoot_until(r, na->cfg.video, 1);
	leg_leave(b, "left");
	RUN_UNTIL(r, video_decoders, 0);
	RUN_UNTIL(r, video_encoders, 0);
	close_room(r);
}

static void test_layout_is_told_when_it_moves(void **state)
{
	struct leg_net *na, *nb;
	struct leg *a, *b;
	struct leg_info i;
	struct room *r;
	size_t before;
	int64_t end;

	(void)state;
	role_assert_ctl();
	r = open_room();
	a = join(r, &na);
	b = join(r, &nb);
	negotiate(a, true, true);
	na->cfg.ev->connected(na->cfg.obj);
	RUN_UNTIL(r, tiles, 1);
	leg_get_info(a, &i);
	assert_int_equal(i.tile.w, W);
	while (!the.layouts)
		turn();
	before = the.layouts;
	leg_mute(a, true, true);
	for (int k = 0; k < 20; k++)
		turn();
	assert_int_equal(the.layouts, before);
	negotiate(b, true, true);
	nb->cfg.ev->connected(nb->cfg.obj);
	RUN_UNTIL(r, tiles, 2);
	end = clock_now_ns(&clock_monotonic) + WAIT_MS * NS_PER_MS;
	while (the.layouts == before && clock_now_ns(&clock_monotonic) < end)
		turn();
	for (int k = 0; k < 20; k++)
		turn();
	assert_int_equal(the.layouts, before + 1);
	leg_get_info(a, &i);
	assert_int_equal(i.tile.w, W / 2);
	close_room(r);
}

/* Who is on another page is not decoded, and told that nobody sees it. */
static void test_pages_decide_what_is_decoded(void **state)
{
	struct room_view view = { .plan = { .kind = LAYOUT_GRID, .max_tiles = 1, .page = 1 } };
	struct room_view wrong = { .plan = { .kind = LAYOUT_CUSTOM } };
	struct leg_net *na, *nb;
	struct leg *a, *b;
	struct leg_info i;
	struct errmsg why;
	struct room *r;
	uint64_t version;

	(void)state;
	role_assert_ctl();
	r = open_room();
	a = join(r, &na);
	negotiate(a, true, true);
	na->cfg.ev->connected(na->cfg.obj);
	shoot_until(r, na->cfg.video, 1);
	b = join(r, &nb);
	negotiate(b, true, false);
	nb->cfg.ev->connected(nb->cfg.obj);
	RUN_UNTIL(r, tiles, 2);
	version = room_layout_version(r);
	assert_int_equal(room_set_view(r, NULL, &view, &why), 0);
	RUN_UNTIL(r, tiles, 1);
	assert_int_equal(room_layout_version(r), version + 1);
	leg_get_info(a, &i);
	assert_int_equal(i.tile.w, 0);
	leg_get_info(b, &i);
	assert_int_equal(i.tile.w, W);
	RUN_UNTIL(r, video_decoders, 0);
	shoot_until(r, na->cfg.video, 0);
	/* nothing has changed */
	assert_true(room_set_view(r, NULL, &wrong, &why) < 0);
	assert_string_equal(why.code, "layout_invalid");
	assert_int_equal(room_view(r, NULL)->plan.max_tiles, 1);
	leg_mute(b, -1, true);
	view.plan.hide_no_video = true;
	assert_int_equal(room_set_view(r, NULL, &view, &why), 0);
	shoot_until(r, na->cfg.video, 1);
	leg_get_info(b, &i);
	assert_int_equal(i.tile.w, 0);
	assert_int_equal(room_seating(r, NULL)->pages, 1);
	close_room(r);
}

/* Each encode has as many receivers as legs say that they get it, or did until there is
 * a key frame. */
static void assert_counted(const struct room *r) ON_THREAD(ROLE_CTL)
{
	for (const struct room_encode *x = r->encodes; x; x = x->next) {
		uint32_t id = video_encode_id(x->v);
		size_t n = 0;

		if (x->closing)
			continue;
		for (const struct leg *l = r->legs; l; l = l->next)
			n += (l->watching == id || l->held == id);
		assert_int_equal(x->receivers, n);
		assert_true(n);
	}
}

/* What was changed for one viewer alone is what comes out of laying all out anew. */
static void assert_settled(struct room *r) ON_THREAD(ROLE_CTL)
{
	struct { const struct picture *picture; uint32_t watching, held; } was[MANY];
	size_t n = 0;

	for (const struct leg *l = r->legs; l; l = l->next, n++) {
		was[n].picture = l->picture;
		was[n].watching = l->watching;
		was[n].held = l->held;
	}
	room_encode_demand(r);
	n = 0;
	for (const struct leg *l = r->legs; l; l = l->next, n++) {
		assert_ptr_equal(was[n].picture, l->picture);
		assert_int_equal(was[n].watching, l->watching);
		assert_int_equal(was[n].held, l->held);
	}
}

static void one_change(struct room *r, struct leg **l, struct leg_net **net, uint32_t what)
	ON_THREAD(ROLE_CTL)
{
	static const enum codec codecs[] = { CODEC_H264, CODEC_VP8 };
	struct leg_view view = { .max_height = what & 64 ? H / 2 : 0, .no_video = !(what & 896),
				 .hide_self = what & 32 };
	struct errmsg why;

	if (!*l) {
		*l = join(r, net);
		return;
	}
	switch (what & 7) {
	case 0:
		leg_leave(*l, "left");
		*l = NULL;
		break;
	case 1:
		if (leg_set_view(*l, &view, &why))
			assert_string_equal(why.code, "too_many_views");
		break;
	case 2:
		(*net)->cfg.ev->carries((*net)->cfg.obj, what >> 6 & 1);
		break;
	case 3:
		if ((*net)->watched)
			(*net)->cfg.ev->watching((*net)->cfg.obj, (*net)->watched);
		break;
	case 4:
		negotiate_format(*l, !(what & 0x700), !(what & 0x7000) || what & 0x8000,
				 codecs[what >> 16 & 1], 0x42e01f);
		break;
	case 5:
		turn();
		break;
	default:
		negotiate_format(*l, false, true, codecs[what >> 16 & 1], 0x42e01f);
		(*net)->cfg.ev->connected((*net)->cfg.obj);
	}
}

static void test_one_viewer_at_a_time(void **state)
{
	enum { LEGS = 24, CHANGES = 2000 };
	struct leg_net *net[LEGS];
	struct leg *leg[LEGS] = { 0 };
	uint32_t seed = 7;
	struct room *r;

	(void)state;
	role_assert_ctl();
	assert_int_equal(room_new(&r, &the.e, &(struct room_cfg){ .name = "viewers",
					 .max_personal_views = 2 }, &room_events, NULL), 0);
	the.no_keys = true;
	for (int i = 0; i < CHANGES; i++) {
		size_t k;

		seed = seed * 1664525 + 1013904223;
		k = (seed >> 8) % LEGS;
		one_change(r, &leg[k], &net[k], seed >> 11);
		if (!r->stale) {
			assert_counted(r);
			if (!r->lacks_encode)
				assert_settled(r);
		}
	}
	assert_true(counts(r).receivers > 1);
	close_room(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_encoder_follows_its_receivers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_one_encoder_per_format, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_many_receivers_share_one, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_one_viewer_at_a_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_fast_changes_are_bounded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_recording_has_its_place, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_sinks_share_encodes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_is_not_shown_is_not_decoded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_layout_is_told_when_it_moves, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_pages_decide_what_is_decoded, set_up, tear_down),
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
