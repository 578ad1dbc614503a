/* Whether another room or participant is taken, by what it will cost and what is
 * being used, so that those who are there are not hurt first.
 *
 * What the process uses of the processors it may use is smoothed over some seconds;
 * what was taken a moment ago and does not show in it yet is reserved for it. Who
 * costs much is refused above `overload.high_percent`; sound alone, and viewers of a
 * picture that is encoded anyway, are taken for longer. Nobody dear is taken while
 * rooms give up something for want of processors, nobody at all while the sound is
 * late or memory is short. Who was refused is taken again a little below the limit.
 *
 * Pure: no clock, no files. Owner: CTL. */
#ifndef MCU_ADMISSION_H
#define MCU_ADMISSION_H

#include <stdbool.h>
#include <stdint.h>

enum admission_kind {
	ADMISSION_ROOM,	   /* with whoever opens it */
	ADMISSION_SENDER,  /* of pictures */
	ADMISSION_CONTENT, /* a second picture of somebody */
	ADMISSION_ENCODER, /* a viewer in a format that nobody gets yet */
	ADMISSION_SOUND,   /* sender of sound alone */
	ADMISSION_VIEWER,  /* of what is encoded anyway */
	ADMISSION_N
};

enum {
	ADMISSION_HYSTERESIS_PERMILLE = 50,
	ADMISSION_SOUND_LATE = 3, /* windows with missed ticks, more than those without */
	ADMISSION_MEMORY_MIB = 64, /* less is left: nobody new who is dear, … */
	ADMISSION_MEMORY_LEAST_MIB = 32, /* … nobody at all */
};

struct admission {
	/* private */
	unsigned high_permille; /* 0: everybody is taken */
	unsigned millicores;	/* that there are */
	unsigned used, reserved; /* millicores */
	bool strained, refusing[ADMISSION_N];
	unsigned sound_late;
	int64_t memory_left;
};

/* What was seen in a window of half a second. */
struct admission_load {
	unsigned permille;  /* of the processors that the process used */
	bool strained;	    /* rooms give up something for want of processors */
	bool sound_missed;
	int64_t memory_left; /* octets; INT64_MAX: not known */
};

void admission_init(struct admission *a, int high_percent, unsigned millicores);
void admission_see(struct admission *a, const struct admission_load *l);
/* cost: thousandths of a processor that it may come to use; if it is taken, so many
 * of them are reserved as will be used at once. */
bool admission_ask(struct admission *a, enum admission_kind kind, unsigned cost,
		   unsigned at_once);
/* Of the processors, thousandths, what is reserved included. */
unsigned admission_permille(const struct admission *a);

#endif
