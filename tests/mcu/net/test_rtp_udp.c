/* The transport over UDP with real sockets: lines, RTCP beside RTP and not, SDES
 * against libsrtp2, IPv6, learning where the peer is, changes of what was agreed on. */
#include "mcu/net/rtp_udp.h"

#include "tests/mcu/net/udp_rig.h"

static void wait_for_drops(unsigned n)
{
	for (int ms = 0; ms < WAIT_S * 1000; ms++) {
		on_shard(job_stats);
		if (the.stats.rx_dropped == n)
			return;
		poll(NULL, 0, 1);
	}
	fail_msg("%u of %u were dropped", (unsigned)the.stats.rx_dropped, n);
}

static void lines_are_apart(void **state)
{
	static const char *const address[] = { "127.0.0.1", "::1" };
	uint8_t p[2048];
	uint16_t from;

	(void)state;
	for (int a = 0; a < 2; a++) {
		open_rig(address[a], 3, false);
		start();
		assert_string_equal(the.profile, "RTP/AVP");
		for (enum rtp_line i = RTP_LINE_AUDIO; i < RTP_LINES; i++) {
			/* the same SSRC, number and payload type on every line */
			for (uint16_t seq = 7; seq < 7 + LATCH_RUN; seq++)
				peer_sends(the.sock[i][0], i, seq);
			WAIT(the.rtp[i] == LATCH_RUN);
			assert_int_equal(the.last_len, PACKET);
			send_to_us(the.sock[i][1], i, true, p, peer_report(p, THEIRS));
			WAIT(the.rtcp[i] == 1);
			/* RTCP that comes to RTP's port was not agreed on */
			send_to_us(the.sock[i][0], i, false, p, peer_report(p, THEIRS));
			wait_for_drops(i);
			assert_int_equal(we_send(i, 100, 3), 3);
			for (int k = 0; k < 3; k++) {
				assert_int_equal(peer_gets(the.sock[i][0], p, sizeof p, &from),
						 12 + PACKET);
				assert_int_equal(srtp_get32(p + 8), OURS + i);
				assert_int_equal(from, rtp_ports_port(the.ports, i));
			}
			assert_int_equal(we_report(i), 0);
			assert_int_equal(peer_gets(the.sock[i][1], p, sizeof p, &from), 8);
			assert_int_equal(from, rtp_ports_port(the.ports, i) + 1);
		}
		on_shard(job_stats);
		assert_int_equal(the.stats.tx_packets, 12);
		close_rig();
		assert_int_equal(the.rtcp[RTP_LINE_AUDIO], 1);
	}
}

static void rtcp_beside_rtp(void **state)
{
	uint8_t p[2048];
	uint16_t from;

	(void)state;
	open_rig("127.0.0.1", 1, true);
	start();
	peer_sends(the.sock[1][0], RTP_LINE_AUDIO, 7);
	WAIT(the.rtp[1] == 1);
	send_to_us(the.sock[1][0], RTP_LINE_AUDIO, false, p, peer_report(p, THEIRS));
	WAIT(the.rtcp[1] == 1);
	assert_int_equal(we_report(RTP_LINE_AUDIO), 0);
	assert_int_equal(peer_gets(the.sock[1][0], p, sizeof p, &from), 8);
	assert_int_equal(from, rtp_ports_port(the.ports, RTP_LINE_AUDIO));
	assert_true(peer_has_nothing(the.sock[1][1]));
	close_rig();
}

/* Packets of lines that are not, of nobody's SSRC, before there is an address. */
static void what_belongs_nowhere_is_not_sent(void **state)
{
	(void)state;
	open_rig("127.0.0.1", 1, false);
	the.cfg.line[1].address[0] = the.cfg.line[1].rtcp_address[0] = 0;
	start();
	assert_int_equal(we_send(RTP_LINE_AUDIO, 1, 2), 0);
	assert_int_equal(we_report(RTP_LINE_AUDIO), -ENOTCONN);
	assert_int_equal(we_send(RTP_LINE_CAMERA, 1, 2), 0);
	assert_int_equal(we_report(RTP_LINE_CAMERA), -ENOTCONN);
	close_rig();
	assert_int_equal(the.stats.tx_dropped, 4);
}

