#include "mcu/rtp/packet.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "mcu/rtp/payload_opus.h"
#include "mcu/rtp/seq.h"

static void seq_arithmetic_wraps(void **state)
{
	static const struct {
		uint16_t a, b;
		int diff;
	} rows[] = {
		{ 1, 0, 1 },         { 0, 1, -1 },          { 0, 65535, 1 },
		{ 65535, 0, -1 },    { 32767, 0, 32767 },   { 32768, 0, -32768 },
		{ 100, 65436, 200 }, { 65436, 100, -200 },  { 7, 7, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(seq_diff(rows[i].a, rows[i].b), rows[i].diff);
		assert_int_equal(seq_newer(rows[i].a, rows[i].b), rows[i].diff > 0);
	}
	assert_int_equal(seq_unwrap(65536 + 65535, 2), 2 * 65536 + 2);
	assert_int_equal(seq_unwrap(2 * 65536 + 2, 65535), 65536 + 65535);
	assert_int_equal(ts_unwrap(0xffffff00, 0x10), 0x100000010);
	assert_true(ts_newer(5, 0xfffffff0));
	assert_false(ts_newer(0xfffffff0, 5));
}

struct parse_row {
	const char *what;
	int err;
	size_t len;
	uint8_t p[40];
	size_t payload_len, ext_len;
};

#define HEAD(b0) (b0), 0x80 | 96, 0x12, 0x34, 1, 2, 3, 4, 5, 6, 7, 8

static const struct parse_row parse_rows[] = {
	{ "empty", -EBADMSG, 0, { 0 }, 0, 0 },
	{ "one octet short of a header", -EBADMSG, 11, { HEAD(0x80) }, 0, 0 },
	{ "header only", 0, 12, { HEAD(0x80) }, 0, 0 },
	{ "version 1", -EBADMSG, 12, { HEAD(0x40) }, 0, 0 },
	{ "payload", 0, 15, { HEAD(0x80), 9, 9, 9 }, 3, 0 },
	{ "two sources", 0, 21, { HEAD(0x82), 1, 1, 1, 1, 2, 2, 2, 2, 9 }, 1, 0 },
	{ "sources cut off", -EBADMSG, 19, { HEAD(0x82), 1, 1, 1, 1, 2, 2, 2 }, 0, 0 },
	{ "extension", 0, 21, { HEAD(0x90), 0xbe, 0xde, 0, 1, 0x10, 5, 0, 0, 9 }, 1, 4 },
	{ "empty extension", 0, 17, { HEAD(0x90), 0xbe, 0xde, 0, 0, 9 }, 1, 0 },
	{ "extension head cut off", -EBADMSG, 15, { HEAD(0x90), 0xbe, 0xde, 0 }, 0, 0 },
	{ "extension longer than packet", -EBADMSG, 20,
	  { HEAD(0x90), 0xbe, 0xde, 0, 2, 1, 2, 3, 4 }, 0, 0 },
	{ "extension of 65535 words", -EBADMSG, 20,
	  { HEAD(0x90), 0xbe, 0xde, 255, 255, 1, 2, 3, 4 }, 0, 0 },
	{ "padding", 0, 16, { HEAD(0xa0), 9, 0, 0, 3 }, 1, 0 },
	{ "padding only", 0, 15, { HEAD(0xa0), 0, 0, 3 }, 0, 0 },
	{ "padding of 0", -EBADMSG, 16, { HEAD(0xa0), 9, 0, 0, 0 }, 0, 0 },
	{ "padding longer than payload", -EBADMSG, 16, { HEAD(0xa0), 9, 0, 0, 5 }, 0, 0 },
	{ "padding without payload", -EBADMSG, 12, { HEAD(0xa0) }, 0, 0 },
	{ "padding into extension", -EBADMSG, 20,
	  { HEAD(0xb0), 0xbe, 0xde, 0, 1, 0, 0, 0, 4 }, 0, 0 },
};

static void parse_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(parse_rows) / sizeof(parse_rows[0]); i++) {
		const struct parse_row *r = &parse_rows[i];
		struct rtp_packet p = { .seq = 1 };
		int err = rtp_parse(&p, r->p, r->len);

		if (err != r->err)
			fail_msg("%s: %d", r->what, err);
		if (err) {
			assert_int_equal(p.seq, 1);
			continue;
		}
		assert_int_equal(p.seq, 0x1234);
		assert_int_equal(p.ts, 0x01020304);
		assert_int_equal(p.ssrc, 0x05060708);
		assert_int_equal(p.pt, 96);
		assert_true(p.marker);
		assert_int_equal(p.payload_len, r->payload_len);
		assert_int_equal(p.ext_len, r->ext_len);
	}
}

