#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "signaling/sip_bindings.h"

static struct {
	struct sip_bindings *b;
	int changes;
	size_t last_n;
	int64_t now_ms;
} f;

static void changed(void *obj, const char *user, const struct sip_binding *all, size_t n)
{
	assert_ptr_equal(obj, &f);
	assert_string_equal(user, "ada");
	assert_true(n <= SIP_BINDINGS_PER_USER && (all || !n));
	f.changes++;
	f.last_n = n;
}

static int setup(void **state)
{
	(void)state;
	memset(&f, 0, sizeof f);
	f.now_ms = 1700000000000;
	return sip_bindings_new(&f.b, 15, changed, &f);
}

static int teardown(void **state)
{
	(void)state;
	sip_bindings_free(&f.b);
	return 0;
}

static int put_one(const char *uri, int64_t expires_s, const char *call_id, uint32_t cseq)
{
	struct sip_contact c = { .uri = uri, .expires_s = expires_s };
	struct sip_register r = { .user = "ada", .route = "sip:192.0.2.7:5060", .call_id = call_id,
				  .cseq = cseq, .expires_s = -1, .contacts = &c, .n = 1 };

	return sip_bindings_register(f.b, &r, f.now_ms);
}

static size_t count(void)
{
	const struct sip_binding *list;

	return sip_bindings_of(f.b, "ada", &list, f.now_ms);
}

static int remove_all(const char *call_id, uint32_t cseq, int64_t expires_s, size_t n)
{
	struct sip_contact c = { .uri = "sip:x@y", .expires_s = -1 };
	struct sip_register r = { .user = "ada", .route = "", .call_id = call_id, .cseq = cseq,
				  .all = true, .expires_s = expires_s, .contacts = &c, .n = n };

	return sip_bindings_register(f.b, &r, f.now_ms);
}

static void test_one_user_has_several_telephones(void **state)
{
	const struct sip_binding *list;

	(void)state;
	assert_int_equal(put_one("sip:a@192.0.2.7", 120, "c1", 1), 200);
	assert_int_equal(put_one("sip:a@192.0.2.8", -1, "c2", 1), 200);
	assert_int_equal(sip_bindings_of(f.b, "ada", &list, f.now_ms), 2);
	assert_string_equal(list[0].uri, "sip:a@192.0.2.8"); /* the newest first */
	assert_string_equal(list[1].route, "sip:192.0.2.7:5060");
	assert_int_equal(list[0].expires_ms - f.now_ms, SIP_REGISTER_S * 1000);
	assert_int_equal(f.changes, 2);
	assert_int_equal(sip_bindings_of(f.b, "eve", &list, f.now_ms), 0);
	f.now_ms += 120000;
	assert_int_equal(count(), 1);
	sip_bindings_expire(f.b, f.now_ms + 3600000);
	assert_int_equal(sip_bindings_count(f.b), 0);
}

static void test_a_refresh_is_no_second_binding(void **state)
{
	(void)state;
	assert_int_equal(put_one("sip:a@h", 120, "c1", 1), 200);
	f.now_ms += 100000;
	assert_int_equal(put_one("sip:a@h", 120, "c1", 2), 200);
	f.now_ms += 100000;
	assert_int_equal(count(), 1);
	assert_int_equal(put_one("sip:a@h", 0, "c1", 3), 200);
	assert_int_equal(count(), 0);
	assert_int_equal(f.last_n, 0);
}

static void test_an_old_request_changes_nothing(void **state)
{
	(void)state;
	assert_int_equal(put_one("sip:a@h", 120, "c1", 5), 200);
	assert_int_equal(put_one("sip:a@h", 0, "c1", 5), 500);
	assert_int_equal(put_one("sip:a@h", 0, "c1", 4), 500);
	assert_int_equal(count(), 1);
	/* the telephone was switched off and on */
	assert_int_equal(put_one("sip:a@h", 300, "c2", 1), 200);
	assert_int_equal(remove_all("c2", 1, 0, 0), 500);
	assert_int_equal(count(), 1);
	assert_int_equal(remove_all("c2", 2, 0, 0), 200);
	assert_int_equal(count(), 0);
}

static void test_the_star_stands_alone_and_with_zero(void **state)
{
	(void)state;
	assert_int_equal(put_one("sip:a@h", 120, "c1", 1), 200);
	assert_int_equal(remove_all("c9", 1, 60, 0), 400);
	assert_int_equal(remove_all("c9", 1, -1, 0), 400);
	assert_int_equal(remove_all("c9", 1, 0, 1), 400);
	assert_int_equal(count(), 1);
}

