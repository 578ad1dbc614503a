/* Rooms on real threads, without a network: life cycle, winding down, the sink,
 * and that nothing is left behind. The control loop is the test itself, which
 * runs the mailbox until what it waits for has happened. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mcu/net/dtls.h"
#include "mcu/net/ice.h"
#include "mcu/room/room.h"

enum { CTL_MBOX = 65536, WAIT_MS = 20000, W = 320, H = 180, FPS = 30 };

struct seen {
	size_t joined, left, layouts, emptied, closed, ended;
};

struct fixture {
	struct mbox *ctl;
	struct dtls_identity *id;
	struct ice_cfg ice;
	struct engine engine;
	struct seen seen;
};

static void on_joined(void *obj, struct room *r, struct leg *l)
{
	(void)r;
	(void)l;
	((struct seen *)obj)->joined++;
}

static void on_left(void *obj, struct room *r, uint32_t leg, const char *reason)
{
	(void)r;
	(void)leg;
	(void)reason;
	((struct seen *)obj)->left++;
}

static void on_changed(void *obj, struct room *r, struct leg *l)
{
	(void)obj;
	(void)r;
	(void)l;
}

static void on_speaker(void *obj, struct room *r, uint32_t leg)
{
	(void)obj;
	(void)r;
	(void)leg;
}

static void on_layout(void *obj, struct room *r)
{
	(void)r;
	((struct seen *)obj)->layouts++;
}

static void on_emptied(void *obj, struct room *r)
{
	(void)r;
	((struct seen *)obj)->emptied++;
}

static void on_closed(void *obj, struct room *r)
{
	(void)r;
	((struct seen *)obj)->closed++;
}

static const struct room_events room_events = {
	.joined = on_joined, .left = on_left, .changed = on_changed, .speaker = on_speaker,
	.layout = on_layout, .emptied = on_emptied, .closed = on_closed,
};

static void leg_candidate(void *obj, const char *candidate)
{
	(void)obj;
	(void)candidate;
}

static void leg_connected(void *obj)
{
	(void)obj;
}

static void leg_ended(void *obj, const char *reason)
{
	(void)reason;
	((struct seen *)obj)->ended++;
}

static const struct leg_watcher watcher = {
	.candidate = leg_candidate, .connected = leg_connected, .ended = leg_ended,
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct engine_cfg cfg = {
		.net_threads = 2, .video_threads = 2, .audio_threads = 2,
		.width = W, .height = H, .fps = FPS, .video_bps = 200000, .vbv_ms = 500,
		.preset = "ultrafast", .asm_name = "default",
		.max_input_width = 1280, .max_input_height = 720,
		.listener_bps = 32000, .audio_complexity = 5, .recording_audio_bps = 64000,
	};
	struct errmsg why;

	role_enter(ROLE_ID_CTL);
	role_assert_ctl();
	assert_non_null(f);
	assert_int_equal(mbox_new(&f->ctl, CTL_MBOX), 0);
	assert_int_equal(dtls_identity_new(&f->id, "localhost"), 0);
	f->ice = (struct ice_cfg){ .identity = f->id, .loopback = true };
	cfg.ice = &f->ice;
	assert_int_equal(engine_start(&f->engine, &cfg, &clock_monotonic, f->ctl, &why), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	role_assert_ctl();
	engine_stop(&f->engine);
	mbox_free(&f->ctl);
	dtls_identity_free(&f->id);
	free(f);
	return 0;
}

/* Runs the control loop until *count has reached n. */
static void run_until(struct fixture *f, const size_t *count, size_t n)
{
	int64_t end = clock_now_ns(&clock_monotonic) + WAIT_MS * NS_PER_MS;

	while (__atomic_load_n(count, __ATOMIC_SEQ_CST) < n) {
		struct pollfd p = { .fd = mbox_fd(f->ctl), .events = POLLIN };

		poll(&p, 1, 100);
		mbox_run(f->ctl);
		if (clock_now_ns(&clock_monotonic) > end)
			fail_msg("waited in vain: %zu of %zu", *count, n);
	}
}

