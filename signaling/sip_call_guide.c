/* What talks to a caller: does what the state machine of ivr.h says, with the legs of a
 * call, and tells it what comes of that. */
#include "signaling/sip_call_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/ivr.h"

struct guide {
	struct ivr ivr;
	bool began;	 /* a start or an entrance was told to it */
	const char *farewell; /* to be said in the parlour; NULL: nothing */
	bool refused;	 /* by the room that it wanted last */
	bool commanding; /* what it hears now is what it did */
	int64_t due_ns;	 /* of its timer; 0: none */
	char layout[24];
};

/* One step leads to few others. */
enum { MOST_STEPS = 8 };

static const struct ivr_cfg plain = { .language = "en" };

static const struct ivr_cfg *cfg_of(const struct sip_call *c)
{
	return c->set->side.ivr ? c->set->side.ivr : &plain;
}

/* NULL: out of memory, and nobody is guided. */
static struct guide *guide_of(struct sip_call *c)
{
	if (!c->guide)
		c->guide = calloc(1, sizeof(struct guide));
	return c->guide;
}

/* --- what it wants done -------------------------------------------------------------- */

/* False: it will never be over, for it does not begin. */
ON_THREAD(ROLE_CTL) static bool play(struct sip_call *c, const struct guide *g,
				     const struct ivr_do *d)
{
	const struct sip_calls_side *side = &c->set->side;
	const struct prompt_req req = {
		.id = d->id, .language = g->ivr.language, .names = d->prompt, .n = d->n,
		.loop = d->loop, .until_digit = d->until_digit, .replace = true,
	};
	struct errmsg why;

	return side->api->prompt && c->active && c->active->h &&
	       !side->api->prompt(side->api_ctx, c->active->h, &req, &why);
}

static int step_layout(const struct guide *g, struct client_msg *m, bool forward)
{
	static const char *const names[] = {
		"grid", "speaker", "speaker-only", "presentation", "side-by-side",
		"picture-in-picture", "lecture",
	};
	size_t n = sizeof names / sizeof *names, at = 0;

	while (at < n && strcmp(names[at], g->layout))
		at++;
	/* one that the hosts drew themselves comes before the first */
	at = forward ? (at < n ? at + 1 : 0) : (at < n ? at + n - 1 : n - 1);
	m->type = CLIENT_MSG_LAYOUT;
	m->u.layout.layout = names[at % n];
	return 0;
}

ON_THREAD(ROLE_CTL) static int command(struct sip_call *c, const struct guide *g,
				       const struct ivr_do *d, struct errmsg *why)
{
	const struct sip_calls_side *side = &c->set->side;
	const struct room_api *api = side->api;
	struct leg_handle *h = c->active->h;
	struct client_msg m = { .id = "" };
	struct record_wish wish = { 0 };

	switch (d->command) {
	case IVR_MUTE:
		return api->mute(side->api_ctx, h, d->on ? TRISTATE_TRUE : TRISTATE_FALSE,
				 TRISTATE_UNSET, why);
	case IVR_RECORD:
		wish.action = d->on ? RECORD_START : RECORD_STOP;
		return api->record(side->api_ctx, h, &wish, why);
	case IVR_RECORD_PAUSE:
		wish.action = d->on ? RECORD_PAUSE : RECORD_RESUME;
		return api->record(side->api_ctx, h, &wish, why);
	case IVR_LOUDER:
	case IVR_QUIETER: return api->hear(side->api_ctx, h, (float)d->volume_db, why);
	case IVR_HAND:
		m.type = CLIENT_MSG_HAND;
		m.u.hand.raised = d->on;
		break;
	default: step_layout(g, &m, d->command == IVR_LAYOUT_NEXT);
	}
	return api->act(side->api_ctx, h, &m, why);
}

/* False: nothing follows at once. */
ON_THREAD(ROLE_CTL) static bool run_command(struct sip_call *c, struct guide *g, struct ivr_do *d)
{
	struct errmsg why = { .code = "" };
	enum ivr_command which = d->command;
	int err;

	if (!c->active || !c->active->h)
		return false;
	g->commanding = true;
	err = command(c, g, d, &why);
	if (c->guide != g) /* the call has ended meanwhile */
		return false;
	g->commanding = false;
	ivr_done(&g->ivr, which, err ? why.code : "", d);
	return true;
}

/* Likewise. What it typed is the room, or the PIN of the one that it called. */
ON_THREAD(ROLE_CTL) static bool run_enter(struct sip_call *c, struct guide *g, struct ivr_do *d)
{
	struct errmsg why = { .code = "" };
	char room[sizeof(c->room)];
	int err;

	snprintf(room, sizeof(room), "%s", g->ivr.room[0] ? g->ivr.room : c->room);
	snprintf(c->pin, sizeof(c->pin), "%s", g->ivr.pin);
	err = call_enter_room(c, room, &why);
	explicit_bzero(c->pin, sizeof(c->pin));
	if (c->guide != g || !err)
		return false;
	g->refused = true;
	ivr_refused(&g->ivr, why.code, d);
	return true;
}

static void set_timer(const struct sip_call *c, struct guide *g, const struct ivr_do *d)
{
	if (d->timer_ms > 0)
		call_due_in(c, &g->due_ns, d->timer_ms * NS_PER_MS);
	else if (!d->timer_ms)
		g->due_ns = 0;
}

