#include "mcu/net/datachannel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

/* What Chromium sends for createDataChannel('metadata', {protocol: 'x'}). */
static const uint8_t metadata[] = { 3, 0, 1, 0, 0, 0, 0, 0, 0, 8, 0, 1,
				    'm', 'e', 't', 'a', 'd', 'a', 't', 'a', 'x' };

static void test_open(void **state)
{
	struct datachannel_open o;
	uint8_t again[64];

	(void)state;
	assert_int_equal(datachannel_parse_open(&o, metadata, sizeof metadata), 0);
	assert_true(o.ordered && o.reliable);
	assert_int_equal(o.priority, 256);
	assert_int_equal(o.label_len, 8);
	assert_memory_equal(o.label, "metadata", 8);
	assert_int_equal(o.protocol_len, 1);
	assert_memory_equal(o.protocol, "x", 1);
	assert_int_equal(datachannel_write_open(&o, again, sizeof again), sizeof metadata);
	assert_memory_equal(again, metadata, sizeof metadata);
	assert_int_equal(datachannel_write_open(&o, again, sizeof metadata - 1), -EMSGSIZE);
}

static void test_channel_types(void **state)
{
	static const struct {
		uint8_t type;
		int err;
		bool ordered, reliable;
	} t[] = {
		{ 0x00, 0, true, true },    { 0x80, 0, false, true },  { 0x01, 0, true, false },
		{ 0x81, 0, false, false },  { 0x02, 0, true, false },  { 0x82, 0, false, false },
		{ 0x03, -EBADMSG, 0, 0 },   { 0x7f, -EBADMSG, 0, 0 },  { 0xff, -EBADMSG, 0, 0 },
	};
	uint8_t m[12] = { 3, 0, 0, 0, 0, 0, 0, 7 };
	struct datachannel_open o;

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		m[1] = t[i].type;
		assert_int_equal(datachannel_parse_open(&o, m, sizeof m), t[i].err);
		if (t[i].err)
			continue;
		assert_int_equal(o.ordered, t[i].ordered);
		assert_int_equal(o.reliable, t[i].reliable);
		assert_int_equal(o.reliability, 7);
	}
}

static void test_malformed_open(void **state)
{
	uint8_t m[DATACHANNEL_OPEN_BYTES + 16] = { 0 };
	struct datachannel_open o;

	(void)state;
	for (size_t n = 0; n < sizeof metadata; n++) {
		memcpy(m, metadata, sizeof metadata);
		assert_int_equal(datachannel_parse_open(&o, m, n), -EBADMSG);
	}
	assert_int_equal(datachannel_parse_open(&o, m, sizeof metadata + 1), -EBADMSG);
	m[0] = 2;
	assert_int_equal(datachannel_parse_open(&o, m, sizeof metadata), -EBADMSG);
	memset(m, 0, sizeof m);
	m[0] = 3;
	m[8] = 1; /* 256: the most */
	assert_int_equal(datachannel_parse_open(&o, m, 12 + 256), 0);
	m[9] = 1;
	assert_int_equal(datachannel_parse_open(&o, m, 12 + 257), -EBADMSG);
	m[8] = m[9] = 0xff;
	m[10] = m[11] = 0xff;
	assert_int_equal(datachannel_parse_open(&o, m, sizeof m), -EBADMSG);
}

static enum datachannel_event give(struct datachannels *d, uint16_t stream, uint32_t ppid,
				   const void *p, size_t *len)
{
	struct datachannel_open o;

	return datachannels_input(d, stream, ppid, p, len, &o);
}

static void test_life_of_a_channel(void **state)
{
	struct datachannels d = { .n = 0 };
	size_t open = sizeof metadata, one = 1, three = 3;
	static const uint8_t ack = 2;

	(void)state;
	assert_int_equal(give(&d, 4, PPID_STRING, "abc", &three), DATACHANNEL_BAD);
	assert_int_equal(give(&d, 4, PPID_DCEP, metadata, &open), DATACHANNEL_OPENED);
	assert_true(datachannels_is_open(&d, 4));
	assert_false(datachannels_is_open(&d, 5));
	assert_int_equal(give(&d, 4, PPID_DCEP, metadata, &open), DATACHANNEL_BAD);
	assert_int_equal(give(&d, 4, PPID_DCEP, &ack, &one), DATACHANNEL_NOTHING);
	assert_int_equal(give(&d, 4, PPID_STRING, "abc", &three), DATACHANNEL_TEXT);
	assert_int_equal(three, 3);
	assert_int_equal(give(&d, 4, PPID_BINARY, "abc", &three), DATACHANNEL_BINARY);
	assert_int_equal(give(&d, 4, PPID_STRING_PARTIAL, "abc", &three), DATACHANNEL_BAD);
	assert_int_equal(give(&d, 4, PPID_BINARY_PARTIAL, "abc", &three), DATACHANNEL_BAD);
	assert_int_equal(give(&d, 4, 0, "abc", &three), DATACHANNEL_BAD);
	assert_int_equal(give(&d, 4, PPID_STRING_EMPTY, "", &one), DATACHANNEL_TEXT);
	assert_int_equal(one, 0);
	one = 1;
	assert_int_equal(give(&d, 4, PPID_BINARY_EMPTY, "", &one), DATACHANNEL_BINARY);
	assert_int_equal(one, 0);
	assert_int_equal(give(&d, 5, PPID_STRING, "abc", &three), DATACHANNEL_BAD);
	assert_true(datachannels_closed(&d, 4));
	assert_false(datachannels_closed(&d, 4));
	assert_int_equal(give(&d, 4, PPID_STRING, "abc", &three), DATACHANNEL_BAD);
	assert_int_equal(give(&d, 4, PPID_DCEP, metadata, &open), DATACHANNEL_OPENED);
}

static void test_so_many_channels(void **state)
{
	struct datachannels d = { .n = 0 };
	size_t len = sizeof metadata;

	(void)state;
	for (uint16_t i = 0; i < DATACHANNEL_MAX; i++)
		assert_int_equal(give(&d, i, PPID_DCEP, metadata, &len), DATACHANNEL_OPENED);
	assert_int_equal(give(&d, 100, PPID_DCEP, metadata, &len), DATACHANNEL_REFUSE);
	assert_true(datachannels_closed(&d, 3));
	assert_int_equal(give(&d, 255, PPID_DCEP, metadata, &len), DATACHANNEL_OPENED);
	assert_true(datachannels_is_open(&d, DATACHANNEL_MAX - 1));
	assert_int_equal(give(&d, 256, PPID_DCEP, metadata, &len), DATACHANNEL_BAD);
	assert_int_equal(give(&d, 65535, PPID_DCEP, metadata, &len), DATACHANNEL_BAD);
}

static void test_marks(void **state)
{
	size_t len = 5;

	(void)state;
	assert_int_equal(datachannel_ppid(false, &len), PPID_STRING);
	assert_int_equal(datachannel_ppid(true, &len), PPID_BINARY);
	assert_int_equal(len, 5);
	len = 0;
	assert_int_equal(datachannel_ppid(false, &len), PPID_STRING_EMPTY);
	assert_int_equal(len, 1);
	len = 0;
	assert_int_equal(datachannel_ppid(true, &len), PPID_BINARY_EMPTY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_channel_types),
		cmocka_unit_test(test_malformed_open),
		cmocka_unit_test(test_life_of_a_channel),
		cmocka_unit_test(test_so_many_channels),
		cmocka_unit_test(test_marks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
