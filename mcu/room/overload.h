/* What rooms give up when the video workers cannot keep up, and when they get it
 * back. The order is that of law 4: fewer pictures per second, then no top rung,
 * then pictures that stand still; sound is not touched.
 *
 * Every OVERLOAD_WINDOW_MS the owner says what was late. Strain is when a fifth of
 * the jobs started after their deadline, a job has been waiting for long, or the
 * sound missed a tick. After some windows of it those rooms step down that use the
 * most processor time (all that use at least half of what the dearest of them uses):
 * who is dear pays first, small rooms are not touched while that helps. Pictures
 * stand still only under severe strain, a quarter of the rooms at a time.
 *
 * A room that is late while the others are on time (one encoder may be too slow,
 * alone) steps down by itself, and has a patience of its own.
 *
 * Steps up, one at a time, the lowest rooms and among them the cheapest first, need
 * calm for a while and processor time for what they will cost. If strain comes back
 * soon after one, the next needs twice as long a calm.
 *
 * A room that uses more than its share has a handicap, too: its jobs are taken as
 * if they were due later, so that others are on time before anything was decided.
 *
 * Pure: no clock, no allocation. Owner: CTL. */
#ifndef MCU_ROOM_OVERLOAD_H
#define MCU_ROOM_OVERLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum overload_level {
	OVERLOAD_NONE,
	OVERLOAD_FPS_2_3, /* two thirds of the pictures */
	OVERLOAD_FPS_1_2,
	OVERLOAD_FPS_1_3,
	OVERLOAD_NO_TOP, /* and nobody gets the top rung */
	OVERLOAD_FROZEN, /* a picture per second, nothing is decoded */
};

enum {
	OVERLOAD_WINDOW_MS = 500,
	OVERLOAD_LATE_PERCENT = 20, OVERLOAD_SEVERE_PERCENT = 60, OVERLOAD_CALM_PERCENT = 5,
	OVERLOAD_OVERDUE_MS = 150, OVERLOAD_SEVERE_OVERDUE_MS = 500,
	OVERLOAD_FIRST_WINDOWS = 3, /* of strain up to the first step, … */
	OVERLOAD_NEXT_WINDOWS = 2,  /* … and from one to the next */
	OVERLOAD_PATIENCE_MS = 5000, OVERLOAD_PATIENCE_MAX_MS = 120000,
	OVERLOAD_RELAPSE_MS = 20000, /* strain within this of a step up: that was too early */
	OVERLOAD_FORGET_MS = 60000,  /* of calm with nothing given up: patience is as at first */
	OVERLOAD_ROOM_PERMILLE = 900, /* of the processors, that steps up may fill */
	OVERLOAD_HANDICAP_MAX_MS = 200,
};

/* One room, embedded in it. The owner fills in what is of the last window and takes
 * the rest. Zeroed at first. */
struct overload_room {
	/* in */
	uint64_t jobs, late; /* pictures that were not made at all are late ones */
	uint64_t cpu_ns;
	bool keeps_top; /* the top rung is recorded, or there is no other */
	/* out */
	enum overload_level level;
	int64_t handicap_ns;
	/* private */
	uint64_t awake_ns; /* its processor time before it froze */
	/* in which it was late, others not: windows; when it last stepped down for that,
	 * when up, and for how long it then stays down */
	unsigned strained;
	int64_t down_ns, up_ns, patience_ns;
};

/* The process in the last window. */
struct overload_load {
	unsigned permille;   /* of the processors' time that it used */
	uint64_t processors_ns; /* of all processors in the window */
	int64_t overdue_ns;  /* of the job that waits next */
	uint64_t audio_missed;
};

struct overload {
	/* private */
	unsigned strained, severe; /* windows, in a row */
	bool stepped;		   /* down, since the last calm */
	int64_t calm_ns, up_ns;	   /* since when; of the last step up; 0: not */
	int64_t well_ns;	   /* since when nothing is given up */
	int64_t patience_ns;
};

void overload_init(struct overload *o);
/* At the end of a window; now_ns > 0. room: those that run. Whether a level changed. */
bool overload_step(struct overload *o, const struct overload_load *l,
		   struct overload_room *const *room, size_t n, int64_t now_ns);

/* Pictures per second at a level, of a room that has fps. At least 1. */
int overload_fps(enum overload_level level, int fps);
/* For people; a constant. */
const char *overload_text(enum overload_level level);

#endif
