/* A leg's sound from RTP octets to samples: parser, RED, jitter buffer, codecs.
 * Input: records of five octets (kind, length, sequence step, time stamp step in
 * 2.5 ms of 48 kHz, milliseconds that pass) and `length` octets, which are a
 * payload behind a good header (kind even) or the whole packet (odd). Kind also
 * says the codec (bits 1, 2 and 5), RED (bit 3) and another payload type (bit 7). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/base/clock.h"
#include "mcu/room/audio_in.h"
#include "mcu/rtp/packet.h"

enum { PT = 111, PT_OTHER = 50, RECORD = 5, MAX_TICKS = 400 };

static enum codec codec_of(uint8_t kind)
{
	static const enum codec codecs[] = {
		CODEC_OPUS, CODEC_PCMU, CODEC_PCMA, CODEC_G722,
		CODEC_G729, CODEC_CN,	CODEC_G729, CODEC_AAC,
	};

	return codecs[(kind >> 1 & 3) | (kind >> 3 & 4)];
}

struct run {
	struct buf_pool *pool;
	struct audio_in *in;
	struct rtp_packet head;
	int64_t now_ns, tick_ns;
	int ticks;
};

static void put(struct run *r, const uint8_t *rec)
{
	struct buf *b = buf_get(r->pool);

	if (!b)
		abort();
	r->head.seq = (uint16_t)(r->head.seq + (int8_t)rec[2]);
	r->head.ts += (uint32_t)((int8_t)rec[3] * 120);
	r->head.payload = rec + RECORD;
	r->head.payload_len = rec[1];
	r->head.pt = rec[0] & 0x80 ? PT_OTHER : PT;
	if (rec[0] & 1) {
		memcpy(b->data, rec + RECORD, rec[1]);
		b->len = rec[1];
	} else {
		b->len = rtp_write(b->data, b->cap, &r->head);
	}
	role_assert_mixa();
	b->tag = audio_tag(codec_of(rec[0]), PT, rec[0] & 8) | (rec[0] & 16 ? AUDIO_TAG_FAINT : 0);
	audio_in_put(r->in, b, r->now_ns);
}

static void play(struct run *r)
{
	float out[2 * AUDIO_TICK_SAMPLES];

	role_assert_mixa();
	while (r->tick_ns <= r->now_ns && r->ticks < MAX_TICKS) {
		audio_in_tick(r->in, r->tick_ns, out);
		for (int i = 0; i < 2 * AUDIO_TICK_SAMPLES; i++)
			if (!(fabsf(out[i]) < 1000))
				abort();
		r->tick_ns += 20 * NS_PER_MS;
		r->ticks++;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run r = { .now_ns = NS_PER_S, .tick_ns = NS_PER_S,
			 .head = { .pt = PT, .seq = 65530, .ts = UINT32_MAX - 5000, .ssrc = 7 } };

	role_enter(ROLE_ID_NONE);
	if (buf_pool_new(&r.pool, "fuzz", 512, 512, 64) || audio_in_new(&r.in, 2))
		abort();
	while (size >= RECORD && r.ticks < MAX_TICKS) {
		size_t len = RECORD + data[1];

		if (len > size)
			break;
		put(&r, data);
		r.now_ns += data[4] * NS_PER_MS;
		play(&r);
		data += len;
		size -= len;
	}
	audio_in_free(&r.in);
	if (buf_pool_in_use(r.pool))
		abort();
	buf_pool_free(&r.pool);
	return 0;
}
