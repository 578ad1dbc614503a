/* Telephones in rooms on real threads: PCMU over UDP on loopback. Each says a tone of
 * its own, and hears the other's. The test is the control loop and the telephones. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mcu/net/dtls.h"
#include "mcu/net/ice.h"
#include "mcu/room/room.h"
#include "tests/support/tone.h"

enum { CTL_MBOX = 65536, WAIT_MS = 60000, PHONES = 2, FRAME = 160, HEARD = 4000, HDR = 12 };

struct phone {
	struct rtp_ports *ports;
	struct leg *leg;
	int rtp, rtcp;
	double hz;
	uint16_t seq;
	int64_t at;	     /* samples sent */
	float heard[HEARD];  /* the newest, a ring */
	size_t n_heard;
	uint32_t ssrc; /* of what is heard */
	size_t connected, ended;
	char reason[16];
};

static struct {
	struct mbox *ctl;
	struct dtls_identity *id;
	struct ice_cfg ice;
	struct engine engine;
	struct rtp_port_range *range;
	struct phone phone[PHONES];
	size_t closed;
} the;

/* --- rooms ----------------------------------------------------------------------- */

static void on_leg(void *obj, struct room *r, struct leg *l)
{
	(void)obj;
	(void)r;
	(void)l;
}

static void on_left(void *obj, struct room *r, uint32_t leg, const char *reason)
{
	(void)obj;
	(void)r;
	(void)leg;
	(void)reason;
}

static void on_speaker(void *obj, struct room *r, uint32_t leg)
{
	(void)obj;
	(void)r;
	(void)leg;
}

static void on_room(void *obj, struct room *r)
{
	(void)obj;
	(void)r;
}

static void on_closed(void *obj, struct room *r)
{
	(void)obj;
	(void)r;
	the.closed++;
}

static const struct room_events room_events = {
	.joined = on_leg, .left = on_left, .changed = on_leg, .speaker = on_speaker,
	.layout = on_room, .emptied = on_room, .closed = on_closed,
};

static void leg_candidate(void *obj, const char *candidate)
{
	(void)obj;
	assert_null(candidate); /* there are none */
}

static void leg_connected(void *obj)
{
	((struct phone *)obj)->connected++;
}

static void leg_ended(void *obj, const char *reason)
{
	struct phone *p = obj;

	p->ended++;
	snprintf(p->reason, sizeof p->reason, "%s", reason);
}

static const struct leg_watcher watcher = {
	.candidate = leg_candidate, .connected = leg_connected, .ended = leg_ended,
};

/* --- G.711 ----------------------------------------------------------------------- */

static uint8_t ulaw_of(float x)
{
	int v = (int)(x * 32000), sign = v < 0 ? 0x80 : 0, exp = 7;

	v = (v < 0 ? -v : v) + 132;
	v = v > 32767 ? 32767 : v;
	for (int mask = 0x4000; exp > 0 && !(v & mask); mask >>= 1)
		exp--;
	return (uint8_t)~(sign | exp << 4 | (v >> (exp + 3) & 15));
}

static float ulaw_to(uint8_t u)
{
	int c = ~u, v = (((c & 15) << 3) + 132) << (c >> 4 & 7);

	return (float)((c & 0x80 ? 132 - v : v - 132)) / 32768.0f;
}

/* --- telephones ------------------------------------------------------------------ */

static int make_socket(uint16_t *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof a;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	*port = ntohs(a.sin_port);
	return fd;
}

static void phone_says(struct phone *p)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				  .sin_port = htons(rtp_ports_port(p->ports, RTP_LINE_AUDIO)) };
	uint32_t ts = htonl((uint32_t)p->at), ssrc = htonl(0x1234); /* of both the same */
	uint8_t pkt[HDR + FRAME] = { 0x80, 0 };
	float pcm[FRAME];

	tone_fill(pcm, FRAME, 1, p->hz * 6, 0.4, p->at);
	pkt[2] = (uint8_t)(p->seq >> 8);
	pkt[3] = (uint8_t)p->seq++;
	memcpy(pkt + 4, &ts, 4);
	memcpy(pkt + 8, &ssrc, 4);
	for (int i = 0; i < FRAME; i++)
		pkt[HDR + i] = ulaw_of(pcm[i]);
	p->at += FRAME;
	sendto(p->rtp, pkt, sizeof pkt, 0, (struct sockaddr *)&to, sizeof to);
}

static void phone_hears(struct phone *p)
{
	uint8_t pkt[2048];
	ssize_t n;

	while ((n = recv(p->rtp, pkt, sizeof pkt, MSG_DONTWAIT)) > HDR) {
		memcpy(&p->ssrc, pkt + 8, 4);
		assert_int_equal(pkt[1] & 127, 0);
		for (ssize_t i = HDR; i < n; i++)
			p->heard[p->n_heard++ % HEARD] = ulaw_to(pkt[i]);
	}
}

