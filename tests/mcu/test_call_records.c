/* What is written of a call. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mcu/call_records.h"
#include "storage/calls.h"

static void a_good_call(void **state)
{
	struct sip_cdr c = {
		.id = 7, .out = true, .room = "daily", .uri = "sip:1@example.org", .number = "1",
		.user = "ada", .trunk = "itsp", .started_ms = 1, .answered_ms = 2, .ended_ms = 3,
		.end = SIP_END_HANGUP, .sip_status = 200, .reason = "Bye",
		.media = { .audio = CODEC_PCMA, .video = CODEC_H264, .packets_in = 100,
			   .packets_out = 90, .lost_in = 5, .lost_out = 4, .jitter_ms = 3, .rtt_ms = 20,
			   .audio_in = 50 } };
	struct call_row row;

	(void)state;
	call_records_row(&row, &c);
	assert_int_equal(row.id, 7);
	assert_true(row.out);
	assert_string_equal(row.room, "daily");
	assert_string_equal(row.uri, "sip:1@example.org");
	assert_string_equal(row.user, "ada");
	assert_string_equal(row.trunk, "itsp");
	assert_string_equal(row.audio, "PCMA");
	assert_string_equal(row.video, "H264");
	assert_int_equal(row.packets_in, 100);
	assert_int_equal(row.lost_out, 4);
	assert_string_equal(row.end, "hangup");
	assert_string_equal(row.reason, "Bye");
	assert_true(row.mos > 4.3 && row.mos < 4.5);
	assert_true(row.score > 4.99);
	/* half of what was said is lost */
	c.media.audio_lost = 50;
	call_records_row(&row, &c);
	assert_true(row.mos < 2 && row.score < 1.01);
}

static void nothing_was_heard(void **state)
{
	struct sip_cdr c = { .id = 7, .out = true, .end = SIP_END_HANGUP_LOCAL };
	struct call_row row;

	(void)state;
	call_records_row(&row, &c);
	assert_string_equal(row.audio, "");
	assert_true(row.mos < 0.1 && row.score < 0.1); /* unknown */
	assert_string_equal(row.end, "cancelled");
	c.answered_ms = 1;
	call_records_row(&row, &c);
	assert_string_equal(row.end, "hangup_local");
	c.answered_ms = 0;
	c.out = false;
	call_records_row(&row, &c);
	assert_string_equal(row.end, "hangup_local");
}

/* The legs of one call: in the parlour, then in the room. */
static void legs_add_up(void **state)
{
	struct leg_totals sum = { 0 };
	struct leg_totals first = { .audio = CODEC_PCMU, .packets_in = 10, .lost_in = 1, .audio_in = 10,
				    .audio_lost = 1, .jitter_ms = 5, .rtt_ms = 30 };
	struct leg_totals silent = { .packets_out = 7 };

	(void)state;
	leg_totals_add(&sum, &first);
	leg_totals_add(&sum, &first);
	leg_totals_add(&sum, &silent);
	assert_int_equal(sum.audio, CODEC_PCMU);
	assert_int_equal(sum.packets_in, 20);
	assert_int_equal(sum.packets_out, 7);
	assert_int_equal(sum.audio_lost, 2);
	assert_true(sum.jitter_ms > 4.9 && sum.rtt_ms > 29.9);
}

static void ends_have_names(void **state)
{
	(void)state;
	for (enum sip_end e = SIP_END_HANGUP; e <= SIP_END_SHUTDOWN; e++)
		assert_true(strlen(sip_end_name(e)) > 3);
	assert_string_equal(sip_end_name(SIP_END_SHUTDOWN), "shutdown");
	assert_string_equal(sip_end_name(SIP_END_NONE), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_call), cmocka_unit_test(nothing_was_heard),
		cmocka_unit_test(legs_add_up), cmocka_unit_test(ends_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
