/* A telephone: sound of G.711 alone, over UDP. */
#include "mixer/codec/g711.h"
#include "tests/mcu/room/leg_net_rig.h"

enum { PCMU_PT = 0, PCMA_PT = 8, EVENT_PT = 101, SAMPLES = 160 };

static struct {
	uint16_t seq;
	uint32_t ts;
} phone;

static struct leg_media phone_media(void)
{
	struct leg_media m = {
		.audio = { .rx = true, .tx = true, LEG_FORMAT(CODEC_PCMU, PCMU_PT),
			   .tx_ssrc = OUR_AUDIO, .rx_dtmf_pt = EVENT_PT, .tx_dtmf_pt = EVENT_PT,
			   .dtmf_hz = 8000 },
		.cname = "us", .udp = true,
		.line[RTP_LINE_AUDIO] = { .used = true, .rx = true, .tx = true, .port = 4000 },
	};

	m.audio.rx_format[1] = (struct leg_rx_format){ .codec = CODEC_PCMA, .pt = PCMA_PT };
	m.audio.n_rx_formats = 2;
	return m;
}

static int open_phone(void **state)
{
	struct leg_media m = phone_media();
	int err = set_up(state);

	role_assert_ctl();
	phone.seq = 65500;
	phone.ts = 0xfffff000;
	the.base.line = RTP_LINE_AUDIO;
	connect_with(&m);
	return err;
}

static void say_as(uint8_t pt, uint32_t ssrc, uint8_t octet)
{
	uint8_t payload[SAMPLES];

	memset(payload, octet, sizeof payload);
	receive(pt, ssrc, phone.seq++, phone.ts, false, payload, sizeof payload);
	phone.ts += SAMPLES;
	advance(20);
}

/* A loud one, or silence. */
static void say(bool loud)
{
	say_as(PCMU_PT, PEER_AUDIO, loud ? 0x10 : 0xff);
}

/* n of them; how many were handed on, with numbers one after the other. */
static size_t go_on(int n, bool loud)
{
	size_t before = the.sounds;

	while (n--) {
		size_t had = the.sounds;
		uint16_t last = the.sound_seq;

		say(loud);
		if (had && the.sounds > had)
			assert_int_equal(the.sound_seq, (uint16_t)(last + 1));
	}
	return the.sounds - before;
}

static void its_silence_stays_on_the_shard(void **state)
{
	(void)state;
	role_assert_ctl();
	assert_int_equal(go_on(100, true), 100);
	assert_false(the.tag & AUDIO_TAG_FAINT);
	assert_int_equal(go_on(SOUND_REST_SETTLE, false), SOUND_REST_SETTLE);
	assert_true(the.tag & AUDIO_TAG_FAINT);
	assert_int_equal(audio_tag_codec(the.tag), CODEC_PCMU);
	assert_false(the.relaxed);
	assert_int_equal(go_on(1000, false), 1000 / SOUND_REST_PROBE);
	assert_true(the.relaxed);
	assert_int_equal(go_on(1, true), 1);
	assert_false(the.relaxed);
	assert_int_equal(go_on(99, true), 99);
	/* it all came */
	assert_int_equal(rx_stats_lost(&the.l->audio_rx), 0);
	assert_int_equal(the.l->audio_rx.received, 100 + SOUND_REST_SETTLE + 1000 + 100 - 1);
}

/* What the transport may drop is what would be taken for silence here. */
static void check_silence(bool (*is_faint)(const uint8_t *code, size_t n))
{
	for (int i = 0; i < 256; i++) {
		const uint8_t octet = (uint8_t)i;

		assert_int_equal((octet & the.silence.mask) == the.silence.code,
				 is_faint(&octet, 1));
	}
}

/* The transport is told what it may drop, and says how much it was. */
static void its_silence_need_not_come(void **state)
{
	size_t before;

	(void)state;
	role_assert_ctl();
	go_on(100, true);
	go_on(SOUND_REST_SETTLE + 1, false);
	assert_true(the.relaxed);
	assert_int_equal(the.silence.pt, PCMU_PT);
	assert_int_equal(the.silence.payload_len, SAMPLES);
	check_silence(g711_ulaw_is_faint);
	before = the.sounds;
	for (int i = 0; i < 100; i++) {
		phone.seq = (uint16_t)(phone.seq + 7);
		phone.ts += 7 * SAMPLES;
		advance(7 * 20);
		the.base.skipped = 7;
		say(false);
	}
	assert_int_equal(the.sounds - before, 800 / 56);
	the.base.skipped = 3;
	phone.seq = (uint16_t)(phone.seq + 3);
	go_on(1, true);
	the.base.skipped = 0;
	assert_false(the.relaxed);
	assert_int_equal(the.silence.payload_len, 0);
	assert_int_equal(go_on(20, true), 20);
	assert_int_equal(rx_stats_lost(&the.l->audio_rx), 0);
	/* in the other law, and in packets of another length */
	for (int i = 0; i <= SOUND_REST_SETTLE; i++)
		say_as(PCMA_PT, PEER_AUDIO, 0xd5);
	assert_int_equal(the.silence.pt, PCMA_PT);
	check_silence(g711_alaw_is_faint);
	say(false);
	assert_int_equal(the.silence.pt, PCMU_PT);
}

