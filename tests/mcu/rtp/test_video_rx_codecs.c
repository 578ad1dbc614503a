/* Every codec, one after another, and layers that may be lost. */
#include "mcu/rtp/video_rx.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mcu/rtp/payload_av1.h"
#include "mcu/rtp/payload_vp8.h"
#include "mcu/rtp/payload_vp9.h"
#include "tests/mcu/rtp/video_rx_harness.h"

enum { FRAMES_MAX = 4096 };

static const struct video_rx_cfg all_codecs = {
	.nack = true,
	.format = { { 102, CODEC_H264 }, { 96, CODEC_VP8 }, { 98, CODEC_VP9 }, { 45, CODEC_AV1 },
		    { 97, CODEC_VP8 } },
	.n_formats = 5,
};

static const enum codec codecs[] = { CODEC_VP8, CODEC_VP9, CODEC_AV1, CODEC_H264 };

/* What was sent, by number. */
static struct {
	enum codec codec;
	bool key;
	size_t len;
} made[FRAMES_MAX];

static uint8_t pt_of(enum codec c)
{
	for (size_t i = 0; i < all_codecs.n_formats; i++)
		if (all_codecs.format[i].codec == c)
			return all_codecs.format[i].pt;
	return 0;
}

static size_t fill(uint8_t *p, uint32_t k, uint8_t head, size_t len)
{
	p[0] = head;
	for (size_t i = 1; i < len; i++)
		p[i] = (uint8_t)((k * 31 + i) % 250 + 3);
	return len;
}

/* Frame k as an encoder gives it out. */
static size_t write_unit(uint8_t *p, uint32_t k)
{
	bool key = made[k].key;
	size_t len = made[k].len, n;

	switch (made[k].codec) {
	case CODEC_VP8:
		return fill(p, k, key ? 0x10 : 0x11, len);
	case CODEC_VP9:
		return fill(p, k, key ? 0x82 : 0x86, len);
	case CODEC_AV1:
		memcpy(p, "\x12\0\x0a\x03\0\1\2", 7);
		n = key ? 7 : 2;
		p[n++] = 0x32;
		p[n++] = (uint8_t)(len | 0x80); /* len: 128 … 16383 */
		p[n++] = (uint8_t)(len >> 7);
		return n + fill(p + n, k, key ? 0x10 : 0x30, len);
	default:
		memcpy(p, "\0\0\0\1\x67\x42\xe0\x1f\0\0\0\1\x68\xce", 14);
		n = key ? 14 : 0;
		memcpy(p + n, key ? "\0\0\0\1\x65\x80" : "\0\0\0\1\x41\x80", 6);
		return n + 6 + fill(p + n + 6, k, 9, len);
	}
}

static uint16_t make(enum codec c, bool key, size_t len)
{
	static uint8_t unit[40000];
	struct rtp_batch *b = rtp_batch_get(batches, 0);
	uint16_t first = seq;
	size_t n;
	int err;

	assert_true(frame_no < FRAMES_MAX);
	made[frame_no].codec = c;
	made[frame_no].key = key;
	made[frame_no].len = len;
	n = write_unit(unit, frame_no);
	err = c == CODEC_VP8 ? rtp_vp8_packetize(b, unit, n, 500) :
	      c == CODEC_VP9 ? rtp_vp9_packetize(b, unit, n, 500) :
	      c == CODEC_AV1 ? rtp_av1_packetize(b, unit, n, 500) :
			       rtp_h264_packetize(b, unit, n, 500);
	assert_int_equal(err, 0);
	pt = pt_of(c);
	remember(b, ts0 + frame_no * 3000);
	rtp_batch_unref(&b);
	frame_no++;
	now += FRAME_MS * MS;
	return first;
}

static void send(enum codec c, bool key, size_t len)
{
	uint16_t first = make(c, key, len);

	deliver_range(first, seq);
}

/* Takes all that is ready: each octet for octet what was made, each a key frame
 * or the successor of the one before, of its codec. */