static struct leg_media sending(const struct leg *l) ON_THREAD(ROLE_CTL)
{
	struct leg_media m = { .audio = { .rx = true, .tx = true, LEG_FORMAT(CODEC_OPUS, 111) },
			       .video = { .rx = true, .tx = true, LEG_FORMAT(CODEC_H264, 102) } };

	m.audio.tx_ssrc = leg_id(l) * 2 + 1;
	m.video.tx_ssrc = leg_id(l) * 2 + 2;
	snprintf(m.remote_ufrag, sizeof m.remote_ufrag, "abcd");
	snprintf(m.remote_pwd, sizeof m.remote_pwd, "0123456789012345678901");
	snprintf(m.remote_fingerprint, sizeof m.remote_fingerprint,
		 "sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:"
		 "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF");
	return m;
}

static void set_sending(struct leg *l) ON_THREAD(ROLE_CTL)
{
	struct leg_media m = sending(l);

	assert_int_equal(leg_set_media(l, &m), 0);
}

static void test_opens_and_closes(void **state)
{
	struct fixture *f = *state;
	struct room *r;

	role_assert_ctl();
	assert_int_equal(room_new(&r, &f->engine, &(struct room_cfg){ .name = "empty" },
					 &room_events, &f->seen), 0);
	assert_string_equal(room_name(r), "empty");
	room_close(r, "test");
	run_until(f, &f->seen.closed, 1);
}

static void test_legs_come_and_go(void **state)
{
	struct fixture *f = *state;
	struct leg *a, *b;
	struct leg_info i;
	struct room *r;

	role_assert_ctl();
	assert_int_equal(room_new(&r, &f->engine, &(struct room_cfg){ .name = "two" },
					 &room_events, &f->seen), 0);
	assert_int_equal(room_join(r, "A", &watcher, &f->seen, &a), 0);
	assert_int_equal(room_join(r, "B", &watcher, &f->seen, &b), 0);
	assert_int_equal(room_leg_count(r), 2);
	leg_mute(b, 1, -1);
	leg_get_info(b, &i);
	assert_string_equal(i.name, "B");
	assert_true(i.audio_muted);
	assert_false(i.video_muted);
	leg_leave(a, "left");
	assert_int_equal(room_leg_count(r), 1);
	assert_ptr_equal(room_leg(r, 0), b);
	assert_int_equal(f->seen.emptied, 0);
	leg_leave(b, "left");
	assert_int_equal(f->seen.emptied, 1);
	room_close(r, "test");
	run_until(f, &f->seen.closed, 1);
	assert_int_equal(f->seen.joined, 2);
	assert_int_equal(f->seen.left, 2);
	assert_int_equal(f->seen.ended, 0);
}

static void get_ufrag(const struct leg *l, char out[16]) ON_THREAD(ROLE_CTL)
{
	struct leg_local local;

	leg_get_local(l, &local);
	snprintf(out, 16, "%s", local.ufrag);
}

static void test_peer_that_is_not_known_yet(void **state)
{
	struct fixture *f = *state;
	struct leg_media m, known;
	struct room *r;
	struct leg *l;

	role_assert_ctl();
	assert_int_equal(room_new(&r, &f->engine, &(struct room_cfg){ .name = "early" },
				  &room_events, &f->seen), 0);
	assert_int_equal(room_join(r, "A", &watcher, &f->seen, &l), 0);
	m = known = sending(l);
	m.remote_ufrag[0] = m.remote_pwd[0] = '\0';
	assert_int_equal(leg_set_media(l, &m), 0);
	assert_int_equal(leg_set_media(l, &known), 0);
	/* It keeps its credentials from then on. */
	assert_int_equal(leg_set_media(l, &m), -EPROTO);
	room_close(r, "test");
	run_until(f, &f->seen.closed, 1);
	assert_int_equal(f->seen.ended, 1);
}

