/* The transport over UDP and a telephone into which nobody speaks. */
#include "mcu/net/rtp_udp.h"

#include "mcu/net/silence_filter.h"
#include "mcu/net/tap.h"
#include "tests/mcu/net/udp_rig.h"

enum { SAMPLES = 160, SOME = 20 };

static const struct transport_silence silence = {
	.payload_len = SAMPLES, .pt = 96, .code = 0x7c, .mask = 0x7c,
};

static int64_t later_ns; /* the clock of a job is so much ahead */
static struct tap *tap;
static uint16_t seq;

static struct udp_socket *sound(void)
{
	return &udp_self(the.t)->line[RTP_LINE_AUDIO].rtp;
}

static void job_relax(void *obj, void *arg)
{
	(void)obj;
	(void)arg;
	role_assert_net();
	transport_relax(the.t, &silence);
	/* as soon as it is known for long enough */
	udp_rest(sound(), clock_now_ns(&clock_monotonic) + LATCH_SETTLE_MS * NS_PER_MS);
	the.result = sound()->rests;
	NOTE(the.done = true);
}

static void job_wake(void *obj, void *arg)
{
	(void)obj;
	(void)arg;
	role_assert_net();
	transport_relax(the.t, NULL);
	NOTE(the.done = true);
}

static void job_check(void *obj, void *arg)
{
	(void)obj;
	(void)arg;
	role_assert_net();
	udp_check_rest(sound(), clock_now_ns(&clock_monotonic) + later_ns);
	the.result = sound()->rests;
	NOTE(the.done = true);
}

static void job_tap(void *obj, void *arg)
{
	(void)obj;
	(void)arg;
	role_assert_net();
	transport_set_tap(the.t, tap);
	NOTE(the.done = true);
}

static void send_one(int sock, uint8_t octet)
{
	uint8_t p[12 + SAMPLES];
	size_t n = make_header(p, THEIRS, seq++, 0, 0);

	memset(p + n, octet, SAMPLES);
	send_to_us(sock, RTP_LINE_AUDIO, false, p, sizeof p);
}

/* So many packets of silence, then one of sound; how many of them came. */
static unsigned send_silence(int sock, unsigned n)
{
	unsigned before = heard();

	for (unsigned i = 0; i < n; i++)
		send_one(sock, 0xff);
	send_one(sock, 0x10);
	WAIT(the.last[12] == 0x10);
	NOTE(the.last[12] = 0);
	return heard() - before - 1;
}

/* It is where it is. */
static void begin(const char *ip)
{
	open_rig(ip, 1, false);
	start();
	seq = 0;
	assert_int_equal(send_silence(the.sock[1][0], SOME), SOME);
	on_shard(job_relax);
}

/* Numbers from `from` on that pass. */
static unsigned passing(unsigned from, unsigned n)
{
	unsigned passed = 0;

	for (unsigned i = from; i < from + n; i++)
		passed += i % SILENCE_FILTER_PASSES == 0;
	return passed;
}

static void rest_and_wake(const char *ip)
{
	unsigned from, n = 1000;

	begin(ip);
	assert_true(the.result);
	from = seq;
	assert_int_equal(send_silence(the.sock[1][0], n), passing(from, n));
	assert_int_equal(the.skipped, n - passing(from, n));
	/* nothing is lost for those who count */
	on_shard(job_stats);
	assert_int_equal(the.stats.rx_packets, seq);
	assert_int_equal(the.stats.rx_octets, seq * (12 + SAMPLES));
	assert_int_equal(the.stats.rx_dropped, 0);
	on_shard(job_wake);
	assert_int_equal(send_silence(the.sock[1][0], n / 10), n / 10);
	assert_int_equal(the.skipped, n - passing(from, n));
	/* and once more */
	from = seq;
	on_shard(job_relax);
	assert_int_equal(send_silence(the.sock[1][0], n), passing(from, n));
	on_shard(job_stats);
	assert_int_equal(the.stats.rx_packets, seq);
	close_rig();
}