/* --- SDES -------------------------------------------------------------------------- */

static void set_keys(enum rtp_line line, enum srtp_profile profile)
{
	struct rtp_udp_line *l = &the.cfg.line[line];

	l->srtp = true;
	l->peer = make_keys(profile);
	assert_true(rtp_ports_keys(the.ports, line, srtp_profile_name(profile), &l->ours));
}

static void peer_sends_srtp(srtp_t s, uint16_t seq)
{
	uint8_t p[PACKET + 64];
	int len = (int)peer_packet(p, seq);

	assert_int_equal(srtp_protect(s, p, &len), srtp_err_status_ok);
	send_to_us(the.sock[1][0], RTP_LINE_AUDIO, false, p, (size_t)len);
}

static void peer_gets_srtp(srtp_t s, uint16_t seq)
{
	uint8_t p[2048];
	int len = (int)peer_gets(the.sock[1][0], p, sizeof p, NULL);

	assert_true(len > 12 + PACKET);
	assert_int_equal(srtp_unprotect(s, p, &len), srtp_err_status_ok);
	assert_int_equal(len, 12 + PACKET);
	assert_int_equal(p[2] << 8 | p[3], seq);
}

static void sdes_both_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_PROFILES; i++) {
		srtp_t out, in;
		uint8_t p[256];
		int len;

		open_rig("127.0.0.1", 1, false);
		set_keys(RTP_LINE_AUDIO, profiles[i]);
		out = make_lib(&the.cfg.line[1].peer, ssrc_any_outbound);
		in = make_lib(&the.cfg.line[1].ours, ssrc_any_inbound);
		start();
		assert_string_equal(the.profile, srtp_profile_name(profiles[i]));
		for (uint16_t seq = 10; seq < 15; seq++)
			peer_sends_srtp(out, seq);
		WAIT(the.rtp[1] == 5);
		assert_int_equal(the.last_len, PACKET);
		assert_int_equal(the.last[PACKET - 1], 14);
		peer_sends(the.sock[1][0], RTP_LINE_AUDIO, 15); /* plain: not authentic */
		wait_for_drops(1);
		assert_int_equal(we_send(RTP_LINE_AUDIO, 100, 2), 2);
		peer_gets_srtp(in, 100);
		peer_gets_srtp(in, 101);
		len = (int)peer_report(p, THEIRS);
		assert_int_equal(srtp_protect_rtcp(out, p, &len), srtp_err_status_ok);
		send_to_us(the.sock[1][1], RTP_LINE_AUDIO, true, p, (size_t)len);
		WAIT(the.rtcp[1] == 1);
		assert_int_equal(we_report(RTP_LINE_AUDIO), 0);
		len = (int)peer_gets(the.sock[1][1], p, sizeof p, NULL);
		assert_int_equal(srtp_unprotect_rtcp(in, p, &len), srtp_err_status_ok);
		assert_int_equal(len, 8);
		close_rig();
		assert_int_equal(the.stats.rx_dropped, 1);
		srtp_dealloc(out);
		srtp_dealloc(in);
	}
}

/* The call's next leg: what was sent before is not taken again, the roll-over goes on,
 * and no index of ours is used twice with the key (the new leg has other SSRCs). */
