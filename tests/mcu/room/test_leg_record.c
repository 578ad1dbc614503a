#include "mcu/room/leg_record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "mcu/base/clock.h"
#include "mcu/room/audio_in.h"
#include "mcu/rtp/lipsync.h"
#include "mcu/rtp/packet.h"

#define T0 (1000 * NS_PER_S)

enum { PT = 111 };

static struct {
	int sounds, pictures;
	enum codec codec;
	uint8_t first;
	size_t len;
	unsigned width, height;
	int64_t at_ns;
	bool content, key, wants;
} got;

static struct lipsync sync;

static void on_sound(void *obj, enum codec c, const uint8_t *p, size_t len, int64_t at_ns)
{
	(void)obj;
	got.sounds++;
	got.codec = c;
	got.first = p[0];
	got.len = len;
	got.at_ns = at_ns;
}

static bool on_picture(void *obj, bool content, enum codec c, unsigned width, unsigned height,
		       const struct buf *au, int64_t at_ns, bool key)
{
	(void)obj;
	got.pictures++;
	got.codec = c;
	got.content = content;
	got.width = width;
	got.height = height;
	got.len = au->len;
	got.at_ns = at_ns;
	got.key = key;
	return got.wants;
}

static struct leg_record a_record(void)
{
	struct leg_record r = { .sink = { .sound = on_sound, .picture = on_picture } };

	for (int i = 0; i < LEG_RECORD_PICTURES; i++)
		r.picture[i].broken = true;
	memset(&got, 0, sizeof got);
	lipsync_init(&sync, 48000, 90000);
	return r;
}

static void sound(struct leg_record *r, enum codec c, bool red, uint32_t ts, const uint8_t *p,
		  size_t len)
{
	const struct rtp_packet pkt = { .ssrc = 1, .ts = ts, .payload = p, .payload_len = len };

	leg_record_sound(r, &sync, &pkt, audio_tag(c, PT, red), T0 + ts * (NS_PER_S / 48000));
}

static void sound_comes_as_it_was_sent(void **state)
{
	/* one copy of 2 octets, 960 ticks older, and the primary one of 3 */
	static const uint8_t red[] = { 0x80 | PT, 960 >> 6, (960 & 63) << 2, 2, PT, 1, 2, 7, 8, 9 };
	struct leg_record r = a_record();

	(void)state;
	sound(&r, CODEC_OPUS, false, 0, (const uint8_t[]){ 5, 6 }, 2);
	assert_int_equal(got.sounds, 1);
	assert_int_equal(got.first, 5);
	sound(&r, CODEC_OPUS, true, 960, red, sizeof red);
	assert_int_equal(got.sounds, 2);
	assert_int_equal(got.first, 7);
	assert_int_equal(got.len, 3);
	assert_in_range(got.at_ns, T0 + 19 * NS_PER_MS, T0 + 21 * NS_PER_MS);
	/* late, twice, empty, comfort noise, RED that is none: nothing */
	sound(&r, CODEC_OPUS, false, 480, red, 3);
	sound(&r, CODEC_OPUS, false, 960, red, 3);
	sound(&r, CODEC_OPUS, false, 1920, red, 0);
	sound(&r, CODEC_CN, false, 1920, red, 1);
	sound(&r, CODEC_OPUS, true, 1920, red, 3);
	assert_int_equal(got.sounds, 2);
	/* muted by the server */
	r.no_sound = true;
	sound(&r, CODEC_OPUS, false, 1920, red, 3);
	assert_int_equal(got.sounds, 2);
	r.no_sound = false;
	sound(&r, CODEC_OPUS, false, 2880, red, 3);
	assert_int_equal(got.sounds, 3);
}

