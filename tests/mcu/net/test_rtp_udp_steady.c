/* The transport over UDP and a peer that stays where it is: its socket is connected to it,
 * until it is elsewhere. */
#include "mcu/net/rtp_udp.h"

#include "tests/mcu/net/udp_rig.h"

static void job_tie(void *obj, void *arg)
{
	struct udp_transport *t = udp_self(the.t);

	(void)obj;
	(void)arg;
	role_assert_net();
	udp_tie_lines(t, clock_now_ns(&clock_monotonic) + LATCH_SETTLE_MS * NS_PER_MS);
	the.result = t->line[RTP_LINE_AUDIO].rtp.path.connected;
	NOTE(the.done = true);
}

/* Until the socket is connected to it; the number after its last packet. */
static uint16_t send_steadily(int sock, uint16_t seq)
{
	unsigned before = heard();

	for (the.result = 0; !the.result; seq++) {
		assert_true(seq < 10000);
		peer_sends(sock, RTP_LINE_AUDIO, seq);
		WAIT(the.rtp[1] > before);
		before = heard();
		on_shard(job_tie);
	}
	return seq;
}

static int is_connected(void)
{
	struct sockaddr_storage a;
	socklen_t len = sizeof a;

	return !getpeername(rtp_ports_fd(the.ports, RTP_LINE_AUDIO, false), (void *)&a, &len);
}

/* Strangers do not even reach us; but when it goes on from another port it is heard. */
static void a_peer_that_sends_steadily(void **state)
{
	int stray, other;
	unsigned before;
	uint8_t p[2048];
	uint16_t seq;

	(void)state;
	open_rig("127.0.0.1", 1, false);
	stray = make_socket("127.0.0.3");
	other = make_socket("127.0.0.1");
	start();
	seq = send_steadily(the.sock[1][0], 1);
	assert_true(is_connected());
	before = heard();
	for (uint16_t i = 0; i < 50; i++)
		peer_sends(stray, RTP_LINE_AUDIO, i);
	peer_sends(the.sock[1][0], RTP_LINE_AUDIO, seq++);
	WAIT(the.rtp[1] == before + 1);
	assert_int_equal(we_send(RTP_LINE_AUDIO, 100, 1), 1);
	assert_int_equal(peer_gets(the.sock[1][0], p, sizeof p, NULL), 12 + PACKET);
	for (int ms = 0; heard() < before + 5 && ms < WAIT_S * 1000; ms++) {
		peer_sends(other, RTP_LINE_AUDIO, seq++);
		poll(NULL, 0, 1);
	}
	assert_true(heard() >= before + 5);
	assert_int_equal(we_send(RTP_LINE_AUDIO, 101, 1), 1);
	assert_int_equal(peer_gets(other, p, sizeof p, NULL), 12 + PACKET);
	on_shard(job_stats);
	assert_true(the.stats.rx_dropped < 50);
	/* its sockets are the next leg's, who may be elsewhere */
	send_steadily(other, seq);
	assert_true(is_connected());
	on_shard(job_close);
	assert_false(is_connected());
	close_rig();
	close(stray);
	close(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_peer_that_sends_steadily),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
