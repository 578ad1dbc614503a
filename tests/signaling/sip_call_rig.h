/* A set of calls with a fake room on one side and fake dialogs on the other. What the
 * calls say is written down as words; what they hear is said by words too, so that a test
 * is a line: what happens, and what must come of it. Included by one file per program. */
#ifndef TESTS_SIGNALING_SIP_CALL_RIG_H
#define TESTS_SIGNALING_SIP_CALL_RIG_H

#include "signaling/sip_call_priv.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HEAD "v=0\r\no=phone 1 %d IN IP4 192.0.2.50\r\ns=call\r\nc=IN IP4 %s\r\nt=0 0\r\n"
#define SOUND "m=audio 16384 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n"

struct leg_handle {
	bool called, existing; /* of its join */
	bool used, parlour, ended;
	const struct leg_events *ev;
	void *obj;
	char room[257];
	char ufrag[16], peer_ufrag[16]; /* theirs: as was agreed on last */
	int restarts; /* of ICE, that were asked for */
};

struct rig {
	struct sip_call_set *set;
	struct clock clock;
	struct sip_call *call[4]; /* as their dialogs point to them */
	size_t n_calls;
	char log[4096];
	/* the fake room */
	struct leg_handle leg[8];
	size_t n_legs;
	bool late_welcome, lobby;
	const char *refuse, *refuse_late; /* code of join's error; of closed() */
	int negotiated_err;
	bool ice; /* the legs can do that */
	enum neg_dir dir; /* of sound, in the last plan agreed on */
	size_t agreements;
	/* records */
	struct sip_cdr cdr;
	int begun, answered, ended;
	int ports;
	bool withheld;
	/* dialling */
	size_t n_targets;
	bool srtp, plain; /* of targets */
	enum sip_dial_state dial_state;
	int dial_status;
	int64_t dial_id;
	struct sip_refer_wish wish; /* the last */
	bool ask_later;
	int refer_err;
	const char *only; /* calls are redirected to where this is in */
	int redirects;
	char sdp[2000]; /* ours, said last */
};

/* The dialog of a call; its number is its place. */
struct fake_dialog {
	struct rig *r;
	size_t i;
};

__attribute__((format(printf, 2, 3))) static inline void say(struct rig *r, const char *fmt, ...)
{
	size_t n = strlen(r->log);
	va_list ap;

	if (n)
		r->log[n++] = ' ';
	va_start(ap, fmt);
	vsnprintf(r->log + n, sizeof(r->log) - n, fmt, ap);
	va_end(ap);
}

/* --- the dialog --------------------------------------------------------------------- */

static inline void keep(struct rig *r, const char *sdp)
{
	snprintf(r->sdp, sizeof(r->sdp), "%s", sdp ? sdp : "");
}

static inline void d_respond(void *dialog, const struct sip_reply *a)
{
	struct fake_dialog *d = dialog;
	keep(d->r, a->sdp);
	say(d->r, "%d%s", a->status, a->sdp ? "+sdp" : "");
	if (a->status == 503)
		assert_true(a->retry_after_s > 0);
	if (a->status == 488)
		assert_non_null(a->warning);
}

static inline void d_invite(void *dialog, const char *sdp)
{
	struct fake_dialog *d = dialog;
	keep(d->r, sdp);
	say(d->r, "INVITE%s", sdp ? "+sdp" : "");
}

static inline void d_ack(void *dialog, const char *sdp)
{
	struct fake_dialog *d = dialog;
	say(d->r, "ACK%s", sdp ? "+sdp" : "");
}

static inline void d_cancel(void *dialog, const char *reason)
{
	struct fake_dialog *d = dialog;
	assert_non_null(reason);
	say(d->r, "CANCEL");
}

static inline void d_bye(void *dialog, const char *reason)
{
	struct fake_dialog *d = dialog;
	assert_non_null(strstr(reason, "cause="));
	say(d->r, "BYE");
}

static inline void d_info(void *dialog, const char *type, const char *body)
{
	struct fake_dialog *d = dialog;
	(void)type;
	(void)body;
	say(d->r, "INFO");
}

static inline void d_refer(void *dialog, int status)
{
	struct fake_dialog *d = dialog;
	say(d->r, "refer:%d", status);
}

static inline void d_notify(void *dialog, int status, const char *phrase, bool last)
{
	struct fake_dialog *d = dialog;
	(void)phrase;
	say(d->r, "NOTIFY:%d%s", status, last ? "." : "");
}

static inline void d_redirect(void *dialog, const char *uri, const char *sdp)
{
	struct fake_dialog *d = dialog;
	assert_non_null(sdp);
	keep(d->r, sdp);
	say(d->r, "INVITE:%s", uri ? uri : "again");
}

static inline void d_done(void *dialog)
{
	struct fake_dialog *d = dialog;
	d->r->call[d->i] = NULL;
	say(d->r, "done");
	free(d);
}

