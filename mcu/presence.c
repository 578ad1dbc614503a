/* How participants are shown to each other: kind, name, number, and the calls that a
 * room makes. Numbers are for hosts; others get them masked. */
#include "mcu/conference_priv.h"
#include "mcu/dial.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum audience { HOSTS = 1, OTHERS = 2 }; /* bits */

void participant_describe(const struct leg_handle *p, bool to_host, struct participant *out)
{
	const char *number = to_host ? p->number : p->masked;
	struct leg_info i;

	leg_get_info(p->leg, &i);
	*out = (struct participant){
		.leg = i.id, .name = p->name, .kind = p->kind,
		.number = *number ? number : NULL,
		.audio_muted = i.audio_muted, .video_muted = i.video_muted,
		.audio = i.sends_audio, .video = i.sends_video,
		.host = p->host, .hand = p->hand,
		.gain_db = (double)i.volume_db, .agc = i.auto_gain,
		.noise_suppression = i.noise_suppression,
	};
}

void participant_set_number(struct leg_handle *p, const char *number)
{
	phone_number_plain(p->number, number ? number : "");
	if (!p->number[0])
		return;
	phone_number_mask(p->masked, p->number);
	/* Everybody reads the name, in the picture too. */
	if (!p->name[0] || phone_number_in(p->name, p->number))
		snprintf(p->name, sizeof p->name, "%.*s", PROTOCOL_MAX_NAME, p->masked);
}

/* As hall_tell, to one kind of participant; of: whom it is about, NULL: nobody. When
 * that one has left in the middle nobody else hears of it. */
ON_THREAD(ROLE_CTL) static void tell(struct hall *h, struct leg_event *ev, unsigned to,
				     const struct leg_handle *but, const struct leg_handle *of)
{
	GPtrArray *all = g_ptr_array_copy(h->people, NULL, NULL);
	uint64_t departures = h->departures;

	for (size_t i = 0; i < all->len; i++) {
		struct leg_handle *p = g_ptr_array_index(all, i);

		if (of && departures != h->departures && !hall_has(h, of))
			break;
		if (p != but && (departures == h->departures || hall_has(h, p)) &&
		    to & (p->host ? HOSTS : OTHERS))
			p->ev->event(p->obj, ev);
	}
	g_ptr_array_unref(all);
	leg_event_clear(ev);
}

/* p may be gone before all have heard it: the event has words of its own. */
ON_THREAD(ROLE_CTL) static void tell_person(struct hall *h, struct leg_handle *p, unsigned to,
					    const struct leg_handle *but)
{
	struct leg_event ev = { .type = LEG_EVENT_JOINED };
	char name[sizeof p->name], number[sizeof p->number + sizeof p->masked];

	participant_describe(p, to == HOSTS, &ev.u.joined);
	snprintf(name, sizeof name, "%s", p->name);
	ev.u.joined.name = name;
	if (ev.u.joined.number) {
		snprintf(number, sizeof number, "%s", ev.u.joined.number);
		ev.u.joined.number = number;
	}
	tell(h, &ev, to, but, p);
}

void hall_tell_person(struct hall *h, struct leg_handle *p, const struct leg_handle *but)
{
	if (!p->number[0]) {
		tell_person(h, p, HOSTS | OTHERS, but);
		return;
	}
	tell_person(h, p, OTHERS, but);
	if (hall_has(h, p))
		tell_person(h, p, HOSTS, but);
}

/* --- calls ------------------------------------------------------------------- */

static void fill_call(struct leg_event *ev, const struct dial_info *i)
{
	*ev = (struct leg_event){ .type = LEG_EVENT_CALL };
	ev->u.call = (struct call_info){ .call = i->id, .state = sip_dial_state_name(i->state),
					 .number = i->number, .name = i->name, .text = i->text,
					 .leg = i->leg };
}

void presence_call_changed(void *obj, const struct dial_info *i)
{
	struct hall *h;
	struct leg_event ev;

	role_assert_ctl();
	h = hall_find(obj, i->room);
	if (!h)
		return;
	fill_call(&ev, i);
	tell(h, &ev, HOSTS, NULL, NULL);
}

/* --- its recording ---------------------------------------------------------------- */

void presence_recording_changed(struct hall *h, const struct recording_info *i)
{
	struct leg_event ev = { .type = LEG_EVENT_RECORDING, .u.recording = *i };

	role_assert_ctl();
	tell(h, &ev, i->url ? HOSTS : HOSTS | OTHERS, NULL, NULL);
	if (!i->url)
		return;
	ev = (struct leg_event){ .type = LEG_EVENT_RECORDING, .u.recording = *i };
	ev.u.recording.url = NULL;
	tell(h, &ev, OTHERS, NULL, NULL);
}

