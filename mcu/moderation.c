/* What participants say of themselves and hosts do to others. */
#include "mcu/base/log.h"
#include "mcu/conference_priv.h"
#include "mcu/view.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct leg_handle *person(const struct hall *h, size_t i)
{
	return g_ptr_array_index(h->people, i);
}

static int not_allowed(struct errmsg *why, const char *text)
{
	return errmsg_set(why, -EACCES, "not_allowed", "%s", text);
}

/* --- hosts ------------------------------------------------------------------- */

static bool has_host(const struct hall *h)
{
	for (size_t i = 0; i < h->people->len; i++)
		if (person(h, i)->host && !person(h, i)->who.device)
			return true;
	return false;
}

/* The one who has been here longest; an encoder cannot act as a host. */
ON_THREAD(ROLE_CTL) static void succeed(struct hall *h)
{
	struct leg_handle *p = NULL;

	for (size_t i = 0; i < h->people->len && !p; i++)
		if (!person(h, i)->who.device)
			p = person(h, i);
	if (h->registered || h->closing || !p || has_host(h))
		return;
	p->host = true;
	leg_set_host(p->leg, true);
	sessions_participant_host(h->conf->cfg.db, p->row_id);
	p->audio_held = p->video_held = false;
	hall_tell_changed(h, p);
	if (hall_has(h, p))
		presence_brief_host(p, true);
	if (hall_has(h, p) && h->lobby->len)
		lobby_tell(h, p);
}

static gboolean succession_due(gpointer arg)
{
	struct hall *h = arg;

	role_assert_ctl();
	h->succession = 0;
	succeed(h);
	return G_SOURCE_REMOVE;
}

void moderation_succession(struct hall *h, bool soon)
{
	if (h->registered || h->closing || has_host(h))
		return;
	if (!soon)
		succeed(h);
	else if (!h->succession)
		h->succession = g_timeout_add_seconds(SUCCESSION_S, succession_due, h);
}

bool moderation_may_record(const struct leg_handle *p)
{
	const char *r = p->hall->rules.record;

	return !strcmp(r, "all") || (strcmp(r, "nobody") != 0 && p->host);
}

/* --- muting ------------------------------------------------------------------ */

static int tri(enum tristate t)
{
	return t == TRISTATE_UNSET ? -1 : t == TRISTATE_TRUE;
}

int moderation_mute(struct leg_handle *p, enum tristate audio, enum tristate video,
		    struct errmsg *why)
{
	struct leg_info i;
	bool stuck = !p->host && !p->hall->rules.unmute;

	leg_get_info(p->leg, &i);
	if (stuck && i.audio_muted && audio == TRISTATE_FALSE)
		return not_allowed(why, "A host has muted you. Raise your hand to be heard.");
	if (stuck && p->video_held && video == TRISTATE_FALSE)
		return not_allowed(why, "A host has switched your camera off. Raise your hand to ask for "
				   "it.");
	if (audio == TRISTATE_FALSE)
		p->audio_held = false;
	if (video == TRISTATE_FALSE)
		p->video_held = false;
	leg_mute(p->leg, tri(audio), tri(video));
	return 0;
}

void moderation_present_over(struct leg_handle *p, uint32_t by, bool by_host)
{
	struct leg_event ev = { .type = LEG_EVENT_PRESENT_OVER };

	ev.u.present_over.by = by;
	ev.u.present_over.by_host = by_host;
	p->ev->event(p->obj, &ev);
	leg_event_clear(&ev);
}

bool moderation_too_often(const struct leg_handle *p, struct quota *q, int per_s)
{
	int64_t now = clock_now_ns(p->conf->cfg.engine->clock);

	return !quota_take(q, now, NS_PER_S / per_s, 4 * NS_PER_S + NS_PER_S / 2);
}

static int present_too_often(struct errmsg *why)
{
	return errmsg_set(why, -EBUSY, "rate_limited", "You begin to present too often. Wait a few "
			  "seconds.");
}

int moderation_agree_content(struct leg_handle *p, bool sends, struct errmsg *why)
{
	struct leg_info i;

	leg_get_info(p->leg, &i);
	return sends && !i.sends_content && moderation_too_often(p, &p->presenting, 1) ?
		       present_too_often(why) : 0;
}

ON_THREAD(ROLE_CTL) static int present(struct leg_handle *p, bool on, struct errmsg *why)
{
	if (on && p->content_held && !p->host && !p->hall->rules.unmute)
		return not_allowed(why, "A host has ended your presentation. Raise your hand to ask for "
				   "it.");
	if (on && moderation_too_often(p, &p->presenting, 1))
		return present_too_often(why);
	if (on && p->content_held) {
		p->content_held = 0;
		leg_hold_content(p->leg, false);
	}
	if (leg_present(p->leg, on))
		return errmsg_set(why, -ENOENT, "bad_state", "You send no picture.");
	return 0;
}

