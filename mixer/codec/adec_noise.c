/* Comfort noise (RFC 3389): a packet is a level and perhaps reflection coefficients; it
 * stands for the noise until another packet comes. Made at 8 kHz. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mixer/audio/rate.h"
#include "mixer/codec/adec_ops.h"

enum {
	RATE_HZ = 48000,
	NATIVE_HZ = 8000,
	MAX_NATIVE = ADEC_MAX_SAMPLES / (RATE_HZ / NATIVE_HZ),
	PACKET_SAMPLES = RATE_HZ / 100, /* what one is counted for, so that speech may follow at once */
	MAX_ORDER = 12,
	/* Nobody's background is louder: what asks for more shall not be heard for it. */
	LOUDEST_DBOV = -30,
	SILENT_DBOV = -90,
};

struct adec_noise {
	struct adec adec;
	struct rate *rate; /* NULL: what comes out is at 8 kHz */
	unsigned factor;
	bool told; /* a packet came */
	uint32_t seed;
	float gain, gain_now;
	size_t order;
	float k[MAX_ORDER], back[MAX_ORDER + 1]; /* lattice: coefficients, state */
	float native[MAX_NATIVE], mono[ADEC_MAX_SAMPLES];
};

static struct adec_noise *self(struct adec *d)
{
	return (struct adec_noise *)d;
}

static int noise_packet_samples(const struct adec *d, const uint8_t *payload, size_t len)
{
	(void)d;
	(void)payload;
	return len <= 256 ? PACKET_SAMPLES : -EBADMSG;
}

/* Section 3: the level in -dBov, then coefficients of 127 + 127 k. */
static void describe(struct adec_noise *d, const uint8_t *payload, size_t len)
{
	int dbov = -(payload[0] & 0x7f);
	float power = 1; /* what the filter makes of white noise of power 1 */

	d->order = len - 1 < MAX_ORDER ? len - 1 : MAX_ORDER;
	for (size_t i = 0; i < d->order; i++) {
		float k = ((float)payload[1 + i] - 127) / 127;

		/* 255 means nothing; beyond these the filter hardly dies away */
		d->k[i] = k > 0.98f ? 0.98f : k < -0.98f ? -0.98f : k;
		power /= 1 - d->k[i] * d->k[i];
	}
	if (dbov > LOUDEST_DBOV)
		dbov = LOUDEST_DBOV;
	d->gain = dbov < SILENT_DBOV ? 0 : powf(10, (float)dbov / 20) / sqrtf(power);
}

/* White, of power 1. */
static float white(struct adec_noise *d)
{
	d->seed = d->seed * 1664525 + 1013904223;
	return (float)(int32_t)d->seed * (1.7320508f / 2147483648.0f);
}

static float next(struct adec_noise *d)
{
	float f;

	d->gain_now += (d->gain - d->gain_now) * 0.01f; /* no steps */
	f = white(d) * d->gain_now;
	/* all-pole lattice (RFC 3389 section 3.2's model) */
	for (size_t i = d->order; i-- > 0;) {
		f -= d->k[i] * d->back[i];
		d->back[i + 1] = d->back[i] + d->k[i] * f;
	}
	d->back[0] = f;
	return f;
}

static int noise_make(struct adec *a, float *out, size_t n)
{
	struct adec_noise *d = self(a);
	size_t native = n / d->factor;

	if (native > MAX_NATIVE)
		native = MAX_NATIVE;
	for (size_t i = 0; i < native; i++)
		d->native[i] = next(d);
	if (d->rate)
		rate_run(d->rate, d->native, native, a->channels == 1 ? out : d->mono);
	else
		memcpy(out, d->native, native * sizeof *out);
	for (size_t i = 0; a->channels == 2 && i < native * d->factor; i++)
		out[2 * i] = out[2 * i + 1] = d->mono[i];
	return (int)(native * d->factor);
}

static int noise_decode(struct adec *a, const uint8_t *payload, size_t len, float *out,
			size_t max_samples)
{
	(void)max_samples;
	describe(self(a), payload, len);
	self(a)->told = true;
	return noise_make(a, out, adec_hz(a) / 100);
}

static bool noise_rests(const struct adec *d)
{
	return ((const struct adec_noise *)d)->told;
}

static void noise_reset(struct adec *a)
{
	struct adec_noise *d = self(a);

	memset(d->back, 0, sizeof d->back);
	d->gain = d->gain_now = 0;
	d->told = false;
	if (d->rate)
		rate_reset(d->rate);
}

static int noise_set_hz(struct adec *a, unsigned hz)
{
	struct adec_noise *d = self(a);
	struct rate *rate = NULL;

	if (hz != RATE_HZ && hz != 2 * NATIVE_HZ && hz != NATIVE_HZ)
		return -ENOTSUP;
	if (hz != NATIVE_HZ && rate_new(&rate, NATIVE_HZ, hz))
		return -ENOMEM;
	rate_free(&d->rate);
	d->rate = rate;
	d->factor = hz / NATIVE_HZ;
	a->hz = hz;
	noise_reset(a);
	return 0;
}

static void noise_free(struct adec *a)
{
	rate_free(&self(a)->rate);
	free(a);
}

static const struct adec_ops ops = {
	.name = "comfort noise",
	.clock_hz = 8000,
	.packet_samples = noise_packet_samples,
	.decode = noise_decode,
	.conceal = noise_make,
	.rests = noise_rests,
	.set_hz = noise_set_hz,
	.reset = noise_reset,
	.free = noise_free,
};

int adec_noise_new(struct adec **out, int channels)
{
	struct adec_noise *d = calloc(1, sizeof *d);

	if (!d)
		return -ENOMEM;
	d->adec.ops = &ops;
	d->adec.channels = channels;
	d->seed = 1;
	d->factor = RATE_HZ / NATIVE_HZ;
	if (rate_new(&d->rate, NATIVE_HZ, RATE_HZ)) {
		free(d);
		return -ENOMEM;
	}
	*out = &d->adec;
	return 0;
}