static void the_next_leg_goes_on(void **state)
{
	uint8_t early[PACKET + 64];
	int len = (int)peer_packet(early, 65534);
	srtp_t out, in;

	(void)state;
	open_rig("127.0.0.1", 1, false);
	set_keys(RTP_LINE_AUDIO, SRTP_PROFILE_GCM);
	out = make_lib(&the.cfg.line[1].peer, ssrc_any_outbound);
	in = make_lib(&the.cfg.line[1].ours, ssrc_any_inbound);
	start();
	assert_int_equal(srtp_protect(out, early, &len), srtp_err_status_ok);
	send_to_us(the.sock[1][0], RTP_LINE_AUDIO, false, early, (size_t)len);
	peer_sends_srtp(out, 65535);
	peer_sends_srtp(out, 0); /* rolls over */
	peer_sends_srtp(out, 1);
	WAIT(the.rtp[1] == 4);
	assert_int_equal(we_send(RTP_LINE_AUDIO, 100, 1), 1);
	peer_gets_srtp(in, 100);
	on_shard(job_close);
	/* what comes between two legs is nobody's */
	peer_sends_srtp(out, 2);
	the.connected = false;
	the.cfg.ssrc[1] = OURS + 1 + 0x100;
	start();
	send_to_us(the.sock[1][0], RTP_LINE_AUDIO, false, early, (size_t)len); /* a replay */
	peer_sends_srtp(out, 3);
	WAIT(the.rtp[1] == 5);
	assert_int_equal(the.last[PACKET - 1], 3);
	assert_int_equal(we_send(RTP_LINE_AUDIO, 100, 1), 0); /* not its SSRC any more */
	close_rig();
	assert_int_equal(the.stats.rx_dropped, 1);
	srtp_dealloc(out);
	srtp_dealloc(in);
}

/* Re-INVITE: other keys of the peer; another suite and back again, which must not begin
 * anew with the first index. */
static void keys_may_change(void **state)
{
	struct srtp_keys ours;
	srtp_t out, in;

	(void)state;
	open_rig("127.0.0.1", 1, false);
	set_keys(RTP_LINE_AUDIO, SRTP_PROFILE_CM);
	in = make_lib(&the.cfg.line[1].ours, ssrc_any_inbound);
	ours = the.cfg.line[1].ours;
	start();
	assert_int_equal(we_send(RTP_LINE_AUDIO, 65534, 4), 4); /* rolls over */
	for (int i = 0; i < 4; i++)
		peer_gets_srtp(in, (uint16_t)(65534 + i));
	set_keys(RTP_LINE_AUDIO, SRTP_PROFILE_GCM);
	out = make_lib(&the.cfg.line[1].peer, ssrc_any_outbound);
	on_shard(job_set);
	assert_int_equal(the.result, 0);
	peer_sends_srtp(out, 5);
	WAIT(the.rtp[1] == 1);
	srtp_dealloc(out);
	set_keys(RTP_LINE_AUDIO, SRTP_PROFILE_CM);
	assert_memory_equal(&ours, &the.cfg.line[1].ours, sizeof ours);
	out = make_lib(&the.cfg.line[1].peer, ssrc_any_outbound);
	on_shard(job_set);
	assert_int_equal(we_send(RTP_LINE_AUDIO, 2, 2), 2);
	peer_gets_srtp(in, 2); /* after its roll-over */
	peer_gets_srtp(in, 3);
	peer_sends_srtp(out, 6);
	WAIT(the.rtp[1] == 2);
	close_rig();
	srtp_dealloc(out);
	srtp_dealloc(in);
}

/* --- where the peer is ------------------------------------------------------------- */

