/* Bodies of REST requests: what is taken has the form that was asked for. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/routes_priv.h"

static void check(int ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *name = NULL, *pin = NULL;
	bool flag = false, has_pin = false;
	int64_t number = 5;
	const struct rest_field fields[] = {
		{ "name", REST_TEXT, true, 1, 8, .text = &name },
		{ "pin", REST_TEXT, false, 0, 4, .text = &pin, .present = &has_pin },
		{ "lobby", REST_BOOL, .flag = &flag },
		{ "max", REST_INT, false, 1, 100, .number = &number },
	};
	struct errmsg why = { .code = "" };
	json_t *body = NULL;

	if (rest_parse(&body, (const char *)data, size, fields, 4, &why)) {
		check(!strcmp(why.code, "bad_json") && why.text[0]);
	} else {
		check(name && strlen(name) >= 1 && strlen(name) <= 8);
		check(!pin || (has_pin && strlen(pin) <= 4));
		check(number >= 1 && number <= 100);
	}
	json_decref(body);
	return 0;
}
