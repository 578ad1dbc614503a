/* Packets interleaved with the messages of an RTSP connection. */
#include "tests/mcu/net/udp_rig.h"

#include "mcu/net/rtp_tcp.h"

enum { PAYLOAD = 1100, AU_PACKETS = 8, MANY = 4000 };

static struct rtp_tcp *tcp;
static int far_end;
static uint8_t *came; /* all that was read there */
static size_t n_came, cap_came;

static void job_open_tcp(void *obj, void *arg)
{
	(void)obj;
	(void)arg;
	role_assert_net();
	the.result = transport_tcp_new(&the.t, the.shard, &the.cfg, &udp_events, NULL);
	NOTE(the.done = true);
}

static int open_all(void **state)
{
	int fd[2];

	(void)state;
	role_enter(ROLE_ID_NONE);
	the.connected = false;
	the.opened = 0;
	memset(the.rtcp, 0, sizeof the.rtcp);
	n_came = 0;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd), 0);
	far_end = fd[1];
	assert_int_equal(net_shard_new(&the.shard, 0, NULL), 0);
	assert_int_equal(rtp_tcp_new(&tcp, the.shard, fd[0]), 0);
	assert_int_equal(rtp_port_range_new(&the.range, 30000, 30001), 0);
	assert_int_equal(rtp_ports_new(&the.ports, the.range, "127.0.0.1", 0, NULL), 0);
	rtp_ports_set_tcp(the.ports, tcp);
	the.cfg = (struct rtp_udp_cfg){ .ports = the.ports };
	for (enum rtp_line i = RTP_LINE_AUDIO; i < RTP_LINE_CONTENT; i++) {
		assert_int_equal(rtp_ports_open(the.ports, i, NULL), 0);
		assert_int_not_equal(rtp_ports_port(the.ports, i), 0);
		rtp_ports_set_channels(the.ports, i, (uint8_t)(2 * i), (uint8_t)(2 * i + 1));
		the.cfg.line[i] = (struct rtp_udp_line){ .used = true, .tx = true };
		the.cfg.ssrc[i] = OURS + i;
	}
	assert_int_equal(rtp_port_range_used(the.range), 0); /* they take none */
	on_shard(job_open_tcp);
	assert_int_equal(the.result, 0);
	WAIT(the.connected);
	return 0;
}

static int close_all(void **state)
{
	(void)state;
	on_shard(job_close);
	rtp_ports_unref(&the.ports);
	rtp_tcp_unref(&tcp);
	net_shard_free(&the.shard);
	rtp_port_range_free(&the.range);
	close(far_end);
	free(came);
	came = NULL;
	cap_came = 0;
	return 0;
}

/* What waits at the far end; false: the connection has ended. */
static bool read_some(int wait_ms)
{
	struct pollfd p = { .fd = far_end, .events = POLLIN };
	ssize_t n;

	if (poll(&p, 1, wait_ms) <= 0)
		return true;
	if (cap_came - n_came < 65536) {
		cap_came = cap_came ? cap_came * 2 : 1 << 18;
		came = realloc(came, cap_came);
		assert_non_null(came);
	}
	n = recv(far_end, came + n_came, cap_came - n_came, MSG_DONTWAIT);
	if (n > 0)
		n_came += (size_t)n;
	return n > 0 || (n < 0 && errno == EAGAIN);
}

static void read_until(size_t octets)
{
	for (int i = 0; i < WAIT_S * 100 && n_came < octets; i++)
		assert_true(read_some(10));
	assert_true(n_came >= octets);
}

/* One access unit of pictures, or a packet of sound. How many packets were taken. */
static size_t send_au(enum rtp_line line, unsigned n, unsigned no)
{
	static uint8_t hdr[AU_PACKETS][12], payload[PAYLOAD];

	for (unsigned i = 0; i < n; i++) {
		const uint8_t h[12] = { 0x80, (uint8_t)(96 | (i + 1 == n ? 0x80 : 0)), 0, (uint8_t)i,
					(uint8_t)(no >> 24), (uint8_t)(no >> 16), (uint8_t)(no >> 8),
					(uint8_t)no, OURS >> 24, (OURS >> 16) & 0xff, 0, (uint8_t)line };

		memcpy(hdr[i], h, sizeof h);
		the.pkts[i] = (struct out_pkt){ .hdr = hdr[i], .hdr_len = 12, .payload = payload,
						.payload_len = PAYLOAD };
	}
	the.n_pkts = n;
	on_shard(job_send);
	return the.sent;
}