static size_t take_all(void)
{
	static uint8_t want[40000];
	struct video_au au;
	size_t n = 0;

	for (; video_rx_pop(rx, &au); n++) {
		uint32_t k = (au.rtp_ts - ts0) / 3000;

		assert_true(k < frame_no);
		assert_int_equal(au.codec, made[k].codec);
		assert_int_equal(au.key, made[k].key);
		assert_int_equal(au.buf->len, write_unit(want, k));
		assert_memory_equal(au.buf->data, want, au.buf->len);
		assert_true(au.buf->len + RTP_AU_TAIL <= au.buf->cap);
		if (!au.key) {
			assert_true(any_frame && k == last_frame + 1);
			assert_int_equal(au.codec, made[last_frame].codec);
		}
		any_frame = true;
		last_frame = k;
		popped_keys += au.key;
		buf_unref(&au.buf);
	}
	popped += n;
	return n;
}

static void all_codecs_plainly(void **state)
{
	(void)state;
	for (size_t c = 0; c < 4; c++) {
		open_rx(&all_codecs);
		send(codecs[c], false, 900); /* nothing before a key frame */
		assert_int_equal(take_all(), 0);
		assert_true(tick().pli);
		send(codecs[c], true, 3000);
		for (int i = 0; i < 300; i++) { /* sequence numbers and time stamps wrap */
			send(codecs[c], false, 150 + (unsigned)i * 7);
			take_all();
		}
		assert_int_equal(popped, 301);
		assert_int_equal(popped_keys, 1);
		assert_int_equal(video_rx_stats(rx)->plis, 1);
	}
}

static void lost_packets_of_all_codecs(void **state)
{
	(void)state;
	for (size_t c = 0; c < 4; c++) {
		for (unsigned miss = 0; miss < 5; miss++) {
			uint16_t first;
			struct video_rx_wants w;

			open_rx(&all_codecs);
			send(codecs[c], true, 2000);
			assert_int_equal(take_all(), 1);
			first = make(codecs[c], false, 2000);
			for (uint16_t q = first; q != seq; q++)
				if (q != (uint16_t)(first + miss))
					deliver(q);
			send(codecs[c], false, 700);
			assert_int_equal(take_all(), 0);
			now += 10 * MS;
			w = tick();
			assert_int_equal(w.n_nack, 1);
			assert_int_equal(w.nack[0], (uint16_t)(first + miss));
			if (miss % 2) {
				deliver(w.nack[0]);
				assert_int_equal(take_all(), 2);
				continue;
			}
			now += 250 * MS;
			assert_true(tick().pli);
			send(codecs[c], false, 700);
			assert_int_equal(take_all(), 0);
			send(codecs[c], true, 700);
			assert_int_equal(take_all(), 1);
		}
	}
}

static void changes_at_a_key_frame(void **state)
{
	(void)state;
	open_rx(&all_codecs);
	for (size_t i = 0; i < 12; i++) {
		enum codec c = codecs[i * 7 % 4];

		send(c, true, 1500);
		send(c, false, 800);
		send(c, false, 800);
		assert_int_equal(take_all(), 3);
		assert_false(tick().pli);
	}
}

static void pending_packets_of_the_old_codec_come_first(void **state)
{
	uint16_t old, next;

	(void)state;
	open_rx(&all_codecs);
	send(CODEC_VP8, true, 1500);
	old = make(CODEC_VP8, false, 1500);
	next = make(CODEC_H264, true, 1500);
	deliver_range(next, seq);
	assert_int_equal(take_all(), 1);
	deliver_range(old, next);
	assert_int_equal(take_all(), 2);
	/* or are dropped, when they never come */
	old = make(CODEC_H264, false, 1500);
	next = make(CODEC_VP9, true, 1500);
	deliver_range(next, seq);
	assert_int_equal(take_all(), 0);
	now += 250 * MS;
	assert_false(tick().pli);
	assert_int_equal(take_all(), 1);
}

