/* Who takes which tile of a room: one function from (what the hosts want, who is
 * there, the canvas) to rectangles. Pure. Any thread. */
#ifndef MCU_MIXER_VIDEO_SEATING_H
#define MCU_MIXER_VIDEO_SEATING_H

#include <stdint.h>

#include "mixer/video/layout.h"

enum seating_order { SEATING_BY_JOIN, SEATING_BY_SPEECH, SEATING_BY_HAND };

/* What a room's hosts want of its picture; as a whole. */
struct seating_plan {
	enum layout_kind kind;
	enum seating_order order;
	bool hide_no_video;
	size_t max_tiles; /* 1…LAYOUT_MAX_TILES; 0: as many as the layout has */
	size_t page;	  /* from 0 */
	/* pin[i] has tile i while it is there; 0: the tile is anybody's. */
	uint32_t pin[LAYOUT_MAX_TILES];
	size_t n_pins;
	uint32_t hand[LAYOUT_MAX_TILES]; /* BY_HAND: these first, in this order */
	size_t n_hand;
	struct layout_region region[LAYOUT_MAX_TILES];
	size_t n_regions;
};

/* A source of pictures; who it is of matters to nobody here. */
struct seating_person {
	uint32_t id;
	bool video;	/* sends a picture, and has not switched it off */
	uint64_t spoke; /* higher: later; 0: never */
	bool shared;	/* not a person: speaks only when nobody else can */
};

struct seating_people {
	const struct seating_person *person; /* in order of joining */
	size_t n;
	uint32_t speaker, content; /* 0: nobody */
	uint32_t avoid; /* has a speaker's tile only when nobody else is there; 0: nobody */
};

struct seat {
	uint32_t id;
	struct rect rect;
	int z;
	bool by_speech; /* it has a speaker's tile since it speaks or spoke, not by a pin */
};

struct seating {
	struct seat seat[LAYOUT_MAX_TILES]; /* the farthest first, otherwise in tile order */
	size_t n;
	size_t page, pages; /* page is the plan's, or the last one there is */
};

/* Pinned people, the speaker and what is presented are on every page, and are not
 * hidden for want of video; when nobody sends any, nobody is. The speaker's tile is
 * who spoke last of those who are there while nobody speaks. A page that is not
 * full has larger tiles. A grid is a presentation as long as something is presented,
 * whose tile no pin takes. */
void seating_make(const struct seating_plan *plan, const struct seating_people *people,
		  int canvas_w, int canvas_h, struct seating *out);

#endif
