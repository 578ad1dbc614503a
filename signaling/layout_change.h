/* What a host changes of a room's picture, as PROTOCOL.md's `layout` and REST's
 * say it. Pure. Any thread. */
#ifndef MCU_SIGNALING_LAYOUT_CHANGE_H
#define MCU_SIGNALING_LAYOUT_CHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/err.h"
#include "signaling/tristate.h"

enum { LAYOUT_CHANGE_LEGS = 49, LAYOUT_CHANGE_BANNER = 200 /* characters */ };

enum layout_order { ORDER_UNSET, ORDER_BY_JOIN, ORDER_BY_SPEECH, ORDER_BY_HAND };
enum layout_show { SHOW_NEXT, SHOW_SPEAKER, SHOW_CONTENT };

/* Fractions of the picture. */
struct layout_change_region {
	double x, y, width, height;
	int z;
	enum layout_show show;
};

struct layout_change {
	const char *view;    /* NULL: the main one; not looked at further */
	const char *layout;  /* NULL: unset; likewise */
	enum tristate crop;  /* "fit": "fit" or "crop" */
	enum tristate hide_no_video, speaker_view;
	enum layout_order order;
	uint32_t hand[LAYOUT_CHANGE_LEGS]; /* BY_HAND */
	size_t n_hand;
	uint32_t pin[LAYOUT_CHANGE_LEGS]; /* 0: nobody is pinned to that tile */
	size_t n_pins;
	int max_tiles; /* 0: unset; -1: as many as the layout has */
	int page;      /* 0: unset; from 1 */
	struct layout_change_region region[LAYOUT_CHANGE_LEGS];
	size_t n_regions;
	bool has_pin, has_regions;
	/* "overlays" */
	const char *banner; /* NULL: unset; "": none */
	enum tristate clock, recording_time, logo, names, border;
	bool has_background, background_picture, background_default;
	uint32_t background_rgb;
};

struct json_t;

/* Reads the members of o; strings are o's. 0 or -EINVAL with code bad_message. */
int layout_change_parse(struct layout_change *c, struct json_t *o, struct errmsg *why);

#endif
