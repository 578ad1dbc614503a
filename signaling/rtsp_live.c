/* The leg of a session that watches a room: it joins with PLAY and leaves with PAUSE. */
#include "signaling/rtsp_internal.h"

#include <errno.h>
#include <string.h>

#include "mcu/base/log.h"
#include "signaling/sdp_log.h"

static void on_welcome(void *obj, const struct welcome_info *w);
static void on_closed(void *obj, enum leave_reason reason, const struct errmsg *why);

static void on_candidate(void *obj, const char *candidate)
{
	(void)obj;
	(void)candidate;
}

static void on_offer_wanted(void *obj)
{
	(void)obj;
}

static void on_event(void *obj, struct leg_event *ev)
{
	(void)obj;
	(void)ev;
}

static const struct leg_events leg_events = {
	.welcome = on_welcome,
	.candidate = on_candidate,
	.offer_wanted = on_offer_wanted,
	.event = on_event,
	.closed = on_closed,
};

void rtsp_live_request(struct join_req *out, const struct rtsp_conn *c, const char *room,
		       const char *pin, const char *display, const char *token)
{
	*out = (struct join_req){
		.room = room, .name = display[0] && protocol_name_valid(display) ? display : "Viewer",
		.pin = pin[0] ? pin : NULL, .token = token, .peer = c->peer, .device = true,
		.kind = LEG_KIND_RTSP, .existing = true,
	};
}

/* Whoever asked is told. */
ON_THREAD(ROLE_CTL) static void fail(struct rtsp_session *s, const struct errmsg *why)
{
	struct rtsp_conn *c = rtsp_session_answer(s);

	rtsp_live_stop(s, LEAVE_ERROR);
	if (!c)
		return;
	rtsp_refuse_why(c, why);
	rtsp_conn_release(c);
}

/* It only watches, over plain RTP. */
static void restrict_policy(struct neg_policy *p)
{
	for (unsigned r = 0; r < NEG_N_ROLES; r++) {
		p->media[r].dir = (enum neg_dir)(p->media[r].dir & NEG_SENDONLY);
		p->media[r].enabled = p->media[r].enabled &&
				      (r == NEG_ROLE_AUDIO || r == NEG_ROLE_CAMERA);
		p->media[r].rtx = p->media[r].red = p->media[r].dtmf = false;
	}
	p->security = NEG_PLAIN;
}

ON_THREAD(ROLE_CTL) static int negotiate(struct rtsp_session *s, struct errmsg *why)
{
	const struct room_api *api = s->rtsp->api;
	struct neg_policy policy = { .security = 0 };
	struct sdp *offer = NULL, *answer = NULL;
	struct neg_plan *plan = NULL;
	char *text = rtsp_sdp_offer(s);
	int err = sdp_parse(&offer, text, strlen(text), why);

	sdp_log(NULL, "what an RTSP client takes", text, strlen(text));
	g_free(text);
	if (!err)
		err = api->local(s->rtsp->api_ctx, s->leg, false, &policy, why);
	if (!err && s->leg) {
		restrict_policy(&policy);
		err = neg_answer(offer, &policy, NULL, &answer, &plan, why);
	}
	if (!err && s->leg)
		err = api->negotiated(s->rtsp->api_ctx, s->leg, plan, why);
	sdp_free(&offer);
	sdp_free(&answer);
	if (err || !s->leg) {
		neg_plan_free(&plan);
		return err;
	}
	neg_plan_free(&s->plan);
	s->plan = plan;
	return 0;
}

ON_THREAD(ROLE_CTL) static void enter(struct rtsp_session *s)
{
	struct errmsg why = { .code = "" };
	struct rtsp_conn *c;
	int err = negotiate(s, &why);

	if (err) {
		if (!why.code[0])
			errmsg_set(&why, err, "internal", "That failed: %s.", err_str(err));
		fail(s, &why);
		return;
	}
	if (!s->leg)
		return;
	s->state = RTSP_STATE_PLAYING;
	c = rtsp_session_answer(s);
	if (!c)
		return;
	rtsp_reply(c, 200, s, "Range: npt=now-\r\n", NULL, NULL);
	rtsp_conn_release(c);
}

static void on_welcome(void *obj, const struct welcome_info *w)
{
	struct rtsp_session *s = obj;

	(void)w;
	role_assert_ctl();
	s->welcomed = true;
	if (s->leg && !s->over) { /* else join() has not returned yet */
		rtsp_session_hold(s);
		enter(s);
		rtsp_session_release(s);
	}
}

static void on_closed(void *obj, enum leave_reason reason, const struct errmsg *why)
{
	struct rtsp_session *s = obj;
	struct errmsg none;

	role_assert_ctl();
	s->leg = NULL;
	log_info(NULL, "RTSP of %s ended: %s", s->peer, leave_reason_name(reason));
	errmsg_set(&none, 0, "ended", "The session has ended.");
	rtsp_session_end(s, why && why->code[0] ? why : &none);
}

void rtsp_live_play(struct rtsp_session *s, struct rtsp_conn *c)
{
	const struct room_api *api = s->rtsp->api;
	struct errmsg why = { .code = "" };
	struct leg_handle *leg = NULL;
	struct join_req req;
	int err;

	rtsp_live_request(&req, c, s->name, s->pin, s->display, s->token);
	req.ports = s->ports;
	rtsp_session_await(s, c);
	rtsp_session_hold(s);
	s->welcomed = false;
	err = api->join(s->rtsp->api_ctx, &req, &leg_events, s, &leg, &why);
	if (err) {
		fail(s, &why);
	} else if (!s->over) {
		s->leg = leg;
		if (s->welcomed)
			enter(s);
	}
	rtsp_session_release(s);
}

void rtsp_live_stop(struct rtsp_session *s, enum leave_reason reason)
{
	struct leg_handle *leg = s->leg;

	s->leg = NULL;
	neg_plan_free(&s->plan);
	s->state = RTSP_STATE_READY;
	if (leg)
		s->rtsp->api->leave(s->rtsp->api_ctx, leg, reason);
}