static void replies_and_packets_share_it(void **state)
{
	static const uint8_t sr[28] = { 0x80, 200, 0, 6, OURS >> 24, (OURS >> 16) & 0xff, 0,
					RTP_LINE_CAMERA };
	static const uint8_t rr[8] = { 0x80, 201, 0, 1 };

	(void)state;
	assert_int_equal(rtp_tcp_text(tcp, "RTSP/1.0 200 OK\r\n\r\n", 19), 0);
	read_until(19);
	assert_memory_equal(came, "RTSP/1.0 200 OK\r\n\r\n", 19);
	assert_int_equal(send_au(RTP_LINE_CAMERA, 1, 1), 1);
	the.rtcp_pkt = sr;
	the.rtcp_len = sizeof sr;
	on_shard(job_send_rtcp);
	assert_int_equal(the.result, 0);
	read_until(19 + 4 + 12 + PAYLOAD + 4 + 28);
	assert_int_equal(came[19], '$');
	assert_int_equal(came[20], 2 * RTP_LINE_CAMERA);
	assert_int_equal(came[21] << 8 | came[22], 12 + PAYLOAD);
	assert_int_equal(came[19 + 4 + 12 + PAYLOAD + 1], 2 * RTP_LINE_CAMERA + 1);
	/* what the client reports gets to the line of its channel; the rest nowhere */
	rtp_tcp_feed(tcp, 77, rr, sizeof rr);
	rtp_tcp_feed(tcp, 2 * RTP_LINE_AUDIO, rr, sizeof rr);
	rtp_tcp_feed(tcp, 2 * RTP_LINE_AUDIO + 1, rr, sizeof rr);
	WAIT(the.rtcp[RTP_LINE_AUDIO] == 1);
	on_shard(job_stats); /* a turn later */
	assert_int_equal(the.rtcp[RTP_LINE_CAMERA], 0);
}

static unsigned times_opened(void)
{
	unsigned n;

	NOTE(n = the.opened);
	return n;
}

/* Pictures that a client does not read: whole ones are left out, messages and sound get
 * through, and when it reads again it is told to go on with a key frame. */
static void a_client_that_does_not_read(void **state)
{
	size_t at = 0, pictures = 0;
	bool text = false, inside = false;
	unsigned i = 0;

	(void)state;
	while (i < MANY && send_au(RTP_LINE_CAMERA, AU_PACKETS, i) == AU_PACKETS)
		i++;
	assert_true(i > 10 && i < MANY);
	assert_int_equal(send_au(RTP_LINE_CAMERA, AU_PACKETS, i), 0);
	assert_int_equal(send_au(RTP_LINE_AUDIO, 1, 0), 1);
	assert_int_equal(rtp_tcp_text(tcp, "RTSP/1.0 201 Here\r\n\r\n", 21), 0);
	assert_int_equal(times_opened(), 0);
	for (int n = 0; n < WAIT_S * 100 && !text; n++) {
		assert_true(read_some(10));
		text = n_came > 21 && !memcmp(came + n_came - 21, "RTSP/1.0 201 Here", 17);
	}
	assert_true(text);
	WAIT(the.opened == 1);
	while (came[at] == '$') {
		const uint8_t *p = came + at + 4;

		if (came[at + 1] == 2 * RTP_LINE_CAMERA) {
			assert_int_equal(p[3] == 0, !inside);
			inside = !(p[1] & 0x80);
			pictures += !inside;
		}
		at += 4u + (size_t)(came[at + 2] << 8 | came[at + 3]);
	}
	assert_false(inside);
	assert_int_equal(pictures, i);
	assert_int_equal(at, n_came - 21);
	assert_int_equal(send_au(RTP_LINE_CAMERA, AU_PACKETS, i), AU_PACKETS);
}

/* Whoever asks on and on and reads nothing is cut off. */
static void a_client_that_only_asks(void **state)
{
	static char text[8000];
	bool open = true;

	(void)state;
	memset(text, 'x', sizeof text);
	for (int i = 0; i < 600; i++)
		while (rtp_tcp_text(tcp, text, sizeof text))
			sched_yield();
	for (int i = 0; i < WAIT_S * 100 && open; i++)
		open = read_some(10);
	assert_false(open);
	assert_int_equal(send_au(RTP_LINE_CAMERA, 1, 0), 0);
}

static void job_hold(void *obj, void *arg)
{
	const struct timespec ms = { .tv_nsec = NS_PER_MS };
	bool go = false;

	(void)obj;
	(void)arg;
	NOTE(the.done = true);
	while (!go) {
		nanosleep(&ms, NULL);
		NOTE(go = !the.done);
	}
}

static void job_count(void *obj, void *arg)
{
	(void)arg;
	NOTE(++*(unsigned *)obj);
}

/* Whoever lets go of it does not wait for a shard that has no room for another word, and
 * it ends all the same, behind what was said before. */
static void let_go_while_the_shard_is_full(void **state)
{
	static unsigned n;
	struct rtp_tcp *t;
	unsigned posted = 0;
	int64_t from;
	int fd[2];
	char c[4];

	(void)state;
	n = 0;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
	assert_int_equal(rtp_tcp_new(&t, the.shard, fd[0]), 0);
	the.done = false;
	assert_int_equal(mbox_post(net_shard_mbox(the.shard), job_hold, NULL, NULL), 0);
	WAIT(the.done);
	assert_int_equal(rtp_tcp_text(t, "bye", 3), 0);
	while (!mbox_post(net_shard_mbox(the.shard), job_count, &n, NULL))
		posted++;
	from = clock_now_ns(&clock_monotonic);
	rtp_tcp_unref(&t);
	assert_true(clock_now_ns(&clock_monotonic) - from < NS_PER_S);
	NOTE(the.done = false);
	WAIT(n == posted);
	assert_int_equal(recv(fd[1], c, sizeof c, MSG_WAITALL), 3); /* then its end */
	assert_memory_equal(c, "bye", 3);
	close(fd[1]);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, open_all, close_all)
	const struct CMUnitTest tests[] = {
		T(replies_and_packets_share_it), T(a_client_that_does_not_read), T(a_client_that_only_asks),
		T(let_go_while_the_shard_is_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
