/* The sound of a leg: a ring of packets from NET, the decoding chain, and the
 * leg's own N-1 encoder while it talks. NET puts, the audio worker (MIXA) does
 * the rest inside its tick. */
#ifndef MCU_ROOM_AUDIO_LEG_H
#define MCU_ROOM_AUDIO_LEG_H

#include <stdbool.h>
#include <stdint.h>

#include "mcu/base/role.h"
#include "mcu/room/audio_in.h"
#include "mcu/room/engine.h"

enum { AUDIO_RING_PACKETS = 64 };

struct audio_leg;
struct dtmf_in;
struct voice;
struct route_sound;
struct audio_out;
struct lipsync;
struct audio_ear;
struct local_source;

struct audio_leg_stats {
	float level_dbov;
	bool speaking;
	int delay_ms, target_ms;
	uint64_t lost, concealed, late, recovered; /* recovered: by RED or FEC */
};

/* channels: of the room. */
int audio_leg_new(struct audio_leg **out, const struct engine *e, int channels)
	ON_THREAD(ROLE_CTL);
/* Makes the decoding chain, which is most of a leg's memory, unless it is there: before
 * a routing says that the leg sends sound. 0 or -ENOMEM. */
int audio_leg_receive(struct audio_leg *a) ON_THREAD(ROLE_CTL);
/* Its sound is that of s (local_source.h, borrowed for its life) instead of packets'; in
 * place of audio_leg_receive. 0 or -ENOMEM. */
int audio_leg_set_local(struct audio_leg *a, const struct local_source *s) ON_THREAD(ROLE_CTL);
/* Neither NET nor MIXA may know it any more. */
void audio_leg_free(struct audio_leg **a);

/* Where to say which sample plays when; before the first tick, for its life. */
void audio_leg_set_lipsync(struct audio_leg *a, struct lipsync *l) ON_THREAD(ROLE_CTL);

/* Takes a decrypted RTP packet; arrival in pkt->time_ns, the audio_tag in
 * pkt->tag. A full ring drops it and counts. */
void audio_leg_put(struct audio_leg *a, struct buf *pkt) ON_THREAD(ROLE_NET);

/* What is done to its sound before it is mixed, from this tick on; voice: borrowed as
 * long as the routing that names it. The volume slides to its value in one tick and
 * counts in the level. */
void audio_leg_set_sound(struct audio_leg *a, const struct route_sound *s) ON_THREAD(ROLE_MIXA);
/* The voice for that, made at the first call; NULL: out of memory. */
struct voice *audio_leg_voice(struct audio_leg *a) ON_THREAD(ROLE_CTL);

/* Digits are listened for in its sound, and taken out of it, from this tick on; d:
 * borrowed as long as the routing that names it; NULL: not. */
void audio_leg_set_tones(struct audio_leg *a, struct dtmf_in *d) ON_THREAD(ROLE_MIXA);
/* What does that, made at the first call; NULL: out of memory. */
struct dtmf_in *audio_leg_tones(struct audio_leg *a) ON_THREAD(ROLE_CTL);
/* Posted to the control mailbox as fn(obj, arg), arg: the digit. Before the first tick. */
void audio_leg_set_digit(struct audio_leg *a, mbox_fn *fn, void *obj) ON_THREAD(ROLE_CTL);

/* It will be asked soon: what a tick takes of it is fetched into the processor's cache.
 * Steps 0 … AUDIO_LEG_PREFETCH_STEPS - 1, each a little after the one before. */
enum { AUDIO_LEG_PREFETCH_STEPS = 3 };
void audio_leg_prefetch(const struct audio_leg *a, unsigned step) ON_THREAD(ROLE_MIXA);
/* This tick is over for it: there was nothing to hear before, and nothing has come
 * since. Not if digits are listened for; what has been set is so at its next tick. */
bool audio_leg_rest(struct audio_leg *a) ON_THREAD(ROLE_MIXA);
/* Drains the ring and decodes one tick of the room's channels into the leg's buffer, of
 * audio_leg_band. Returns it, or NULL when there is nothing to hear. Borrowed until the
 * next call. */
const float *audio_leg_tick(struct audio_leg *a, int64_t now_ns) ON_THREAD(ROLE_MIXA);
/* Of its own sound; otherwise: if nothing of that was ever heard. */
enum audio_band audio_leg_band(const struct audio_leg *a, enum audio_band otherwise)
	ON_THREAD(ROLE_MIXA);
float audio_leg_level_dbov(const struct audio_leg *a) ON_THREAD(ROLE_MIXA);
/* Sound in this tick; and with hangover. */
bool audio_leg_active(const struct audio_leg *a) ON_THREAD(ROLE_MIXA);
bool audio_leg_speaking(const struct audio_leg *a) ON_THREAD(ROLE_MIXA);
void audio_leg_set_muted(struct audio_leg *a, bool muted) ON_THREAD(ROLE_MIXA);

/* The N-1 encoder, in the leg's own format: NULL until the mix makes it, when the leg
 * starts to talk; kept for a while after. */
struct audio_out **audio_leg_out(struct audio_leg *a) ON_THREAD(ROLE_MIXA);
/* Tick number until which that is kept; free for the mix. */
int64_t *audio_leg_hold_tick(struct audio_leg *a) ON_THREAD(ROLE_MIXA);

/* What it hears of its own; NULL: nothing ever yet. It was made on CTL and is the
 * leg's from then on. */
struct audio_ear *audio_leg_ear(const struct audio_leg *a) ON_THREAD(ROLE_MIXA);
void audio_leg_set_ear(struct audio_leg *a, struct audio_ear *e) ON_THREAD(ROLE_MIXA);
/* Posted to the control mailbox as fn(obj, arg); arg: what the ear's prompt_over says,
 * as id << 1 | stopped. Before the first tick. */
void audio_leg_set_prompt_over(struct audio_leg *a, mbox_fn *fn, void *obj) ON_THREAD(ROLE_CTL);
/* Tells the ends of prompts that were not told yet. */
void audio_leg_tell_prompts(struct audio_leg *a) ON_THREAD(ROLE_MIXA);

void audio_leg_get_stats(const struct audio_leg *a, struct audio_leg_stats *s);

#endif
