/* Who is the dominant speaker of a room. A leg takes the floor when it has
 * talked for most of half a second and the holder is silent or clearly quieter;
 * a cough or a "yes" does not. Nobody talking: the last speaker stays.
 * Owner: the room's audio half; no allocation after _new. */
#ifndef MIXER_AUDIO_SPEAKER_H
#define MIXER_AUDIO_SPEAKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/role.h"

struct speaker;

int speaker_new(struct speaker **out, size_t max_legs);
void speaker_free(struct speaker **s);

/* Per tick of 20 ms: each leg that has sound (active: vad.active, without
 * hangover), then one decision. Legs not fed are silent. */
void speaker_feed(struct speaker *s, uint32_t leg_id, float level_dbov, bool active)
	ON_THREAD(ROLE_MIXA);
/* The dominant speaker's id, 0 while nobody has ever talked. *changed (may be
 * NULL): it is another one than at the last tick. */
uint32_t speaker_tick(struct speaker *s, bool *changed) ON_THREAD(ROLE_MIXA);
/* The one before the present one, 0 if none: whom the speaker itself is shown. */
uint32_t speaker_previous(const struct speaker *s) ON_THREAD(ROLE_MIXA);
void speaker_forget(struct speaker *s, uint32_t leg_id) ON_THREAD(ROLE_MIXA);

#endif
