#include "mcu/data_relay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mcu/base/role.h"

enum { PEOPLE = 3, LEG = 70 };

struct person {
	struct data_member *m;
	unsigned got;
	struct buf *last;
};

static struct {
	struct buf_pool *pool;
	struct data_relay *r;
	struct person p[PEOPLE];
	struct clock clock;
} the;

static void on_send(void *obj, struct buf *b)
{
	struct person *p = obj;

	p->got++;
	buf_unref(&p->last);
	p->last = buf_ref(b);
}

static int set_up(void **state)
{
	static const char *const names[PEOPLE] = { "Ann", "Bo \"B\"", "\xec\x9c\xa0\xeb\xa6\xac" };
	struct data_relay_cfg cfg = { .clock = &the.clock, .messages_per_s = 5,
				      .octets_per_s = 1000 };

	(void)state;
	role_assert_ctl();
	memset(&the, 0, sizeof the);
	clock_fake_init(&the.clock, 7 * NS_PER_S);
	assert_int_equal(buf_pool_new(&the.pool, "test", DATA_MAX_BINARY + 4, 8, 8), 0);
	cfg.pool = the.pool;
	assert_int_equal(data_relay_new(&the.r, &cfg), 0);
	for (unsigned i = 0; i < PEOPLE; i++) {
		assert_int_equal(data_relay_join(the.r, &the.p[i].m, LEG + i, names[i], on_send,
						 &the.p[i]), 0);
		data_member_open(the.p[i].m, true);
	}
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	role_assert_ctl();
	for (unsigned i = 0; i < PEOPLE; i++) {
		data_relay_leave(&the.p[i].m);
		buf_unref(&the.p[i].last);
	}
	data_relay_free(&the.r);
	assert_int_equal(buf_pool_in_use(the.pool), 0);
	buf_pool_free(&the.pool);
	return 0;
}

static void say(unsigned who, const char *text) ON_THREAD(ROLE_CTL)
{
	data_member_message(the.p[who].m, false, (const uint8_t *)text, strlen(text));
}

static void assert_heard(unsigned who, const char *text)
{
	const struct buf *b = the.p[who].last;

	assert_non_null(b);
	assert_int_equal(b->tag, false);
	if (b->len != strlen(text) || memcmp(b->data, text, b->len))
		fail_msg("%.*s instead of %s", (int)b->len, (const char *)b->data, text);
}

static void assert_refused(unsigned who, const char *code)
{
	const struct buf *b = the.p[who].last;
	char want[64];

	snprintf(want, sizeof want, "{\"error\":{\"code\":\"%s\",\"text\":\"", code);
	assert_non_null(b);
	assert_true(b->len > strlen(want));
	assert_memory_equal(b->data, want, strlen(want));
	assert_memory_equal(b->data + b->len - 3, "\"}}", 3);
}

static void test_an_object_goes_to_the_others(void **state)
{
	(void)state;
	role_assert_ctl();
	say(0, "{\"a\": 1.50, \"b\":[9e99]} ");
	assert_int_equal(the.p[0].got, 0);
	assert_heard(1, "{\"from\":70,\"name\":\"Ann\",\"data\":{\"a\": 1.50, \"b\":[9e99]} }");
	assert_int_equal(the.p[2].got, 1);
	say(1, "{}");
	assert_heard(0, "{\"from\":71,\"name\":\"Bo \\\"B\\\"\",\"data\":{}}");
	assert_int_equal(the.p[1].got, 1);
	say(2, "{}");
	assert_heard(0, "{\"from\":72,\"name\":\"\xec\x9c\xa0\xeb\xa6\xac\",\"data\":{}}");
}

static void test_binary(void **state)
{
	static uint8_t p[DATA_MAX_BINARY + 1];

	(void)state;
	role_assert_ctl();
	for (size_t i = 0; i < sizeof p; i++)
		p[i] = (uint8_t)(i * 3);
	data_member_message(the.p[1].m, true, p, DATA_MAX_BINARY);
	assert_int_equal(the.p[1].got, 0);
	for (unsigned i = 0; i < PEOPLE; i += 2) {
		const struct buf *b = the.p[i].last;

		assert_int_equal(b->len, DATA_MAX_BINARY + 4);
		assert_true(b->tag);
		assert_memory_equal(b->data, "\0\0\0\107", 4);
		assert_memory_equal(b->data + 4, p, DATA_MAX_BINARY);
	}
	data_member_message(the.p[0].m, true, p, 0);
	assert_int_equal(the.p[2].last->len, 4);
}

