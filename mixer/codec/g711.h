/* G.711: one octet per sample at 8 kHz, linear 16 bit on the other side. Pure.
 * Any thread. */
#ifndef MIXER_CODEC_G711_H
#define MIXER_CODEC_G711_H

#include <stdint.h>

uint8_t g711_ulaw_encode(int16_t pcm);
int16_t g711_ulaw_decode(uint8_t code);
uint8_t g711_alaw_encode(int16_t pcm);
int16_t g711_alaw_decode(uint8_t code);

#endif