static void extensions_round_trip(void **state)
{
	uint8_t ext[64], wire[128], payload[] = { 1, 2, 3 };
	struct rtp_ext_writer w = { .data = ext, .cap = sizeof(ext) };
	struct rtp_packet in = { .pt = 111, .seq = 65535, .ts = 77, .ssrc = 99,
				 .payload = payload, .payload_len = 3 };
	struct rtp_packet out;
	char mid[RTP_MID_MAX + 1];
	uint32_t time24;
	uint16_t seq;
	unsigned degrees;
	int level;
	bool voice;
	size_t len;

	(void)state;
	assert_int_equal(rtp_ext_put_audio_level(&w, 1, -42, true), 0);
	assert_int_equal(rtp_ext_put_abs_send_time(&w, 2, 0xabcdef), 0);
	assert_int_equal(rtp_ext_put_transport_seq(&w, 3, 0xfffe), 0);
	assert_int_equal(rtp_ext_put_orientation(&w, 4, 270), 0);
	assert_int_equal(rtp_ext_put_mid(&w, 14, "0123456789abcdef"), 0);
	assert_int_equal(rtp_ext_finish(&w, &in), 0);
	len = rtp_write(wire, sizeof(wire), &in);
	assert_int_equal(in.ext_len, 28);
	assert_int_equal(len, 12 + 4 + 28 + 3);
	assert_int_equal(rtp_write(wire, len - 1, &in), 0);
	assert_int_equal(rtp_parse(&out, wire, len), 0);
	assert_true(rtp_ext_audio_level(&out, 1, &level, &voice));
	assert_int_equal(level, -42);
	assert_true(voice);
	assert_true(rtp_ext_abs_send_time(&out, 2, &time24));
	assert_int_equal(time24, 0xabcdef);
	assert_true(rtp_ext_transport_seq(&out, 3, &seq));
	assert_int_equal(seq, 0xfffe);
	assert_true(rtp_ext_orientation(&out, 4, &degrees));
	assert_int_equal(degrees, 270);
	assert_true(rtp_ext_mid(&out, 14, mid));
	assert_string_equal(mid, "0123456789abcdef");
	assert_false(rtp_ext_mid(&out, 5, mid));
	assert_false(rtp_ext_mid(&out, 0, mid));
	assert_false(rtp_ext_mid(&out, 15, mid));
	assert_int_equal(out.payload_len, 3);
	assert_memory_equal(out.payload, payload, 3);
	assert_false(out.marker);
}

static void extension_writer_refuses(void **state)
{
	uint8_t ext[8];
	struct rtp_ext_writer w = { .data = ext, .cap = sizeof(ext) };
	struct rtp_packet p = { 0 };

	(void)state;
	assert_int_equal(rtp_ext_put(&w, 0, "x", 1), -EINVAL);
	assert_int_equal(rtp_ext_put(&w, 15, "x", 1), -EINVAL);
	assert_int_equal(rtp_ext_put(&w, 1, "x", 0), -EINVAL);
	assert_int_equal(rtp_ext_put_mid(&w, 1, "0123456789abcdefg"), -EINVAL);
	assert_int_equal(rtp_ext_put_mid(&w, 1, ""), -EINVAL);
	assert_int_equal(rtp_ext_put_audio_level(&w, 1, 1, false), -EINVAL);
	assert_int_equal(rtp_ext_put_audio_level(&w, 1, -128, false), -EINVAL);
	assert_int_equal(rtp_ext_put_orientation(&w, 1, 45), -EINVAL);
	assert_int_equal(rtp_ext_put_mid(&w, 1, "01234567"), -ENOSPC);
	assert_int_equal(rtp_ext_put_mid(&w, 1, "0123"), 0);
	assert_int_equal(rtp_ext_finish(&w, &p), 0);
	assert_int_equal(p.ext_len, 8);
}