static void test_only_open_channels(void **state)
{
	(void)state;
	role_assert_ctl();
	data_member_open(the.p[2].m, false);
	say(0, "{}");
	assert_int_equal(the.p[1].got, 1);
	assert_int_equal(the.p[2].got, 0);
	say(2, "{}");
	assert_int_equal(the.p[0].got, 0);
	data_member_open(the.p[2].m, true);
	data_relay_leave(&the.p[1].m);
	say(0, "{}");
	assert_int_equal(the.p[1].got, 1);
	assert_int_equal(the.p[2].got, 1);
}

static void test_form(void **state)
{
	static const char *const bad[] = {
		"", "null", "[]", "1", "\"x\"", "{", "{}{}", "{\"a\":1,\"a\":2}", "{\"a\":\"\xff\"}",
		"{'a':1}", "{\"a\":\"\\u0000\"}",
	};

	(void)state;
	role_assert_ctl();
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		clock_fake_advance(&the.clock, NS_PER_S);
		say(0, bad[i]);
		assert_int_equal(the.p[0].got, i + 1);
		assert_refused(0, "bad_json");
	}
	assert_int_equal(the.p[1].got, 0);
}

static void test_size(void **state)
{
	char *text = malloc(DATA_MAX_TEXT + 2);

	(void)state;
	role_assert_ctl();
	memset(text, ' ', DATA_MAX_TEXT + 1);
	memcpy(text, "{}", 2);
	text[DATA_MAX_TEXT] = '\0';
	say(0, text);
	assert_int_equal(the.p[1].got, 1);
	assert_int_equal(the.p[1].last->len, DATA_MAX_TEXT + strlen("{\"from\":70,\"name\":\"Ann\","
								    "\"data\":}"));
	text[DATA_MAX_TEXT] = ' ';
	text[DATA_MAX_TEXT + 1] = '\0';
	say(0, text);
	assert_int_equal(the.p[1].got, 1);
	assert_refused(0, "too_large");
	free(text);
}

static void test_messages_per_second(void **state)
{
	(void)state;
	role_assert_ctl();
	for (int i = 0; i < 20; i++)
		say(0, "{}");
	assert_int_equal(the.p[1].got, 5);
	assert_int_equal(the.p[0].got, 1); /* told once a second */
	assert_refused(0, "rate_limited");
	say(1, "{}"); /* others are not concerned */
	assert_int_equal(the.p[2].got, 6);
	clock_fake_advance(&the.clock, NS_PER_S / 5);
	say(0, "{}");
	say(0, "{}");
	assert_int_equal(the.p[1].got, 6);
	assert_int_equal(the.p[0].got, 2); /* that of Bo */
	clock_fake_advance(&the.clock, 3600 * NS_PER_S);
	for (int i = 0; i < 20; i++)
		say(0, "{}");
	assert_int_equal(the.p[1].got, 11);
	assert_int_equal(the.p[0].got, 3);
}

static void test_octets_per_second(void **state)
{
	static const uint8_t p[DATA_MAX_BINARY];

	(void)state;
	role_assert_ctl();
	data_member_message(the.p[0].m, true, p, sizeof p);
	assert_int_equal(the.p[1].got, 1);
	data_member_message(the.p[0].m, true, p, 1);
	assert_int_equal(the.p[1].got, 1);
	assert_refused(0, "rate_limited");
	clock_fake_advance(&the.clock, NS_PER_S / 2);
	data_member_message(the.p[0].m, true, p, 501);
	assert_int_equal(the.p[1].got, 1);
	data_member_message(the.p[0].m, true, p, 499);
	assert_int_equal(the.p[1].got, 2);
}

/* Nobody keeps a buffer for ever, but all at once may be in use. */
static void test_no_buffer(void **state)
{
	struct buf *b[8];

	(void)state;
	role_assert_ctl();
	for (int i = 0; i < 8; i++)
		assert_non_null(b[i] = buf_get(the.pool));
	say(0, "{}");
	say(0, "nonsense");
	data_member_message(the.p[0].m, true, (const uint8_t *)"x", 1);
	assert_int_equal(the.p[0].got + the.p[1].got, 0);
	for (int i = 0; i < 8; i++)
		buf_unref(&b[i]);
	say(0, "{}");
	assert_int_equal(the.p[1].got, 1);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(test_an_object_goes_to_the_others), T(test_binary), T(test_only_open_channels),
		T(test_form), T(test_size), T(test_messages_per_second), T(test_octets_per_second),
		T(test_no_buffer),
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