static void test_ice_credentials_of_a_restart(void **state)
{
	char first[16], second[16], now[16];
	struct fixture *f = *state;
	struct leg_media m;
	struct room *r;
	struct leg *l;

	role_assert_ctl();
	assert_int_equal(room_new(&r, &f->engine, &(struct room_cfg){ .name = "restart" },
				  &room_events, &f->seen), 0);
	assert_int_equal(room_join(r, "A", &watcher, &f->seen, &l), 0);
	set_sending(l);
	get_ufrag(l, first);
	/* One that is not agreed on changes nothing. */
	assert_int_equal(leg_restart_ice(l), 0);
	get_ufrag(l, now);
	assert_string_not_equal(now, first);
	leg_keep_ice(l);
	get_ufrag(l, now);
	assert_string_equal(now, first);
	set_sending(l);
	/* The peer may not have other credentials without one. */
	m = sending(l);
	snprintf(m.remote_ufrag, sizeof m.remote_ufrag, "efgh");
	assert_int_equal(leg_set_media(l, &m), -EPROTO);
	assert_int_equal(leg_restart_ice(l), 0);
	get_ufrag(l, second);
	assert_int_equal(leg_set_media(l, &m), 0);
	get_ufrag(l, now);
	assert_string_equal(now, second);
	assert_string_not_equal(now, first);
	assert_int_equal(leg_set_media(l, &m), 0);
	/* Nor another certificate at all. */
	assert_int_equal(leg_restart_ice(l), 0);
	m.remote_fingerprint[10] ^= 1;
	assert_int_equal(leg_set_media(l, &m), -EPROTO);
	leg_keep_ice(l);
	for (int i = 0; i < 2; i++)
		assert_int_equal(leg_restart_ice(l), 0);
	assert_int_equal(leg_restart_ice(l), -EBUSY);
	room_close(r, "test");
	run_until(f, &f->seen.closed, 1);
	assert_int_equal(f->seen.ended, 1); /* by the room, not by a transport */
}