/* How loud a tone is in the last half second. */
static double loudness(const struct phone *p, double hz)
{
	float pcm[HEARD];

	if (p->n_heard < HEARD)
		return 0;
	for (size_t i = 0; i < HEARD; i++)
		pcm[i] = p->heard[(p->n_heard + i) % HEARD];
	return tone_amplitude(pcm, HEARD, 1, hz * 6);
}

/* Each hears the other and not itself. */
static bool they_talk(void)
{
	const struct phone *a = &the.phone[0], *b = &the.phone[1];

	return loudness(a, b->hz) > 0.1 && loudness(b, a->hz) > 0.1 && loudness(a, a->hz) < 0.02 &&
	       loudness(b, b->hz) < 0.02;
}

static bool all_closed(void)
{
	return the.closed > 0;
}

static bool first_ended(void)
{
	return the.phone[0].ended > 0;
}

/* Runs the loop, and the telephones that talk, until it is so. */
static void run_until(bool (*so)(void), unsigned talking, const char *what)
{
	int64_t start = clock_now_ns(&clock_monotonic), now = start;

	for (int64_t frame = 0; !so(); frame++) {
		while ((now = clock_now_ns(&clock_monotonic)) < start + frame * 20 * NS_PER_MS) {
			struct pollfd p = { .fd = mbox_fd(the.ctl), .events = POLLIN };

			poll(&p, 1, (int)((start + frame * 20 * NS_PER_MS - now) / NS_PER_MS) + 1);
			mbox_run(the.ctl);
		}
		mbox_run(the.ctl);
		for (unsigned i = 0; i < PHONES; i++) {
			if (talking & 1u << i)
				phone_says(&the.phone[i]);
			phone_hears(&the.phone[i]);
		}
		if (now - start > WAIT_MS * NS_PER_MS)
			fail_msg("waited in vain until %s", what);
	}
}

static void agree(struct phone *p, uint16_t port, uint16_t rtcp_port, bool rx, bool tx)
	ON_THREAD(ROLE_CTL)
{
	struct leg_media m = { .audio = { .rx = rx, .tx = tx, LEG_FORMAT(CODEC_PCMU, 0) },
			       .udp = true };
	struct leg_local local;

	leg_get_local(p->leg, &local);
	assert_ptr_equal(local.ports, p->ports);
	m.audio.tx_ssrc = local.audio_ssrc;
	snprintf(m.cname, sizeof m.cname, "%s", local.cname);
	m.line[RTP_LINE_AUDIO] = (struct rtp_udp_line){
		.used = true, .rx = rx, .tx = tx, .port = port, .rtcp_port = rtcp_port,
		.address = "127.0.0.1", .rtcp_address = "127.0.0.1",
	};
	assert_int_equal(leg_set_media(p->leg, &m), 0);
}

static uint16_t port_of(int fd)
{
	struct sockaddr_in a;
	socklen_t len = sizeof a;

	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	return ntohs(a.sin_port);
}

static void join(struct phone *p, struct room *r) ON_THREAD(ROLE_CTL)
{
	assert_int_equal(room_join_ports(r, "phone", p->ports, &watcher, p, &p->leg), 0);
	agree(p, port_of(p->rtp), port_of(p->rtcp), true, true);
}

/* What was heard so far counts no more. */
static void forget(void)
{
	for (int i = 0; i < PHONES; i++)
		the.phone[i].n_heard = 0;
}

/* --- tests ----------------------------------------------------------------------- */

static int set_up_with(unsigned silence_s)
{
	struct engine_cfg cfg = {
		.net_threads = 2, .video_threads = 1, .audio_threads = 1,
		.width = 320, .height = 180, .fps = 15, .video_bps = 200000, .vbv_ms = 500,
		.preset = "ultrafast", .asm_name = "default",
		.max_input_width = 1280, .max_input_height = 720,
		.listener_bps = 32000, .audio_complexity = 5, .recording_audio_bps = 64000,
		.udp_silence_s = silence_s,
	};
	struct errmsg why;

	role_enter(ROLE_ID_CTL);
	role_assert_ctl();
	memset(&the, 0, sizeof the);
	assert_int_equal(mbox_new(&the.ctl, CTL_MBOX), 0);
	assert_int_equal(dtls_identity_new(&the.id, "localhost"), 0);
	the.ice = (struct ice_cfg){ .identity = the.id, .loopback = true };
	cfg.ice = &the.ice;
	assert_int_equal(engine_start(&the.engine, &cfg, &clock_monotonic, the.ctl, &why), 0);
	assert_int_equal(rtp_port_range_new(&the.range, 25002, 27999), 0);
	for (unsigned i = 0; i < PHONES; i++) {
		struct phone *p = &the.phone[i];
		uint16_t ignored;

		p->hz = i ? 1000 : 440;
		p->seq = (uint16_t)(65500 + i);
		p->rtp = make_socket(&ignored);
		p->rtcp = make_socket(&ignored);
		assert_int_equal(rtp_ports_new(&p->ports, the.range, "127.0.0.1", i, &why), 0);
		assert_int_equal(rtp_ports_open(p->ports, RTP_LINE_AUDIO, &why), 0);
	}
	return 0;
}

