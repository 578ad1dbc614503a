/* N-1 mix of a room, whose sounds may be of several bands (band.h): each band's are
 * added up as they are, and the sum is brought to the others once, where somebody wants
 * to hear it there. Per tick: begin, add every leg that has sound, sum; then
 * the listener mix, once for all who are not in it, and for each talker the sum
 * minus itself. Limited once, at the end. Legs are known by id.
 *
 *   audio_mixer_begin(m);
 *   for each leg with sound: audio_mixer_add(m, id, pcm, level);
 *   audio_mixer_sum(m);
 *   audio_mixer_listener(m) -> shared; audio_mixer_minus(m, id, own)
 *
 * With max_talkers, the loudest are taken, with hysteresis; who comes in or
 * goes out is faded over one tick. Pure DSP: no clock, lock or I/O; nothing is
 * allocated after _new, but what brings one band to another at its first use. Owner:
 * struct room's audio half. */
#ifndef MIXER_AUDIO_AUDIO_MIXER_H
#define MIXER_AUDIO_AUDIO_MIXER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/role.h"
#include "mixer/audio/band.h"

struct audio_mixer;

struct audio_mixer_cfg {
	int channels;         /* 0: 1 */
	size_t max_legs;      /* that may have sound at a time; 0: 256 */
	size_t max_talkers;   /* mixed at a time; 0: all */
};

/* 0, -EINVAL or -ENOMEM; *out untouched on error. Any thread. */
int audio_mixer_new(struct audio_mixer **out, const struct audio_mixer_cfg *cfg);
void audio_mixer_free(struct audio_mixer **m);

void audio_mixer_begin(struct audio_mixer *m) ON_THREAD(ROLE_MIXA);
/* Borrows pcm (a tick of the band) until the next begin. leg_id: not 0, once per tick.
 * 0, or -ENOSPC when more than max_legs have sound: the leg is not heard. */
int audio_mixer_add(struct audio_mixer *m, uint32_t leg_id, const float *pcm, float level_dbov,
		    enum audio_band band) ON_THREAD(ROLE_MIXA);
/* Borrows pcm likewise, of the full band: what everybody hears besides, and nobody says. */
void audio_mixer_also(struct audio_mixer *m, const float *pcm) ON_THREAD(ROLE_MIXA);
void audio_mixer_sum(struct audio_mixer *m) ON_THREAD(ROLE_MIXA);

/* How many legs are in this tick's sum (0: the mix is silence). */
size_t audio_mixer_talkers(const struct audio_mixer *m) ON_THREAD(ROLE_MIXA);
/* This leg's samples are in this tick's sum: it must not get the listener mix. */
bool audio_mixer_contains(const struct audio_mixer *m, uint32_t leg_id) ON_THREAD(ROLE_MIXA);

/* The mix of all talkers in the band; borrowed until the next begin. */
const float *audio_mixer_listener(struct audio_mixer *m, enum audio_band band)
	ON_THREAD(ROLE_MIXA);
/* Writes the mix without this leg to out (one tick), for any leg: one that is not in
 * the sum gets all of it, and may have it in any band; one that is, only in its own
 * (silence in others).
 * Returns audio_mixer_contains. */
bool audio_mixer_minus(struct audio_mixer *m, uint32_t leg_id, enum audio_band band, float *out)
	ON_THREAD(ROLE_MIXA);

/* The leg is gone: its state (hysteresis, limiter) may go. Optional: unused
 * states are reused. */
void audio_mixer_forget(struct audio_mixer *m, uint32_t leg_id) ON_THREAD(ROLE_MIXA);
void audio_mixer_set_max_talkers(struct audio_mixer *m, size_t max_talkers) ON_THREAD(ROLE_MIXA);
/* Additions refused with -ENOSPC so far. */
uint64_t audio_mixer_refused_count(const struct audio_mixer *m) ON_THREAD(ROLE_MIXA);

#endif
