/* The quality score of a leg, from 1 (unusable) to 5 (fine). Below
 * QUALITY_UNSTABLE a page says that the connection is unstable. Pure. */
#ifndef MCU_QUALITY_H
#define MCU_QUALITY_H

#define QUALITY_UNSTABLE 3.0

/* loss: fraction 0…1. 5 - 20 * loss, - 1 above 30 ms of jitter, - 1 more above
 * 50 ms, - 0.5 above 150 ms of round trip, - 1 more above 300 ms; clamped. */
double quality_score(double loss, double jitter_ms, double rtt_ms);

#endif
