/* The announcements: what was built, what the operator's folder replaces, numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "mcu/prompts.h"

static char built[] = "/tmp/mcu-prompts-XXXXXX", own[] = "/tmp/mcu-prompts-XXXXXX";

static void put(FILE *f, uint32_t v, int bytes)
{
	for (int i = 0; i < bytes; i++)
		putc((int)(v >> (8 * i) & 0xff), f);
}

/* So many samples of 48 kHz. */
static void write_file(const char *folder, const char *name, unsigned samples)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	f = fopen(path, "wb");
	assert_non_null(f);
	fputs("RIFF", f);
	put(f, 36 + 2 * samples, 4);
	fputs("WAVEfmt ", f);
	put(f, 16, 4);
	put(f, 1 | 1 << 16, 4);
	put(f, 48000, 4);
	put(f, 96000, 4);
	put(f, 2 | 16 << 16, 4);
	fputs("data", f);
	put(f, 2 * samples, 4);
	for (unsigned i = 0; i < samples; i++)
		put(f, 1000, 2);
	fclose(f);
}

static size_t length(const struct prompts *p, const char *language, const char *name)
{
	const struct prompt *s = prompts_find(p, language, name);

	return s ? s->n : 0;
}

static void test_own_ones_take_the_place(void **state)
{
	struct prompts *p;
	char path[128];
	FILE *f;

	(void)state;
	assert_int_equal(prompts_load(&p, own, built), 0);
	assert_int_equal(length(p, "en", "welcome"), 100);
	assert_int_equal(length(p, "ko", "welcome"), 200);
	assert_int_equal(length(p, "ko", "only_english"), 300); /* better than nothing */
	assert_int_equal(length(p, "ko", "music"), 400);
	assert_int_equal(length(p, "en", "nothing"), 0);
	assert_int_equal(length(p, "en", "ko/welcome"), 200);
	prompts_free(&p);
	snprintf(path, sizeof path, "%s/ko", own);
	mkdir(path, 0700);
	write_file(own, "ko/welcome.wav", 55);
	write_file(own, "music.wav", 66);
	snprintf(path, sizeof path, "%s/en", own);
	mkdir(path, 0700);
	snprintf(path, sizeof path, "%s/en/welcome.wav", own);
	f = fopen(path, "wb");
	fputs("no sound", f);
	fclose(f);
	assert_int_equal(prompts_load(&p, own, built), 0);
	assert_int_equal(length(p, "ko", "welcome"), 55);
	assert_int_equal(length(p, "en", "welcome"), 100); /* that one is none */
	assert_int_equal(length(p, "ko", "music"), 66);
	prompts_free(&p);
}

static void test_nothing_there(void **state)
{
	const struct prompt *out[PROMPT_PARTS];
	const char *const names[] = { "welcome" };
	const char *missing;
	struct prompts *p;

	(void)state;
	assert_int_equal(prompts_load(&p, "/nowhere/at/all", "/nowhere/either"), 0);
	assert_int_equal(prompts_count(p), 0);
	assert_int_equal(prompts_list(p, "en", names, 1, out, &missing), 0);
	assert_string_equal(missing, "welcome");
	prompts_free(&p);
}

static void number_is(const char *language, unsigned n, const char *want)
{
	char part[PROMPTS_NUMBER_PARTS][16], all[128] = "";
	size_t parts = prompts_number(language, n, part);

	for (size_t i = 0; i < parts; i++) {
		strcat(all, i ? " " : "");
		strcat(all, !strncmp(part[i], "number_", 7) ? part[i] + 7 : part[i]);
	}
	if (strcmp(all, want))
		fail_msg("%s %u: %s, not %s", language, n, all, want);
}

static void test_numbers(void **state)
{
	(void)state;
	number_is("en", 0, "0");
	number_is("en", 1, "1");
	number_is("en", 13, "13");
	number_is("en", 20, "20");
	number_is("en", 21, "20 1");
	number_is("en", 99, "90 9");
	number_is("en", 100, "1 hundred");
	number_is("en", 101, "1 hundred 1");
	number_is("en", 342, "3 hundred 40 2");
	number_is("en", 5000, "9 hundred 90 9");
	number_is("ko", 0, "0");
	number_is("ko", 10, "10");
	number_is("ko", 11, "10 1");
	number_is("ko", 20, "20");
	number_is("ko", 25, "20 5");
	number_is("ko", 100, "hundred");
	number_is("ko", 234, "2 hundred 30 4");
}

static void test_lists(void **state)
{
	const char *const names[] = { "welcome", "nothing", "=42", "welcome" };
	const char *all[PROMPT_PARTS + 9];
	const struct prompt *out[PROMPT_PARTS];
	const char *missing;
	struct prompts *p;

	(void)state;
	write_file(built, "en/number_40.wav", 40);
	write_file(built, "en/number_2.wav", 2);
	assert_int_equal(prompts_load(&p, "", built), 0);
	assert_int_equal(prompts_list(p, "en", names, 4, out, &missing), 4);
	assert_string_equal(missing, "nothing");
	assert_int_equal(out[1]->n, 40);
	assert_int_equal(out[2]->n, 2);
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		all[i] = "welcome";
	assert_int_equal(prompts_list(p, "en", all, sizeof all / sizeof *all, out, &missing),
			 PROMPT_PARTS);
	prompts_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own_ones_take_the_place),
		cmocka_unit_test(test_nothing_there),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_lists),
	};
	char command[160];
	int failed;

	if (!mkdtemp(built) || !mkdtemp(own))
		return 1;
	snprintf(command, sizeof command, "mkdir %s/en %s/ko", built, built);
	if (system(command))
		return 1;
	write_file(built, "en/welcome.wav", 100);
	write_file(built, "ko/welcome.wav", 200);
	write_file(built, "en/only_english.wav", 300);
	write_file(built, "music.wav", 400);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	snprintf(command, sizeof command, "rm -rf %s %s", built, own);
	return system(command) ? 1 : failed;
}
