/* For the tests of video_rx: a sender of numbered frames, a network that does
 * what the test says, and the law that holds for whatever comes out: whole
 * frames, in order, each either a key frame or the successor of the one before. */
#ifndef TESTS_MCU_RTP_VIDEO_RX_HARNESS_H
#define TESTS_MCU_RTP_VIDEO_RX_HARNESS_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mcu/base/clock.h"
#include "mcu/rtp/packet.h"
#include "mcu/rtp/payload_h264.h"
#include "mcu/rtp/video_rx.h"

#define MS NS_PER_MS

enum { SENT_MAX = 4096, FRAME_MS = 33, CVO_ID = 5 };

struct sent {
	size_t len;
	uint8_t p[600];
};

static struct buf_pool *pkts, *aus;
static struct rtp_batch_pool *batches;
static struct video_rx *rx;
static struct sent sent[SENT_MAX]; /* by seq % SENT_MAX */
static uint16_t seq;
static uint32_t ssrc, ts0, frame_no;
static int64_t now;
static int cvo; /* degrees, or -1 */
static uint8_t pt; /* of what is sent */
static uint32_t last_frame;
static bool any_frame;
static size_t popped, popped_keys;

static inline void open_rx(const struct video_rx_cfg *cfg)
{
	struct video_rx_cfg c = *cfg;

	c.au_pool = aus;
	c.ext_orientation = CVO_ID;
	if (!c.n_formats)
		c.format[c.n_formats++] = (struct video_rx_format){ 96, CODEC_H264 };
	video_rx_free(&rx);
	assert_int_equal(video_rx_new(&rx, &c), 0);
	seq = 65500; /* wraps soon */
	ssrc = 1;
	ts0 = 0xfffff000;
	frame_no = 0;
	now = NS_PER_S;
	cvo = -1;
	pt = 96;
	any_frame = false;
	popped = popped_keys = 0;
}

static inline int setup(void **state)
{
	(void)state;
	if (buf_pool_new(&pkts, "packets", 1500, 2048, 64) ||
	    buf_pool_new(&aus, "units", 32 * 1024, 4, 4) ||
	    rtp_batch_pool_new(&batches, "batches", 512, 64 * 1024, 2))
		return -1;
	open_rx(&(struct video_rx_cfg){ .nack = true });
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	video_rx_free(&rx);
	buf_pool_free(&pkts); /* aborts when one was leaked */
	buf_pool_free(&aus);
	rtp_batch_pool_free(&batches);
	return 0;
}

/* A number in four octets that look like no start code. */
static inline void put_number(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(0x80 | (v >> 7 * i & 0x7f));
}

static inline uint32_t get_number(const uint8_t *p)
{
	uint32_t v = 0;

	for (int i = 0; i < 4; i++)
		v |= (p[i] & 0x7fu) << 7 * i;
	return v;
}

/* The one slice of frame k: its number, then a pattern of it. */
static inline size_t write_slice(uint8_t *p, uint32_t k, bool key, size_t len)
{
	p[0] = key ? 0x65 : 0x41;
	p[1] = 0x80; /* first_mb_in_slice 0 */
	put_number(p + 2, k);
	put_number(p + 6, (uint32_t)len);
	for (size_t i = 10; i < len; i++)
		p[i] = (uint8_t)((k * 31 + i) % 250 + 3);
	return len;
}

static inline void remember(const struct rtp_batch *b, uint32_t ts)
{
	for (unsigned i = 0; i < b->n; i++, seq++) {
		uint8_t ext[8];
		struct rtp_ext_writer w = { .data = ext, .cap = sizeof(ext) };
		struct rtp_packet p = { .marker = b->pkt[i].marker, .pt = pt, .seq = seq, .ts = ts,
					.ssrc = ssrc, .payload = b->data + b->pkt[i].off,
					.payload_len = b->pkt[i].len };
		struct sent *s = &sent[seq % SENT_MAX];

		if (cvo >= 0 && p.marker) {
			assert_int_equal(rtp_ext_put_orientation(&w, CVO_ID, (unsigned)cvo), 0);
			assert_int_equal(rtp_ext_finish(&w, &p), 0);
		}
		s->len = rtp_write(s->p, sizeof(s->p), &p);
		assert_true(s->len > 0);
	}
}

/* Makes the next frame of about len octets; its packets are [first, seq). */
static inline uint16_t make_frame(bool key, size_t len)
{
	static const uint8_t sets[] = { 0, 0, 0, 1, 0x67, 0x42, 0xe0, 0x1f,
					0, 0, 0, 1, 0x68, 0xce };
	static uint8_t au[40000];
	struct rtp_batch *b = rtp_batch_get(batches, 0);
	uint16_t first = seq;
	size_t n = 0;

	if (key) {
		memcpy(au, sets, sizeof(sets));
		n = sizeof(sets);
	}
	memcpy(au + n, "\0\0\0\1", 4);
	n += 4;
	n += write_slice(au + n, frame_no, key, len);
	assert_int_equal(rtp_h264_packetize(b, au, n, 500), 0);
	remember(b, ts0 + frame_no * 3000);
	rtp_batch_unref(&b);
	frame_no++;
	now += FRAME_MS * MS;
	return first;
}

static inline void deliver(uint16_t q)
{
	struct buf *b = buf_get(pkts);

	assert_non_null(b);
	b->len = sent[q % SENT_MAX].len;
	memcpy(b->data, sent[q % SENT_MAX].p, b->len);
	video_rx_put(rx, b, now);
}

static inline void deliver_range(uint16_t from, uint16_t to)
{
	for (; from != to; from++)
		deliver(from);
}

/* make_frame and all of it delivered. */
static inline void send_frame(bool key, size_t len)
{
	uint16_t first = make_frame(key, len);

	deliver_range(first, seq);
}

/* Takes all that is ready and checks the law. */
static inline size_t drain(void)
{
	static uint8_t want[40000];
	struct video_au au;
	size_t n = 0;

	for (; video_rx_pop(rx, &au); n++) {
		const uint8_t *p = au.buf->data;
		uint32_t k, len;

		if (au.key) {
			assert_true(au.buf->len > 18);
			assert_memory_equal(p, "\0\0\0\1\x67", 5);
			p += 14;
		}
		k = get_number(p + 4 + 2);
		len = get_number(p + 4 + 6);
		assert_int_equal(au.rtp_ts, ts0 + k * 3000);
		assert_int_equal(au.ssrc, ssrc);
		assert_int_equal(au.codec, CODEC_H264);
		assert_int_equal(au.buf->data + au.buf->len - p, 4 + len);
		write_slice(want, k, au.key, len);
		assert_memory_equal(p + 4, want, len);
		if (!any_frame)
			assert_true(au.key);
		else if (au.key)
			assert_true(k > last_frame);
		else
			assert_int_equal(k, last_frame + 1);
		any_frame = true;
		last_frame = k;
		popped_keys += au.key;
		buf_unref(&au.buf);
	}
	popped += n;
	return n;
}

static inline struct video_rx_wants tick(void)
{
	struct video_rx_wants w;
	bool any = video_rx_tick(rx, now, &w);

	assert_int_equal(any, w.pli || w.n_nack);
	return w;
}

/* A key frame and n others, all delivered and taken. */
static inline void flow(size_t n)
{
	size_t before = popped;

	send_frame(true, 2000);
	for (size_t i = 0; i < n; i++)
		send_frame(false, 700);
	drain();
	assert_int_equal(popped - before, n + 1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
