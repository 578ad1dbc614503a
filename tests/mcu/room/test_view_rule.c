#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "mcu/room/view_rule.h"

static const struct view_offer offer[] = {
	{ "main", VIEW_EVERYBODY },	 { "stage", VIEW_HOSTS },  { "floor", VIEW_SPEAKER },
	{ "audience", VIEW_PARTICIPANTS }, { "wall", VIEW_REQUEST },
};

enum { N = sizeof offer / sizeof offer[0] };

static const struct {
	struct view_seeker who;
	size_t n; /* of the offers, from the first */
	const char *gets;
} table[] = {
	/* by rule alone */
	{ { false, false, "" }, 1, "main" },
	{ { true, false, "" }, 1, "main" },
	{ { true, false, "" }, 2, "stage" },
	{ { false, false, "" }, 2, "main" },
	{ { true, true, "" }, 3, "floor" },
	{ { false, true, "" }, N, "floor" },
	{ { false, false, "" }, N, "audience" },
	{ { true, false, "" }, N, "stage" },
	/* what it asked for */
	{ { false, false, "wall" }, N, "wall" },
	{ { false, true, "wall" }, N, "wall" },
	{ { false, true, "main" }, N, "main" },
	{ { true, false, "audience" }, N, "audience" },
	{ { true, false, "floor" }, N, "floor" },
	/* and may not have, or is not there */
	{ { false, false, "stage" }, N, "audience" },
	{ { false, false, "floor" }, N, "audience" },
	{ { false, true, "floor" }, N, "floor" },
	{ { false, false, "wall" }, 3, "main" },
	{ { false, false, "nothing" }, N, "audience" },
};

static void test_who_gets_which(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		size_t got = view_pick(offer, table[i].n, &table[i].who);

		if (strcmp(offer[got].name, table[i].gets))
			fail_msg("line %zu: %s instead of %s", i, offer[got].name, table[i].gets);
	}
}

/* Of several with one rule the newest; one for everybody takes the place of main. */
static void test_the_newest_counts(void **state)
{
	static const struct view_offer many[] = {
		{ "main", VIEW_EVERYBODY }, { "a", VIEW_EVERYBODY }, { "b", VIEW_HOSTS },
		{ "c", VIEW_HOSTS },	    { "d", VIEW_EVERYBODY },
	};
	struct view_seeker guest = { false, false, "" }, host = { true, false, "" };

	(void)state;
	assert_int_equal(view_pick(many, 2, &guest), 1);
	assert_int_equal(view_pick(many, 5, &guest), 4);
	assert_int_equal(view_pick(many, 3, &host), 2);
	assert_int_equal(view_pick(many, 5, &host), 3);
}

static void test_names(void **state)
{
	(void)state;
	for (enum view_rule r = VIEW_EVERYBODY; r <= VIEW_REQUEST; r++)
		assert_int_equal(view_rule_parse(view_rule_name(r)), r);
	assert_int_equal(view_rule_parse(""), VIEW_NO_RULE);
	assert_int_equal(view_rule_parse("anybody"), VIEW_NO_RULE);
	assert_true(view_name_valid("main"));
	assert_true(view_name_valid("a-1_b"));
	assert_true(view_name_valid("abcdefghijklmnopqrstuvwxyz012345"));
	assert_false(view_name_valid("abcdefghijklmnopqrstuvwxyz0123456"));
	assert_false(view_name_valid(""));
	assert_false(view_name_valid("Main"));
	assert_false(view_name_valid("a b"));
	assert_false(view_name_valid("a/b"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_gets_which),
		cmocka_unit_test(test_the_newest_counts),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
