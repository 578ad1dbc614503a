/* Opus by libopus (RFC 6716). libavcodec's wrapper hides FEC and concealment. */
#include <errno.h>
#include <stdlib.h>

#include <opus/opus.h>

#include "mcu/base/hot.h"
#include "mixer/codec/adec_ops.h"

enum { RATE_HZ = 48000, STEP_SAMPLES = 120 /* 2.5 ms */ };

struct adec_opus {
	struct adec adec;
	OpusDecoder *dec;
};

static OpusDecoder *decoder(struct adec *d)
{
	return ((struct adec_opus *)d)->dec;
}

static int samples_or_error(int n)
{
	if (n >= 0)
		return n;
	return n == OPUS_BUFFER_TOO_SMALL ? -ENOSPC : -EBADMSG;
}

static int opus_packet_samples(const struct adec *d, const uint8_t *payload, size_t len)
{
	int n;

	(void)d;
	if (len > INT16_MAX)
		return -EBADMSG;
	n = opus_packet_get_nb_samples(payload, (opus_int32)len, RATE_HZ);
	return n > 0 && n <= ADEC_MAX_SAMPLES ? n : -EBADMSG;
}

static int opus_decode_packet(struct adec *d, const uint8_t *payload, size_t len, float *out,
			      size_t max_samples)
{
	int max = max_samples > ADEC_MAX_SAMPLES ? ADEC_MAX_SAMPLES : (int)max_samples;

	return samples_or_error(opus_decode_float(decoder(d), payload, (opus_int32)len, out, max,
						  0));
}

static int opus_conceal(struct adec *d, float *out, size_t n)
{
	size_t done = 0;

	n -= n % STEP_SAMPLES;
	while (done < n) {
		size_t part = n - done < ADEC_MAX_SAMPLES ? n - done : ADEC_MAX_SAMPLES;
		int got = opus_decode_float(decoder(d), NULL, 0,
					    out + done * (size_t)d->channels, (int)part, 0);

		if (got <= 0)
			return (int)done;
		done += (size_t)got;
	}
	return (int)done;
}

static int opus_decode_fec(struct adec *d, const uint8_t *next, size_t len, float *out, size_t n)
{
	n -= n % STEP_SAMPLES;
	if (n > ADEC_MAX_SAMPLES)
		return -EBADMSG;
	return samples_or_error(opus_decode_float(decoder(d), next, (opus_int32)len, out, (int)n,
						  1));
}

/* The LBRR flags behind the VAD flags of the first frame (RFC 6716, 4.2.3-4.2.4):
 * per channel one VAD flag for each 20 ms, then one LBRR flag. CELT has none. */
static bool opus_has_fec(const struct adec *d, const uint8_t *payload, size_t len)
{
	const unsigned char *frames[48];
	opus_int16 sizes[48];
	int frame_20ms, stereo;

	(void)d;
	if (len > INT16_MAX || (payload[0] & 0x80))
		return false;
	if (opus_packet_parse(payload, (opus_int32)len, NULL, frames, sizes, NULL) <= 0)
		return false;
	if (sizes[0] == 0)
		return false;
	frame_20ms = opus_packet_get_samples_per_frame(payload, RATE_HZ) / 960;
	if (frame_20ms < 1)
		frame_20ms = 1;
	stereo = opus_packet_get_nb_channels(payload) == 2;
	if ((frames[0][0] >> (7 - frame_20ms)) & 1)
		return true;
	return stereo && ((frames[0][0] >> (6 - 2 * frame_20ms)) & 1);
}

static void opus_reset(struct adec *d)
{
	opus_decoder_ctl(decoder(d), OPUS_RESET_STATE);
}

static size_t bytes_of(int channels)
{
	int n = opus_decoder_get_size(channels);

	return n > 0 ? (size_t)n : 0;
}

static void opus_free(struct adec *d)
{
	hot_free(decoder(d), bytes_of(d->channels));
	free(d);
}

static const struct adec_ops ops = {
	.name = "opus",
	.clock_hz = RATE_HZ,
	.packet_samples = opus_packet_samples,
	.decode = opus_decode_packet,
	.conceal = opus_conceal,
	.decode_fec = opus_decode_fec,
	.has_fec = opus_has_fec,
	.reset = opus_reset,
	.free = opus_free,
};

int adec_opus_new(struct adec **out, int channels)
{
	struct adec_opus *o = calloc(1, sizeof *o);
	int err;

	if (!o)
		return -ENOMEM;
	o->adec.ops = &ops;
	o->adec.channels = channels;
	o->dec = hot_calloc(bytes_of(channels));
	if (!o->dec || opus_decoder_init(o->dec, RATE_HZ, channels) != OPUS_OK) {
		err = o->dec ? -EINVAL : -ENOMEM;
		hot_free(o->dec, bytes_of(channels));
		free(o);
		return err;
	}
	*out = &o->adec;
	return 0;
}
