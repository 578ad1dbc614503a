/* Which connections are ended when there are too many, or one is too fast. */
#include "signaling/sip_crowd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

enum { OF_SOURCE = 4, OF_ALL = 10, OCTETS = 1000, MOST = 64 };

static struct sip_crowd_member now[MOST];
static size_t n;

static int setup(void **state)
{
	static const struct sip_crowd_limits limits = { OF_SOURCE, OF_ALL, OCTETS };

	n = 0;
	sip_crowd_new((struct sip_crowd **)state, &limits);
	return 0;
}

static int teardown(void **state)
{
	sip_crowd_free((struct sip_crowd **)state);
	return 0;
}

/* One more, of a source a. */
static void comes(int fd, uint64_t a, uint64_t octets)
{
	assert_true(n < MOST);
	now[n++] = (struct sip_crowd_member){ .fd = fd, .key = { { 0, a } }, .octets = octets };
}

/* Looks; how many were ended, which are gone then. */
static size_t look(struct sip_crowd *c)
{
	size_t left = 0, ended = 0;

	sip_crowd_look(c, now, n);
	for (size_t i = 0; i < n; i++) {
		ended += now[i].over != NULL;
		if (!now[i].over)
			now[left++] = now[i];
	}
	n = left;
	assert_int_equal(sip_crowd_size(c), n);
	return ended;
}

static bool is_there(int fd)
{
	for (size_t i = 0; i < n; i++)
		if (now[i].fd == fd)
			return true;
	return false;
}

static void of_one_source(void **state)
{
	for (int fd = 10; fd < 10 + OF_SOURCE; fd++)
		comes(fd, 1, 0);
	assert_int_equal(look(*state), 0);
	comes(3, 1, 0); /* a lower descriptor is no older connection */
	comes(4, 2, 0);
	assert_int_equal(look(*state), 1);
	assert_false(is_there(3));
	assert_true(is_there(4));
	assert_int_equal(look(*state), 0);
}

/* A crowd from many sources, none of which has too many. */
static void those_of_before_stay(void **state)
{
	comes(5, 100, 0);
	comes(6, 101, 0);
	assert_int_equal(look(*state), 0);
	for (int fd = 10; fd < 50; fd++)
		comes(fd, (uint64_t)(fd - 10) / OF_SOURCE, 0);
	assert_int_equal(look(*state), 42 - OF_ALL);
	assert_true(is_there(5));
	assert_true(is_there(6));
	for (int i = 0; i < 5; i++)
		assert_int_equal(look(*state), 0);
	for (int fd = 60; fd < 80; fd++) /* and again; those with one place are as good */
		comes(fd, (uint64_t)fd, 0);
	look(*state);
	assert_int_equal(n, OF_ALL);
	assert_true(is_there(5));
	assert_true(is_there(6));
	assert_true(is_there(10)); /* also of who was greedy, all but the newest */
}

static void a_place_for_who_has_none(void **state)
{
	for (int fd = 10; fd < 10 + OF_ALL; fd++)
		comes(fd, (uint64_t)(fd - 10) / OF_SOURCE, 0);
	assert_int_equal(look(*state), 0);
	comes(5, 100, 0);
	assert_int_equal(look(*state), 1);
	assert_true(is_there(5));
	assert_int_equal(n, OF_ALL);
	comes(6, 1, 0); /* it has as many as the others */
	assert_int_equal(look(*state), 1);
	assert_false(is_there(6));
}

static void fast_ones(void **state)
{
	comes(5, 1, OCTETS);
	comes(6, 1, OCTETS + 1);
	comes(7, 1, 0);
	assert_int_equal(look(*state), 1);
	assert_false(is_there(6));
	now[0].octets += OCTETS;
	now[1].octets += OCTETS + 1;
	assert_int_equal(look(*state), 1);
	assert_false(is_there(7));
	now[0].octets = 3; /* the descriptor is another connection's */
	assert_int_equal(look(*state), 0);
	n = 0;
	assert_int_equal(look(*state), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(of_one_source), T(those_of_before_stay), T(a_place_for_who_has_none), T(fast_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
