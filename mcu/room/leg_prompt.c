/* Announcements to a leg, and how loud the room is to it. */
#include <errno.h>
#include <string.h>

#include "mcu/room/audio_ear.h"
#include "mcu/room/room_ears.h"
#include "mcu/room/room_priv.h"
#include "mcu/rtp/telephone_event.h"

static void over(void *obj, void *arg)
{
	struct leg *l = obj;
	uint32_t id = (uint32_t)((uintptr_t)arg >> 1);

	role_assert_ctl();
	l->prompts--;
	if (!l->gone && l->ev->prompt_over)
		l->ev->prompt_over(l->obj, id, (uintptr_t)arg & 1);
}

ON_THREAD(ROLE_CTL) static int change(struct leg *l, struct ear_change *c)
{
	bool made = false;
	int err = 0;

	c->leg = l->audio;
	c->volume_db = l->hears_db;
	if (!l->has_ear) {
		err = audio_ear_new(&c->ear);
		made = !err;
	}
	if (made)
		audio_leg_set_prompt_over(l->audio, over, l);
	if (!err)
		err = room_audio_change_ear(l->room->audio, c);
	if (err)
		audio_ear_free(&c->ear);
	else
		l->has_ear = true;
	return err;
}

int leg_prompt(struct leg *l, const struct prompt_list *add, bool stop)
{
	struct ear_change c = { .stop = stop };
	int err;

	if (!add->n && !(stop && l->prompts))
		return 0;
	/* The ends of those that are stopped need a place too. */
	if (add->n && l->prompts >= PROMPT_QUEUE)
		return -EUSERS;
	c.add = *add;
	err = change(l, &c);
	if (!err && add->n)
		l->prompts++;
	return err;
}

void leg_prompt_digit(struct leg *l)
{
	struct ear_change c = { .stop_until_digit = true };

	if (l->prompts)
		(void)change(l, &c); /* out of memory: it goes on */
}

int leg_set_hearing(struct leg *l, float db)
{
	struct ear_change c = { 0 };
	float before = l->hears_db;
	int err;

	if (!(db >= LEG_VOLUME_MIN_DB && db <= LEG_VOLUME_MAX_DB))
		return -EINVAL;
	l->hears_db = db;
	err = change(l, &c);
	if (err)
		l->hears_db = before;
	return err;
}

float leg_hearing_db(const struct leg *l)
{
	return l->hears_db;
}

int leg_send_digits(struct leg *l, const char *digits)
{
	size_t n = strlen(digits);

	if (!n || n > TELEPHONE_EVENT_QUEUE || strspn(digits, "0123456789*#ABCD,") != n)
		return -EINVAL;
	if (!l->media.audio.rx || !l->media.audio.tx || !l->media.audio.tx_dtmf_pt)
		return -ENOTSUP;
	return leg_net_send_digits(l->net, digits);
}

void room_chime(struct room *r, const struct prompt *s)
{
	if (!r->closing)
		room_audio_chime(r->audio, s);
}
