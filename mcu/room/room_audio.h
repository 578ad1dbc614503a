/* The sound of a room: mix, listener formats, N-1 of the talkers. Lives on one
 * audio worker (MIXA); CTL creates it, posts to it, and frees it when stopped.
 *
 * A tick: every leg's 20 ms are decoded; the talkers are summed once; each
 * talker's own mix is sum minus self, encoded by its own encoder in its own
 * format; everybody else gets the one listener mix per format. An encoder runs
 * only while somebody receives what it makes. Whoever is in the sum is on the skip
 * list of the shared packet, so it can never hear itself. */
#ifndef MCU_ROOM_ROOM_AUDIO_H
#define MCU_ROOM_ROOM_AUDIO_H

#include <stddef.h>
#include <stdint.h>

#include "mcu/base/role.h"
#include "mcu/room/engine.h"
#include "mcu/room/routing.h"
#include "mcu/room/sink.h"

struct room_audio;

/* Posted to the control mailbox as fn(obj, arg). */
struct room_audio_events {
	mbox_fn *retired; /* arg: the struct routing that was replaced; may be NULL */
	mbox_fn *speaker; /* arg: the leg id as uintptr_t; 0: nobody */
	mbox_fn *stopped;
};

/* channels: 1 or 2, of all legs' decoders too. */
int room_audio_new(struct room_audio **out, const struct engine *e, uint32_t room_id, int channels,
		   const struct room_audio_events *ev, void *obj) ON_THREAD(ROLE_CTL);
/* Takes r. */
void room_audio_route(struct room_audio *a, struct routing *r) ON_THREAD(ROLE_CTL);
/* l: borrowed until its done. */
void room_audio_add_sink(struct room_audio *a, struct sink_link *l) ON_THREAD(ROLE_CTL);
void room_audio_remove_sink(struct room_audio *a, struct sink_link *l) ON_THREAD(ROLE_CTL);
struct ear_change;
struct prompt;
/* As room_ears.h says. */
int room_audio_change_ear(struct room_audio *a, const struct ear_change *c) ON_THREAD(ROLE_CTL);
void room_audio_chime(struct room_audio *a, const struct prompt *s) ON_THREAD(ROLE_CTL);
/* Retires the routing, then stopped(obj). */
void room_audio_stop(struct room_audio *a) ON_THREAD(ROLE_CTL);
void room_audio_free(struct room_audio **a) ON_THREAD(ROLE_CTL);

struct room_audio_counts {
	size_t listener_mixes, listener_encoders, talker_encoders;
};
void room_audio_get_counts(const struct room_audio *a, struct room_audio_counts *c);

#endif