ON_THREAD(ROLE_CTL) static void content_off(struct leg_handle *p, uint32_t by)
{
	struct leg_info i;

	leg_get_info(p->leg, &i);
	if (!p->host && !p->hall->rules.unmute) {
		p->content_held = by;
		leg_hold_content(p->leg, true);
	} else {
		leg_present(p->leg, false);
	}
	if (i.presents)
		moderation_present_over(p, by, true);
}

ON_THREAD(ROLE_CTL) static int set_hand(struct leg_handle *p, bool raised)
{
	struct leg_event ev = { .type = LEG_EVENT_HAND };

	if (p->hand == raised)
		return 0;
	p->hand = raised;
	ev.u.hand.leg = leg_id(p->leg);
	ev.u.hand.raised = raised;
	hall_tell(p->hall, &ev, NULL);
	return 0;
}

/* --- moderate ---------------------------------------------------------------- */

ON_THREAD(ROLE_CTL) static void do_to(struct leg_handle *p, enum moderation action, uint32_t by)
{
	struct hall *h = p->hall;

	switch (action) {
	case MODERATE_MUTE:
	case MODERATE_CAMERA_OFF:
		p->audio_held = p->audio_held || action == MODERATE_MUTE;
		p->video_held = p->video_held || action == MODERATE_CAMERA_OFF;
		h->muted_by = by;
		leg_mute(p->leg, action == MODERATE_MUTE ? 1 : -1,
			 action == MODERATE_CAMERA_OFF ? 1 : -1);
		h->muted_by = 0;
		break;
	case MODERATE_CONTENT_OFF: content_off(p, by); break;
	case MODERATE_LOWER_HAND: set_hand(p, false); break;
	case MODERATE_REMOVE:
		participant_end(p, LEAVE_KICKED, "kicked", "A host has removed you from the room.");
		break;
	}
}

ON_THREAD(ROLE_CTL) static int moderate(struct leg_handle *host, enum moderation action,
					uint32_t leg, struct errmsg *why)
{
	struct hall *h = host->hall;
	uint32_t by = leg_id(host->leg);
	GPtrArray *all = g_ptr_array_copy(h->people, NULL, NULL);
	bool found = !leg;

	for (size_t i = 0; i < all->len; i++) {
		struct leg_handle *p = g_ptr_array_index(all, i);

		if (!hall_has(h, p) || (leg ? leg_id(p->leg) != leg : p == host || p->playback))
			continue;
		found = true;
		if (action == MODERATE_REMOVE)
			hall_audit(host, "removed", p->name);
		do_to(p, action, by);
	}
	g_ptr_array_unref(all);
	if (found && action == MODERATE_REMOVE)
		hall_watch_removed(h);
	return found ? 0 : errmsg_set(why, -ENOENT, "bad_message", "Nobody with that number is in the "
				      "room any more.");
}

/* --- sound ------------------------------------------------------------------- */

/* Of a host who turns a volume by a slider. */
enum { SOUNDS_PER_S = 5 };

void moderation_tell_sound(struct leg_handle *p)
{
	struct leg_event ev = { .type = LEG_EVENT_SOUND };
	struct leg_info i;

	leg_get_info(p->leg, &i);
	ev.u.sound = (struct sound_info){ i.id, (double)i.volume_db, i.auto_gain,
					  i.noise_suppression };
	hall_tell(p->hall, &ev, NULL);
}

/* What somebody does to his own sound, and hosts to that of others. */
ON_THREAD(ROLE_CTL) static int change_sound(struct leg_handle *p, const struct client_msg *m,
					    struct errmsg *why)
{
	bool volume = m->type == CLIENT_MSG_VOLUME;
	uint32_t leg = volume ? m->u.volume.leg : m->u.sound.leg;
	struct leg_handle *whose = leg ? hall_leg(p->hall, leg) : p;
	int err;

	if (!p->host && (volume || whose != p))
		return not_allowed(why, "Only a host of this room may do that.");
	if (!whose)
		return errmsg_set(why, -ENOENT, "bad_message", "Nobody with that number is in the "
				  "room any more.");
	if (moderation_too_often(p, &p->sounding, SOUNDS_PER_S))
		return errmsg_set(why, -EBUSY, "rate_limited", "You change the sound too often. Wait a "
				  "few seconds.");
	if (volume)
		err = leg_set_volume(whose->leg, (float)m->u.volume.gain_db);
	else
		err = leg_set_sound(whose->leg, tri(m->u.sound.agc),
				    tri(m->u.sound.noise_suppression));
	if (err)
		return errmsg_set(why, err, "internal", "The server has no memory for that. Try again "
				  "later.");
	moderation_tell_sound(whose);
	return 0;
}