static const struct sip_dialog_ops fake_ops = {
	d_respond, d_invite, d_ack, d_cancel, d_bye, d_info, d_refer, d_notify, d_redirect, d_done,
};

static inline struct fake_dialog *fake_dialog(struct rig *r)
{
	struct fake_dialog *d = calloc(1, sizeof(*d));
	d->r = r;
	d->i = r->n_calls++;
	assert_true(d->i < 4);
	return d;
}

/* --- the room ------------------------------------------------------------------------- */

static inline void welcome(struct leg_handle *l)
{
	struct welcome_info w = { .leg = 7, .room = l->room };
	l->ev->welcome(l->obj, &w);
}

static inline int r_join(void *ctx, const struct join_req *req, const struct leg_events *ev,
			 void *obj, struct leg_handle **out, struct errmsg *why)
{
	struct rig *r = ctx;
	struct leg_handle *l = &r->leg[r->n_legs];

	assert_true(r->n_legs < 8);
	assert_true(req->device); /* a phone does not become the host */
	assert_int_equal(req->kind, LEG_KIND_PHONE);
	say(r, req->parlour ? "parlour" : "join:%s", req->room);
	if (r->refuse && !req->parlour)
		return errmsg_set(why, -EACCES, r->refuse, "No.");
	r->n_legs++;
	*l = (struct leg_handle){ .used = true, .parlour = req->parlour, .ev = ev, .obj = obj,
				  .called = req->called, .existing = req->existing };
	snprintf(l->room, sizeof(l->room), "%s", req->room);
	*out = l;
	if (r->refuse_late && !req->parlour) {
		struct errmsg e;
		errmsg_set(&e, 0, r->refuse_late, "No.");
		l->ended = true;
		ev->closed(obj, LEAVE_ERROR, &e);
	} else if (r->lobby && !req->parlour) {
		ev->lobby(obj, "Wait.");
	} else if (!r->late_welcome || req->parlour) {
		welcome(l);
	}
	return 0;
}

static inline void r_leave(void *ctx, struct leg_handle *l, enum leave_reason reason)
{
	struct leg_totals t = { .audio = CODEC_PCMU, .packets_in = 10 };
	(void)ctx;
	(void)reason;
	assert_true(l->used && !l->ended);
	l->ended = true;
	if (l->ev->totals)
		l->ev->totals(l->obj, &t);
}

static const struct neg_format rig_audio[] = {
	{ .codec = CODEC_OPUS, .pt = 111 },
	{ .codec = CODEC_PCMU, .pt = 0 },
};
static const struct neg_format rig_video[] = {
	{ .codec = CODEC_H264, .pt = 102, .h264_mode = 1, .h264_profile = 0x42e01f },
};

static inline int r_local(void *ctx, struct leg_handle *l, bool restart, struct neg_policy *p,
			  struct errmsg *why)
{
	const struct rig *r = ctx;
	(void)why;
	assert_true(r->ice || !restart);
	assert_true(l->used && !l->ended);
	l->restarts += restart;
	snprintf(l->ufrag, sizeof(l->ufrag), "leg%d.%d", (int)(l - r->leg), l->restarts);
	*p = (struct neg_policy){ .security = NEG_PLAIN, .address = "203.0.113.1", .cname = "mixer",
				  .session_id = 9 };
	p->media[NEG_ROLE_AUDIO] = (struct neg_media_policy){
		.dir = NEG_SENDRECV, .enabled = true, .formats = rig_audio, .n_formats = 2, .ssrc = 1,
		.port = 40000, .dtmf = true };
	p->media[NEG_ROLE_CAMERA] = (struct neg_media_policy){
		.dir = NEG_SENDRECV, .enabled = true, .formats = rig_video, .n_formats = 1, .ssrc = 2,
		.port = 40002, .fb = NEG_FB_PLI };
	if (r->ice) {
		p->security |= NEG_DTLS;
		p->ice = p->dtls_needs_ice = p->no_trickle = p->one_transport = true;
		p->ice_ufrag = l->ufrag;
		p->ice_pwd = "ourpasswordourpassword";
		p->fingerprint = "sha-256 AB";
	}
	return 0;
}

static inline int r_negotiated(void *ctx, struct leg_handle *l, const struct neg_plan *plan,
			       struct errmsg *why)
{
	struct rig *r = ctx;
	const struct neg_media *a = neg_plan_media(plan, NEG_ROLE_AUDIO);

	assert_true(l->used && !l->ended);
	if (r->negotiated_err)
		return errmsg_set(why, r->negotiated_err, "overload", "No.");
	r->agreements++;
	snprintf(l->peer_ufrag, sizeof(l->peer_ufrag), "%.15s", plan->media[0].transport.ice_ufrag);
	r->dir = a ? a->dir : NEG_INACTIVE;
	return 0;
}

static inline void r_digit_in(void *ctx, struct leg_handle *l, char digit)
{
	(void)l;
	say(ctx, "digit:%c", digit);
}

static inline void r_key_frame(void *ctx, struct leg_handle *l)
{
	(void)l;
	say(ctx, "picture");
}

