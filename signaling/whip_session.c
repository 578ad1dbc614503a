#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "mcu/base/log.h"
#include "signaling/sdp_log.h"
#include "signaling/whip_internal.h"

enum { MAX_CANDIDATES = 32 };

/* --- life -------------------------------------------------------------------------- */

static int random_hex(char *out, size_t chars)
{
	uint8_t raw[32];
	if (getrandom(raw, chars / 2, 0) != (ssize_t)(chars / 2))
		return -EIO;
	for (size_t i = 0; i < chars / 2; i++)
		snprintf(out + 2 * i, 3, "%02x", raw[i]);
	return 0;
}

static int new_etag(struct whip_session *s)
{
	char hex[WHIP_ETAG_CHARS - 1];
	int err = random_hex(hex, sizeof(hex) - 1);
	snprintf(s->etag, sizeof(s->etag), "\"%s\"", err ? "" : hex);
	return err;
}

static void session_free(struct whip_session *s)
{
	sdp_free(&s->offer);
	sdp_free(&s->answer);
	neg_plan_free(&s->plan);
	g_ptr_array_unref(s->candidates);
	free(s->link);
	free(s);
}

/* Calls of the rooms' side may end the session; it stays until the last of them has
 * returned. */
static void hold(struct whip_session *s)
{
	s->holds++;
}

static void release(struct whip_session *s)
{
	if (!--s->holds && s->over)
		session_free(s);
}

static void stop_timer(struct whip_session *s)
{
	if (s->timer)
		g_source_remove(s->timer);
	s->timer = 0;
}

ON_THREAD(ROLE_CTL) static void refuse(struct whip_session *s, const struct errmsg *why)
{
	struct http_req *req = s->req;
	s->req = NULL;
	if (req)
		whip_reply_refusal(req, whip_status(why->code, s->had_token), why);
}

void whip_session_end(struct whip_session *s, enum leave_reason reason, const struct errmsg *why)
{
	struct leg_handle *leg = s->leg;

	if (s->over)
		return;
	hold(s);
	s->over = true;
	s->leg = NULL;
	g_hash_table_remove(s->whip->sessions, s->id);
	stop_timer(s);
	refuse(s, why);
	if (leg)
		s->whip->api->leave(s->whip->api_ctx, leg, reason);
	release(s);
}

ON_THREAD(ROLE_CTL) static void fail(struct whip_session *s, int err, struct errmsg *why)
{
	if (!why->code[0])
		errmsg_set(why, err, "internal", "That failed: %s.", err_str(err));
	whip_session_end(s, LEAVE_ERROR, why);
}

/* --- our candidates ------------------------------------------------------------------ */

/* The section of the answer that carries the transport. */
static size_t carrier(const struct whip_session *s)
{
	for (size_t i = 0; i < s->plan->n_media; i++)
		if (s->plan->media[i].accepted)
			return s->plan->media[i].transport_index;
	return 0;
}

static int add_candidates(struct whip_session *s)
{
	struct sdp_media *m = &s->answer->media[carrier(s)];
	int err = 0;

	for (guint i = 0; i < s->candidates->len && !err; i++) {
		const char *c = g_ptr_array_index(s->candidates, i);
		err = sdp_add_attr(s->answer, m, "candidate", "%s",
				   strncmp(c, "candidate:", 10) ? c : c + 10);
	}
	if (!err && s->gathered)
		err = sdp_add_flag(s->answer, m, "end-of-candidates");
	return err;
}

/* The answer is complete. */
ON_THREAD(ROLE_CTL) static void finish(struct whip_session *s)
{
	bool first = !s->etag[0];
	struct errmsg why = { .code = "" };
	char *text = NULL, line[96];

	stop_timer(s);
	int err = add_candidates(s);
	if (!err)
		err = new_etag(s);
	if (!err)
		err = first ? sdp_write(s->answer, &text)
			    : sdpfrag_write(&text, s->answer, carrier(s));
	sdp_free(&s->answer);
	if (err) {
		fail(s, err, &why);
		return;
	}
	snprintf(line, sizeof(line), "answer to %s", s->what);
	sdp_log(NULL, line, text, strlen(text));
	if (first)
		whip_reply_created(s, text);
	else
		whip_reply_restarted(s, text);
	free(text);
}