/* 127.0.0.2 stands for the outside of a NAT. */
static void a_peer_behind_a_nat(void **state)
{
	uint8_t p[2048];
	int nat, stray;

	(void)state;
	open_rig("127.0.0.1", 1, false);
	nat = make_socket("127.0.0.2");
	stray = make_socket("127.0.0.3");
	start();
	for (uint16_t seq = 0; seq < LATCH_STRANGER_RUN + 2; seq++)
		peer_sends(nat, RTP_LINE_AUDIO, seq);
	WAIT(the.rtp[1] == 3);
	assert_int_equal(we_send(RTP_LINE_AUDIO, 1, 1), 1);
	assert_int_equal(peer_gets(nat, p, sizeof p, NULL), 12 + PACKET);
	assert_true(peer_has_nothing(the.sock[1][0]));
	/* who comes later is not the peer, and his sound is not heard */
	for (uint16_t seq = 0; seq < 50; seq++)
		peer_sends(stray, RTP_LINE_AUDIO, seq);
	peer_sends(nat, RTP_LINE_AUDIO, LATCH_STRANGER_RUN + 2);
	WAIT(the.rtp[1] == 4);
	assert_int_equal(we_send(RTP_LINE_AUDIO, 2, 1), 1);
	peer_gets(nat, p, sizeof p, NULL);
	assert_true(peer_has_nothing(stray));
	send_to_us(stray, RTP_LINE_AUDIO, true, p, peer_report(p, THEIRS));
	send_to_us(nat, RTP_LINE_AUDIO, true, p, peer_report(p, THEIRS));
	WAIT(the.rtcp[1] == 1);
	assert_int_equal(we_report(RTP_LINE_AUDIO), 0);
	assert_int_equal(peer_gets(nat, p, sizeof p, NULL), 8);
	/* a new description: at once there */
	the.cfg.line[1].port = bound_port(the.sock[2][0]);
	the.cfg.line[1].rtcp_port = bound_port(the.sock[2][1]);
	on_shard(job_set);
	assert_int_equal(we_send(RTP_LINE_AUDIO, 3, 1), 1);
	assert_int_equal(peer_gets(the.sock[2][0], p, sizeof p, NULL), 12 + PACKET);
	close_rig();
	close(nat);
	close(stray);
}

/* They may not end a call, nor may rubbish. */
static void strangers_who_send_much(void **state)
{
	static const uint8_t rubbish[1400] = { 0x80, 0 };
	int stray;

	(void)state;
	open_rig("127.0.0.1", 1, false);
	the.cfg.max_rx_kbps = 100;
	stray = make_socket("127.0.0.3");
	start();
	peer_sends(the.sock[1][0], RTP_LINE_AUDIO, 1);
	WAIT(the.rtp[1] == 1);
	for (int i = 0; i < 300; i++) {
		send_to_us(stray, RTP_LINE_AUDIO, i % 2, rubbish, i % 3 ? sizeof rubbish : 1);
		if (i % 20 == 19) /* so that none is lost in the socket */
			wait_for_drops((unsigned)i + 1);
	}
	peer_sends(the.sock[1][0], RTP_LINE_AUDIO, 2);
	WAIT(the.rtp[1] == 2);
	assert_string_equal(the.closed, "");
	close_rig();
	assert_int_equal(the.stats.rx_dropped, 300);
}

/* --- hold and silence -------------------------------------------------------------- */

static void job_silence(void *obj, void *arg)
{
	struct udp_transport *t = udp_self(the.t);
	int64_t now = clock_now_ns(&clock_monotonic);

	(void)obj;
	(void)arg;
	role_assert_net();
	udp_check_silence(t, now + 29 * NS_PER_S);
	the.result = t->dead;
	udp_check_silence(t, now + 31 * NS_PER_S);
	the.result += 2 * t->dead;
	udp_check_silence(t, now + 121 * NS_PER_S);
	the.result += 4 * t->dead;
	NOTE(the.done = true);
}

static void silence_ends_it(void **state)
{
	static const struct {
		bool rx, heard, rtcp;
		int result; /* dead after 29, 31, 121 s */
	} row[] = { { true, true, false, 6 },	{ true, false, false, 4 },
		    { false, true, false, 0 },	{ false, false, false, 0 },
		    { true, true, true, 6 }, /* reports alone are no sign of life */
		    { true, false, true, 4 } };
	uint8_t p[64];

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		open_rig("127.0.0.1", 1, false);
		start();
		if (row[i].heard) {
			peer_sends(the.sock[1][0], RTP_LINE_AUDIO, 1);
			WAIT(the.rtp[1] == 1);
		}
		if (row[i].rtcp) {
			send_to_us(the.sock[1][1], RTP_LINE_AUDIO, true, p, peer_report(p, THEIRS));
			WAIT(the.rtcp[1] == 1);
		}
		the.cfg.line[1].rx = row[i].rx; /* on hold, maybe */
		on_shard(job_set);
		on_shard(job_silence);
		assert_int_equal(the.result, row[i].result);
		assert_string_equal(the.closed, row[i].result ? TRANSPORT_CLOSED_SILENCE : "");
		/* calls on it do nothing now */
		assert_int_equal(we_send(RTP_LINE_AUDIO, 1, 1), row[i].result ? 0 : 1);
		close_rig();
	}
}

