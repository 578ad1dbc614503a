/* The routing snapshot of a room: who is on which tile, who hears, which encodes
 * run. Built by CTL, immutable once published; the audio worker and the room's
 * video tick each get a copy and pick it up at their next tick. When a consumer
 * has replaced a snapshot it hands the old one back to CTL, which thereby knows
 * that nothing in it is used there any more: that is how legs and encodes are
 * freed without locks or counting. */
#ifndef MCU_ROOM_ROUTING_H
#define MCU_ROOM_ROUTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/role.h"
#include "mcu/room/audio_format.h"
#include "mixer/video/layout.h"

enum { ROUTING_NAME_BYTES = 257, ROUTING_MAX_ENCODES = 16 };

struct audio_leg;
struct video_leg;
struct video_encode;

struct route_leg {
	uint32_t id;
	char name[ROUTING_NAME_BYTES];
	struct audio_leg *audio; /* of the audio worker */
	struct video_leg *video; /* its newest picture: of the room's video tick */
	struct rect tile;        /* canvas pixels; empty: not shown */
	int z;			 /* of it: higher is nearer */
	bool content;		 /* its picture is a presentation: never cropped */
	bool audio_muted, video_muted;
	bool sends_audio, sends_video;
	enum audio_format format; /* that it hears; NONE: not connected, or nothing */
};

struct route_encode {
	struct video_encode *v;
	unsigned rung;
};

struct routing {
	uint64_t seq;
	size_t n_legs, n_encodes;
	bool crop; /* pictures fill their tiles */
	struct route_encode encode[ROUTING_MAX_ENCODES];
	struct route_leg leg[];
};

/* NULL: out of memory. */
struct routing *routing_new(uint64_t seq, size_t n_legs) ON_THREAD(ROLE_CTL);
void routing_free(struct routing **r) ON_THREAD(ROLE_CTL);

#endif
