/* A playback as somebody in the room: its leg, its events. */
#include "mcu/playback_priv.h"

#include <stdio.h>
#include <string.h>

enum { ACTS_PER_S = 5 };

/* --- local_source: what its sound and picture are --------------------------------- */

static bool source_sound(void *obj, int64_t due_ns, float *out, int channels)
{
	role_assert_mixa();
	return playback_feed_sound(((const struct playback *)obj)->feed, due_ns, out, channels);
}

static struct vframe *source_picture(void *obj, int64_t now_ns)
{
	role_assert_mixv();
	return playback_feed_picture(((const struct playback *)obj)->feed, now_ns);
}

static void source_wanted(void *obj, bool on)
{
	struct playback *p = obj;

	role_assert_ctl();
	if (on)
		playback_feed_again(p->feed);
	/* One source may take over from the other, in any order: only the next turn says that
	 * none is looked at. */
	p->wanted += on ? 1 : 0;
	p->wanted -= !on && p->wanted ? 1 : 0;
	if (p->wanted)
		playback_order_wanted(p);
}

static void source_released(void *obj)
{
	struct playback *p = obj;

	role_assert_ctl();
	p->pulled = false;
	playback_reap(p);
}

static const struct local_source_ops source_ops = {
	.sound = source_sound,
	.picture = source_picture,
	.wanted = source_wanted,
	.released = source_released,
};

int playback_enter(struct playback *p, struct leg_handle *l, struct room *r)
{
	const struct local_source s = { &source_ops, p };
	int err = room_join_local(r, l->name, &s, &participant_watcher, l, &l->leg);

	p->pulled = p->pulled || !err;
	return err;
}

/* --- leg_events: as what speaks for it -------------------------------------------- */

static void on_welcome(void *obj, const struct welcome_info *w)
{
	(void)obj;
	(void)w;
}

static void on_candidate(void *obj, const char *candidate)
{
	(void)obj;
	(void)candidate;
}

static void on_offer_wanted(void *obj)
{
	(void)obj;
}

/* Another one presents now: it goes on as somebody in the layout. */
ON_THREAD(ROLE_CTL) static void outdone(struct playback *p)
{
	if (!p->content || !p->leg || !p->leg->leg)
		return;
	p->content = false;
	playback_show(p);
	playback_tell(p);
}

static void on_outdone_posted(void *obj, void *arg)
{
	struct playback *p = obj;

	(void)arg;
	role_assert_ctl();
	p->asking = false;
	if (!p->ended)
		outdone(p);
	playback_reap(p);
}

/* What it hears of the room is of no interest; that it does not present any more comes
 * from the middle of a change. */
static void on_event(void *obj, struct leg_event *ev)
{
	struct playback *p = obj;

	role_assert_ctl();
	if (ev->type != LEG_EVENT_PRESENT_OVER || p->asking || p->ended)
		return;
	p->asking = true;
	engine_post(p->owner->conf->cfg.engine->ctl, on_outdone_posted, p, NULL);
}

/* Removed by a host, or the room has closed. */
static void on_closed(void *obj, enum leave_reason reason, const struct errmsg *why)
{
	struct playback *p = obj;

	(void)reason;
	(void)why;
	role_assert_ctl();
	p->leg = NULL;
	playback_finish(p, NULL);
}

static const struct leg_events leg_events = {
	.welcome = on_welcome,
	.candidate = on_candidate,
	.offer_wanted = on_offer_wanted,
	.event = on_event,
	.closed = on_closed,
};

int playback_join(struct playback *p, struct errmsg *why)
{
	struct conference *c = p->owner->conf;
	struct join_req req = { .room = p->room, .name = p->title, .kind = LEG_KIND_PLAYBACK,
				.device = true, .called = true, .peer = "" };
	struct hall *h = hall_find(c, p->room);
	struct leg_handle *l;
	int err;

	if (!h || h->closing)
		return errmsg_set(why, -ENOENT, "room_unknown", "The room has closed.");
	l = join_new(c, &req, &leg_events, p);
	if (!l)
		return errmsg_set(why, -ENOMEM, "internal", "The server is out of memory.");
	snprintf(l->room, sizeof l->room, "%s", p->room);
	l->playback = p;
	p->leg = l;
	err = join_enter(l, h, why);
	if (err) {
		p->leg = NULL;
		join_discard(l);
		return err;
	}
	if (p->leg) /* nobody has removed it from inside */
		p->leg_id = leg_id(l->leg);
	return 0;
}