static gboolean gather_over(gpointer obj)
{
	struct whip_session *s = obj;
	role_assert_ctl();
	s->timer = 0;
	finish(s);
	return G_SOURCE_REMOVE;
}

static void on_candidate(void *obj, const char *candidate)
{
	struct whip_session *s = obj;
	role_assert_ctl();
	if (s->over)
		return;
	if (!candidate)
		s->gathered = true;
	else if (s->candidates->len < MAX_CANDIDATES)
		g_ptr_array_add(s->candidates, g_strdup(candidate));
	if (s->gathered && s->timer)
		finish(s);
}

/* --- negotiation ------------------------------------------------------------------------ */

/* A publisher only sends, a viewer only receives; neither has data channels. */
static void restrict_policy(struct neg_policy *p, bool viewer)
{
	enum neg_dir ours = viewer ? NEG_SENDONLY : NEG_RECVONLY;
	for (unsigned r = 0; r < NEG_N_ROLES; r++)
		p->media[r].dir = (enum neg_dir)(p->media[r].dir & ours);
	if (viewer) /* it is in the one picture */
		p->media[NEG_ROLE_CONTENT].enabled = false;
	p->media[NEG_ROLE_APPLICATION].enabled = false;
}

static bool plan_moves(const struct neg_plan *plan)
{
	for (size_t i = 0; i < plan->n_media; i++)
		if (plan->media[i].accepted && plan->media[i].dir)
			return true;
	return false;
}

static int make_answer(struct whip_session *s, const struct sdp *offer, bool restart,
		       struct sdp **answer, struct neg_plan **plan, struct errmsg *why)
{
	const struct room_api *api = s->whip->api;
	struct neg_policy policy = { .security = 0 };

	int err = api->local(s->whip->api_ctx, s->leg, restart, &policy, why);
	if (err || s->over)
		return err;
	policy.session_version = ++s->version;
	restrict_policy(&policy, s->viewer);
	err = neg_answer(offer, &policy, s->plan, answer, plan, why);
	if (!err && !plan_moves(*plan))
		err = errmsg_set(why, -ENOTSUP, "not_acceptable",
				 s->viewer ? "The offer receives nothing. Offer recvonly sections; to "
					     "send, use /whip/."
					   : "The offer sends nothing. Offer sendonly sections; to "
					     "receive, use /whep/.");
	if (err)
		return err;
	g_ptr_array_set_size(s->candidates, 0);
	s->gathered = false;
	return api->negotiated(s->whip->api_ctx, s->leg, *plan, why);
}

/* Answers s->req when our candidates are there. offer: taken on success. An error
 * leaves the session as it was; the caller decides. */
ON_THREAD(ROLE_CTL) static int negotiate(struct whip_session *s, struct sdp **offer, bool restart,
					 struct errmsg *why)
{
	struct neg_plan *plan = NULL;
	struct sdp *answer = NULL;

	hold(s);
	int err = make_answer(s, *offer, restart, &answer, &plan, why);
	if (!err && !s->over) {
		neg_plan_free(&s->plan);
		s->plan = plan;
		plan = NULL;
		sdp_free(&s->answer);
		s->answer = answer;
		answer = NULL;
		if (*offer != s->offer) {
			sdp_free(&s->offer);
			s->offer = *offer;
		}
		*offer = NULL;
		if (s->gathered)
			finish(s);
		else
			s->timer = g_timeout_add((guint)s->whip->cfg.gather_ms, gather_over, s);
	}
	neg_plan_free(&plan);
	sdp_free(&answer);
	release(s);
	return err;
}

ON_THREAD(ROLE_CTL) static void enter(struct whip_session *s)
{
	struct errmsg why = { .code = "" };
	struct sdp *offer = s->offer;
	int err = negotiate(s, &offer, false, &why);
	if (err && !s->over)
		fail(s, err, &why);
}

/* --- what the leg says ------------------------------------------------------------------- */

static void on_welcome(void *obj, const struct welcome_info *w)
{
	struct whip_session *s = obj;
	role_assert_ctl();
	if (s->over)
		return;
	s->welcomed = true;
	s->link = whip_link(w);
	if (s->leg) /* else join() has not returned yet */
		enter(s);
}

/* There is nobody to offer to, and no page to tell. */
static void on_offer_wanted(void *obj)
{
	(void)obj;
	role_assert_ctl();
}

