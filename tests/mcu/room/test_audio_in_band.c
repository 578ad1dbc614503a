/* A telephone's sound at the rate of its codec: the same chain, at a sixth or a third. */
#include "mixer/codec/aenc.h"
#include "tests/mcu/room/audio_in_rig.h"

enum { CLOCK = 8000, MAX_TICKS = 4000 };
#define TONE_HZ 500

static float heard[MAX_TICKS * 960];

static void put(struct rig *r, enum codec c, const uint8_t *payload, size_t len, double late_ms)
	ON_THREAD(ROLE_MIXA)
{
	struct rtp_packet p = { .pt = PT, .seq = r->seq++, .ts = r->ts, .ssrc = r->ssrc,
				.payload = payload, .payload_len = len };
	struct buf *b = buf_get(r->pool);

	assert_non_null(b);
	b->len = rtp_write(b->data, b->cap, &p);
	b->tag = audio_tag(c, PT, false);
	audio_in_put(r->in, b, at_ms((double)r->tick * 20 + late_ms));
	r->ts += codec_clock_hz(c) / 50;
}

/* A tick of the tone from a sender whose clock is so many ppm fast. */
static void speak(struct rig *r, struct aenc *e, enum codec c, double amp, bool lost)
	ON_THREAD(ROLE_MIXA)
{
	uint8_t data[1275];
	float pcm[960];
	int len;

	tone_fill(pcm, 960, 1, TONE_HZ, amp, r->tick * 960);
	len = aenc_encode_to(e, pcm, data, sizeof data);
	assert_true(len > 0);
	if (!lost) {
		put(r, c, data, (size_t)len, 0);
		return;
	}
	r->seq++;
	r->ts += codec_clock_hz(c) / 50;
}

static struct aenc *encoder(enum codec c)
{
	struct aenc_cfg cfg = { .format = c, .bitrate_bps = 64000 };
	struct aenc *e = NULL;

	assert_int_equal(aenc_new(&e, &cfg), 0);
	return e;
}

/* A tick out; returns where it ends in heard. */
static size_t listen(struct rig *r, size_t at) ON_THREAD(ROLE_MIXA)
{
	audio_in_tick(r->in, at_ms((double)r->tick++ * 20), heard + at);
	return at + audio_band_tick(audio_in_band(r->in));
}

static double level(size_t from, size_t to, unsigned hz)
{
	/* the helper's tones are of 48 kHz */
	return tone_amplitude(heard + from, to - from, 1, TONE_HZ * 48000.0 / hz);
}

static void check(enum codec c, enum audio_band band, double lose_each)
	ON_THREAD(ROLE_MIXA)
{
	struct aenc *e = encoder(c);
	size_t at = 0, half = 0;
	struct rig r;

	rig_open(&r, true);
	audio_in_set_own_rate(r.in, true);
	for (int i = 0; i < 200; i++) {
		speak(&r, e, c, 0.3, lose_each > 0 && i % (int)lose_each == 3);
		at = listen(&r, i == 100 ? (half = at) : at);
	}
	assert_int_equal(audio_in_band(r.in), band);
	assert_near(tone_db(level(half, at, audio_band_hz(band)) / 0.3), 0, 1);
	assert_near(audio_in_level_dbov(r.in), -13.5, 1);
	if (lose_each > 0)
		assert_true(stats(&r).concealed_samples >= 190 / (uint64_t)lose_each * 960);
	else
		assert_true(stats(&r).concealed_samples <= 2 * 960);
	aenc_free(&e);
	rig_close(&r);
}

static void test_each_codec_at_its_own_rate(void **state)
{
	(void)state;
	role_assert_mixa();
	check(CODEC_PCMU, AUDIO_BAND_NARROW, 0);
	check(CODEC_PCMA, AUDIO_BAND_NARROW, 0);
	check(CODEC_G729, AUDIO_BAND_NARROW, 0);
	check(CODEC_G722, AUDIO_BAND_WIDE, 0);
	check(CODEC_OPUS, AUDIO_BAND_FULL, 0);
	check(CODEC_PCMU, AUDIO_BAND_NARROW, 10);
	check(CODEC_G722, AUDIO_BAND_WIDE, 10);
}

/* Packets of one codec after another, as telephones may send them. */
static void test_the_rate_follows_the_codec(void **state)
{
	static const enum codec codec[] = { CODEC_PCMU, CODEC_OPUS, CODEC_G722, CODEC_PCMA };
	static const enum audio_band band[] = { AUDIO_BAND_NARROW, AUDIO_BAND_FULL,
						AUDIO_BAND_WIDE, AUDIO_BAND_NARROW };
	struct rig r;

	(void)state;
	role_assert_mixa();
	rig_open(&r, true);
	audio_in_set_own_rate(r.in, true);
	for (size_t k = 0; k < 4; k++) {
		struct aenc *e = encoder(codec[k]);
		size_t at = 0, half = 0;

		for (int i = 0; i < 100; i++) {
			speak(&r, e, codec[k], 0.3, false);
			at = listen(&r, i == 50 ? (half = at) : at);
		}
		assert_int_equal(audio_in_band(r.in), band[k]);
		assert_near(tone_db(level(half, at, audio_band_hz(band[k])) / 0.3), 0, 1);
		aenc_free(&e);
	}
	rig_close(&r);
}

/* Switched while it talks: whoever asks for a voice gets 48 kHz from the next packet. */
static void test_it_can_be_switched_off(void **state)
{
	struct aenc *e = encoder(CODEC_PCMU);
	struct rig r;
	size_t at = 0, half = 0;

	(void)state;
	role_assert_mixa();
	rig_open(&r, true);
	for (int on = 1; on >= 0; on--) {
		audio_in_set_own_rate(r.in, on);
		for (int i = 0; i < 100; i++) {
			speak(&r, e, CODEC_PCMU, 0.3, false);
			at = listen(&r, i == 0 ? 0 : i == 50 ? (half = at) : at);
		}
		assert_int_equal(audio_in_band(r.in), on ? AUDIO_BAND_NARROW : AUDIO_BAND_FULL);
		assert_near(tone_db(level(half, at, on ? 8000 : 48000) / 0.3), 0, 1);
	}
	aenc_free(&e);
	rig_close(&r);
}

/* A sender whose clock is 300 ppm fast for ten minutes: its delay does not grow. */
static void test_drift_is_taken_out(void **state)
{
	struct aenc *e = encoder(CODEC_PCMU);
	uint8_t data[160];
	float pcm[960];
	double due_ms = 0;
	struct rig r;

	(void)state;
	role_assert_mixa();
	rig_open(&r, true);
	audio_in_set_own_rate(r.in, true);
	tone_fill(pcm, 960, 1, TONE_HZ, 0.3, 0);
	assert_int_equal(aenc_encode_to(e, pcm, data, sizeof data), 160);
	for (int i = 0; i < 30000; i++) {
		for (; due_ms < (double)r.tick * 20; due_ms += 20 / 1.0003)
			put(&r, CODEC_PCMU, data, sizeof data, due_ms - (double)r.tick * 20);
		listen(&r, 0);
	}
	assert_near(stats(&r).drift_ppm, 300, 60);
	assert_in_range(stats(&r).delay_ms, 10, 60);
	assert_int_equal(stats(&r).lost, 0);
	aenc_free(&e);
	rig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_codec_at_its_own_rate),
		cmocka_unit_test(test_the_rate_follows_the_codec),
		cmocka_unit_test(test_it_can_be_switched_off),
		cmocka_unit_test(test_drift_is_taken_out),
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
