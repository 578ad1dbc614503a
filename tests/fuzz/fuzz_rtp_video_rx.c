/* The video receiver under any order of packets, codecs, ticks and complaints.
 * Each step of the input: an octet that says what, one that says how far sequence
 * number or time move, one with the payload's length, the payload. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/base/clock.h"
#include "mcu/rtp/packet.h"
#include "mcu/rtp/payload_av1.h"
#include "mcu/rtp/payload_vp8.h"
#include "mcu/rtp/payload_vp9.h"
#include "mcu/rtp/video_rx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	MARKER = 1,
	NEXT_TS = 2,
	OTHER_SSRC = 4,
	FAR = 8,
	TICK = 16,
	NEED_KEY = 32,
	RAW = 64,
	NEXT_CODEC = 128, /* of a tick: other formats */
};

/* the one behind the last was not agreed on */
static const struct video_rx_format formats[] = {
	{ 96, CODEC_H264 }, { 97, CODEC_VP8 }, { 98, CODEC_VP9 }, { 99, CODEC_AV1 },
};
enum { N_FORMATS = sizeof(formats) / sizeof(formats[0]) };

static struct buf_pool *pkts, *aus;
static struct rtp_batch_pool *batches;

struct sender {
	struct video_rx *rx;
	int64_t now_ns;
	uint16_t seq;
	uint32_t ts;
	unsigned format;
	bool any;
	enum codec codec;
};

/* What came out can be sent again. */
static void send_again(const struct video_au *au)
{
	struct rtp_batch *b = rtp_batch_get(batches, 0);
	const uint8_t *p = au->buf->data;
	size_t len = au->buf->len;

	if ((au->codec == CODEC_VP8 && rtp_vp8_packetize(b, p, len, 200)) ||
	    (au->codec == CODEC_VP9 && rtp_vp9_packetize(b, p, len, 200)) ||
	    (au->codec == CODEC_AV1 && rtp_av1_packetize(b, p, len, 200)))
		abort();
	rtp_batch_unref(&b);
}

static void take(struct sender *s)
{
	struct video_au au;

	while (video_rx_pop(s->rx, &au)) {
		if (!au.buf->len || au.buf->len + RTP_AU_TAIL > au.buf->cap ||
		    au.rotation % 90 || video_rx_waits_for_key(s->rx) || (!s->any && !au.key) ||
		    !codec_is_video(au.codec) || (au.codec != s->codec && !au.key))
			abort();
		send_again(&au);
		s->any = true;
		s->codec = au.codec;
		buf_unref(&au.buf);
	}
}

static void put(struct sender *s, uint8_t what, uint8_t move, const uint8_t *p, size_t len)
{
	struct buf *b = buf_get(pkts);
	struct rtp_packet pkt = { .marker = what & MARKER, .payload = p, .payload_len = len };

	if (!b)
		abort(); /* more are held than the window allows */
	s->seq = (uint16_t)(s->seq + (what & FAR ? 300 * (int8_t)move : (int8_t)move));
	s->ts += what & NEXT_TS ? 3000 : 0;
	s->format = (s->format + (what & NEXT_CODEC ? 1 : 0)) % (N_FORMATS + 1);
	pkt.pt = (uint8_t)(96 + s->format);
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
		if (what & NEXT_CODEC && video_rx_set_formats(s->rx, formats, len % 5))
			abort();
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
		     buf_pool_new(&aus, "fuzz units", 4096, 4, 4) ||
		     rtp_batch_pool_new(&batches, "fuzz", 512, 16 * 1024, 1)))
		abort();
	if (!size)
		return 0;
	cfg = (struct video_rx_cfg){ .n_formats = N_FORMATS, .au_pool = aus, .ext_orientation = 3, .nack = data[0] & 1,
				     .sps_out_of_band = data[0] & 2 };
	memcpy(cfg.format, formats, sizeof(formats));
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
