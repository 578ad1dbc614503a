/* Concealment of lost packets for codecs that have none: the last pitch period
 * is repeated, without a step at either end, and fades away within
 * CONCEAL_FADE_MS; the sound that follows is faded over from it. Mono, at the
 * codec's own rate (8 or 16 kHz). Plain struct; one thread at a time; nothing is
 * allocated. */
#ifndef MIXER_CODEC_CONCEAL_H
#define MIXER_CODEC_CONCEAL_H

#include <stddef.h>

enum {
	CONCEAL_FULL_MS = 10, /* at full level */
	CONCEAL_FADE_MS = 60, /* silence from here on */
	CONCEAL_MAX_LAG = 240, /* 15 ms at 16 kHz */
	CONCEAL_HISTORY = 3 * CONCEAL_MAX_LAG,
};

struct conceal {
	int rate_hz;
	size_t lag, made; /* made: samples since the last that was received */
	size_t at;        /* in the period */
	float step;       /* between the end of the past and the period's start */
	size_t end;	  /* of the past, whose last CONCEAL_HISTORY samples count */
	float past[2 * CONCEAL_HISTORY]; /* what comes is appended, until there is no room */
	float period[CONCEAL_MAX_LAG];
};

void conceal_init(struct conceal *c, int rate_hz);
/* Received sound: n samples, changed at the start when they follow invented ones. */
void conceal_received(struct conceal *c, float *pcm, size_t n);
/* Invents n samples. */
void conceal_make(struct conceal *c, float *out, size_t n);

#endif