static void a_new_codec_without_a_key_frame(void **state)
{
	(void)state;
	open_rx(&all_codecs);
	send(CODEC_VP8, true, 1500);
	assert_int_equal(take_all(), 1);
	send(CODEC_VP9, false, 1500);
	assert_int_equal(take_all(), 0);
	assert_true(video_rx_waits_for_key(rx));
	assert_true(tick().pli);
	send(CODEC_VP9, true, 1500);
	send(CODEC_VP9, false, 1500);
	assert_int_equal(take_all(), 2);
	/* and back: what H.264 knew of parameter sets is over with the codec */
	send(CODEC_H264, true, 900);
	send(CODEC_VP8, true, 900);
	send(CODEC_H264, false, 900);
	assert_int_equal(take_all(), 2);
	assert_true(video_rx_waits_for_key(rx));
}

static void formats_change(void **state)
{
	static const struct video_rx_format vp9_only = { 96, CODEC_VP9 },
					    audio = { 96, CODEC_OPUS };
	struct video_rx *other = NULL;
	struct video_rx_cfg bad = { .au_pool = aus, .format = { { 96, CODEC_OPUS } },
				    .n_formats = 1 };

	(void)state;
	assert_int_equal(video_rx_new(&other, &bad), -EINVAL);
	open_rx(&all_codecs);
	send(CODEC_VP8, true, 900);
	send(CODEC_VP8, false, 900);
	assert_int_equal(video_rx_set_formats(rx, &audio, 1), -EINVAL);
	assert_int_equal(video_rx_set_formats(rx, &vp9_only, VIDEO_RX_FORMATS + 1), -EINVAL);
	assert_int_equal(video_rx_set_formats(rx, &vp9_only, 1), 0);
	assert_int_equal(take_all(), 2); /* what came before keeps its meaning */
	uint16_t first = make(CODEC_VP9, true, 900);

	for (uint16_t q = first; q != seq; q++)
		sent[q % SENT_MAX].p[1] = (uint8_t)((sent[q % SENT_MAX].p[1] & 0x80) | 96);
	deliver_range(first, seq);
	assert_int_equal(take_all(), 1);
	/* nobody agreed on this one */
	send(CODEC_H264, true, 900);
	assert_int_equal(take_all(), 0);
	assert_int_equal(video_rx_stats(rx)->dropped, 3);
}

static void orientation_of_all_codecs(void **state)
{
	static const struct {
		bool key;
		int cvo;
		unsigned want;
	} rows[] = { { true, 90, 90 }, { false, -1, 90 }, { false, 180, 180 }, { true, -1, 0 } };

	(void)state;
	for (size_t c = 0; c < 4; c++) {
		open_rx(&all_codecs);
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			struct video_au au;

			cvo = rows[i].cvo;
			send(codecs[c], rows[i].key, 900);
			assert_true(video_rx_pop(rx, &au));
			assert_int_equal(au.rotation, rows[i].want);
			buf_unref(&au.buf);
		}
	}
}

/* Padding with any time stamp and type, also of a type nobody agreed on. */
static void probes_between_frames(void **state)
{
	(void)state;
	for (size_t c = 0; c < 4; c++) {
		open_rx(&all_codecs);
		send(codecs[c], true, 2000);
		for (unsigned i = 0; i < 20; i++) {
			struct sent *s = &sent[seq % SENT_MAX];
			uint8_t padding[4] = { 0, 0, 0, 4 };
			struct rtp_packet p = { .pt = i % 2 ? pt : 111, .seq = seq, .ts = i,
						.ssrc = ssrc, .payload = padding,
						.payload_len = 4 };

			s->len = rtp_write(s->p, sizeof(s->p), &p);
			s->p[0] |= 0x20;
			deliver(seq++);
			send(codecs[c], false, 700);
		}
		take_all();
		assert_int_equal(popped, 21);
		assert_false(tick().pli);
	}
}