/* --- policy ------------------------------------------------------------------ */

static void change(bool *to, enum tristate t)
{
	if (t != TRISTATE_UNSET)
		*to = t == TRISTATE_TRUE;
}

static void change_pin(struct leg_handle *p, char to[ROOM_PIN_HASH_LEN + 1], const char *pin)
{
	if (pin && *pin)
		pin_hash(to, p->conf->cfg.key, p->room, pin);
	else if (pin)
		to[0] = 0;
}

ON_THREAD(ROLE_CTL) static void audit_policy(const struct leg_handle *p,
					     const struct room_policy_info *i)
{
	char text[160];

	snprintf(text, sizeof text, "locked=%d lobby=%d guest_pin=%d host_pin=%d unmute=%d record=%s",
		 i->locked, i->lobby, i->guest_pin, i->host_pin, i->unmute,
		 record_right_name(i->record));
	hall_audit(p, "room_rules_changed", text);
}

/* Of the running room; a registered room's own rules stay as they are. */
ON_THREAD(ROLE_CTL) static int change_policy(struct leg_handle *p, const struct policy_change *c)
{
	struct leg_event ev = { .type = LEG_EVENT_ROOM };
	struct hall *h = p->hall;
	const struct room_rules before = h->rules;

	change(&h->rules.locked, c->locked);
	change(&h->rules.lobby, c->lobby);
	change(&h->rules.unmute, c->unmute);
	change_pin(p, h->rules.guest_pin, c->guest_pin);
	change_pin(p, h->rules.host_pin, c->host_pin);
	if (c->record)
		snprintf(h->rules.record, sizeof h->rules.record, "%s", record_right_name(c->record));
	hall_watch_look(h, &before);
	hall_policy_info(h, &ev.u.room);
	audit_policy(p, &ev.u.room);
	hall_tell(h, &ev, NULL);
	hall_record_look(h);
	/* Who waited for a lobby that is no more comes in. */
	if (before.lobby && !h->rules.lobby && h->lobby->len)
		lobby_decide(h, 0, true);
	return 0;
}

int moderation_act(struct leg_handle *p, const struct client_msg *m, struct errmsg *why)
{
	switch (m->type) {
	case CLIENT_MSG_CHAT: return chat_say(p, m->u.chat.text, m->u.chat.to, why);
	case CLIENT_MSG_HAND: return set_hand(p, m->u.hand.raised);
	case CLIENT_MSG_PRESENT: return present(p, m->u.present.on, why);
	case CLIENT_MSG_VOLUME:
	case CLIENT_MSG_SOUND: return change_sound(p, m, why);
	case CLIENT_MSG_DIAL: return presence_dial(p, m, why);
	case CLIENT_MSG_RENAME:
	case CLIENT_MSG_HANGUP:
	case CLIENT_MSG_PLAY:
	case CLIENT_MSG_PLAYBACK:
	case CLIENT_MSG_PLAYBACK_STOP:
	case CLIENT_MSG_LAYOUT:
	case CLIENT_MSG_VIEWS:
	case CLIENT_MSG_MODERATE:
	case CLIENT_MSG_ADMIT:
	case CLIENT_MSG_POLICY: break;
	default: return not_allowed(why, "That is not possible here.");
	}
	if (!p->host)
		return not_allowed(why, "Only a host of this room may do that.");
	if (m->type == CLIENT_MSG_MODERATE)
		return moderate(p, m->u.moderate.action, m->u.moderate.leg, why);
	if (m->type == CLIENT_MSG_LAYOUT)
		return view_change(p->hall->room, &p->conf->cfg.engine->cfg, &m->u.layout, why);
	if (m->type == CLIENT_MSG_VIEWS)
		return hall_change_views(p->hall, &m->u.views, NULL, why);
	if (m->type == CLIENT_MSG_RENAME)
		return presence_rename(p->hall, m->u.rename.leg, m->u.rename.name, why);
	if (m->type == CLIENT_MSG_HANGUP)
		return presence_hangup(p, m->u.hangup.call, why);
	if (m->type == CLIENT_MSG_PLAY || m->type == CLIENT_MSG_PLAYBACK ||
	    m->type == CLIENT_MSG_PLAYBACK_STOP)
		return playback_act(p, m, why);
	if (m->type == CLIENT_MSG_POLICY)
		return change_policy(p, &m->u.policy);
	if (lobby_decide(p->hall, m->u.admit.waiting, m->u.admit.allow))
		return errmsg_set(why, -ENOENT, "bad_message", "Whoever that was does not wait any more.");
	return 0;
}