/* --- servers that the room is sent to -------------------------------------------- */

static void fill_push(struct leg_event *ev, const struct push_info *i)
{
	*ev = (struct leg_event){ .type = LEG_EVENT_PUSH };
	ev->u.push = (struct push_told){ .push = i->id, .state = push_state_name(i->state),
					 .to = i->to, .text = i->text };
}

void presence_push_changed(void *obj, const struct push_info *i)
{
	struct leg_event ev;

	role_assert_ctl();
	fill_push(&ev, i);
	tell(obj, &ev, HOSTS, NULL, NULL);
}

static void tell_push(void *obj, const struct push_info *i)
{
	struct leg_handle *p = obj;
	struct leg_event ev;

	role_assert_ctl();
	fill_push(&ev, i);
	p->ev->event(p->obj, &ev);
	leg_event_clear(&ev);
}

static void tell_call(void *obj, const struct dial_info *i)
{
	struct leg_handle *p = obj;
	struct leg_event ev;

	role_assert_ctl();
	fill_call(&ev, i);
	p->ev->event(p->obj, &ev);
	leg_event_clear(&ev);
}

/* Its events do not make it leave: nothing here depends on it afterwards. */
void presence_brief_host(struct leg_handle *p, bool numbers)
{
	struct hall *h = p->hall;
	GPtrArray *all = g_ptr_array_copy(h->people, NULL, NULL);
	bool there = true;

	for (size_t i = 0; numbers && there && i < all->len; i++) {
		const struct leg_handle *o = g_ptr_array_index(all, i);
		struct leg_event ev = { .type = LEG_EVENT_JOINED };

		if (!hall_has(h, o) || !o->number[0])
			continue;
		participant_describe(o, true, &ev.u.joined);
		p->ev->event(p->obj, &ev);
		leg_event_clear(&ev);
		there = hall_has(h, p);
	}
	g_ptr_array_unref(all);
	if (there && h->pushes)
		pushes_each(h->pushes, tell_push, p);
	if (there)
		dials_each(p->conf->dials, p->room, tell_call, p);
}

int presence_dial(struct leg_handle *p, const struct client_msg *m, struct errmsg *why)
{
	const struct dial_ask ask = {
		.room = p->room, .to = m->u.dial.to, .name = m->u.dial.name,
		.trunk = m->u.dial.trunk, .digits = m->u.dial.digits, .by = p->name,
		.user_id = p->who.user_id, .host = p->host,
	};
	int64_t id;
	int err = dials_start(p->conf->dials, &ask, &id, why);

	if (!err)
		hall_audit(p, "dialled", m->u.dial.to);
	return err;
}

int presence_hangup(struct leg_handle *p, int64_t call, struct errmsg *why)
{
	if (!dials_hangup(p->conf->dials, p->room, call))
		return 0;
	return errmsg_set(why, -ENOENT, "call_unknown", "There is no such call in this room any more.");
}

/* --- names and volumes --------------------------------------------------------- */

int presence_rename(struct hall *h, uint32_t leg, const char *name, struct errmsg *why)
{
	struct leg_handle *p = hall_leg(h, leg);

	if (!p)
		return errmsg_set(why, -ENOENT, "bad_message", "Nobody with that number is in the room "
				  "any more.");
	if (!strcmp(p->name, name))
		return 0;
	if (data_member_rename(p->data, name))
		return errmsg_set(why, -ENOMEM, "internal", "The server is out of memory.");
	snprintf(p->name, sizeof p->name, "%s", name);
	leg_set_name(p->leg, name);
	hall_tell_person(h, p, NULL);
	return 0;
}

int conference_rename(struct conference *c, const char *room, uint32_t leg, const char *name,
		      struct errmsg *why)
{
	return presence_rename(hall_find(c, room), leg, name, why);
}

int conference_set_volume(struct conference *c, const char *room, uint32_t leg, double gain_db,
			  struct errmsg *why)
{
	struct leg_handle *p = hall_leg(hall_find(c, room), leg);

	if (!p)
		return errmsg_set(why, -ENOENT, "bad_message", "Nobody with that number is in the room "
				  "any more.");
	if (leg_set_volume(p->leg, (float)gain_db))
		return errmsg_set(why, -EINVAL, "bad_message", "A volume is from %d to %d decibels.",
				  LEG_VOLUME_MIN_DB, LEG_VOLUME_MAX_DB);
	moderation_tell_sound(p);
	return 0;
}

struct dials *conference_dials(struct conference *c)
{
	return c->dials;
}