static void hostile_descriptors(void **state)
{
	static const struct {
		uint8_t pt;
		size_t len;
		uint8_t p[8];
	} rows[] = {
		{ 96, 1, { 0x10 } },                    /* VP8 without a frame */
		{ 96, 3, { 0x90, 0x80, 0x80 } },        /* options cut off */
		{ 98, 1, { 0x0c } },
		{ 98, 4, { 0x0a, 0x08, 0xff, 0x00 } },  /* a group of 255 */
		{ 98, 3, { 0x44, 0x86, 1 } },           /* no beginning */
		{ 45, 1, { 0x10 } },
		{ 45, 3, { 0x90, 0x30, 0x30 } },        /* goes on from nowhere */
		{ 102, 2, { 0x7d, 0x80 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rtp_batch *b = rtp_batch_get(batches, 0);

		open_rx(&all_codecs);
		for (size_t c = 0; c < 4; c++)
			if (pt_of(codecs[c]) == rows[i].pt)
				send(codecs[c], true, 900);
		assert_int_equal(take_all(), 1);
		assert_int_equal(rtp_batch_add(b, NULL, 0, rows[i].p, rows[i].len, true), 0);
		pt = rows[i].pt;
		made[frame_no].codec = CODEC_NONE;
		remember(b, ts0 + frame_no++ * 3000);
		rtp_batch_unref(&b);
		deliver((uint16_t)(seq - 1));
		assert_int_equal(take_all(), 0);
		assert_int_equal(video_rx_stats(rx)->malformed, 1);
		assert_true(tick().pli);
		send(CODEC_VP8, true, 900);
		assert_int_equal(take_all(), 1);
	}
}

struct waiting {
	int64_t at;
	uint16_t seq;
};

static struct waiting wire[8192];
static size_t n_wire;

static void on_the_wire(uint16_t q, int64_t delay)
{
	assert_true(n_wire < sizeof(wire) / sizeof(wire[0]));
	wire[n_wire++] = (struct waiting){ now + delay, q };
}

static void arrivals(void)
{
	for (size_t i = 0; i < n_wire;) {
		if (wire[i].at > now) {
			i++;
			continue;
		}
		deliver(wire[i].seq);
		take_all();
		memmove(&wire[i], &wire[i + 1], (--n_wire - i) * sizeof(wire[0]));
	}
}

/* Loss, reordering, duplicates, a codec that changes every second. */
static void bad_networks(void **state)
{
	unsigned seed = 11;

	(void)state;
	for (unsigned loss = 0; loss <= 30; loss += 10) {
		int64_t key_at = 0, start;
		enum codec c = CODEC_VP8;

		open_rx(&all_codecs);
		n_wire = 0;
		start = now;
		while (now < start + 30 * NS_PER_S) {
			int64_t frame_end = now + FRAME_MS * MS;
			bool key = frame_no % 30 == 0 || (key_at && now >= key_at);
			uint16_t first;

			if (frame_no % 30 == 0)
				c = codecs[(unsigned)rand_r(&seed) / 64 % 4];
			first = make(c, key, 300 + (unsigned)rand_r(&seed) % 2500);
			now = frame_end - FRAME_MS * MS;
			if (key)
				key_at = 0;
			for (uint16_t q = first; q != seq; q++) {
				unsigned r = (unsigned)rand_r(&seed) / 64;

				if (r % 100 >= loss)
					on_the_wire(q, (10 + r / 100 % 7) * MS);
				if (r / 1000 % 50 == 0)
					on_the_wire(q, (10 + r / 100 % 90) * MS);
			}
			for (; now < frame_end; now += 3 * MS) {
				struct video_rx_wants w;

				arrivals();
				w = tick();
				take_all();
				if (w.pli && !key_at)
					key_at = now + 40 * MS;
				for (size_t i = 0; i < w.n_nack; i++)
					if ((unsigned)rand_r(&seed) / 64 % 100 >= loss)
						on_the_wire(w.nack[i], 40 * MS);
			}
		}
		assert_true(popped > (loss <= 10 ? 850 : loss <= 20 ? 700 : 100));
		assert_true(popped_keys >= 30 - 15 * (loss > 20));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(all_codecs_plainly),
		T(lost_packets_of_all_codecs),
		T(changes_at_a_key_frame),
		T(pending_packets_of_the_old_codec_come_first),
		T(a_new_codec_without_a_key_frame),
		T(formats_change),
		T(orientation_of_all_codecs),
		T(probes_between_frames),
		T(hostile_descriptors),
		T(bad_networks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
