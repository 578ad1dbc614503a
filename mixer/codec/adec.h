/* Audio decoders behind one table of functions: Opus, G.711, G.722, G.729 and the comfort
 * noise of RFC 3389. Output is float, interleaved, full scale +-1, of the channel count
 * given to adec_new, at 48 kHz or, if asked to, at the codec's own rate.
 * Owner: the leg's audio_in; one thread at a time. No call allocates after
 * adec_new, but G.729's adec_reset. Payloads come from the network: anything may be in them. */
#ifndef MIXER_CODEC_ADEC_H
#define MIXER_CODEC_ADEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/codec.h"

struct adec;

/* The longest packet: 120 ms (RFC 6716, 2.1.4). Samples per channel. */
enum { ADEC_MAX_SAMPLES = 5760 };

/* channels: 1 or 2. 0, -EINVAL, -ENOMEM, -ENOTSUP. */
int adec_new(struct adec **out, enum codec format, int channels);
void adec_free(struct adec **d);

uint32_t adec_clock_hz(const struct adec *d); /* of the RTP time stamps; G.722: 8000 */
int adec_channels(const struct adec *d);

/* Samples a second of what comes out: 48000 at first. */
unsigned adec_hz(const struct adec *d);
/* From now on; hz: 48000, of one channel also the codec's own: G.722 16000, G.711 and
 * G.729 8000, comfort noise both. 0, -ENOTSUP, -ENOMEM: it stays. The past is forgotten. */
int adec_set_hz(struct adec *d, unsigned hz);
/* That own rate; 0: any (comfort noise). */
unsigned adec_own_hz(const struct adec *d);

/* Duration of a packet in samples per channel at 48 kHz, or -EBADMSG. */
int adec_packet_samples(const struct adec *d, const uint8_t *payload, size_t len);

/* All below count samples at adec_hz.
 * All decoders return samples per channel written, or -EBADMSG (nothing usable: conceal), or -ENOSPC. out: max_samples * channels floats. */
int adec_decode(struct adec *d, const uint8_t *payload, size_t len, float *out,
		size_t max_samples);
/* Invents exactly n samples after a loss; n is rounded down to what the codec
 * can do (2.5 ms for Opus), the rest of out is zeroed. Returns n. */
int adec_conceal(struct adec *d, float *out, size_t n);
/* The n lost samples ahead of packet next, from its redundancy where there is
 * some (adec_has_fec), otherwise as adec_conceal. */
int adec_decode_fec(struct adec *d, const uint8_t *next, size_t len, float *out, size_t n);
bool adec_has_fec(const struct adec *d, const uint8_t *payload, size_t len);

/* The last packet said that nothing but background noise follows: adec_conceal then
 * makes that, for as long as it takes. */
bool adec_rests(const struct adec *d);

/* Forgets the past, as after adec_new. */
void adec_reset(struct adec *d);

#endif
