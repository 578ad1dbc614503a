/* A consumer of a room's encoded output that is not a leg: the recorder, HLS, a push
 * to a server. A room has several at a time; each takes the encode of a view that its
 * viewers get, too, and one runs for it alone only where nobody looks.
 *
 * The functions are called on the encoding threads and must neither block nor allocate;
 * what they keep they reference. A sink that is too slow drops, and counts.
 *
 * Time stamps are the room's media clock (struct clock), so that sound and
 * picture are aligned by construction. */
#ifndef MCU_ROOM_SINK_H
#define MCU_ROOM_SINK_H

#include <stdbool.h>
#include <stdint.h>

#include "mcu/base/buf.h"
#include "mcu/base/mbox.h"
#include "mcu/base/role.h"

enum room_sink_sound {
	ROOM_SINK_AAC,	/* one encoder for all sinks, engine_cfg.recording_audio_bps */
	ROOM_SINK_OPUS, /* the packets of 20 ms that browsers get */
	ROOM_SINK_SOUNDS
};

struct room_sink {
	void *obj;
	/* Annex B H.264, constrained baseline, with parameter sets before each IDR, which is
	 * the first. Borrowed. One thread at a time (MIXV). NULL: sound alone. The size
	 * changes when the view it is of goes, never otherwise. */
	void (*video)(void *obj, struct buf *au, int64_t pts_ns, bool key);
	/* One AAC frame (1,024 samples) or Opus packet of the listener mix, in the room's
	 * channels, 48 kHz. pts_ns: of the first sample that a decoder puts out. Borrowed.
	 * MIXA. NULL: picture alone. */
	void (*audio)(void *obj, struct buf *frame, int64_t pts_ns);
	enum room_sink_sound sound;
	const char *view;    /* copied; NULL, or one that goes: the main one */
	unsigned max_height; /* the best of the ladder's rungs that is no higher; 0: the canvas */
	int gop_s; /* a key frame at least every so many seconds; of several the shortest; 0: any */
	int refresh_ms; /* a picture at least every so often, even where nothing moves; of several
			 * the shortest; 0: as for other receivers */
	bool records; /* the room counts as recorded (routing.recorded_since_ns) */
};

/* Where a sink is on an encoding thread's list. Owner: CTL; from its adding to the
 * done of its removal, that thread. */
struct sink_link {
	struct sink_link *next;
	bool started;		      /* it has had a key frame */
	const struct room_sink *sink; /* borrowed until done */
	mbox_fn *done;		      /* posted to the control mailbox: it is called no more */
	void *obj;
};

struct sink_list {
	struct sink_link *first;
};

/* From the next key frame on. */
void sink_list_add(struct sink_list *l, struct sink_link *s);
/* Nothing, when it is not there. */
void sink_list_remove(struct sink_list *l, struct sink_link *s);
/* The shortest; 0: none wants any. */
int sink_list_gop_s(const struct sink_list *l);
/* Likewise. */
int sink_list_refresh_ms(const struct sink_list *l);
/* What encoding threads do for sinks is counted, by their processor time: begin before it,
 * and give end what that said. */
int64_t sink_work_begin(void);
void sink_work_end(int64_t began_ns);

void sink_list_video(const struct sink_list *l, struct buf *au, int64_t pts_ns, bool key);
void sink_list_audio(const struct sink_list *l, struct buf *frame, int64_t pts_ns);

#endif
