/* The repair of the library knows one release; the one that is loaded says which it is. */
#include "signaling/sip_tls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sofia-sip/nua.h>
#include <string.h>

struct tls;
void tls_free(struct tls *t);

static void one_release_alone(void **state)
{
	static const struct {
		const char *version;
		bool repaired;
	} row[] = {
		{ "1.12.11", false }, { "1.12.12", false }, { "1.13.17", false }, { "", false },
		{ "1.12.11devel1", false }, { "1.12.11devel", true }, { "1.13", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof *row; i++)
		assert_int_equal(sip_tls_repair(row[i].version), row[i].repaired);
	/* the headers' release and the library's are told apart at run time only */
	assert_int_equal(sip_tls_repair(nua_version), !strcmp(nua_version, "1.12.11devel"));
}

static void nothing_to_free(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		sip_tls_repair(i ? nua_version : "1.13.17");
		tls_free(NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_release_alone),
		cmocka_unit_test(nothing_to_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