static void on_hold(void **state)
{
	uint8_t p[2048];

	(void)state;
	open_rig("127.0.0.1", 2, false);
	start();
	the.cfg.line[1].tx = the.cfg.line[1].rx = false;
	the.cfg.line[2].used = false;
	on_shard(job_set);
	assert_int_equal(we_send(RTP_LINE_AUDIO, 1, 1), 0);
	assert_int_equal(we_send(RTP_LINE_CAMERA, 1, 1), 0);
	assert_int_equal(we_report(RTP_LINE_AUDIO), 0); /* reports go on */
	assert_int_equal(peer_gets(the.sock[1][1], p, sizeof p, NULL), 8);
	peer_sends(the.sock[1][0], RTP_LINE_AUDIO, 1);
	peer_sends(the.sock[2][0], RTP_LINE_CAMERA, 1);
	wait_for_drops(1);
	send_to_us(the.sock[1][1], RTP_LINE_AUDIO, true, p, peer_report(p, THEIRS));
	WAIT(the.rtcp[1] == 1);
	/* and back */
	the.cfg.line[1].tx = the.cfg.line[1].rx = the.cfg.line[2].used = true;
	on_shard(job_set);
	assert_int_equal(we_send(RTP_LINE_AUDIO, 2, 1), 1);
	for (uint16_t seq = 2; seq < 2 + LATCH_RUN; seq++)
		peer_sends(the.sock[1][0], RTP_LINE_AUDIO, seq);
	peer_sends(the.sock[2][0], RTP_LINE_CAMERA, 2);
	WAIT(the.rtp[1] >= LATCH_RUN && the.rtp[2] >= 1);
	assert_int_equal(we_send(RTP_LINE_CAMERA, 2, 1), 1);
	for (int i = 1; i <= 2; i++)
		assert_int_equal(peer_gets(the.sock[i][0], p, sizeof p, NULL), 12 + PACKET);
	close_rig();
	assert_int_equal(the.rtp[1] + the.rtp[2], LATCH_RUN + 1);
}

/* --- whom a description names ------------------------------------------------------ */

/* A call that nobody has acknowledged. */
static void nothing_before_it_is_acknowledged(void **state)
{
	uint8_t p[2048];

	(void)state;
	open_rig("127.0.0.1", 1, false);
	rtp_ports_withhold(the.ports, true);
	start();
	for (uint16_t seq = 1; seq <= LATCH_RUN; seq++)
		peer_sends(the.sock[1][0], RTP_LINE_AUDIO, seq);
	WAIT(the.rtp[1] == LATCH_RUN);
	assert_int_equal(we_send(RTP_LINE_AUDIO, 1, 3), 0);
	assert_int_equal(we_report(RTP_LINE_AUDIO), -ENOTCONN);
	assert_true(peer_has_nothing(the.sock[1][0]));
	rtp_ports_withhold(the.ports, false);
	assert_int_equal(we_send(RTP_LINE_AUDIO, 4, 1), 1);
	assert_int_equal(peer_gets(the.sock[1][0], p, sizeof p, NULL), 12 + PACKET);
	close_rig();
}

