#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "signaling/sip_filter.h"

static int bound(const char *address, struct sockaddr_storage *at)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	bool v6 = inet_pton(AF_INET6, address, &in6.sin6_addr) == 1;
	socklen_t len = v6 ? sizeof in6 : sizeof in;
	int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (!v6)
		assert_int_equal(inet_pton(AF_INET, address, &in.sin_addr), 1);
	assert_true(fd >= 0);
	memcpy(at, v6 ? (void *)&in6 : (void *)&in, len);
	if (bind(fd, (struct sockaddr *)at, len)) {
		close(fd);
		return -1;
	}
	len = sizeof *at;
	assert_int_equal(getsockname(fd, (struct sockaddr *)at, &len), 0);
	return fd;
}

/* Whether a datagram from one arrives. Another that always does ends the wait. */
static bool arrives(int to, const struct sockaddr_storage *at, int from, int other)
{
	struct pollfd p = { .fd = to, .events = POLLIN };
	char got = 0;

	assert_int_equal(sendto(from, "x", 1, 0, (const struct sockaddr *)at, sizeof *at), 1);
	assert_int_equal(sendto(other, "o", 1, 0, (const struct sockaddr *)at, sizeof *at), 1);
	assert_int_equal(poll(&p, 1, 10000), 1);
	assert_int_equal(recv(to, &got, 1, 0), 1);
	if (got == 'o')
		return false;
	assert_int_equal(poll(&p, 1, 10000), 1);
	assert_int_equal(recv(to, &got, 1, 0), 1);
	assert_int_equal(got, 'o');
	return true;
}

static void test_those_that_are_named_do_not_arrive(void **state)
{
	static const char *const source[] = { "127.0.0.2", "127.0.0.3", "127.0.0.4" };
	struct sip_limit_key keys[4];
	struct sockaddr_storage at, a;
	int to = bound("127.0.0.1", &at), from[3];

	(void)state;
	for (int i = 0; i < 3; i++) {
		from[i] = bound(source[i], &a);
		assert_true(sip_limit_key_text(&keys[i], source[i]));
	}
	assert_true(sip_limit_key_text(&keys[3], "2001:db8::1"));
	assert_int_equal(sip_filter_set(to, keys, 0), 0);
	assert_true(arrives(to, &at, from[0], from[2]));
	assert_int_equal(sip_filter_set(to, keys, 1), 0);
	assert_false(arrives(to, &at, from[0], from[2]));
	assert_true(arrives(to, &at, from[1], from[2]));
	keys[2] = keys[3]; /* of the other family: nobody here */
	assert_int_equal(sip_filter_set(to, keys, 3), 0);
	assert_false(arrives(to, &at, from[0], from[2]));
	assert_false(arrives(to, &at, from[1], from[2]));
	assert_int_equal(sip_filter_set(to, NULL, 0), 0);
	assert_true(arrives(to, &at, from[0], from[2]));
	assert_int_equal(sip_filter_set(to, keys, SIP_FILTER_MAX + 1), -22);
	assert_true(sip_filter_set(-1, keys, 1) < 0);
	for (int i = 0; i < 3; i++)
		close(from[i]);
	close(to);
}

static void test_the_longest_list(void **state)
{
	struct sip_limit_key keys[SIP_FILTER_MAX];
	struct sockaddr_storage at, at6, a, b;
	int to = bound("127.0.0.1", &at), first = bound("127.0.1.1", &a), last = bound("127.0.1.60", &a),
	    other = bound("127.0.0.1", &b), to6 = bound("::1", &at6);
	char text[32];

	(void)state;
	for (int i = 0; i < SIP_FILTER_MAX; i++) {
		snprintf(text, sizeof text, "127.0.1.%d", i + 1);
		assert_true(sip_limit_key_text(&keys[i], text));
	}
	assert_int_equal(sip_filter_set(to, keys, SIP_FILTER_MAX), 0);
	assert_false(arrives(to, &at, first, other));
	assert_false(arrives(to, &at, last, other));
	for (int i = 0; i < SIP_FILTER_MAX; i++) {
		snprintf(text, sizeof text, "2001:db8:%x::1", i);
		assert_true(sip_limit_key_text(&keys[i], text));
	}
	if (to6 >= 0) {
		int self = bound("::1", &b);

		assert_int_equal(sip_filter_set(to6, keys, SIP_FILTER_MAX), 0);
		assert_true(arrives(to6, &at6, self, self));
		assert_true(sip_limit_key_text(&keys[7], "::1"));
		assert_int_equal(sip_filter_set(to6, keys, SIP_FILTER_MAX), 0);
		assert_int_equal(sendto(self, "x", 1, 0, (struct sockaddr *)&at6, sizeof at6), 1);
		assert_int_equal(recv(to6, text, 1, MSG_DONTWAIT), -1);
		close(self);
		close(to6);
	}
	close(first);
	close(last);
	close(other);
	close(to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_those_that_are_named_do_not_arrive),
		cmocka_unit_test(test_the_longest_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
