/* Announcements into what one listener hears: a queue of lists of recorded sounds,
 * mixed over the room's sound, which is lowered while one plays and comes back slowly
 * after it. The recorded sounds are immutable and shared by all who hear them.
 *
 * Of each list that was added it is told once that it is over, whether it came to its
 * end or was stopped: a stop fades within a tick. Pure: no clock, lock or allocation
 * after _new(). Owner: the audio side of a leg. */
#ifndef MIXER_AUDIO_PROMPT_H
#define MIXER_AUDIO_PROMPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/role.h"
#include "mixer/audio/band.h"

enum {
	PROMPT_PARTS = 64, /* sounds in a list */
	PROMPT_QUEUE = 4,  /* lists that play, wait, or whose end was not fetched */
	PROMPT_HZ = 48000,
};

/* What the room is lowered to. */
#define PROMPT_ROOM_GAIN 0.25f

/* 48 kHz, one channel. */
struct prompt {
	size_t n;
	int16_t pcm[];
};

struct prompt_list {
	uint32_t id;
	bool loop, until_digit;
	size_t n; /* at least 1 */
	const struct prompt *part[PROMPT_PARTS]; /* borrowed until the list is over */
};

struct prompt_player;

int prompt_player_new(struct prompt_player **out);
void prompt_player_free(struct prompt_player **p);

/* -ENOSPC: the queue is full. */
int prompt_player_add(struct prompt_player *p, const struct prompt_list *l) ON_THREAD(ROLE_MIXA);
/* All of them, or those only that a digit stops. */
void prompt_player_stop(struct prompt_player *p, bool until_digit) ON_THREAD(ROLE_MIXA);
/* Nothing plays or waits, and the room's sound is as loud as ever. */
bool prompt_player_is_idle(const struct prompt_player *p) ON_THREAD(ROLE_MIXA);
/* mix: a tick of what the listener would hear, interleaved, of the band, of which only
 * the full one may have two channels. */
void prompt_player_tick(struct prompt_player *p, float *mix, int channels, enum audio_band band)
	ON_THREAD(ROLE_MIXA);

struct prompt_over {
	uint32_t id;
	bool stopped;
};
/* The oldest end that was not fetched; false: none. It stays until _fetched. */
bool prompt_player_over(const struct prompt_player *p, struct prompt_over *out)
	ON_THREAD(ROLE_MIXA);
void prompt_player_fetched(struct prompt_player *p) ON_THREAD(ROLE_MIXA);

/* Adds a tick of sound from sample at to out; returns how much of it there was. */
size_t prompt_mix(const struct prompt *s, size_t at, float *out, size_t samples, int channels);

#endif
