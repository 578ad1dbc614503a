/* Files that were uploaded, in the registry; and what becomes of their names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "storage/uploads.h"

static void test_names_are_labels(void **state)
{
	static const struct {
		const char *name, *label;
	} rows[] = {
		{ "film.mp4", "film.mp4" }, { "../../etc/passwd", "passwd" },
		{ "C:\\films\\a b.mp4", "a b.mp4" }, { "..", "file" }, { "", "file" }, { "/", "file" },
		{ "a\r\nb\x01.png", "ab.png" }, { "  x  ", "x" }, { "\xff\xfe.pdf", ".pdf" },
		{ "\xec\x88\x98\xec\x97\x85.mp4", "\xec\x88\x98\xec\x97\x85.mp4" },
		{ "a\xe2\x80\xae" "gpm.exe", "agpm.exe" }, /* it would turn the rest around */
	};
	char label[UPLOAD_NAME_MAX + 1], large[2000];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		upload_label(label, rows[i].name);
		assert_string_equal(label, rows[i].label);
	}
	memset(large, 'x', sizeof large - 1);
	large[sizeof large - 1] = 0;
	upload_label(label, large);
	assert_int_equal(strlen(label), 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_names_are_labels) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
