/* Who of a room hears something else than the others, and what all hear that nobody
 * says. Part of a room's sound (room_audio.c): on its audio worker. */
#ifndef MCU_ROOM_ROOM_EARS_H
#define MCU_ROOM_ROOM_EARS_H

#include <stdbool.h>
#include <stddef.h>

#include "mcu/base/mbox.h"
#include "mcu/base/role.h"
#include "mcu/room/audio_in.h"
#include "mixer/audio/prompt.h"

struct audio_ear;
struct audio_leg;

/* A change, in this order. */
struct ear_change {
	struct audio_leg *leg;
	struct audio_ear *ear; /* made for it before the first one, taken; NULL: it has one */
	bool stop;	       /* what plays or waits … */
	bool stop_until_digit; /* … or only what a digit stops */
	float volume_db;
	struct prompt_list add; /* n 0: nothing */
};

struct room_ears {
	/* private, MIXA */
	size_t n_busy;
	const struct prompt *chime; /* NULL: none */
	size_t chime_at;
	float also[2 * AUDIO_TICK_SAMPLES];
};

/* 0 or -ENOMEM. The leg must not have left yet. */
int room_ears_change(struct room_ears *e, struct mbox *worker, const struct ear_change *c)
	ON_THREAD(ROLE_CTL);
/* To all; nothing while one is heard. s: borrowed for ever. */
void room_ears_chime(struct room_ears *e, struct mbox *worker, const struct prompt *s)
	ON_THREAD(ROLE_CTL);

/* A tick of the chime; NULL: there is none. */
const float *room_ears_also(struct room_ears *e, int channels) ON_THREAD(ROLE_MIXA);
/* Whether the leg needs a mix of its own for it. */
bool room_ears_busy(const struct room_ears *e, const struct audio_leg *l) ON_THREAD(ROLE_MIXA);
/* In place. */
void room_ears_hear(const struct room_ears *e, struct audio_leg *l, float *mix, int channels,
		    enum audio_band band) ON_THREAD(ROLE_MIXA);
/* At the end of a leg's tick, heard or not; true: it has just become one of all. */
bool room_ears_settle(struct room_ears *e, struct audio_leg *l) ON_THREAD(ROLE_MIXA);
/* The leg is gone. */
void room_ears_forget(struct room_ears *e, struct audio_leg *l) ON_THREAD(ROLE_MIXA);

#endif
