#include "mcu/net/udp_post.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <unistd.h>

enum { PEERS = 3 };

static struct {
	struct udp_post *post;
	struct udp_path path[PEERS];
	struct transport_stats counts[PEERS];
	int rx[PEERS];
} w;

static int udp_socket(struct sockaddr_in *at)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof *at;

	*at = (struct sockaddr_in){ .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	assert_int_equal(bind(fd, (struct sockaddr *)at, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)at, &len), 0);
	return fd;
}

static int open_world(void **state)
{
	struct sockaddr_in at, own;

	(void)state;
	role_enter(ROLE_ID_NONE);
	memset(&w, 0, sizeof w);
	for (int i = 0; i < PEERS; i++) {
		w.rx[i] = udp_socket(&at);
		w.path[i].fd = udp_socket(&own);
		memcpy(&w.path[i].to, &at, sizeof at);
		w.path[i].to_len = sizeof at;
	}
	/* the last is connected, and its address is not looked at */
	assert_int_equal(connect(w.path[PEERS - 1].fd, (struct sockaddr *)&at, sizeof at), 0);
	memset(&w.path[PEERS - 1].to, 0, sizeof at);
	w.path[PEERS - 1].connected = true;
	return udp_post_new(&w.post);
}

static int close_world(void **state)
{
	(void)state;
	udp_post_free(&w.post);
	for (int i = 0; i < PEERS; i++) {
		close(w.rx[i]);
		close(w.path[i].fd);
	}
	return 0;
}

static void put(int peer, uint8_t tag, size_t len) ON_THREAD(ROLE_NET)
{
	memset(udp_post_room(w.post), tag, len);
	udp_post_commit(w.post, len, &w.path[peer], &w.counts[peer]);
}

static bool gets(int peer, uint8_t tag, size_t len)
{
	uint8_t in[2000], want[2000];

	memset(want, tag, len);
	return recv(w.rx[peer], in, sizeof in, MSG_DONTWAIT) == (ssize_t)len &&
	       !memcmp(in, want, len);
}

static void each_gets_its_own_in_order(void **state)
{
	(void)state;
	role_assert_net();
	for (uint8_t i = 0; i < 30; i++)
		put(i % PEERS, i, 100u + i);
	for (int i = 0; i < PEERS; i++)
		assert_false(gets(i, (uint8_t)i, 100u + (unsigned)i));
	udp_post_send(w.post);
	udp_post_send(w.post);
	for (uint8_t i = 0; i < 30; i++)
		assert_true(gets(i % PEERS, i, 100u + i));
	for (int i = 0; i < PEERS; i++) {
		assert_false(gets(i, 0, 0));
		assert_int_equal(w.counts[i].tx_packets, 10);
		assert_int_equal(w.counts[i].tx_dropped, 0);
	}
}

/* Who has no room left sends what is there. */
static void a_full_post_is_sent(void **state)
{
	unsigned n = UDP_POST_PACKETS, got = 0;

	(void)state;
	role_assert_net();
	for (unsigned i = 0; i < n; i++)
		put(0, (uint8_t)i, UDP_SEND_MAX_PACKET);
	assert_int_equal(w.counts[0].tx_packets, 0);
	put(0, (uint8_t)n, UDP_SEND_MAX_PACKET);
	assert_int_equal(w.counts[0].tx_packets, n);
	udp_post_send(w.post);
	while (gets(0, (uint8_t)got, UDP_SEND_MAX_PACKET))
		got++;
	assert_true(got > n / 2 && got <= n + 1); /* as far as the receiver's buffer has room */
}

static void what_fails_harms_no_other(void **state)
{
	(void)state;
	role_assert_net();
	w.path[0].to_len = 1;
	put(0, 1, 10);
	put(1, 2, 10);
	/* nobody is there any more: what the kernel was told of that is another packet's */
	close(w.rx[2]);
	for (uint8_t i = 0; i < 4; i++) {
		put(2, i, 10);
		udp_post_send(w.post);
	}
	assert_int_equal(w.counts[0].tx_dropped, 1);
	assert_int_equal(w.counts[0].tx_packets, 0);
	assert_true(gets(1, 2, 10));
	assert_int_equal(w.counts[2].tx_packets, 4);
	w.rx[2] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, open_world, close_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(each_gets_its_own_in_order),
		T(a_full_post_is_sent),
		T(what_fails_harms_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