static void hostile_extensions(void **state)
{
	static const struct {
		const char *what;
		uint16_t profile;
		size_t len;
		uint8_t ext[8];
		bool found; /* id 3 with data 0x55 … */
	} rows[] = {
		{ "one-byte", 0xbede, 4, { 0x30, 0x55, 0, 0 }, true },
		{ "padding before", 0xbede, 4, { 0, 0, 0x30, 0x55 }, true },
		{ "behind another", 0xbede, 4, { 0x20, 1, 0x30, 0x55 }, true },
		{ "data cut off", 0xbede, 4, { 0, 0, 0, 0x30 }, false },
		{ "length past the end", 0xbede, 4, { 0x3f, 0x55, 0, 0 }, false },
		{ "id 15 ends", 0xbede, 4, { 0xf0, 1, 0x30, 0x55 }, false },
		{ "two-byte", 0x1000, 4, { 3, 1, 0x55, 0 }, true },
		{ "two-byte with appbits", 0x100f, 4, { 0, 3, 1, 0x55 }, true },
		{ "two-byte cut off", 0x1000, 4, { 0, 0, 0, 3 }, false },
		{ "two-byte too long", 0x1000, 4, { 3, 9, 0x55, 0 }, false },
		{ "unknown profile", 0x4242, 4, { 0x30, 0x55, 0, 0 }, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rtp_packet p = { .ext_profile = rows[i].profile, .ext = rows[i].ext,
					.ext_len = rows[i].len };
		const uint8_t *d;
		size_t n;
		bool found = rtp_ext_find(&p, 3, &d, &n);

		if (found != rows[i].found)
			fail_msg("%s", rows[i].what);
		if (found) {
			assert_int_equal(n, 1);
			assert_int_equal(d[0], 0x55);
		}
	}
}

static void decoders_check_lengths(void **state)
{
	static const uint8_t ext[] = { 0x10, 0x55, 0x23, 1, 2, 0, 4, 0x30, 1, 0, 0, 0 };
	struct rtp_packet p = { .ext_profile = 0xbede, .ext = ext, .ext_len = sizeof(ext) };
	char mid[RTP_MID_MAX + 1];
	uint32_t t;
	uint16_t s;

	(void)state;
	assert_false(rtp_ext_abs_send_time(&p, 1, &t)); /* 1 octet */
	assert_false(rtp_ext_transport_seq(&p, 1, &s));
	assert_false(rtp_ext_mid(&p, 2, mid)); /* a NUL inside */
	assert_true(rtp_ext_mid(&p, 1, mid));
	assert_string_equal(mid, "U");
}

static void abs_send_time(void **state)
{
	(void)state;
	assert_int_equal(rtp_abs_send_time_of_ns(0), 0);
	assert_int_equal(rtp_abs_send_time_of_ns(1000000000), 1 << 18);
	assert_int_equal(rtp_abs_send_time_of_ns(500000000), 1 << 17);
	assert_int_equal(rtp_abs_send_time_of_ns(64000000000), 0); /* wraps after 64 s */
	assert_int_equal(rtp_abs_send_time_of_ns(INT64_MAX) >> 24, 0);
}

static void retransmission_is_restored(void **state)
{
	uint8_t wire[] = { HEAD(0xb0), 0xbe, 0xde, 0, 1, 0x10, 5, 0, 0, 0xff, 0xfe, 7, 8, 9, 0, 0, 3 };
	uint8_t cut[] = { HEAD(0x80), 1 }, none[] = { HEAD(0xa0), 0, 2 };
	struct rtp_packet p;
	unsigned degrees;

	(void)state;
	assert_int_equal(rtp_rtx_restore(wire, sizeof(wire), 42, 102), 2);
	assert_int_equal(rtp_parse(&p, wire + 2, sizeof(wire) - 2), 0);
	assert_int_equal(p.seq, 0xfffe);
	assert_int_equal(p.ssrc, 42);
	assert_int_equal(p.pt, 102);
	assert_true(p.marker);
	assert_int_equal(p.ts, 0x01020304);
	assert_true(rtp_ext_orientation(&p, 1, &degrees));
	assert_int_equal(p.payload_len, 3);
	assert_memory_equal(p.payload, "\7\10\11", 3);
	assert_int_equal(rtp_rtx_restore(cut, sizeof(cut), 42, 102), -ENODATA);
	assert_int_equal(rtp_rtx_restore(none, sizeof(none), 42, 102), -ENODATA);
	assert_int_equal(rtp_rtx_restore(none, 5, 42, 102), -EBADMSG);
}

static void opus_toc(void **state)
{
	static const struct {
		uint8_t p[2];
		size_t len;
		int samples;
	} rows[] = {
		{ { 0 }, 0, -EBADMSG },
		{ { 0 << 3 }, 1, 480 },        /* SILK 10 ms */
		{ { 3 << 3 }, 1, 2880 },       /* SILK 60 ms */
		{ { 9 << 3 }, 1, 960 },        /* SILK wide 20 ms */
		{ { 12 << 3 }, 1, 480 },       /* hybrid */
		{ { 15 << 3 }, 1, 960 },
		{ { 16 << 3 }, 1, 120 },       /* CELT 2.5 ms */
		{ { 31 << 3 }, 1, 960 },
		{ { 31 << 3 | 1 }, 1, 1920 },  /* two frames */
		{ { 31 << 3 | 2 }, 1, 1920 },
		{ { 31 << 3 | 3 }, 1, -EBADMSG },
		{ { 31 << 3 | 3, 6 }, 2, 5760 },
		{ { 31 << 3 | 3, 7 }, 2, -EBADMSG },  /* 140 ms */
		{ { 31 << 3 | 3, 0 }, 2, -EBADMSG },
		{ { 3 << 3 | 3, 63 }, 2, -EBADMSG },
	};
	static const uint8_t stereo[] = { 31 << 3 | 4, 1, 2 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rtp_opus_samples(rows[i].p, rows[i].len) != rows[i].samples)
			fail_msg("row %zu: %d", i, rtp_opus_samples(rows[i].p, rows[i].len));
	assert_int_equal(rtp_opus_channels(stereo, 3), 2);
	assert_int_equal(rtp_opus_channels(stereo, 0), 1);
	assert_false(rtp_opus_is_dtx(stereo, 3));
	assert_true(rtp_opus_is_dtx(stereo, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seq_arithmetic_wraps),
		cmocka_unit_test(parse_table),
		cmocka_unit_test(extensions_round_trip),
		cmocka_unit_test(extension_writer_refuses),
		cmocka_unit_test(hostile_extensions),
		cmocka_unit_test(decoders_check_lengths),
		cmocka_unit_test(abs_send_time),
		cmocka_unit_test(retransmission_is_restored),
		cmocka_unit_test(opus_toc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