/* Who only listens hears a little; pictures go to whom has been heard. */
static void little_to_who_was_not_heard(void **state)
{
	size_t n = 0;

	(void)state;
	open_rig("127.0.0.1", 2, false);
	start();
	for (uint16_t seq = 0; seq < 64; seq++)
		n += we_send(RTP_LINE_AUDIO, seq, 1);
	assert_true(n >= UNHEARD_BURST / (12 + PACKET));
	assert_int_equal(we_send(RTP_LINE_CAMERA, 0, 64), 0);
	/* one packet may be anybody's; a run of them on one line opens both */
	peer_sends(the.sock[1][0], RTP_LINE_AUDIO, 1);
	WAIT(the.rtp[1] == 1);
	assert_int_equal(we_send(RTP_LINE_CAMERA, 64, 1), 0);
	assert_int_equal(the.opened, 0);
	for (uint16_t seq = 2; seq <= LATCH_RUN; seq++)
		peer_sends(the.sock[1][0], RTP_LINE_AUDIO, seq);
	WAIT(the.rtp[1] == LATCH_RUN);
	assert_int_equal(we_send(RTP_LINE_AUDIO, 64, 64), 64);
	assert_int_equal(we_send(RTP_LINE_CAMERA, 65, 64), 0);
	WAIT(the.opened == 1); /* a picture begins now */
	assert_int_equal(we_send(RTP_LINE_CAMERA, 129, 64), 64);
	assert_int_equal(the.opened, 1);
	/* of another host that is described nothing is known */
	snprintf(the.cfg.line[1].address, RTP_ADDRESS_BYTES, "127.0.0.9");
	snprintf(the.cfg.line[2].address, RTP_ADDRESS_BYTES, "127.0.0.9");
	on_shard(job_set);
	assert_int_equal(we_send(RTP_LINE_CAMERA, 200, 1), 0);
	close_rig();
}

/* This machine's other programs are named by this machine alone, and all by nobody. */
static void whom_a_description_may_not_name(void **state)
{
	static const struct {
		const char *signaling, *rtp;
		size_t sent;
	} row[] = {
		{ "127.0.0.1", "127.0.0.1", 1 },   { "127.0.0.7", "127.0.0.1", 1 },
		{ NULL, "127.0.0.1", 1 }, /* a call out, by the way of loopback */
		{ "192.0.2.1", "127.0.0.1", 0 },   { "192.0.2.1", "127.8.8.8", 0 },
		{ "127.0.0.1", "224.0.0.1", 0 },   { "127.0.0.1", "255.255.255.255", 0 },
		{ "127.0.0.1", "0.0.0.0", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		open_rig("127.0.0.1", 1, false);
		the.cfg.signaling = row[i].signaling;
		snprintf(the.cfg.line[1].address, RTP_ADDRESS_BYTES, "%s", row[i].rtp);
		start();
		if (we_send(RTP_LINE_AUDIO, 1, 1) != row[i].sent)
			fail_msg("row %zu", i);
		close_rig();
	}
}

static void job_data(void *obj, void *arg)
{
	(void)obj;
	(void)arg;
	role_assert_net();
	the.result = transport_start_data(the.t, 5000, 0);
	transport_hurry(the.t, true);
	transport_hurry(the.t, false);
	transport_close_data(the.t, 1);
	NOTE(the.done = true);
}

static void there_are_no_data_channels(void **state)
{
	(void)state;
	open_rig("127.0.0.1", 1, false);
	start();
	on_shard(job_data);
	assert_int_equal(the.result, -ENOTSUP);
	close_rig();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_apart),
		cmocka_unit_test(rtcp_beside_rtp),
		cmocka_unit_test(what_belongs_nowhere_is_not_sent),
		cmocka_unit_test(sdes_both_ways),
		cmocka_unit_test(the_next_leg_goes_on),
		cmocka_unit_test(keys_may_change),
		cmocka_unit_test(a_peer_behind_a_nat),
		cmocka_unit_test(strangers_who_send_much),
		cmocka_unit_test(silence_ends_it),
		cmocka_unit_test(on_hold),
		cmocka_unit_test(nothing_before_it_is_acknowledged),
		cmocka_unit_test(little_to_who_was_not_heard),
		cmocka_unit_test(whom_a_description_may_not_name),
		cmocka_unit_test(there_are_no_data_channels),
	};

	/* libsrtp2's NSS loads SQLite and drops it again, which the thread sanitizer's
	 * suppressions by library do not survive. */
	dlopen("libsqlite3.so.0", RTLD_NOW);
	assert(srtp_init() == srtp_err_status_ok);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