static void test_closing_ends_legs(void **state)
{
	struct fixture *f = *state;
	struct leg *l;
	struct room *r;

	role_assert_ctl();
	assert_int_equal(room_new(&r, &f->engine, &(struct room_cfg){ .name = "closing" },
					 &room_events, &f->seen), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(room_join(r, "X", &watcher, &f->seen, &l), 0);
	room_close(r, "shutdown");
	assert_int_equal(f->seen.ended, 3);
	assert_int_equal(room_join(r, "late", &watcher, &f->seen, &l), -ESHUTDOWN);
	run_until(f, &f->seen.closed, 1);
}

/* Joins, half-made transports and leaves in every order, while routings are on
 * their way to both media threads. */
static void test_storm(void **state)
{
	enum { ROOMS = 4, ROUNDS = 60, LEGS = 6 };
	struct fixture *f = *state;
	struct leg *leg[ROOMS][LEGS] = { 0 };
	struct room *r[ROOMS];
	unsigned seed = 1;

	role_assert_ctl();
	for (int i = 0; i < ROOMS; i++)
		assert_int_equal(room_new(&r[i], &f->engine, &(struct room_cfg){ .name = "storm" },
					 &room_events, &f->seen), 0);
	for (int k = 0; k < ROUNDS * ROOMS; k++) {
		int i = k % ROOMS, n = rand_r(&seed) % LEGS;

		if (leg[i][n]) {
			leg_leave(leg[i][n], "left");
			leg[i][n] = NULL;
		} else {
			assert_int_equal(room_join(r[i], "S", &watcher, &f->seen, &leg[i][n]), 0);
			if (rand_r(&seed) % 2)
				set_sending(leg[i][n]);
			leg_mute(leg[i][n], rand_r(&seed) % 2, rand_r(&seed) % 2);
		}
		if (rand_r(&seed) % 4 == 0)
			mbox_run(f->ctl);
	}
	for (int i = 0; i < ROOMS; i++)
		room_close(r[i], "test");
	run_until(f, &f->seen.closed, ROOMS);
}

struct sink {
	_Atomic size_t frames, keys, sounds;
	_Atomic int64_t first_video_ns, last_video_ns, first_audio_ns, last_audio_ns;
	size_t detached;
};

static void sink_video(void *obj, struct buf *au, int64_t pts_ns, bool key)
{
	struct sink *s = obj;

	if (au->len < 4)
		return;
	if (!s->frames)
		s->first_video_ns = pts_ns;
	s->last_video_ns = pts_ns;
	s->keys += key;
	s->frames++;
}

static void sink_audio(void *obj, struct buf *frame, int64_t pts_ns)
{
	struct sink *s = obj;

	if (!frame->len)
		return;
	if (!s->sounds)
		s->first_audio_ns = pts_ns;
	s->last_audio_ns = pts_ns;
	s->sounds++;
}

static void sink_detached(void *obj, void *arg)
{
	(void)arg;
	((struct sink *)obj)->detached++;
}

static void test_sink_gets_both_on_one_clock(void **state)
{
	struct fixture *f = *state;
	struct sink s = { 0 };
	struct room_sink sink = { .obj = &s, .video = sink_video, .audio = sink_audio,
				  .gop_s = 1 };
	struct outlet *outlet;
	struct room_counts c;
	struct room *r;
	int64_t apart;

	role_assert_ctl();
	assert_int_equal(room_new(&r, &f->engine, &(struct room_cfg){ .name = "sink" },
					 &room_events, &f->seen), 0);
	assert_int_equal(room_sink_attach(r, &sink, &outlet), 0);
	room_get_counts(r, &c);
	assert_int_equal(c.video_encoders, 1);
	/* nobody is in it: the picture stands still, and comes once a second */
	run_until(f, (const size_t *)&s.frames, FPS / 2);
	room_sink_detach(&outlet, sink_detached, &s);
	run_until(f, &s.detached, 1);
	assert_true(s.keys >= 2); /* one at the start, then one a second */
	assert_true(s.sounds > 0);
	/* Both began when the sink came, both went on to the end. */
	apart = s.first_audio_ns - s.first_video_ns;
	assert_in_range(apart < 0 ? -apart : apart, 0, NS_PER_S / 2);
	apart = s.last_audio_ns - s.last_video_ns;
	assert_in_range(apart < 0 ? -apart : apart, 0, NS_PER_S * 3 / 2);
	room_close(r, "test");
	run_until(f, &f->seen.closed, 1);
}

static void test_encoder_goes_with_the_sink(void **state)
{
	struct fixture *f = *state;
	struct sink s = { 0 };
	struct room_sink sink = { .obj = &s, .video = sink_video, .audio = sink_audio,
				  .gop_s = 4 };
	struct outlet *outlet;
	struct room_counts c = { .video_encoders = 1 };
	struct room *r;
	size_t frames;
	int64_t end;

	role_assert_ctl();
	assert_int_equal(room_new(&r, &f->engine, &(struct room_cfg){ .name = "demand" },
					 &room_events, &f->seen), 0);
	for (int i = 0; i < 3; i++) {
		s.detached = 0;
		assert_int_equal(room_sink_attach(r, &sink, &outlet), 0);
		frames = s.frames;
		run_until(f, (const size_t *)&s.frames, frames + 3);
		room_sink_detach(&outlet, sink_detached, &s);
		run_until(f, &s.detached, 1);
	}
	end = clock_now_ns(&clock_monotonic) + WAIT_MS * NS_PER_MS;
	while (c.video_encoders && clock_now_ns(&clock_monotonic) < end) {
		mbox_run(f->ctl);
		room_get_counts(r, &c);
	}
	assert_int_equal(c.video_encoders, 0);
	room_close(r, "test");
	run_until(f, &f->seen.closed, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_opens_and_closes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_legs_come_and_go, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_peer_that_is_not_known_yet, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_ice_credentials_of_a_restart, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_closing_ends_legs, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_storm, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_sink_gets_both_on_one_clock, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_encoder_goes_with_the_sink, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
