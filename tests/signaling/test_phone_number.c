#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "signaling/phone_number.h"

static void plain(void **state)
{
	static const char *const t[][2] = {
		{ "sip:+498912345612@example.com", "+498912345612" },
		{ "sip:+49(89)123-45@example.com;user=phone", "+49(89)123-45" },
		{ "tel:+498912345612;phone-context=x", "+498912345612" },
		{ "SIPS:alice@example.com;transport=tcp?Subject=x", "alice@example.com" },
		{ "alice@example.com", "alice@example.com" },
		{ "sip:example.com", "example.com" },
		{ "0891234", "0891234" },
		{ "sip:", "" },
		{ "", "" },
	};
	char out[PHONE_NUMBER_BYTES], longer[2 * PHONE_NUMBER_BYTES] = "";

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		phone_number_plain(out, t[i][0]);
		assert_string_equal(out, t[i][1]);
	}
	/* "é" is two octets: one is not cut in half */
	for (size_t i = 0; i + 2 < sizeof longer; i += 2)
		memcpy(longer + 1 + i, "\xc3\xa9", 2);
	longer[0] = 'x';
	longer[sizeof longer - 1] = 0;
	phone_number_plain(out, longer);
	assert_int_equal(strlen(out), PHONE_NUMBER_BYTES - 1);
	longer[0] = 0;
	phone_number_plain(out, longer + 1);
	assert_int_equal(strlen(out) % 2, 0);
}

static void mask(void **state)
{
	static const char *const t[][2] = {
		{ "+498912345612", "+4989••••12" },
		{ "+49 89 123456-12", "+49 89 ••••12" },
		{ "08912345612", "0891••••12" },
		{ "0891234512", "0891••••12" }, /* ten: the least that shows its beginning */
		{ "089123412", "••••12" },
		{ "1234", "••••34" },
		{ "123", "••••" },
		{ "1", "••••" },
		{ "alice@example.com", "a••••@example.com" },
		{ "éva@example.com", "é••••@example.com" },
		{ "@example.com", "••••" },
		{ "example.com", "••••" },
		{ "", "••••" },
	};
	char out[PHONE_NUMBER_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		phone_number_mask(out, t[i][0]);
		assert_string_equal(out, t[i][1]);
	}
}

static void name_with_number(void **state)
{
	(void)state;
	assert_true(phone_number_in("+49 89 / 123 456 12", "+498912345612"));
	assert_true(phone_number_in("Bob (498912345612)", "+49 89 12345612"));
	assert_true(phone_number_in("alice@example.com", "alice@example.com"));
	assert_true(phone_number_in("call 55501 now", "55501@example.com"));
	assert_false(phone_number_in("Alice", "alice@example.com"));
	assert_false(phone_number_in("Room 12", "12"));
	assert_false(phone_number_in("Bob", "+498912345612"));
	assert_false(phone_number_in("", "+498912345612"));
	assert_false(phone_number_in("Bob", ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain),
		cmocka_unit_test(mask),
		cmocka_unit_test(name_with_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