void playback_show(struct playback *p)
{
	const struct leg_local_media m = {
		.audio = p->facts.audio, .video = p->facts.video,
		.content = p->content && p->facts.video,
	};

	if (p->leg)
		leg_set_local_media(p->leg->leg, &m);
}

void playback_leave(struct playback *p)
{
	struct leg_handle *l = p->leg;

	p->leg = NULL;
	if (l)
		conference_api.leave(p->owner->conf, l, p->failing ? LEAVE_ERROR : LEAVE_LEFT);
}

ON_THREAD(ROLE_CTL) static void fill_event(const struct playback *p, struct leg_event *ev)
{
	struct playback_info i;

	playback_describe(p, &i);
	ev->type = LEG_EVENT_PLAYBACK;
	ev->u.playback = (struct playback_event){
		.playback = i.id, .leg = i.leg, .state = playback_state_name(i.state),
		.source = playback_source_name(i.source), .title = i.title, .by = i.by, .text = i.text,
		.position_ms = i.position_ms, .duration_ms = i.duration_ms, .page = i.page,
		.pages = i.pages, .loop = i.loop, .content = i.content, .seekable = i.seekable,
		.code = i.code,
	};
}

/* Whoever hears it may make it end: its words are copies. */
void playback_tell(struct playback *p)
{
	struct hall *h = hall_find(p->owner->conf, p->room);
	char title[sizeof p->title], by[sizeof p->by], text[sizeof p->text], code[sizeof p->code];
	struct leg_event ev = { .type = LEG_EVENT_PLAYBACK };
	struct playback_info i;

	playback_describe(p, &i);
	p->told = i.state;
	if (!h)
		return;
	fill_event(p, &ev);
	memcpy(title, p->title, sizeof title);
	memcpy(by, p->by, sizeof by);
	memcpy(text, p->text, sizeof text);
	memcpy(code, p->code, sizeof code);
	ev.u.playback.title = title;
	ev.u.playback.by = by;
	ev.u.playback.text = text;
	ev.u.playback.code = code;
	hall_tell(h, &ev, p->leg);
}

void playbacks_brief(struct playbacks *all, const struct hall *h, struct leg_handle *to)
{
	for (guint i = 0; i < all->all->len && hall_has(h, to); i++) {
		struct playback *p = g_ptr_array_index(all->all, i);
		struct leg_event ev = { .type = LEG_EVENT_PLAYBACK };

		if (p->ended || p->leg == to || strcmp(p->room, room_name(h->room)))
			continue;
		fill_event(p, &ev);
		to->ev->event(to->obj, &ev);
		leg_event_clear(&ev);
	}
}

/* --- hosts -------------------------------------------------------------------------- */

ON_THREAD(ROLE_CTL) static int begin(struct leg_handle *l, const struct play_wish *w,
				     struct errmsg *why)
{
	const struct playback_ask ask = {
		.room = l->room, .source = playback_source_parse(w->source), .id = w->item,
		.token = w->token, .url = w->url, .title = w->title, .by = l->name, .user_id = l->who.user_id,
		.loop = w->loop,
		.paused = w->paused, .content = w->content, .position_ms = w->position_ms,
	};
	uint32_t id;
	int err = playback_start(l->conf->playbacks, &ask, &id, why);

	if (!err)
		hall_audit(l, "playback_started", w->source);
	return err;
}

int playback_act(struct leg_handle *l, const struct client_msg *m, struct errmsg *why)
{
	const struct playback_wish *w = &m->u.playback;
	const struct playback_change c = {
		.paused = w->paused, .loop = w->loop, .content = w->content,
		.position_ms = w->position_ms, .page = w->page, .muted = w->muted, .hidden = w->hidden,
	};

	if (moderation_too_often(l, &l->sounding, ACTS_PER_S))
		return errmsg_set(why, -EBUSY, "rate_limited", "You do that too often. Wait a few seconds.");
	if (m->type == CLIENT_MSG_PLAY)
		return begin(l, &m->u.play, why);
	if (m->type == CLIENT_MSG_PLAYBACK_STOP)
		return playback_stop(l->conf->playbacks, l->room, w->playback, why);
	return playback_change(l->conf->playbacks, l->room, w->playback, &c, why);
}
