/* Texts of WebVTT (https://www.w3.org/TR/webvtt1/) about a recording: which small
 * picture belongs to which time, and chapters made of what happened in its room.
 * Names are data: nothing in them can end a cue or begin a tag. Pure but for the
 * writing; any thread. */
#ifndef MCU_STORAGE_WEBVTT_H
#define MCU_STORAGE_WEBVTT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "storage/finish_pictures.h"
#include "storage/recording_events.h"

enum {
	WEBVTT_SPOKE_MS = 10000,   /* who speaks for so long has a chapter */
	WEBVTT_TOGETHER_MS = 5000, /* what happens within is one chapter */
	WEBVTT_TITLE_MAX = 200,    /* octets, of which names are cut */
	WEBVTT_CHAPTERS_MAX = 500,
};

/* Cues "sheet.jpg#xywh=x,y,w,h". 0 or -EIO. */
int webvtt_scrub(FILE *to, const struct finish_sheet *s);

/* Chapters of a recording of this length; events: by time. language: of the words
 * between the names, "en" or "ko". 0, -EIO, -ENOMEM. */
int webvtt_chapters(FILE *to, const struct recording_event *events, size_t n, int64_t duration_ms,
		    const char *language);

/* The octets of name as the text of a cue. */
int webvtt_text(FILE *to, const char *name);

#endif
