/* A leg's receiving chain with a codec that costs nothing, a sender and a clock:
 * for the tests of audio_in. Included by one file per program. */
#ifndef TESTS_MCU_ROOM_AUDIO_IN_RIG_H
#define TESTS_MCU_ROOM_AUDIO_IN_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/base/clock.h"
#include "mcu/room/audio_in.h"
#include "mcu/rtp/packet.h"
#include "mixer/codec/adec_ops.h"
#include "tests/support/tone.h"

enum { TICK = AUDIO_TICK_SAMPLES, PT = 111, SSRC = 0x1234, START_S = 5000 };

/* A codec for the tests: the payload's first octet is the duration in units of
 * 2.5 ms, its second what is in it: 1 a tone of 1200 Hz (3 whole periods in
 * 2.5 ms, so that every packet continues the one before), 0 silence, 2 NaN. It
 * conceals by going on with the tone. */
#define STUB_HZ  1200
#define STUB_AMP 0.5f
enum { STUB_UNIT = 120 };

static float stub_tone[ADEC_MAX_SAMPLES];
static int stub_decodes;

static inline int stub_samples(const struct adec *d, const uint8_t *payload, size_t len)
{
	(void)d;
	return len < 2 || payload[0] < 1 || payload[0] > 48 ? -EBADMSG : payload[0] * STUB_UNIT;
}

static inline int stub_conceal(struct adec *d, float *out, size_t n)
{
	(void)d;
	memcpy(out, stub_tone, n * sizeof *out);
	return (int)n;
}

static inline int stub_decode(struct adec *d, const uint8_t *payload, size_t len, float *out,
			      size_t max)
{
	int n = stub_samples(d, payload, len);

	(void)max;
	stub_decodes++;
	if (payload[1] == 1)
		return stub_conceal(d, out, (size_t)n);
	for (int i = 0; i < n; i++)
		out[i] = payload[1] == 2 ? NAN : 0;
	return n;
}

static inline void stub_reset(struct adec *d)
{
	(void)d;
}

static inline void stub_free(struct adec *d)
{
	free(d);
}

static const struct adec_ops stub_ops = {
	.name = "stub",
	.clock_hz = 48000,
	.packet_samples = stub_samples,
	.decode = stub_decode,
	.conceal = stub_conceal,
	.reset = stub_reset,
	.free = stub_free,
};

struct rig {
	struct buf_pool *pool;
	struct audio_in *in;
	int64_t tick; /* of the next tick */
	uint16_t seq;
	uint32_t ts, ssrc, flags; /* flags: beside the tags */
	float last;      /* the sample played last */
	float max_step;  /* largest difference of neighbours since it was zeroed */
	int silent_ticks;
	float out[TICK];
};

static inline void rig_open(struct rig *r, bool opus)
{
	role_enter(ROLE_ID_NONE);
	memset(r, 0, sizeof *r);
	r->ssrc = SSRC;
	r->seq = 65000;
	r->ts = UINT32_MAX - 480000;
	tone_fill(stub_tone, ADEC_MAX_SAMPLES, 1, STUB_HZ, (double)STUB_AMP, 0);
	assert_int_equal(buf_pool_new(&r->pool, "test", 1600, 1024, 256), 0);
	if (opus) {
		assert_int_equal(audio_in_new(&r->in, 1), 0);
	} else {
		struct adec *d = calloc(1, sizeof *d);

		assert_non_null(d);
		d->ops = &stub_ops;
		d->channels = 1;
		assert_int_equal(audio_in_new_decoder(&r->in, d), 0);
	}
}

static inline void rig_close(struct rig *r)
{
	audio_in_free(&r->in);
	assert_null(r->in);
	assert_int_equal(buf_pool_in_use(r->pool), 0);
	buf_pool_free(&r->pool);
}

static inline int64_t at_ms(double ms)
{
	return START_S * NS_PER_S + (int64_t)(ms * 1e6);
}

static inline void send_as(struct rig *r, uint8_t pt, const uint8_t *payload, size_t len,
		    double arrival_ms) ON_THREAD(ROLE_MIXA)
{
	struct rtp_packet p = { .pt = pt, .seq = r->seq, .ts = r->ts, .ssrc = r->ssrc,
				.payload = payload, .payload_len = len };
	struct buf *b = buf_get(r->pool);

	assert_non_null(b);
	b->len = rtp_write(b->data, b->cap, &p);
	assert_true(b->len > 0);
	b->tag = audio_tag(CODEC_OPUS, PT, false) | r->flags;
	audio_in_put(r->in, b, at_ms(arrival_ms));
}

/* One stub packet; sequence and time stamp move on. */
static inline void send_stub(struct rig *r, int units, uint8_t what, double arrival_ms)
	ON_THREAD(ROLE_MIXA)
{
	uint8_t payload[2] = { (uint8_t)units, what };

	send_as(r, PT, payload, sizeof payload, arrival_ms);
	r->seq++;
	r->ts += (uint32_t)(units * STUB_UNIT);
}

static inline void lose(struct rig *r, int units)
{
	r->seq++;
	r->ts += (uint32_t)(units * STUB_UNIT);
}

static inline bool tick(struct rig *r) ON_THREAD(ROLE_MIXA)
{
	bool sound = audio_in_tick(r->in, at_ms((double)r->tick++ * 20), r->out);
	float most = fabsf(r->out[0] - r->last);

	for (int i = 1; i < TICK; i++) {
		float d = fabsf(r->out[i] - r->out[i - 1]);

		most = d > most ? d : most;
	}
	r->last = r->out[TICK - 1];
	r->max_step = most > r->max_step ? most : r->max_step;
	r->silent_ticks += !sound;
	return sound;
}

static inline void play_until(struct rig *r, double ms) ON_THREAD(ROLE_MIXA)
{
	while ((double)r->tick * 20 <= ms)
		tick(r);
}

static inline struct audio_in_stats stats(struct rig *r) ON_THREAD(ROLE_MIXA)
{
	struct audio_in_stats s;

	audio_in_stats(r->in, &s);
	return s;
}

/* What neighbouring samples of the stub's tone differ by at most. */
static inline float tone_step(void)
{
	return STUB_AMP * 2 * (float)M_PI * STUB_HZ / 48000;
}

static inline void assert_continuous(struct rig *r)
{
	assert_true(r->max_step < tone_step() * 1.1f);
}

#endif
