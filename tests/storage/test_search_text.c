#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include "storage/search_text.h"

static void texts_become_words(void **state)
{
	static const struct {
		const char *text, *words;
	} table[] = {
		{ "", "" },
		{ " . ,;! ", "" },
		{ "Daily stand-up #3", "daily stand up 3" },
		{ "it's v2.1", "it s v2 1" },
		{ "회의실", "회의 의실 실" },
		{ "회", "회" },
		{ "3학년 2반", "3 학년 년 2 반" },
		{ "数学の授業", "数学 学の の授 授業 業" },
		{ "ﾃｽﾄ", "テス スト ト" },			/* half width */
		{ "\u1112\u116c\u110b\u1174", "회의 의" },	/* decomposed */
		{ "ＡＢＣ", "abc" },
		{ "Straße ÉCOLE", "strasse école" },
		{ "a\xff" "b", "a b" },				/* not UTF-8 */
		{ "x 🎉 y", "x y" },
		{ "\"a\" OR b* NEAR(c)", "a or b near c" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct search_text t = { 0 };

		search_text_add(&t, table[i].text);
		assert_string_equal(search_text_get(&t), table[i].words);
		search_text_free(&t);
	}
}

static void texts_grow_up_to_their_limit(void **state)
{
	struct search_text t = { .max = 16 };

	(void)state;
	for (int i = 0; i < 100; i++)
		search_text_add(&t, "word");
	assert_true(t.len <= 16);
	assert_string_equal(search_text_get(&t), "word word word");
	assert_false(t.failed);
	search_text_free(&t);
	for (int i = 0; i < 10000; i++)
		search_text_key(&t, 'r', i);
	assert_int_equal(strncmp(search_text_get(&t), "r0 r1 r2", 8), 0);
	search_text_free(&t);
}

static void questions_become_expressions(void **state)
{
	static const struct {
		const char *question, *match;
		int n;
	} table[] = {
		{ "", "", 0 },
		{ "  \"' ", "", 0 },
		{ "alg", "(- keys : (\"alg\"*))", 1 },
		{ "Algebra v2.1", "(- keys : (\"algebra\"* AND \"v2 1\"*))", 2 },
		{ "회의", "(- keys : (\"회의\"*))", 1 },
		{ "회의실", "(- keys : (\"회의 의실\"*))", 1 },
		{ "회", "(- keys : (\"회\"*))", 1 },
		{ "회의실2", "(- keys : (\"회의 의실 실 2\"*))", 1 },
		{ "a\" OR keys:r1", "(- keys : (\"a\"* AND \"or\"* AND \"keys r1\"*))", 3 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct search_match m = { 0 };

		assert_int_equal(search_match_words(&m, "- keys", table[i].question), table[i].n);
		assert_string_equal(m.text, table[i].match);
	}
}

static void conditions_are_joined(void **state)
{
	struct search_match m = { 0 };
	char many[3 * (SEARCH_TERMS_MAX + 1) + 1] = "";

	(void)state;
	assert_int_equal(search_match_words(&m, "people", "kim"), 1);
	search_match_begin(&m);
	search_match_key(&m, 'u', 5);
	search_match_key(&m, 'r', 17);
	search_match_end(&m);
	assert_string_equal(m.text, "(people : (\"kim\"*)) AND (keys : (\"u5\" OR \"r17\"))");
	assert_false(m.failed);
	for (int i = 0; i <= SEARCH_TERMS_MAX; i++)
		strcat(many, "ab ");
	assert_int_equal(search_match_words(&m, "people", many), -E2BIG);
	m = (struct search_match){ 0 };
	for (int64_t i = 0; i < 10000; i++)
		search_match_key(&m, 'r', INT64_MAX);
	assert_true(m.failed);
	assert_true(m.len < sizeof(m.text));
}

#define DAY 86400000LL
static void dates_become_years_and_months(void **state)
{
	const int64_t nov_21 = 1795219200000; /* 2026-11-21 */
	struct search_match m = { 0 };
	struct search_text t = { 0 };

	(void)state;
	search_match_dates(&m, nov_21, nov_21 + 20 * DAY);
	assert_string_equal(m.text, "(keys : (\"m0\" OR \"m202611\" OR \"m202612\"))");
	m = (struct search_match){ 0 };
	search_match_dates(&m, nov_21, nov_21 + 500 * DAY);
	assert_string_equal(m.text, "(keys : (\"m0\" OR \"m202611\" OR \"m202612\" OR \"y2027\" OR "
				    "\"m202801\" OR \"m202802\" OR \"m202803\" OR \"m202804\"))");
	m = (struct search_match){ 0 };
	search_match_dates(&m, 0, 0);
	assert_false(m.failed);
	assert_non_null(strstr(m.text, "\"y2000\""));
	assert_non_null(strstr(m.text, "\"y2100\""));
	m = (struct search_match){ 0 };
	search_match_dates(&m, nov_21, 1);
	assert_string_equal(m.text, "(keys : (\"m0\"))");
	m = (struct search_match){ 0 };
	search_match_dates(&m, INT64_MIN, INT64_MAX);
	assert_false(m.failed);
	search_text_date(&t, nov_21);
	assert_string_equal(search_text_get(&t), "y2026 m202611");
	search_text_free(&t);
	search_text_date(&t, INT64_MAX);
	assert_string_equal(search_text_get(&t), "y2100 m210012");
	search_text_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_become_words),
		cmocka_unit_test(texts_grow_up_to_their_limit),
		cmocka_unit_test(questions_become_expressions),
		cmocka_unit_test(conditions_are_joined),
		cmocka_unit_test(dates_become_years_and_months),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