ON_THREAD(ROLE_CTL) static void carry_out(struct sip_call *c, struct guide *g, struct ivr_do *d)
{
	bool more = true;

	call_hold(c);
	for (int i = 0; more && i < MOST_STEPS && call_alive(c); i++) {
		uint32_t id = d->id;

		more = false;
		set_timer(c, g, d);
		if (d->hang_up) {
			call_end(c, g->refused ? SIP_END_REJECTED : SIP_END_HANGUP_LOCAL, 480, "");
		} else if (d->enter) {
			more = run_enter(c, g, d);
		} else if (d->command) {
			more = run_command(c, g, d);
		} else if (d->n || d->hush) {
			bool loop = d->loop;

			/* What cannot be heard is over at once; music that is not there, never. */
			if (!play(c, g, d) && d->n && !loop) {
				ivr_prompt_over(&g->ivr, id, false, d);
				more = true;
			}
		}
	}
	call_release(c);
}

/* --- what happens ---------------------------------------------------------------------- */

void call_guide_start(struct sip_call *c)
{
	struct guide *g = c->out ? NULL : guide_of(c);
	const struct ivr_cfg *cfg = cfg_of(c);
	struct ivr_do d;

	if (!g)
		return;
	if (g->farewell)
		ivr_farewell(&g->ivr, cfg, g->farewell, &d);
	else if (c->joining && c->joining->waiting && g->began)
		ivr_waits(&g->ivr, &d);
	else if (c->joining && c->joining->waiting)
		ivr_start_waiting(&g->ivr, cfg, &d);
	else if (c->guide_why == CALL_GUIDE_PIN)
		ivr_start_pin(&g->ivr, cfg, &d);
	else
		ivr_start(&g->ivr, cfg, &d);
	g->began = true;
	carry_out(c, g, &d);
}

void call_guide_entered(struct sip_call *c)
{
	struct guide *g = guide_of(c);
	const struct ivr_room room = { .others = c->active->others, .muted = c->active->muted,
				       .recorded = c->active->recorded, .paused = c->active->paused };
	struct ivr_do d;

	if (!g)
		return;
	if (!g->began)
		ivr_start_room(&g->ivr, cfg_of(c));
	g->began = true;
	g->refused = false;
	ivr_entered(&g->ivr, &room, &d);
	/* Who was called by the room has been told by whoever called. */
	if (c->out)
		d.n = 0;
	carry_out(c, g, &d);
}

bool call_guide_refused(struct sip_call *c, const struct errmsg *why)
{
	struct guide *g = c->guide;
	struct ivr_do d;

	if (!g || !g->began)
		return false;
	g->refused = true;
	ivr_refused(&g->ivr, why->code, &d);
	carry_out(c, g, &d);
	return true;
}

bool call_guide_farewell(struct sip_call *c, enum leave_reason reason)
{
	struct guide *g = c->guide;
	struct errmsg why;

	if (reason != LEAVE_KICKED || c->state != CALL_UP || c->out || c->joining || !g ||
	    !c->set->side.api->prompt)
		return false;
	g->farewell = "removed";
	return !call_enter_parlour(c, &why);
}

/* What concerns the call's own leg. False: nothing. */
static bool hear(struct guide *g, const struct call_leg *l, const struct leg_event *ev,
		 struct ivr_do *d)
{
	switch (ev->type) {
	case LEG_EVENT_DIGIT: ivr_digit(&g->ivr, ev->u.digit, d); return true;
	case LEG_EVENT_PROMPT_OVER:
		ivr_prompt_over(&g->ivr, ev->u.prompt_over.id, ev->u.prompt_over.stopped, d);
		return true;
	case LEG_EVENT_MUTED:
		if (ev->u.muted.leg != l->id || g->commanding)
			return false;
		ivr_was_muted(&g->ivr, ev->u.muted.audio, ev->u.muted.by != 0, d);
		return true;
	case LEG_EVENT_HAND:
		if (ev->u.hand.leg != l->id || g->commanding)
			return false;
		ivr_hand_was(&g->ivr, ev->u.hand.raised, d);
		return true;
	case LEG_EVENT_RECORDING:
		ivr_was_recorded(&g->ivr, ev->u.recording.state == RECORDING_IS_ON ||
						  ev->u.recording.state == RECORDING_IS_PAUSED,
				 ev->u.recording.state == RECORDING_IS_PAUSED, d);
		return true;
	case LEG_EVENT_LAYOUT:
		snprintf(g->layout, sizeof(g->layout), "%s", ev->u.layout.layout);
		return false;
	default: return false;
	}
}

void call_guide_event(struct sip_call *c, const struct leg_event *ev)
{
	struct guide *g = c->guide;
	struct ivr_do d;

	if (g && g->began && c->active && hear(g, c->active, ev, &d))
		carry_out(c, g, &d);
}

void call_guide_tick(struct sip_call *c)
{
	struct guide *g = c->guide;
	struct ivr_do d;

	if (!g || !g->due_ns || call_now_ns(c->set) < g->due_ns)
		return;
	g->due_ns = 0;
	ivr_timer(&g->ivr, &d);
	carry_out(c, g, &d);
}

int64_t call_guide_due_ns(const struct sip_call *c)
{
	const struct guide *g = c->guide;

	return g ? g->due_ns : 0;
}

void call_guide_stop(struct sip_call *c)
{
	struct guide *g = c->guide;

	c->guide = NULL;
	if (g)
		explicit_bzero(&g->ivr, sizeof(g->ivr)); /* PINs */
	free(g);
}