static void of_silence_little_comes(void **state)
{
	(void)state;
	rest_and_wake("127.0.0.1");
}

static void of_silence_little_comes_over_ipv6(void **state)
{
	(void)state;
	rest_and_wake("::1");
}

/* Its socket is the next leg's, who hears all of it at first. */
static void the_next_leg_hears_all(void **state)
{
	(void)state;
	begin("127.0.0.1");
	assert_true(the.result);
	on_shard(job_close);
	the.connected = false;
	start();
	assert_int_equal(send_silence(the.sock[1][0], SOME), SOME);
	close_rig();
}

/* A capture has each packet. */
static void who_is_looked_at_does_not_rest(void **state)
{
	(void)state;
	assert_int_equal(tap_new(&tap), 0);
	begin("127.0.0.1");
	assert_true(the.result);
	on_shard(job_tap);
	send_silence(the.sock[1][0], SOME);
	assert_int_equal(send_silence(the.sock[1][0], SOME), SOME);
	on_shard(job_relax);
	assert_false(the.result);
	assert_int_equal(send_silence(the.sock[1][0], SOME), SOME);
	close_rig();
	tap_free(&tap);
}

/* Nothing comes from where it was: it is looked for. */
static void it_may_go_on_from_elsewhere(void **state)
{
	unsigned before;
	int other;

	(void)state;
	begin("127.0.0.1");
	assert_true(the.result);
	later_ns = 0;
	on_shard(job_check);
	assert_true(the.result);
	later_ns = LATCH_SETTLE_MS * NS_PER_MS + NS_PER_S;
	on_shard(job_check);
	assert_false(the.result);
	other = make_socket("127.0.0.1");
	before = heard();
	for (int ms = 0; heard() < before + SOME && ms < WAIT_S * 1000; ms++) {
		send_one(other, 0xff);
		poll(NULL, 0, 1);
	}
	assert_true(heard() >= before + SOME);
	close_rig();
	close(other);
}

/* What is encrypted cannot be told. */
static void with_keys_all_of_it_comes(void **state)
{
	(void)state;
	open_rig("127.0.0.1", 1, false);
	the.cfg.line[1].srtp = true;
	the.cfg.line[1].peer = make_keys(profiles[0]);
	assert_true(rtp_ports_keys(the.ports, 1, srtp_profile_name(profiles[0]), &the.cfg.line[1].ours));
	start();
	on_shard(job_relax);
	assert_false(the.result);
	close_rig();
}

/* Packets that came while the shard was elsewhere: what each read asks for is what came the
 * last time, but not for long. */
static void job_behind(void *obj, void *arg)
{
	enum { STEADY = 1, BACKLOG = 3, READS = 4 };
	struct udp_socket *k;
	unsigned before;

	(void)obj;
	(void)arg;
	role_assert_net();
	k = sound();
	udp_readable(k, k->path.fd, 1);
	for (unsigned i = 0; i < 50; i++) {
		send_one(the.sock[1][0], 0x10);
		udp_readable(k, k->path.fd, 0);
	}
	before = heard();
	for (unsigned i = 0; i < STEADY + BACKLOG; i++)
		send_one(the.sock[1][0], 0x10);
	for (unsigned i = 0; i < READS; i++)
		udp_readable(k, k->path.fd, 0);
	the.result = (int)(heard() - before - STEADY - BACKLOG);
	NOTE(the.done = true);
}

static void what_has_waited_is_read_soon(void **state)
{
	(void)state;
	open_rig("127.0.0.1", 1, false);
	start();
	seq = 0;
	on_shard(job_behind);
	assert_int_equal(the.result, 0);
	close_rig();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_silence_little_comes),
		cmocka_unit_test(of_silence_little_comes_over_ipv6),
		cmocka_unit_test(the_next_leg_hears_all),
		cmocka_unit_test(who_is_looked_at_does_not_rest),
		cmocka_unit_test(it_may_go_on_from_elsewhere),
		cmocka_unit_test(with_keys_all_of_it_comes),
		cmocka_unit_test(what_has_waited_is_read_soon),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