static int set_up(void **state)
{
	(void)state;
	return set_up_with(600);
}

static int set_up_impatient(void **state)
{
	(void)state;
	return set_up_with(1);
}

static int tear_down(void **state)
{
	(void)state;
	role_assert_ctl();
	for (int i = 0; i < PHONES; i++) {
		rtp_ports_unref(&the.phone[i].ports);
		close(the.phone[i].rtp);
		close(the.phone[i].rtcp);
	}
	assert_int_equal(rtp_port_range_used(the.range), 0);
	rtp_port_range_free(&the.range);
	engine_stop(&the.engine);
	mbox_free(&the.ctl);
	dtls_identity_free(&the.id);
	return 0;
}

static struct room *open_room(const char *name) ON_THREAD(ROLE_CTL)
{
	struct room_cfg cfg = { .name = name };
	struct room *r;

	assert_int_equal(room_new(&r, &the.engine, &cfg, &room_events, NULL), 0);
	return r;
}

static bool numbers_are_known(void)
{
	bool known = true;

	role_assert_ctl();
	for (int i = 0; i < PHONES; i++) {
		struct leg_net_stats s;

		leg_get_stats(the.phone[i].leg, &s);
		known = known && s.uplink_audio.codec == CODEC_PCMU && s.uplink_audio.packets &&
			s.downlink_audio.packets;
	}
	return known;
}

static void two_telephones_hear_each_other(void **state)
{
	struct room *r;

	(void)state;
	role_assert_ctl();
	r = open_room("bridge");
	for (int i = 0; i < PHONES; i++)
		join(&the.phone[i], r);
	run_until(they_talk, 3, "each hears the other");
	for (int i = 0; i < PHONES; i++)
		assert_int_equal(the.phone[i].connected, 1);
	run_until(numbers_are_known, 3, "there are statistics");
	room_close(r, "test");
	run_until(all_closed, 0, "the room is closed");
}

/* A call moves from one leg to the next with its sockets, and to another room. */
static void a_call_moves_to_another_room(void **state)
{
	struct phone *p = &the.phone[0];
	struct room *parlour, *r;
	uint32_t before;

	(void)state;
	role_assert_ctl();
	r = open_room("bridge");
	join(&the.phone[1], r);
	for (int turn = 0; turn < 3; turn++) {
		parlour = open_room("parlour");
		before = p->ssrc;
		join(p, parlour);
		leg_leave(p->leg, "left");
		join(p, r);
		forget();
		run_until(they_talk, 3, "each hears the other");
		assert_int_not_equal(p->ssrc, before);
		the.closed = 0;
		room_close(parlour, "test");
		run_until(all_closed, 3, "the parlour is closed");
		leg_leave(p->leg, "left");
	}
	the.closed = 0;
	room_close(r, "test");
	run_until(all_closed, 0, "the room is closed");
}

static bool second_hears_nothing(void)
{
	return the.phone[1].n_heard > 3 * HEARD && loudness(&the.phone[1], the.phone[0].hz) < 0.02;
}

/* On hold it is sent nothing and not heard; then it goes on. */
static void hold_and_resume(void **state)
{
	struct phone *p = &the.phone[0];
	struct room *r;

	(void)state;
	role_assert_ctl();
	r = open_room("bridge");
	for (int i = 0; i < PHONES; i++)
		join(&the.phone[i], r);
	run_until(they_talk, 3, "each hears the other");
	agree(p, port_of(p->rtp), port_of(p->rtcp), false, false);
	forget();
	run_until(second_hears_nothing, 3, "the second hears nothing");
	agree(p, port_of(p->rtp), port_of(p->rtcp), true, true);
	forget();
	run_until(they_talk, 3, "each hears the other again");
	assert_int_equal(p->ended, 0);
	room_close(r, "test");
	run_until(all_closed, 0, "the room is closed");
}

static void a_call_that_is_dead_ends(void **state)
{
	struct phone *p = &the.phone[0];
	struct room *r;

	(void)state;
	role_assert_ctl();
	r = open_room("bridge");
	join(p, r);
	run_until(first_ended, 0, "the silent one has ended");
	assert_string_equal(p->reason, TRANSPORT_CLOSED_SILENCE);
	room_close(r, "test");
	run_until(all_closed, 0, "the room is closed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(two_telephones_hear_each_other, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_call_moves_to_another_room, set_up, tear_down),
		cmocka_unit_test_setup_teardown(hold_and_resume, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_call_that_is_dead_ends, set_up_impatient,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
