#include "signaling/leg_api.h"

#include <stdlib.h>
#include <string.h>

const char *leave_reason_name(enum leave_reason r)
{
	static const char *const names[] = { "",	 "left",  "lost",    "kicked",
					     "replaced", "error", "shutdown" };
	return (unsigned)r < sizeof(names) / sizeof(names[0]) ? names[r] : "";
}

void leg_totals_add(struct leg_totals *sum, const struct leg_totals *t)
{
	sum->audio = t->audio != CODEC_NONE ? t->audio : sum->audio;
	sum->video = t->video != CODEC_NONE ? t->video : sum->video;
	sum->packets_in += t->packets_in;
	sum->packets_out += t->packets_out;
	sum->lost_in += t->lost_in;
	sum->lost_out += t->lost_out;
	sum->audio_in += t->audio_in;
	sum->audio_lost += t->audio_lost;
	sum->jitter_ms = t->audio_in ? t->jitter_ms : sum->jitter_ms;
	sum->rtt_ms = t->rtt_ms > 0 ? t->rtt_ms : sum->rtt_ms;
}

static char *event_text(const struct leg_event *ev)
{
	switch (ev->type) {
	case LEG_EVENT_JOINED: return msg_joined(&ev->u.joined);
	case LEG_EVENT_LEFT: return msg_left(ev->u.left.leg, leave_reason_name(ev->u.left.reason));
	case LEG_EVENT_MUTED:
		return msg_muted(ev->u.muted.leg, ev->u.muted.audio, ev->u.muted.video,
				 ev->u.muted.by);
	case LEG_EVENT_SPEAKER: return msg_speaker(ev->u.speaker);
	case LEG_EVENT_LAYOUT: return msg_layout(&ev->u.layout);
	case LEG_EVENT_VIEWS: return msg_views(&ev->u.views);
	case LEG_EVENT_UPLINK: return msg_uplink(&ev->u.uplink);
	case LEG_EVENT_RECORDING: return msg_recording(NULL, &ev->u.recording);
	case LEG_EVENT_CHAT: return msg_chat(&ev->u.chat);
	case LEG_EVENT_HAND: return msg_hand(ev->u.hand.leg, ev->u.hand.raised);
	case LEG_EVENT_SOUND: return msg_sound(&ev->u.sound);
	case LEG_EVENT_ROOM: return msg_room(&ev->u.room);
	case LEG_EVENT_WAITING: return msg_waiting(&ev->u.waiting);
	case LEG_EVENT_PLAYBACK: return msg_playback(NULL, &ev->u.playback);
	case LEG_EVENT_CALL: return msg_call(&ev->u.call);
	case LEG_EVENT_PUSH: return msg_push(&ev->u.push);
	case LEG_EVENT_QUALITY: return msg_quality(&ev->u.quality);
	case LEG_EVENT_OVERLOAD:
		return msg_overload(ev->u.overload.level, ev->u.overload.text);
	case LEG_EVENT_SELF_VIEW:
		return msg_self_view(ev->u.self_view.hidden, ev->u.self_view.text);
	case LEG_EVENT_PRESENT_OVER:
		return msg_present_over(ev->u.present_over.by, ev->u.present_over.by_host);
	default: return NULL;
	}
}

const char *leg_event_text(struct leg_event *ev, size_t *len)
{
	if (!ev->text) {
		ev->text = event_text(ev);
		ev->text_len = ev->text ? strlen(ev->text) : 0;
	}
	*len = ev->text_len;
	return ev->text;
}

void leg_event_clear(struct leg_event *ev)
{
	free(ev->text);
	ev->text = NULL;
	ev->text_len = 0;
}
