/* G.711, G.722 and G.729 (RFC 3551 4.5): of the first two 8000 octets a second, any
 * number of them in a packet, and RTP time stamps of 8 kHz also for G.722. */
#include <errno.h>
#include <pthread.h>

#include "mcu/base/hot.h"
#include "mixer/audio/rate.h"
#include "mixer/codec/adec_ops.h"
#include "mixer/codec/conceal.h"
#include "mixer/codec/g711.h"
#include "mixer/codec/g722.h"
#include "mixer/codec/g729.h"

enum {
	RATE_HZ = 48000,
	PER_OCTET = 6, /* samples at 48 kHz */
	MAX_OCTETS = ADEC_MAX_SAMPLES / PER_OCTET,
	MAX_NATIVE = 2 * MAX_OCTETS,
};

struct adec_phone {
	struct adec adec;
	enum codec codec;
	unsigned factor; /* of its own rate to that of what comes out */
	struct g722 g722;
	struct g729_dec *g729;
	struct conceal conceal;
	struct rate *rate;
};

/* Of G.711: what each code sounds like. */
static float ulaw[256], alaw[256];

static struct adec_phone *self(struct adec *d)
{
	return (struct adec_phone *)d;
}

static int phone_packet_samples(const struct adec *d, const uint8_t *payload, size_t len)
{
	const struct adec_phone *p = (const struct adec_phone *)d;
	size_t octets = p->g729 ? g729_samples(len) : len; /* as if it were G.711 */

	(void)payload;
	return octets && octets <= MAX_OCTETS ? (int)octets * PER_OCTET : -EBADMSG;
}

static void make_tables(void)
{
	for (int i = 0; i < 256; i++) {
		ulaw[i] = (float)g711_ulaw_decode((uint8_t)i) / 32768;
		alaw[i] = (float)g711_alaw_decode((uint8_t)i) / 32768;
	}
}

/* n samples at the codec's rate to that which is wanted; a mono sound is in the middle. */
static int put_out(struct adec_phone *p, const float *native, size_t n, float *out)
{
	size_t samples = n * p->factor;
	float mono[ADEC_MAX_SAMPLES];

	if (p->factor == 1)
		return (int)n; /* they are there */
	if (p->adec.channels == 1) {
		rate_run(p->rate, native, n, out);
		return (int)samples;
	}
	rate_run(p->rate, native, n, mono);
	for (size_t i = 0; i < samples; i++)
		out[2 * i] = out[2 * i + 1] = mono[i];
	return (int)samples;
}

static void to_float(const int16_t *linear, size_t n, float *out)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (float)linear[i] / 32768;
}

/* Returns samples at the codec's rate. */
static size_t read_code(struct adec_phone *p, const uint8_t *payload, size_t len, float *out)
{
	const float *law = p->codec == CODEC_PCMU ? ulaw : alaw;
	int16_t linear[MAX_NATIVE];
	size_t n = len;

	switch (p->codec) {
	case CODEC_G722:
		g722_decode(&p->g722, payload, len, linear);
		n = 2 * len;
		break;
	case CODEC_G729:
		n = g729_decode(p->g729, payload, len, linear);
		break;
	default:
		for (size_t i = 0; i < len; i++)
			out[i] = law[payload[i]];
		return len;
	}
	to_float(linear, n, out);
	return n;
}

static int phone_decode(struct adec *d, const uint8_t *payload, size_t len, float *out,
			size_t max_samples)
{
	struct adec_phone *p = self(d);
	float other[MAX_NATIVE], *native = p->factor == 1 ? out : other;
	size_t n = read_code(p, payload, len, native);

	(void)max_samples;
	if (!p->g729) /* which conceals itself */
		conceal_received(&p->conceal, native, n);
	return put_out(p, native, n, out);
}

static int phone_conceal(struct adec *d, float *out, size_t n)
{
	struct adec_phone *p = self(d);
	float other[MAX_NATIVE], *native = p->factor == 1 ? out : other;
	size_t made = n / p->factor;
	int16_t linear[MAX_OCTETS];

	if (made > MAX_NATIVE)
		made = MAX_NATIVE;
	if (p->g729) {
		made = made < MAX_OCTETS ? made : MAX_OCTETS;
		g729_conceal(p->g729, linear, made);
		to_float(linear, made, native);
	} else {
		conceal_make(&p->conceal, native, made);
	}
	return put_out(p, native, made, out);
}

static bool phone_rests(const struct adec *d)
{
	const struct adec_phone *p = (const struct adec_phone *)d;

	return p->g729 && g729_rests(p->g729);
}

static void phone_reset(struct adec *d)
{
	struct adec_phone *p = self(d);

	g722_init(&p->g722);
	if (p->g729)
		g729_dec_reset(p->g729);
	conceal_init(&p->conceal, (int)p->adec.own_hz);
	rate_reset(p->rate);
}

static int phone_set_hz(struct adec *d, unsigned hz)
{
	if (hz != RATE_HZ && hz != d->own_hz)
		return -ENOTSUP;
	self(d)->factor = hz / d->own_hz;
	d->hz = hz;
	phone_reset(d);
	return 0;
}

static void phone_free(struct adec *d)
{
	g729_dec_free(&self(d)->g729);
	rate_free(&self(d)->rate);
	hot_free(self(d), sizeof *self(d));
}

static const struct adec_ops ops = {
	.name = "telephone",
	.clock_hz = 8000,
	.packet_samples = phone_packet_samples,
	.decode = phone_decode,
	.conceal = phone_conceal,
	.rests = phone_rests,
	.set_hz = phone_set_hz,
	.reset = phone_reset,
	.free = phone_free,
};

int adec_phone_new(struct adec **out, enum codec codec, int channels)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct adec_phone *p = hot_calloc(sizeof *p);

	if (!p)
		return -ENOMEM;
	pthread_once(&once, make_tables);
	p->adec.ops = &ops;
	p->adec.channels = channels;
	p->codec = codec;
	p->adec.own_hz = codec == CODEC_G722 ? 16000 : 8000;
	p->factor = RATE_HZ / p->adec.own_hz;
	if (rate_new(&p->rate, p->adec.own_hz, RATE_HZ) ||
	    (codec == CODEC_G729 && g729_dec_new(&p->g729))) {
		phone_free(&p->adec);
		return -ENOMEM;
	}
	g722_init(&p->g722);
	conceal_init(&p->conceal, (int)p->adec.own_hz);
	*out = &p->adec;
	return 0;
}
