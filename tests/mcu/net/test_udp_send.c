#include "mcu/net/udp_send.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <unistd.h>

struct world {
	struct udp_sender *s;
	struct udp_path path;
	int rx;
};

static int udp_socket(struct sockaddr_in *at)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), size = 4 << 20;
	socklen_t len = sizeof *at;

	*at = (struct sockaddr_in){ .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	assert_int_equal(bind(fd, (struct sockaddr *)at, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)at, &len), 0);
	return fd;
}

static struct world open_world(bool gso)
{
	struct world w = { 0 };
	struct sockaddr_in at, own;

	assert_int_equal(udp_sender_new(&w.s, gso), 0);
	w.rx = udp_socket(&at);
	w.path.fd = udp_socket(&own);
	memcpy(&w.path.to, &at, sizeof at);
	w.path.to_len = sizeof at;
	return w;
}

static void close_world(struct world *w)
{
	udp_sender_free(&w->s);
	assert_null(w->s);
	close(w->rx);
	close(w->path.fd);
}

static void put(struct world *w, uint8_t tag, size_t len)
{
	uint8_t *p = udp_send_room(w->s);

	assert_non_null(p);
	memset(p, tag, len);
	udp_send_commit(w->s, len);
}

/* Everything that was put arrives, in order, cut where it was cut. */
static void expect(struct world *w, uint8_t tag, size_t len)
{
	uint8_t buf[2000];
	ssize_t n = recv(w->rx, buf, sizeof buf, MSG_DONTWAIT);

	assert_int_equal(n, len);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(buf[i], tag);
}

static void expect_nothing(struct world *w)
{
	uint8_t buf[2000];

	assert_int_equal(recv(w->rx, buf, sizeof buf, MSG_DONTWAIT), -1);
}

/* Runs of equal size, a shorter end, a longer one after it, single ones. */
static const size_t sizes[] = { 1200, 1200, 1200, 700, 1300, 1300, 50,
				50,   49,   50,	  1,   1472, 1472, 900 };

static void send_mix(bool gso)
{
	struct world w = open_world(gso);
	size_t n = sizeof sizes / sizeof *sizes;

	for (size_t i = 0; i < n; i++)
		put(&w, (uint8_t)i, sizes[i]);
	assert_int_equal(udp_send_queued(w.s), n);
	assert_int_equal(udp_send_flush(w.s, &w.path), n);
	assert_int_equal(udp_send_queued(w.s), 0);
	for (size_t i = 0; i < n; i++)
		expect(&w, (uint8_t)i, sizes[i]);
	expect_nothing(&w);
	close_world(&w);
}

static void test_mixed_sizes(void **state)
{
	(void)state;
	send_mix(true);
	send_mix(false);
}

/* More segments and octets than one send may have. */
static void test_full_arena(void **state)
{
	(void)state;
	for (size_t len = 100; len <= 1472; len += 686) {
		struct world w = open_world(true);

		for (size_t i = 0; i < UDP_SEND_PACKETS; i++)
			put(&w, (uint8_t)i, len);
		assert_null(udp_send_room(w.s));
		assert_int_equal(udp_send_flush(w.s, &w.path), UDP_SEND_PACKETS);
		for (size_t i = 0; i < UDP_SEND_PACKETS; i++)
			expect(&w, (uint8_t)i, len);
		assert_non_null(udp_send_room(w.s));
		close_world(&w);
	}
}

static void test_packets_can_be_read_back(void **state)
{
	struct world w = open_world(true);
	const uint8_t *p;
	size_t len;

	(void)state;
	put(&w, 1, 10);
	put(&w, 2, 20);
	p = udp_send_packet(w.s, 1, &len);
	assert_int_equal(len, 20);
	assert_int_equal(p[0], 2);
	udp_send_clear(w.s);
	assert_int_equal(udp_send_flush(w.s, &w.path), 0);
	expect_nothing(&w);
	close_world(&w);
}

/* The kernel refuses segments on a socket without UDP checksums (EIO): the same
 * packets go out one by one, and no further try is made. */
static void test_fallback(void **state)
{
	struct world w = open_world(true);
	int on = 1;

	(void)state;
	assert_int_equal(setsockopt(w.path.fd, SOL_SOCKET, SO_NO_CHECK, &on, sizeof on), 0);
	for (int round = 0; round < 2; round++) {
		for (uint8_t i = 0; i < 5; i++)
			put(&w, i, 1000);
		assert_int_equal(udp_send_flush(w.s, &w.path), 5);
		assert_true(w.path.no_gso);
		for (uint8_t i = 0; i < 5; i++)
			expect(&w, i, 1000);
	}
	close_world(&w);
}

static void test_full_socket_drops(void **state)
{
	struct world w = open_world(false);
	int fd[2], size = 4096;
	size_t sent;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fd), 0);
	setsockopt(fd[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	close(w.path.fd);
	w.path = (struct udp_path){ .fd = fd[0] };
	for (uint8_t i = 0; i < 100; i++)
		put(&w, i, 1000);
	sent = udp_send_flush(w.s, &w.path);
	assert_in_range(sent, 1, 99);
	assert_int_equal(udp_send_queued(w.s), 0);
	close(fd[1]);
	put(&w, 1, 1000); /* the peer is gone: an error, not a signal */
	assert_int_equal(udp_send_flush(w.s, &w.path), 0);
	close_world(&w);
}

/* A port nobody listens on: the ICMP error of one send must not eat the next. */
static void test_refused_is_no_failure(void **state)
{
	struct world w = open_world(true);

	(void)state;
	close(w.rx);
	assert_int_equal(connect(w.path.fd, (struct sockaddr *)&w.path.to, w.path.to_len), 0);
	for (int round = 0; round < 4; round++) {
		put(&w, 1, 100);
		put(&w, 2, 100);
		assert_int_equal(udp_send_flush(w.s, &w.path), 2);
	}
	w.rx = dup(w.path.fd);
	close_world(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mixed_sizes),
		cmocka_unit_test(test_full_arena),
		cmocka_unit_test(test_packets_can_be_read_back),
		cmocka_unit_test(test_fallback),
		cmocka_unit_test(test_full_socket_drops),
		cmocka_unit_test(test_refused_is_no_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
