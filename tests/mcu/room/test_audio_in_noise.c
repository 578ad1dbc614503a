/* Rests of a telephone: comfort noise of its own (RFC 3389), and that of G.729. */
#include "mixer/codec/aenc.h"
#include "tests/mcu/room/audio_in_rig.h"

enum { CLOCK = 8000, SPEECH_TICKS = 50 };

static void put(struct rig *r, enum codec c, const uint8_t *payload, size_t len, uint32_t ticks)
	ON_THREAD(ROLE_MIXA)
{
	struct rtp_packet p = { .pt = PT, .seq = r->seq++, .ts = r->ts, .ssrc = r->ssrc,
				.payload = payload, .payload_len = len };
	struct buf *b = buf_get(r->pool);

	assert_non_null(b);
	b->len = rtp_write(b->data, b->cap, &p);
	b->tag = audio_tag(c, PT, false);
	audio_in_put(r->in, b, at_ms((double)r->tick * 20));
	r->ts += ticks;
}

/* So many ticks of a tone. */
static void speak(struct rig *r, struct aenc *e, enum codec c, int n) ON_THREAD(ROLE_MIXA)
{
	for (int i = 0; i < n; i++) {
		uint8_t data[1275];
		float pcm[TICK];
		int len;

		tone_fill(pcm, TICK, 1, 400, 0.2, r->tick * TICK);
		len = aenc_encode_to(e, pcm, data, sizeof data);
		assert_true(len > 0);
		put(r, c, data, (size_t)len, CLOCK / 50);
		tick(r);
	}
}

/* The level of the ticks from `from` on of n that pass; 0 dB: full scale's power. */
static double rest(struct rig *r, int n, int from) ON_THREAD(ROLE_MIXA)
{
	double sum = 1e-13;

	for (int i = 0; i < n; i++) {
		tick(r);
		for (int k = 0; k < TICK && i >= from; k++)
			sum += (double)r->out[k] * (double)r->out[k];
	}
	r->ts += (uint32_t)n * (CLOCK / 50);
	return 10 * log10(sum / ((n - from) * TICK));
}

static void check(enum codec c, enum codec noise_codec, const uint8_t *noise, size_t noise_len,
		  double level_db) ON_THREAD(ROLE_MIXA)
{
	struct aenc_cfg cfg = { .format = c };
	struct aenc *e = NULL;
	struct rig r;

	rig_open(&r, true);
	assert_int_equal(aenc_new(&e, &cfg), 0);
	for (int round = 0; round < 3; round++) {
		double db;

		speak(&r, e, c, SPEECH_TICKS);
		assert_true(audio_in_level_dbov(r.in) > -20);
		put(&r, noise_codec, noise, noise_len, 0);
		/* Of long rests with nothing but a packet at their start, the end. */
		db = rest(&r, 100, 80);
		print_message("%s: noise of %.1f dB\n", codec_name(c), db);
		assert_near(db, level_db, 3);
		assert_false(audio_in_speaking(r.in)); /* nobody is disturbed by it */
		/* Another one, and it is silence. */
		if (noise_codec == CODEC_CN) {
			put(&r, noise_codec, (const uint8_t[]){ 127 }, 1, 0);
			assert_true(rest(&r, 100, 80) < -100);
		}
	}
	assert_int_equal(stats(&r).lost, 0);
	assert_int_equal(stats(&r).malformed, 0);
	/* What was announced is not made up for losses. */
	assert_true(stats(&r).concealed_samples < 3 * 5 * TICK);
	aenc_free(&e);
	rig_close(&r);
}

static void test_noise_is_as_loud_as_told(void **state)
{
	static const uint8_t quiet[] = { 60 }, loud[] = { 45, 120, 130 };

	(void)state;
	role_assert_mixa();
	check(CODEC_PCMU, CODEC_CN, quiet, sizeof quiet, -60);
	check(CODEC_PCMA, CODEC_CN, loud, sizeof loud, -45);
	check(CODEC_G722, CODEC_CN, quiet, sizeof quiet, -60);
}

/* Nobody hears of a muted one, nor after it is muted. */
static void test_a_muted_one_makes_no_noise(void **state)
{
	static const uint8_t quiet[] = { 50 };
	struct aenc_cfg cfg = { .format = CODEC_PCMU };
	struct aenc *e = NULL;
	struct rig r;

	(void)state;
	role_assert_mixa();
	rig_open(&r, true);
	assert_int_equal(aenc_new(&e, &cfg), 0);
	speak(&r, e, CODEC_PCMU, SPEECH_TICKS);
	put(&r, CODEC_CN, quiet, 1, 0);
	assert_near(rest(&r, 100, 80), -50, 3);
	audio_in_set_muted(r.in, true);
	assert_true(rest(&r, 10, 2) < -120);
	audio_in_set_muted(r.in, false);
	assert_true(rest(&r, 10, 2) < -120);
	speak(&r, e, CODEC_PCMU, SPEECH_TICKS);
	assert_true(audio_in_speaking(r.in));
	aenc_free(&e);
	rig_close(&r);
}

/* G.729: the frame at the end of a packet says it. */
static void test_g729_rests(void **state)
{
	static const uint8_t noise[] = { 0, 0 };
	struct aenc_cfg cfg = { .format = CODEC_G729 };
	struct aenc *e = NULL;
	struct rig r;

	(void)state;
	role_assert_mixa();
	rig_open(&r, true);
	assert_int_equal(aenc_new(&e, &cfg), 0);
	speak(&r, e, CODEC_G729, SPEECH_TICKS);
	assert_true(audio_in_speaking(r.in));
	put(&r, CODEC_G729, noise, sizeof noise, 0);
	assert_true(rest(&r, 100, 80) < -60);
	assert_true(tick(&r)); /* noise, not nothing */
	speak(&r, e, CODEC_G729, SPEECH_TICKS);
	assert_true(audio_in_speaking(r.in));
	assert_int_equal(stats(&r).lost, 0);
	aenc_free(&e);
	rig_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_noise_is_as_loud_as_told),
		cmocka_unit_test(test_a_muted_one_makes_no_noise),
		cmocka_unit_test(test_g729_rests),
	};

	role_enter(ROLE_ID_NONE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