static const struct room_api fake_api = {
	.join = r_join, .leave = r_leave, .local = r_local, .negotiated = r_negotiated,
	.digit_in = r_digit_in, .key_frame = r_key_frame,
};

/* --- the rest --------------------------------------------------------------------------- */

static inline int make_ports(void *obj, const char *local, struct rtp_ports **out,
			     struct errmsg *why)
{
	struct rig *r = obj;
	(void)local;
	(void)why;
	r->ports++;
	*out = (struct rtp_ports *)obj;
	return 0;
}

static inline void withhold_ports(void *obj, struct rtp_ports *p, bool withhold)
{
	((struct rig *)obj)->withheld = withhold;
	(void)p;
}

static inline void free_ports(void *obj, struct rtp_ports **p)
{
	((struct rig *)obj)->ports--;
	*p = NULL;
}

static inline int route(void *obj, const char *to, const char *trunk, struct sip_target *out,
			size_t max, struct errmsg *why)
{
	struct rig *r = obj;
	(void)trunk;
	if (!r->n_targets)
		return errmsg_set(why, -EINVAL, "dial_invalid", "No.");
	assert_true(r->n_targets <= max);
	for (size_t i = 0; i < r->n_targets; i++) {
		memset(&out[i], 0, sizeof(out[i]));
		snprintf(out[i].uri, sizeof(out[i].uri), "%s", to);
		out[i].srtp = r->srtp;
		out[i].plain = r->plain;
	}
	return (int)r->n_targets;
}

/* Of who may have people called: asked now, answered now, or by `asked`. */
static inline void refer(void *obj, const struct sip_refer_wish *w)
{
	struct rig *r = obj;
	const struct sip_dial_req req = { .room = w->room, .to = w->to, .by = w->user };
	struct errmsg why = { .code = "" };
	int64_t id;

	say(r, "may:%s:%s%s", w->user, w->room, w->inside ? ":inside" : "");
	r->wish = *w;
	if (r->ask_later)
		return;
	int err = r->refer_err;
	if (err)
		errmsg_set(&why, err, "not_allowed", "No.");
	else
		err = call_dial(r->set, &req, w->progress, w->obj, &id, &why);
	w->done(w->obj, err, &why);
}

static inline bool may_call(void *obj, const char *uri)
{
	struct rig *r = obj;
	return !r->only || strstr(uri, r->only);
}

static inline void *new_dialog(void *obj, struct sip_call *c, const struct sip_target *t,
			       const char *display)
{
	struct fake_dialog *d = fake_dialog(obj);
	(void)t;
	(void)display;
	d->r->call[d->i] = c;
	return d;
}

static inline void begin(void *ctx, struct sip_cdr *c)
{
	struct rig *r = ctx;
	c->id = 100 + r->begun++;
}

static inline void answered(void *ctx, const struct sip_cdr *c)
{
	struct rig *r = ctx;
	assert_true(c->id && c->answered_ms);
	r->answered++;
}

static inline void ended(void *ctx, const struct sip_cdr *c)
{
	struct rig *r = ctx;
	assert_true(c->id && c->ended_ms && c->end);
	r->ended++;
	r->cdr = *c;
}

static inline void rig_open(struct rig *r)
{
	static struct sip_cdr_sink sink;
	sink = (struct sip_cdr_sink){ r, begin, answered, ended };
	memset(r, 0, sizeof(*r));
	clock_fake_init(&r->clock, 1000 * NS_PER_S);
	r->n_targets = 1;
	const struct sip_calls_side side = {
		.api = &fake_api, .api_ctx = r, .clock = &r->clock, .cdr = &sink, .max_calls = 3,
		.obj = r, .ports_new = make_ports, .ports_free = free_ports, .route = route,
		.ports_withhold = withhold_ports,
		.refer = refer, .may_call = may_call,
		.dialog_new = new_dialog,
	};
	assert_int_equal(sip_call_set_new(&r->set, &side, &fake_ops), 0);
}

/* Nothing is left over: no leg, no socket, and each record has its end. */
static inline void rig_close(struct rig *r)
{
	struct fake_dialog *left[4];
	size_t n = 0;

	for (size_t i = 0; i < r->n_calls; i++)
		if (r->call[i])
			left[n++] = r->call[i]->dialog;
	sip_call_set_free(&r->set);
	for (size_t i = 0; i < n; i++)
		free(left[i]);
	for (size_t i = 0; i < r->n_legs; i++)
		assert_true(r->leg[i].ended);
	assert_int_equal(r->ports, 0);
	assert_int_equal(r->begun, r->ended);
}

static inline void on_dial(void *obj, const struct sip_dial_event *ev)
{
	struct rig *r = obj;
	assert_int_equal(ev->id, r->dial_id);
	assert_false(sip_dial_is_over(r->dial_state));
	r->dial_state = ev->state;
	r->dial_status = ev->status;
	say(r, "dial:%s", sip_dial_state_name(ev->state));
}

#endif