static void on_event(void *obj, struct leg_event *ev)
{
	(void)obj;
	(void)ev;
	role_assert_ctl();
}

static void on_closed(void *obj, enum leave_reason reason, const struct errmsg *why)
{
	struct whip_session *s = obj;
	struct errmsg none;
	role_assert_ctl();
	s->leg = NULL;
	log_info(NULL, "%s ended: %s", s->what, leave_reason_name(reason));
	errmsg_set(&none, 0, "internal", "The session has ended.");
	whip_session_end(s, reason, why && why->code[0] ? why : &none);
}

static const struct leg_events leg_events = {
	.welcome = on_welcome,
	.candidate = on_candidate,
	.offer_wanted = on_offer_wanted,
	.event = on_event,
	.closed = on_closed,
};

/* --- what the client says ------------------------------------------------------------------ */

static struct whip_session *session_new(struct whip *w, const struct join_req *join, bool viewer)
{
	struct whip_session *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	if (random_hex(s->id, WHIP_ID_CHARS)) {
		free(s);
		return NULL;
	}
	s->whip = w;
	s->viewer = viewer;
	s->had_token = join->token != NULL;
	s->candidates = g_ptr_array_new_with_free_func(g_free);
	snprintf(s->what, sizeof(s->what), "%s of %s", viewer ? "WHEP" : "WHIP", join->peer);
	g_hash_table_insert(w->sessions, s->id, s);
	return s;
}

void whip_session_begin(struct whip *w, struct http_req *req, const struct join_req *join,
			struct sdp *offer, bool viewer)
{
	struct errmsg why = { .code = "" };
	struct leg_handle *leg = NULL;
	struct whip_session *s = session_new(w, join, viewer);

	if (!s) {
		errmsg_set(&why, 0, "internal", "The server is out of memory.");
		whip_reply_refusal(req, 500, &why);
		sdp_free(&offer);
		return;
	}
	s->req = req;
	s->offer = offer;
	hold(s);
	int err = w->api->join(w->api_ctx, join, &leg_events, s, &leg, &why);
	if (err) {
		fail(s, err, &why);
	} else if (!s->over) {
		s->leg = leg;
		if (s->welcomed)
			enter(s);
	}
	release(s);
}

bool whip_session_restarts(const struct whip_session *s, const struct sdpfrag *f)
{
	const struct neg_transport *t = s->plan ? &s->plan->media[carrier(s)].transport : NULL;
	return t && f->ufrag[0] && (strcmp(f->ufrag, t->ice_ufrag) || strcmp(f->pwd, t->ice_pwd));
}

/* The offer as the client would send it now. */
static int renewed_offer(const struct whip_session *s, const struct sdpfrag *f, struct sdp **out,
			 struct errmsg *why)
{
	char *text = NULL;
	int err = sdp_write(s->offer, &text);

	if (!err)
		err = sdp_parse(out, text, strlen(text), why);
	if (!err)
		err = sdpfrag_apply(*out, f);
	free(text);
	return err;
}

void whip_session_restart(struct whip_session *s, struct http_req *req, const struct sdpfrag *f)
{
	struct errmsg why = { .code = "" };
	struct sdp *offer = NULL;
	int err;

	if (s->req) {
		errmsg_set(&why, 0, "bad_state",
			   "Another restart of ICE is under way; wait for its answer.");
		whip_reply_refusal(req, 409, &why);
		return;
	}
	hold(s);
	s->req = req;
	err = renewed_offer(s, f, &offer, &why);
	if (!err)
		err = negotiate(s, &offer, true, &why);
	if (err && !s->over) { /* the session goes on as it was */
		if (!why.code[0])
			errmsg_set(&why, err, "internal", "That failed: %s.", err_str(err));
		refuse(s, &why);
	}
	sdp_free(&offer);
	release(s);
}

void whip_session_trickle(struct whip_session *s, const struct sdpfrag *f)
{
	const struct room_api *api = s->whip->api;

	hold(s);
	for (size_t i = 0; i < f->n && s->leg; i++)
		api->remote_candidate(s->whip->api_ctx, s->leg, f->candidate[i].mid,
				      f->candidate[i].text);
	if (f->end && s->leg)
		api->remote_candidate(s->whip->api_ctx, s->leg, "", NULL);
	release(s);
}
