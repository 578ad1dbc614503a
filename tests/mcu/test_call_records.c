/* What is written of a call. */
#include "tests/storage/db_rig.h"

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

/* Anybody can send INVITEs. */
static void strangers_whom_nobody_answers_leave_no_row(void **state)
{
	static const struct {
		struct sip_cdr c;
		bool kept;
	} t[] = {
		{ { .uri = "sip:x@192.0.2.1", .number = "1", .room = "r" }, false },
		{ { .end = SIP_END_REJECTED, .sip_status = 404, .ended_ms = 9 }, false },
		{ { .end = SIP_END_CANCELLED, .sip_status = 487, .ended_ms = 9 }, false },
		{ { .answered_ms = 1 }, true }, { { .user = "ada" }, true },
		{ { .trunk = "itsp" }, true }, { { .out = true }, true },
		{ { .out = true, .end = SIP_END_BUSY, .sip_status = 486 }, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++)
		if (call_records_kept(&t[i].c) != t[i].kept)
			fail_msg("row %zu", i);
}

static int64_t rows(struct rig *g)
{
	return ask(g, "SELECT count(*) FROM calls");
}

static void what_is_written_and_what_goes(void **state)
{
	struct rig g;
	struct call_records r = { .keep_rows = 2 };
	struct sip_cdr stranger = { .started_ms = 1, .sip_status = 404 }, known = stranger;

	(void)state;
	rig_open(&g, "records.db");
	r.db = g.db;
	struct sip_cdr_sink sink = call_records_sink(&r);

	sink.begin(sink.ctx, &stranger);
	assert_true(stranger.id > 0);
	stranger.ended_ms = 2;
	sink.ended(sink.ctx, &stranger);
	assert_int_equal(rows(&g), 0);
	sink.begin(sink.ctx, &stranger);
	stranger.answered_ms = 2;
	sink.answered(sink.ctx, &stranger);
	assert_int_equal(rows(&g), 1);
	snprintf(known.trunk, sizeof known.trunk, "itsp");
	for (int i = 0; i <= CALL_RECORDS_MORE; i++) {
		sink.begin(sink.ctx, &known);
		known.ended_ms = 3;
		if (i < CALL_RECORDS_MORE)
			sink.ended(sink.ctx, &known);
	}
	assert_int_equal(rows(&g), CALL_RECORDS_MORE + 2); /* more than two, but not for long */
	sink.ended(sink.ctx, &known);
	assert_int_equal(rows(&g), 2);
	rig_close(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_call), cmocka_unit_test(nothing_was_heard),
		cmocka_unit_test(legs_add_up), cmocka_unit_test(ends_have_names),
		cmocka_unit_test(strangers_whom_nobody_answers_leave_no_row),
		cmocka_unit_test(what_is_written_and_what_goes),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
