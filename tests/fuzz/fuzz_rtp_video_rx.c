/* The video receiver under any order of packets, ticks and complaints. Each
 * step of the input: an octet that says what, one that says how far sequence
 * number or time move, one with the payload's length, the payload. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/base/clock.h"
#include "mcu/rtp/packet.h"
#include "mcu/rtp/payload_h264.h"
#include "mcu/rtp/video_rx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MARKER = 1, NEXT_TS = 2, OTHER_SSRC = 4, FAR = 8, TICK = 16, NEED_KEY = 32, RAW = 64 };

static struct buf_pool *pkts, *aus;

struct sender {
	struct video_rx *rx;
	int64_t now_ns;
	uint16_t seq;
	uint32_t ts;
	bool any;
};

static void take(struct sender *s)
{
	struct video_au au;

	while (video_rx_pop(s->rx, &au)) {
		if (!au.buf->len || au.buf->len + RTP_H264_TAIL > au.buf->cap ||
		    au.rotation % 90 || video_rx_waits_for_key(s->rx) || (!s->any && !au.key))
			abort();
		s->any = true;
		buf_unref(&au.buf);
	}
}

static void put(struct sender *s, uint8_t what, uint8_t move, const uint8_t *p, size_t len)
{
	struct buf *b = buf_get(pkts);
	struct rtp_packet pkt = { .marker = what & MARKER, .pt = 96, .payload = p,
				  .payload_len = len };

	if (!b)
		abort(); /* more are held than the window allows */
	s->seq = (uint16_t)(s->seq + (what & FAR ? 300 * (int8_t)move : (int8_t)move));
	s->ts += what & NEXT_TS ? 3000 : 0;
	pkt.seq = s->seq;
	pkt.ts = s->ts;
	pkt.ssrc = what & OTHER_SSRC ? 2 : 1;
	if (what & RAW) {
		memcpy(b->data, p, len);
		b->len = len;
	} else {
		b->len = rtp_write(b->data, b->cap, &pkt);
	}
	video_rx_put(s->rx, b, s->now_ns);
}

static void step(struct sender *s, uint8_t what, uint8_t move, const uint8_t *p, size_t len)
{
	struct video_rx_wants w;

	if (what & NEED_KEY)
		video_rx_need_key(s->rx);
	if (what & TICK) {
		s->now_ns += move * NS_PER_MS;
		if (video_rx_tick(s->rx, s->now_ns, &w) != (w.pli || w.n_nack) ||
		    w.n_nack > NACK_BURST)
			abort();
		video_rx_set_rtt(s->rx, (int64_t)len * NS_PER_MS);
	} else {
		put(s, what, move, p, len);
	}
	take(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sender s = { .seq = 65500 };
	struct video_rx_cfg cfg;

	if (!aus && (buf_pool_new(&pkts, "fuzz packets", 512, VIDEO_RX_WINDOW + 2, 64) ||
		     buf_pool_new(&aus, "fuzz units", 4096, 4, 4)))
		abort();
	if (!size)
		return 0;
	cfg = (struct video_rx_cfg){ .format = { { 96, CODEC_H264 } }, .n_formats = 1,
				     .au_pool = aus, .ext_orientation = 3, .nack = data[0] & 1,
				     .sps_out_of_band = data[0] & 2 };
	if (video_rx_new(&s.rx, &cfg))
		return 0;
	data++, size--;
	while (size >= 3) {
		size_t len = data[2] < size - 3 ? data[2] : size - 3;

		step(&s, data[0], data[1], data + 3, len);
		data += 3 + len;
		size -= 3 + len;
	}
	video_rx_free(&s.rx);
	if (buf_pool_in_use(pkts) || buf_pool_in_use(aus))
		abort();
	return 0;
}