static bool picture(struct leg_record *r, bool content, bool key, int64_t at_ns)
{
	static uint8_t vp8_key[] = { 0x10, 2, 0, 0x9d, 1, 0x2a, 64, 1, 180, 0, 0, 0, 0, 0, 0, 0,
				     0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
	static uint8_t vp8_other[] = { 0x11, 2, 0, 0 };
	struct buf b = { .data = key ? vp8_key : vp8_other,
			 .len = key ? sizeof vp8_key : sizeof vp8_other };
	const struct video_au au = { .buf = &b, .codec = CODEC_VP8, .key = key, .ssrc = 9,
				     .rtp_ts = (uint32_t)((at_ns - T0) / (NS_PER_S / 90000)) };

	return leg_record_picture(r, content, content ? NULL : &sync, &au, at_ns);
}

static void pictures_begin_with_a_key_frame(void **state)
{
	struct leg_record r = a_record();

	(void)state;
	assert_true(picture(&r, false, false, T0)); /* one is asked for */
	assert_false(picture(&r, false, false, T0 + NS_PER_S / 2)); /* not again so soon */
	assert_true(picture(&r, false, false, T0 + NS_PER_S));
	assert_int_equal(got.pictures, 0);
	assert_false(picture(&r, false, true, T0 + NS_PER_S * 11 / 10));
	assert_int_equal(got.pictures, 1);
	assert_true(got.key && !got.content);
	assert_int_equal(got.width, 320);
	assert_int_equal(got.height, 180);
	assert_false(picture(&r, false, false, T0 + NS_PER_S * 12 / 10));
	assert_int_equal(got.pictures, 2);
	assert_int_equal(got.width, 320); /* as the key frame said */
	got.wants = true; /* the ring was full */
	assert_true(picture(&r, false, false, T0 + NS_PER_S * 3));
	assert_true(picture(&r, true, false, T0 + NS_PER_S * 3)); /* another stream */
	got.wants = false;
	assert_false(picture(&r, true, true, T0 + NS_PER_S * 31 / 10));
	assert_true(got.content);
}

static void what_is_muted_is_left_out_up_to_a_key_frame(void **state)
{
	struct leg_record r = a_record();

	(void)state;
	picture(&r, false, true, T0);
	r.no_picture[0] = true;
	assert_false(picture(&r, false, false, T0 + NS_PER_S));
	assert_false(picture(&r, false, true, T0 + 2 * NS_PER_S));
	assert_int_equal(got.pictures, 1);
	r.no_picture[0] = false;
	assert_true(picture(&r, false, false, T0 + 3 * NS_PER_S));
	assert_int_equal(got.pictures, 1);
	picture(&r, false, true, T0 + 4 * NS_PER_S);
	assert_int_equal(got.pictures, 2);
	r.sink.picture = NULL; /* nobody wants them */
	assert_false(picture(&r, false, false, T0 + 5 * NS_PER_S));
	assert_int_equal(got.pictures, 2);
}

/* Sender reports say which picture belongs to which sound, however late it comes. */
static void pictures_meet_their_sound(void **state)
{
	struct leg_record r = a_record();

	(void)state;
	lipsync_sr(&sync, LIPSYNC_AUDIO, 1000ull << 32, 0);
	lipsync_sr(&sync, LIPSYNC_VIDEO, 1000ull << 32, 0);
	lipsync_audio_played(&sync, 0, 48000, T0 + 60 * NS_PER_MS);
	sound(&r, CODEC_OPUS, false, 4800, (const uint8_t[]){ 5 }, 1);
	assert_in_range(got.at_ns, T0 + 159 * NS_PER_MS, T0 + 161 * NS_PER_MS);
	/* made at 100 ms by the sender, received 150 ms later */
	struct buf b = { .data = (uint8_t[]){ 0x11, 2, 0, 0 }, .len = 4 };
	const struct video_au au = { .buf = &b, .codec = CODEC_VP8, .ssrc = 9, .rtp_ts = 9000 };

	r.picture[0].broken = false;
	leg_record_picture(&r, false, &sync, &au, T0 + 250 * NS_PER_MS);
	assert_in_range(got.at_ns, T0 + 159 * NS_PER_MS, T0 + 161 * NS_PER_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sound_comes_as_it_was_sent),
		cmocka_unit_test(pictures_begin_with_a_key_frame),
		cmocka_unit_test(what_is_muted_is_left_out_up_to_a_key_frame),
		cmocka_unit_test(pictures_meet_their_sound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
