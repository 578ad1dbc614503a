/* The quality score of a leg, from 1 (unusable) to 5 (fine). Below
 * QUALITY_UNSTABLE a page says that the connection is unstable; and the opinion score
 * of a call. Pure. */
#ifndef MCU_QUALITY_H
#define MCU_QUALITY_H

#include "mcu/base/codec.h"

#define QUALITY_UNSTABLE 3.0

/* loss: fraction 0…1. 5 - 20 * loss, - 1 above 30 ms of jitter, - 1 more above
 * 50 ms, - 0.5 above 150 ms of round trip, - 1 more above 300 ms; clamped. */
double quality_score(double loss, double jitter_ms, double rtt_ms);

/* Mean opinion score, from 1 to 4.5, as the E-model estimates it from what the network
 * did (ITU-T G.107, default values): R = 93.2 - Id - Ie,eff. The delay is half the round
 * trip and a jitter buffer of twice the jitter and 40 ms; Ie,eff for random loss with
 * G.711's concealment (G.113: Ie 0, Bpl 25.1), and for G.729 Ie 11, Bpl 19. Wider
 * sound than a telephone's is not rated higher. */
double quality_mos(enum codec audio, double loss, double jitter_ms, double rtt_ms);

#endif
