#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
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
	static const struct {
		const char *name, *plain;
		bool in;
	} t[] = {
		{ "+49 89 / 123 456 12", "+498912345612", true },
		{ "Bob (498912345612)", "+49 89 12345612", true },
		/* as trunks write it within the country, and within the town */
		{ "030 12345678", "+493012345678", true },
		{ "Bob 030/12345678", "+493012345678", true },
		{ "Bob 1234 5678", "+493012345678", true },
		{ "0049-30-12345678", "03012345678", true },
		{ "3012345678", "03012345678", true },
		{ "Bob 12345", "12345", true },
		/* a number and nothing else, whatever it is the number of */
		{ "0170 5556667", "+493012345678", true },
		{ "0170 5556667", "anonymous@anonymous.invalid", true },
		{ "(0170) 555\xe2\x80\x93""6667", "alice@example.com", true },   /* en dash */
		{ "0170\xc2\xa0""5556667", "alice@example.com", true },	     /* no-break space */
		{ "\xef\xbc\x90\xef\xbc\x91\xef\xbc\x97\xef\xbc\x90\xef\xbc\x95",
		  "alice@example.com", true },				     /* full width */
		{ "\xef\xbc\x95\xef\xbc\x96\xef\xbc\x97\xef\xbc\x98\xef\xbc\x99 Bob",
		  "+493056789", false },				     /* too few in common */
		{ "Bob \xef\xbc\x95\xef\xbc\x96\xef\xbc\x97\xef\xbc\x98\xef\xbc\x99",
		  "56789", true },
		{ "0170 5556667", "", true },
		/* addresses */
		{ "alice@example.com", "alice@example.com", true },
		{ "ALICE@Example.com", "alice@example.com", true },
		{ "call 55501 now", "55501@example.com", true },
		{ "Bob 030 12345678", "tel-493012345678@example.com", true },
		{ "Alice", "alice@example.com", false },
		/* no secrets */
		{ "Room 12", "12", false },
		{ "12", "12", false },
		{ "2026", "+493012345678", false },
		{ "Bob 2026", "+493012342026", false },
		{ "Bob 0170 5556667", "+493012345678", false },
		{ "Bob", "+498912345612", false },
		{ "\xc3\xa9va 1", "+498912345612", false },
		{ "", "+498912345612", false },
		{ "Bob", "", false },
		{ "...", "alice@example.com", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++)
		if (phone_number_in(t[i].name, t[i].plain) != t[i].in)
			fail_msg("\"%s\" of \"%s\"", t[i].name, t[i].plain);
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
