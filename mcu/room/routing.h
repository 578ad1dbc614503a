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
#include "mcu/room/source_id.h"
#include "mixer/video/layout.h"
#include "mixer/video/signs.h"

enum {
	ROUTING_NAME_BYTES = 257,
	ROUTING_LEG_SOURCES = 2,
	ROUTING_MAX_ENCODES = 32, /* of all pictures */
	ROUTING_MAX_PICTURES = ROUTING_MAX_ENCODES
};

struct audio_leg;
struct dtmf_in;
struct voice;
struct video_leg;
struct video_encode;

/* What was asked for of somebody's sound. */
struct route_sound {
	struct voice *voice; /* of the audio worker; NULL: neither was ever wanted */
	bool gain, noise;    /* automatic gain, noise suppression */
	float volume_db;
};

struct route_leg {
	uint32_t id; /* what a tick looks at, together */
	struct audio_leg *audio; /* of the audio worker */
	bool audio_muted, sends_audio;
	struct route_sound sound;
	struct dtmf_in *tones; /* digits are listened for; NULL: they come otherwise, or not */
	enum audio_format format; /* that it hears; NONE: not connected, or nothing */
	char name[ROUTING_NAME_BYTES];
};

/* A picture that a leg sends, and that is on one that is composed. */
struct route_source {
	uint32_t id;		 /* source_id.h */
	size_t leg;		 /* index of its leg */
	struct video_leg *video; /* its newest picture: of the room's video tick */
	bool sends, muted;
	bool content; /* a presentation: never cropped */
	bool local;   /* it may stand still (local_source.h) */
};

struct route_tile {
	size_t source;	  /* index */
	struct rect rect; /* canvas pixels */
};

/* What is drawn beside the pictures. */
struct routing_signs {
	char banner[SIGN_BYTES]; /* "": none */
	bool clock, recording_time, logo;
	bool no_names, no_border;   /* on the tiles */
	bool picture;		    /* the server's background picture is between the tiles … */
	uint32_t page_rgb;	    /* … or this colour */
};

/* A picture that is composed: what some of the room's receivers see. */
struct route_picture {
	uint32_t id;
	bool crop; /* pictures fill their tiles */
	struct routing_signs signs;
	size_t n_tiles;
	struct route_tile tile[LAYOUT_MAX_TILES]; /* the farthest first */
};

struct route_encode {
	struct video_encode *v;
	unsigned rung;
	size_t picture; /* index */
};

struct routing {
	uint64_t seq;
	size_t n_legs, n_sources, n_pictures, n_encodes;
	int64_t recorded_since_ns; /* media clock; 0: it is not */
	struct route_encode encode[ROUTING_MAX_ENCODES];
	struct route_picture *picture; /* each has an encode */
	struct route_source *source; /* room for ROUTING_LEG_SOURCES of each leg */
	struct route_leg leg[];
};

/* With room for so many, all zeroed, without sources or encodes. NULL: out of
 * memory. n_pictures 0: for who cares for the legs only. */
struct routing *routing_new(uint64_t seq, size_t n_legs, size_t n_pictures) ON_THREAD(ROLE_CTL);
void routing_free(struct routing **r) ON_THREAD(ROLE_CTL);

#endif
