/* G.711: one octet per sample at 8 kHz, linear 16 bit on the other side. Pure.
 * Any thread. */
#ifndef MIXER_CODEC_G711_H
#define MIXER_CODEC_G711_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

uint8_t g711_ulaw_encode(int16_t pcm);
int16_t g711_ulaw_decode(uint8_t code);
uint8_t g711_alaw_encode(int16_t pcm);
int16_t g711_alaw_decode(uint8_t code);

/* n of them. */
void g711_ulaw_encode_run(const int16_t *pcm, size_t n, uint8_t *code);
void g711_alaw_encode_run(const int16_t *pcm, size_t n, uint8_t *code);

/* Whether no sample is beyond 24, so that the level is -62 dBov at most: seen without
 * decoding. */
/* Octets of so faint a sound are this one under that mask. */
enum {
	G711_ULAW_FAINT = 0x7c, G711_ULAW_FAINT_MASK = 0x7c,
	G711_ALAW_FAINT = 0x54, G711_ALAW_FAINT_MASK = 0x7e,
};
bool g711_ulaw_is_faint(const uint8_t *code, size_t n);
bool g711_alaw_is_faint(const uint8_t *code, size_t n);

#endif