/* What is dropped before a digit is told of with that. */
static void digits_in_silence_that_does_not_come(void **state)
{
	(void)state;
	role_assert_ctl();
	go_on(100, true);
	go_on(SOUND_REST_SETTLE + 10, false);
	for (int i = 0; i < 5; i++) {
		uint8_t e[4] = { 5, i == 4 ? 0x8a : 10, 0, (uint8_t)(i * 20) };

		the.base.skipped = i ? 0 : 6;
		phone.seq = (uint16_t)(phone.seq + the.base.skipped);
		phone.ts += the.base.skipped * SAMPLES;
		receive(EVENT_PT, PEER_AUDIO, phone.seq++, phone.ts, i == 0, e, sizeof e);
		advance(20);
	}
	phone.ts += 5 * SAMPLES;
	run();
	assert_string_equal(the.digits, "5");
	the.base.skipped = 4;
	phone.seq = (uint16_t)(phone.seq + the.base.skipped);
	assert_int_equal(go_on(1, true), 1);
	the.base.skipped = 0;
	assert_int_equal(go_on(20, true), 20);
	assert_int_equal(rx_stats_lost(&the.l->audio_rx), 0);
	assert_int_equal(the.l->audio_rx.octets, (100 + SOUND_REST_SETTLE + 10 + 6 + 4 + 21) * SAMPLES +
						 5 * 4 - SAMPLES);
}

static void digits_in_its_silence_take_no_numbers(void **state)
{
	(void)state;
	role_assert_ctl();
	go_on(10, true);
	go_on(200, false);
	for (int i = 0; i < 5; i++) {
		uint8_t e[4] = { 5, i == 4 ? 0x8a : 10, 0, (uint8_t)(i * 20) };

		receive(EVENT_PT, PEER_AUDIO, phone.seq++, phone.ts, i == 0, e, sizeof e);
		advance(20);
	}
	phone.ts += 5 * SAMPLES;
	run();
	assert_string_equal(the.digits, "5");
	assert_int_equal(go_on(20, true), 20);
}

/* What is known of the last packet is of no other. */
static void each_packet_is_what_it_says(void **state)
{
	(void)state;
	role_assert_ctl();
	go_on(10, true);
	say_as(PCMA_PT, PEER_AUDIO, 0x10);
	assert_int_equal(audio_tag_codec(the.tag), CODEC_PCMA);
	assert_int_equal(the.sounds, 11);
	say_as(PCMU_PT, PEER_AUDIO, 0x10);
	assert_int_equal(audio_tag_codec(the.tag), CODEC_PCMU);
	assert_int_equal(the.sounds, 12);
	/* none that was agreed on; another source while this one is heard */
	say_as(3, PEER_AUDIO, 0x10);
	assert_int_equal(the.sounds, 12);
	say(true);
	assert_int_equal(the.sounds, 13);
	say_as(PCMU_PT, PEER_AUDIO + 1, 0x10);
	assert_true(the.l->again.ssrc == PEER_AUDIO + 1 || the.sounds == 13);
}

static void another_agreement_counts_at_once(void **state)
{
	struct leg_media m = phone_media();

	(void)state;
	role_assert_ctl();
	go_on(10, true);
	m.audio.rx_format[0].codec = CODEC_PCMA;
	m.audio.n_rx_formats = 1;
	reconfigure(&m);
	say(true);
	assert_int_equal(audio_tag_codec(the.tag), CODEC_PCMA);
}

/* Its timer is for reports, and for digits while some are sent. */
static void it_needs_its_timer_seldom(void **state)
{
	struct leg_media m = phone_media();

	(void)state;
	role_assert_ctl();
	assert_int_equal(the.period_ns, LEG_REPORT_MS * NS_PER_MS);
	assert_int_equal(leg_net_send_digits(the.l, ","), 0);
	run();
	assert_int_equal(the.period_ns, LEG_TICK_MS * NS_PER_MS);
	the.l->audio.transport = &the.base;
	the.l->audio.tx.started = true;
	advance(2000);
	assert_int_equal(the.period_ns, LEG_REPORT_MS * NS_PER_MS);
	m.video = (struct leg_stream){ .rx = true, LEG_FORMAT(CODEC_H264, VIDEO_PT) };
	reconfigure(&m);
	assert_int_equal(the.period_ns, LEG_TICK_MS * NS_PER_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(fn) cmocka_unit_test_setup_teardown(fn, open_phone, tear_down)
		T(its_silence_stays_on_the_shard),
		T(its_silence_need_not_come),
		T(digits_in_silence_that_does_not_come),
		T(digits_in_its_silence_take_no_numbers),
		T(each_packet_is_what_it_says),
		T(another_agreement_counts_at_once),
		T(it_needs_its_timer_seldom),
#undef T
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
