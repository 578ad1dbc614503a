/* G.729 with its annexes A and B (RFC 3551 section 4.5.6) by libbcg729: frames of 10
 * ms of 8 kHz sound, 10 octets each; a packet may end in a frame of 2 octets that
 * describes background noise, which then lasts until the next packet. One thread at
 * a time. Nothing is allocated after the _new calls but by the resets, for which the
 * library has nothing else. */
#ifndef MIXER_CODEC_G729_H
#define MIXER_CODEC_G729_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { G729_SAMPLES = 80, G729_OCTETS = 10, G729_NOISE_OCTETS = 2 };

struct g729_enc;
struct g729_dec;

/* 0 or -ENOMEM. */
int g729_enc_new(struct g729_enc **out);
void g729_enc_free(struct g729_enc **e);
void g729_enc_reset(struct g729_enc *e);
/* n samples, whole frames, to n / 8 octets. */
void g729_encode(struct g729_enc *e, const int16_t *pcm, size_t n, uint8_t *out);

/* 0 or -ENOMEM. */
int g729_dec_new(struct g729_dec **out);
void g729_dec_free(struct g729_dec **d);
void g729_dec_reset(struct g729_dec *d);
/* Of a payload; 0: it is not G.729. */
size_t g729_samples(size_t octets);
/* Returns g729_samples(octets), not 0. */
size_t g729_decode(struct g729_dec *d, const uint8_t *in, size_t octets, int16_t *pcm);
/* n samples that did not come, or that go on with the noise. */
void g729_conceal(struct g729_dec *d, int16_t *pcm, size_t n);
/* The last packet ended in noise. */
bool g729_rests(const struct g729_dec *d);

#endif
