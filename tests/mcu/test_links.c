#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "mcu/links.h"

static char key[LINK_SECRET_LEN + 1], other_key[LINK_SECRET_LEN + 1];
static struct recording_row row = { .id = 77 };

static int set_up(void **state)
{
	(void)state;
	memset(key, 'a', LINK_SECRET_LEN);
	memset(other_key, 'b', LINK_SECRET_LEN);
	return recording_token(row.token);
}

static void a_link_holds_until_its_time(void **state)
{
	char link[LINK_LEN + 1];

	(void)state;
	link_write(link, key, &row, 1795219200001);
	assert_int_equal(strncmp(link, "1795219201.", 11), 0);
	assert_int_equal(link_check(link, key, &row, 1), 0);
	assert_int_equal(link_check(link, key, &row, 1795219200999), 0);
	assert_int_equal(link_check(link, key, &row, 1795219201000), -ETIME);
}

static void nothing_in_it_can_be_changed(void **state)
{
	struct recording_row another = row, renewed = row;
	char link[LINK_LEN + 1];

	(void)state;
	another.id++;
	assert_int_equal(recording_token(renewed.token), 0);
	link_write(link, key, &row, 1795219201000);
	assert_int_equal(link_check(link, other_key, &row, 1), -EBADMSG);
	assert_int_equal(link_check(link, key, &another, 1), -EBADMSG);
	assert_int_equal(link_check(link, key, &renewed, 1), -EBADMSG);
	for (size_t i = 0; link[i]; i++) {
		char c = link[i];

		link[i] = c == '1' ? '2' : '1';
		assert_int_equal(link_check(link, key, &row, 1), -EBADMSG);
		link[i] = c;
	}
	assert_int_equal(link_check(link, key, &row, 1), 0);
}

static void the_token_of_the_row_opens_nothing(void **state)
{
	struct recording_row none = row;

	(void)state;
	assert_int_equal(link_check(row.token, key, &row, 1), -EBADMSG);
	none.token[0] = 0;
	assert_int_equal(link_check("", key, &none, 1), -EBADMSG);
}

static void other_texts_are_none(void **state)
{
	static const char *const bad[] = {
		"", ".", "1.", "1795219201", "1795219201.", ".aaaa", "-1.aaaa", "+1.aaaa",
		"99999999999999999999999999.aaaa", "0x10.aaaa", "1795219201.zzzz",
		"1795219201.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"1795219201.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"../../etc/passwd", "%s%n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(link_check(bad[i], key, &row, 1), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_link_holds_until_its_time),
		cmocka_unit_test(nothing_in_it_can_be_changed),
		cmocka_unit_test(the_token_of_the_row_opens_nothing),
		cmocka_unit_test(other_texts_are_none),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