static void test_brief_and_long(void **state)
{
	const struct sip_binding *list;

	(void)state;
	assert_int_equal(put_one("sip:a@h", 59, "c1", 1), 423);
	assert_int_equal(count(), 0);
	assert_int_equal(put_one("sip:a@h", 4294967295, "c1", 1), 200);
	sip_bindings_of(f.b, "ada", &list, f.now_ms);
	assert_int_equal(list[0].expires_ms - f.now_ms, SIP_REGISTER_MAX_S * 1000LL);
}

static void test_all_of_a_request_or_nothing(void **state)
{
	struct sip_contact c[2] = { { .uri = "sip:a@1", .expires_s = -1 },
				    { .uri = "sip:a@2", .expires_s = 5 } };
	struct sip_register r = { .user = "ada", .route = "r", .call_id = "c", .cseq = 1,
				  .expires_s = 90, .contacts = c, .n = 2 };

	(void)state;
	assert_int_equal(sip_bindings_register(f.b, &r, f.now_ms), 423);
	assert_int_equal(count(), 0);
	assert_int_equal(f.changes, 0);
	c[1].expires_s = -1;
	assert_int_equal(sip_bindings_register(f.b, &r, f.now_ms), 200);
	assert_int_equal(count(), 2);
	r.n = 0; /* only asks */
	assert_int_equal(sip_bindings_register(f.b, &r, f.now_ms), 200);
	assert_int_equal(f.changes, 1);
}

static void test_a_telephone_takes_its_own_place(void **state)
{
	struct sip_contact c = { .uri = "sip:a@192.0.2.1:1111", .instance = "<urn:uuid:1>",
				 .expires_s = 300 };
	struct sip_register r = { .user = "ada", .route = "r", .call_id = "c1", .cseq = 1,
				  .expires_s = -1, .contacts = &c, .n = 1 };
	const struct sip_binding *list;

	(void)state;
	assert_int_equal(sip_bindings_register(f.b, &r, f.now_ms), 200);
	c.uri = "sip:a@192.0.2.1:2222";
	r.call_id = "c2";
	assert_int_equal(sip_bindings_register(f.b, &r, f.now_ms), 200);
	assert_int_equal(sip_bindings_of(f.b, "ada", &list, f.now_ms), 1);
	assert_string_equal(list[0].uri, "sip:a@192.0.2.1:2222");
}

static void test_there_are_bounds(void **state)
{
	char uri[400];

	(void)state;
	for (int i = 0; i < SIP_BINDINGS_PER_USER; i++) {
		snprintf(uri, sizeof uri, "sip:a@h%d", i);
		assert_int_equal(put_one(uri, -1, "c", (uint32_t)i + 1), 200);
	}
	assert_int_equal(put_one("sip:a@more", -1, "c", 99), 403);
	assert_int_equal(put_one("sip:a@h3", -1, "c", 100), 200);
	memset(uri, 'a', sizeof uri - 1);
	uri[sizeof uri - 1] = '\0';
	assert_int_equal(put_one("sip:a@h3", 0, "c", 101), 200);
	assert_int_equal(put_one(uri, -1, "c", 102), 400);
	assert_int_equal(count(), SIP_BINDINGS_PER_USER - 1);
}

static void test_all_users_together_are_bounded(void **state)
{
	struct sip_binding one = { .uri = "sip:b@h", .expires_ms = f.now_ms + 1000 };
	struct sip_contact c = { .uri = "sip:a@h", .expires_s = -1 };
	struct sip_register r = { .user = "ada", .route = "r", .call_id = "c1", .cseq = 1,
				  .expires_s = -1, .contacts = &c, .n = 1 };

	(void)state;
	for (int i = 0; i < 15; i++) {
		char user[16];

		snprintf(user, sizeof user, "u%d", i);
		assert_true(sip_bindings_restore(f.b, user, &one, f.now_ms));
	}
	assert_false(sip_bindings_restore(f.b, "u99", &one, f.now_ms));
	assert_int_equal(sip_bindings_register(f.b, &r, f.now_ms), 503);
	sip_bindings_forget_user(f.b, "u3");
	assert_int_equal(sip_bindings_count(f.b), 14);
	assert_int_equal(sip_bindings_register(f.b, &r, f.now_ms), 200);
	one.expires_ms = f.now_ms;
	assert_false(sip_bindings_restore(f.b, "late", &one, f.now_ms));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_one_user_has_several_telephones), T(test_a_refresh_is_no_second_binding),
		T(test_an_old_request_changes_nothing),
		T(test_the_star_stands_alone_and_with_zero), T(test_brief_and_long),
		T(test_all_of_a_request_or_nothing), T(test_a_telephone_takes_its_own_place),
		T(test_there_are_bounds), T(test_all_users_together_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
