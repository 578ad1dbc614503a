#include "mcu/room/room_ears.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/room/audio_ear.h"
#include "mcu/room/audio_leg.h"

static void change_job(void *obj, void *arg)
{
	struct room_ears *e = obj;
	struct ear_change *c = arg;
	struct audio_ear *ear;
	struct prompt_player *p;

	role_assert_mixa();
	if (c->ear)
		audio_leg_set_ear(c->leg, c->ear);
	ear = audio_leg_ear(c->leg);
	p = audio_ear_player(ear);
	if (c->stop || c->stop_until_digit)
		prompt_player_stop(p, !c->stop);
	audio_ear_set_volume(ear, c->volume_db);
	/* CTL counts them: there is room. */
	if (c->add.n)
		(void)prompt_player_add(p, &c->add);
	if (!audio_ear_counted(ear) && audio_ear_is_busy(ear)) {
		audio_ear_set_counted(ear, true);
		e->n_busy++;
	}
	free(c);
}

int room_ears_change(struct room_ears *e, struct mbox *worker, const struct ear_change *c)
{
	struct ear_change *copy = malloc(sizeof *copy);

	if (!copy)
		return -ENOMEM;
	*copy = *c;
	engine_post(worker, change_job, e, copy);
	return 0;
}

static void chime_job(void *obj, void *arg)
{
	struct room_ears *e = obj;

	role_assert_mixa();
	if (e->chime)
		return;
	e->chime = arg;
	e->chime_at = 0;
}

void room_ears_chime(struct room_ears *e, struct mbox *worker, const struct prompt *s)
{
	engine_post(worker, chime_job, e, (void *)(uintptr_t)s);
}

const float *room_ears_also(struct room_ears *e, int channels)
{
	size_t n;

	if (!e->chime)
		return NULL;
	memset(e->also, 0, AUDIO_TICK_SAMPLES * (size_t)channels * sizeof e->also[0]);
	n = prompt_mix(e->chime, e->chime_at, e->also, AUDIO_TICK_SAMPLES, channels);
	e->chime_at += n;
	if (e->chime_at >= e->chime->n)
		e->chime = NULL;
	return e->also;
}

bool room_ears_busy(const struct room_ears *e, const struct audio_leg *l)
{
	const struct audio_ear *ear = e->n_busy ? audio_leg_ear(l) : NULL;

	return ear && audio_ear_counted(ear);
}

void room_ears_hear(const struct room_ears *e, struct audio_leg *l, float *mix, int channels,
		    enum audio_band band)
{
	if (room_ears_busy(e, l))
		audio_ear_tick(audio_leg_ear(l), mix, channels, band);
}

bool room_ears_settle(struct room_ears *e, struct audio_leg *l)
{
	if (!room_ears_busy(e, l))
		return false;
	audio_leg_tell_prompts(l);
	if (audio_ear_is_busy(audio_leg_ear(l)))
		return false;
	room_ears_forget(e, l);
	return true;
}

void room_ears_forget(struct room_ears *e, struct audio_leg *l)
{
	if (!room_ears_busy(e, l))
		return;
	audio_ear_set_counted(audio_leg_ear(l), false);
	e->n_busy--;
}
