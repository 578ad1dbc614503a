#include "signaling/sip_call_nua.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>

#include "mcu/base/log.h"
#include "signaling/sip_multipart.h"

#define SDP_TYPE "application/sdp"

/* --- bodies --------------------------------------------------------------------- */

static bool is_sdp(const sip_t *msg)
{
	const sip_content_type_t *t = msg->sip_content_type;

	return !t || !t->c_type || !strcasecmp(t->c_type, SDP_TYPE);
}

/* NULL: it is nothing that has parts. */
static const char *boundary_of(const sip_t *msg)
{
	const sip_content_type_t *t = msg->sip_content_type;

	return t && t->c_type && !strncasecmp(t->c_type, "multipart/", 10)
		       ? msg_params_find(t->c_params, "boundary=") : NULL;
}

static bool has_body(const sip_t *msg)
{
	return msg && msg->sip_payload && msg->sip_payload->pl_data && msg->sip_payload->pl_len;
}

const char *sip_body_sdp(const sip_t *msg, size_t *len)
{
	*len = 0;
	if (!has_body(msg))
		return NULL;
	const char *boundary = is_sdp(msg) ? NULL : boundary_of(msg);
	const char *body = msg->sip_payload->pl_data;
	size_t all = (size_t)msg->sip_payload->pl_len;

	if (boundary)
		return sip_multipart_find(boundary, SDP_TYPE, body, all, len);
	*len = is_sdp(msg) ? all : 0;
	return is_sdp(msg) ? body : NULL;
}

bool sip_body_strange(const sip_t *msg)
{
	size_t len;

	return has_body(msg) && !sip_body_sdp(msg, &len);
}

/* --- what the call says ------------------------------------------------------------- */

static const char *phrase_of(const struct sip_reply *r)
{
	const char *p = r->phrase ? r->phrase : sip_status_phrase(r->status);
	return p ? p : "";
}

/* RFC 3261 20.43; 305: incompatible media format. */
static void warning_text(char *out, size_t cap, const struct sip_reply *r, const char *host)
{
	int n = snprintf(out, cap, "%d %s \"", r->status == 488 ? 305 : 399,
			 host && *host ? host : "mcu");

	for (const char *p = r->warning; *p && n < (int)cap - 2; p++)
		if ((unsigned char)*p >= ' ' && (unsigned char)*p < 127)
			out[n++] = *p == '"' || *p == '\\' ? '\'' : *p;
	snprintf(out + n, cap - (size_t)n, "\"");
}

void sip_reply_send(nua_handle_t *nh, nua_t *with, const char *contact, const struct sip_reply *r,
		    const char *host, bool updates)
{
	char warning[400], after[16];

	if (r->warning)
		warning_text(warning, sizeof(warning), r, host);
	snprintf(after, sizeof(after), "%d", r->retry_after_s);
	nua_respond(nh, r->status, phrase_of(r), TAG_IF(with, NUTAG_WITH_THIS(with)),
		    TAG_IF(r->status < 300 && contact, SIPTAG_CONTACT_STR(contact)),
		    TAG_IF(r->sdp, SIPTAG_CONTENT_TYPE_STR(SDP_TYPE)),
		    TAG_IF(r->sdp, SIPTAG_PAYLOAD_STR(r->sdp)),
		    TAG_IF(r->warning, SIPTAG_WARNING_STR(warning)),
		    TAG_IF(r->reason, SIPTAG_REASON_STR(r->reason)),
		    TAG_IF(r->retry_after_s, SIPTAG_RETRY_AFTER_STR(after)),
		    TAG_IF(r->status == 415, SIPTAG_ACCEPT_STR(SDP_TYPE)),
		    NUTAG_UPDATE_REFRESH(updates), TAG_END());
}

static void d_respond(void *dialog, const struct sip_reply *r)
{
	struct sip_dialog *d = dialog;
	bool other = d->now && d->now->event != nua_i_invite;

	role_assert_ctl();
	sip_reply_send(d->nh, other ? sip_nua(d->calls->sip) : NULL, d->contact, r,
		       sip_config(d->calls->sip)->domain, d->updates);
}

/* again: the challenge that this INVITE answers in the first one's place; NULL: none. */
ON_THREAD(ROLE_CTL) static void send_invite(struct sip_dialog *d, const sip_t *again)
{
	bool first = !d->established, creds = d->credentials[0] != '\0';
	char from[sizeof(d->from) + 80], cseq[32];

	snprintf(from, sizeof(from), "%s", d->from);
	if (again && again->sip_from->a_tag)
		snprintf(from, sizeof(from), "%s;tag=%.60s", d->from, again->sip_from->a_tag);
	if (again) /* nua goes on from there, with the next */
		snprintf(cseq, sizeof(cseq), "%u INVITE", again->sip_cseq->cs_seq);
	nua_invite(d->nh, TAG_IF(first, NUTAG_URL(d->to.uri)),
		   TAG_IF(first, SIPTAG_TO_STR(d->to.uri)), TAG_IF(first, SIPTAG_FROM_STR(from)),
		   TAG_IF(first && again, SIPTAG_CALL_ID(again ? again->sip_call_id : NULL)),
		   TAG_IF(first && again, SIPTAG_CSEQ_STR(cseq)),
		   TAG_IF(first && d->to.route[0], NUTAG_PROXY(d->to.route)),
		   TAG_IF(d->contact[0], SIPTAG_CONTACT_STR(d->contact)),
		   TAG_IF(creds && !d->by_proxy, SIPTAG_AUTHORIZATION_STR(d->credentials)),
		   TAG_IF(creds && d->by_proxy, SIPTAG_PROXY_AUTHORIZATION_STR(d->credentials)),
		   TAG_IF(d->sdp, SIPTAG_CONTENT_TYPE_STR(SDP_TYPE)),
		   TAG_IF(d->sdp, SIPTAG_PAYLOAD_STR(d->sdp)), TAG_END());
}

static void d_invite(void *dialog, const char *sdp)
{
	struct sip_dialog *d = dialog;

	role_assert_ctl();
	free(d->sdp);
	d->sdp = sdp ? strdup(sdp) : NULL;
	d->credentials[0] = '\0';
	d->auth_tries = 0;
	send_invite(d, NULL);
}

/* With the credentials of its INVITE (RFC 3261 22.1). */
static void d_ack(void *dialog, const char *sdp)
{
	struct sip_dialog *d = dialog;
	bool creds = d->credentials[0] != '\0';

	role_assert_ctl();
	nua_ack(d->nh, TAG_IF(creds && !d->by_proxy, SIPTAG_AUTHORIZATION_STR(d->credentials)),
		TAG_IF(creds && d->by_proxy, SIPTAG_PROXY_AUTHORIZATION_STR(d->credentials)),
		TAG_IF(sdp, SIPTAG_CONTENT_TYPE_STR(SDP_TYPE)),
		TAG_IF(sdp, SIPTAG_PAYLOAD_STR(sdp)), NUTAG_UPDATE_REFRESH(d->updates), TAG_END());
}

static void d_cancel(void *dialog, const char *reason)
{
	struct sip_dialog *d = dialog;

	role_assert_ctl();
	nua_cancel(d->nh, SIPTAG_REASON_STR(reason), TAG_END());
}

static void d_bye(void *dialog, const char *reason)
{
	struct sip_dialog *d = dialog;

	role_assert_ctl();
	d->bye_sent = true;
	nua_bye(d->nh, SIPTAG_REASON_STR(reason), TAG_END());
}

static void d_info(void *dialog, const char *type, const char *body)
{
	struct sip_dialog *d = dialog;

	role_assert_ctl();
	nua_info(d->nh, SIPTAG_CONTENT_TYPE_STR(type), SIPTAG_PAYLOAD_STR(body), TAG_END());
}

static void forget_refer(struct sip_dialog *d)
{
	if (d->refer_kept)
		nua_destroy_event(d->refer);
	d->refer_kept = d->refer_open = false;
}

static void d_refer(void *dialog, int status)
{
	struct sip_dialog *d = dialog;
	bool kept = d->refer_kept;

	role_assert_ctl();
	if (kept && d->nh)
		nua_respond(d->nh, status, sip_status_phrase(status), NUTAG_WITH_SAVED(d->refer),
			    TAG_IF(status < 300, SIPTAG_CONTACT_STR(d->contact)), TAG_END());
	else if (d->nh)
		sip_reply_send(d->nh, sip_nua(d->calls->sip), d->contact,
			       &(struct sip_reply){ .status = status }, "", d->updates);
	forget_refer(d);
}

void sip_notify_send(nua_handle_t *nh, int status, const char *phrase, bool last)
{
	const char *text = phrase ? phrase : sip_status_phrase(status);
	char body[128];

	snprintf(body, sizeof(body), "SIP/2.0 %d %s\r\n", status, text ? text : "");
	nua_notify(nh, SIPTAG_EVENT_STR("refer"),
		   NUTAG_SUBSTATE(last ? nua_substate_terminated : nua_substate_active),
		   SIPTAG_SUBSCRIPTION_STATE_STR(last ? "terminated;reason=noresource"
						      : "active;expires=60"),
		   SIPTAG_CONTENT_TYPE_STR("message/sipfrag"), SIPTAG_PAYLOAD_STR(body),
		   TAG_END());
}

static void d_notify(void *dialog, int status, const char *phrase, bool last)
{
	struct sip_dialog *d = dialog;

	role_assert_ctl();
	sip_notify_send(d->nh, status, phrase, last);
}

static void drop_handle(struct sip_dialog *d)
{
	if (!d->nh)
		return;
	forget_refer(d);
	nua_handle_bind(d->nh, NULL);
	nua_handle_destroy(d->nh);
	d->nh = NULL;
}

static void d_redirect(void *dialog, const char *uri, const char *sdp)
{
	struct sip_dialog *d = dialog;

	role_assert_ctl();
	nua_handle_t *nh = sip_handle_new(d->calls->sip, &d->owner);
	if (!nh)
		return; /* stopping: the call is ended by that */
	drop_handle(d);
	d->nh = nh;
	if (uri) {
		log_info(NULL, "call to %s goes on to %s", d->to.uri, uri);
		if (!sip_same_place(d->to.uri, uri)) { /* what a trunk knows is for nobody else */
			explicit_bzero(d->to.user, sizeof(d->to.user));
			explicit_bzero(d->to.password, sizeof(d->to.password));
			snprintf(d->from, sizeof(d->from), "%s", d->own_from);
		}
		snprintf(d->to.uri, sizeof(d->to.uri), "%s", uri);
		d->to.route[0] = '\0';
	}
	d_invite(d, sdp);
}

static void d_done(void *dialog)
{
	struct sip_dialog *d = dialog;

	role_assert_ctl();
	d->call = NULL;
	drop_handle(d);
	if (!d->holds)
		sip_dialog_free(d);
}

const struct sip_dialog_ops sip_dialog_nua = {
	.respond = d_respond, .invite = d_invite, .ack = d_ack,	    .cancel = d_cancel,
	.bye = d_bye,	      .info = d_info,	  .refer = d_refer, .notify = d_notify,
	.redirect = d_redirect, .done = d_done,
};

struct sip_dialog *sip_dialog_new(struct sip_calls *c, nua_handle_t *nh)
{
	struct sip_dialog *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->owner.event = sip_dialog_event;
	d->calls = c;
	d->nh = nh;
	g_ptr_array_add(c->dialogs, d);
	return d;
}

void sip_dialog_free(struct sip_dialog *d)
{
	g_ptr_array_remove(d->calls->dialogs, d);
	explicit_bzero(&d->to, sizeof(d->to));
	free(d->sdp);
	free(d);
}

/* --- what it hears ------------------------------------------------------------------ */

static const char *reason_of(const sip_t *msg)
{
	const sip_reason_t *r = msg ? msg->sip_reason : NULL;

	if (r && r->re_text)
		return r->re_text;
	return r && r->re_cause ? r->re_cause : "";
}

/* The best challenge that we can answer; NULL: none. *md5_alone: nothing else was there. */
static const msg_auth_t *choose_challenge(const sip_t *msg, bool proxy, bool *md5_alone)
{
	const msg_auth_t *a = proxy ? msg->sip_proxy_authenticate : msg->sip_www_authenticate;
	const msg_auth_t *best = NULL;
	int most = 0;

	*md5_alone = true;
	for (; a; a = a->au_next) {
		bool digest = a->au_scheme && !strcasecmp(a->au_scheme, "Digest");
		int rank = digest ? sip_digest_rank((const char *const *)a->au_params) : 0;

		*md5_alone = *md5_alone && rank == 1;
		if (rank > most) {
			most = rank;
			best = a;
		}
	}
	return best;
}

/* nua answers MD5 (and knows the credentials in the whole dialog then). */
ON_THREAD(ROLE_CTL) static bool authenticate_by_nua(struct sip_dialog *d, const char *realm)
{
	char auth[512];
	bool quoted = *realm == '"';
	int n = snprintf(auth, sizeof(auth), "Digest:%s%s%s:%s:%s", quoted ? "" : "\"", realm,
			 quoted ? "" : "\"", d->to.user, d->to.password);

	if (n > 0 && n < (int)sizeof(auth))
		nua_authenticate(d->nh, NUTAG_AUTH(auth), TAG_END());
	explicit_bzero(auth, sizeof(auth));
	return n > 0 && n < (int)sizeof(auth);
}

/* Where another algorithm is among them nua has given the INVITE up: one with credentials
 * takes its place, with the next number of the same call (RFC 3261 22.2). */
ON_THREAD(ROLE_CTL) static bool invite_again(struct sip_dialog *d, const struct sip_event *ev)
{
	nua_handle_t *nh = d->established ? NULL : sip_handle_new(d->calls->sip, &d->owner);

	if (!d->established) {
		if (!nh)
			return false; /* stopping */
		drop_handle(d);
		d->nh = nh;
	}
	send_invite(d, d->established ? NULL : ev->msg);
	return true;
}

/* Whether the challenge was answered. */
ON_THREAD(ROLE_CTL) static bool authenticate(struct sip_dialog *d, const struct sip_event *ev)
{
	const msg_auth_t *best;
	const char *realm;
	bool md5_alone;

	if ((ev->status != 401 && ev->status != 407) || !ev->msg || !d->to.user[0])
		return false;
	best = choose_challenge(ev->msg, ev->status == 407, &md5_alone);
	realm = best ? msg_header_find_param(best->au_common, "realm=") : NULL;
	if (!realm)
		return false;
	if (md5_alone)
		return d->auth_tries++ < SIP_AUTH_TRIES && authenticate_by_nua(d, realm);
	/* stale or not, a nonce is answered once, and then one more */
	if (d->auth_tries++ >= SIP_DIGEST_TRIES || !ev->msg->sip_from || !ev->msg->sip_cseq ||
	    sip_digest_answer(d->credentials, (const char *const *)best->au_params, "INVITE",
			      d->to.uri, d->to.user, d->to.password))
		return false;
	d->by_proxy = ev->status == 407;
	return invite_again(d, ev);
}

static bool takes_update(const sip_t *msg)
{
	return msg && msg->sip_allow && sip_is_allowed(msg->sip_allow, SIP_METHOD_UPDATE);
}

ON_THREAD(ROLE_CTL) static void on_answer(struct sip_dialog *d, const struct sip_event *ev)
{
	char contact[300] = "";
	struct sip_answer a = { .status = ev->status, .phrase = ev->phrase };
	bool redirect = ev->status / 100 == 3;

	if (authenticate(d, ev))
		return;
	a.sdp = sip_body_sdp(ev->msg, &a.sdp_len);
	if (redirect && ev->msg && ev->msg->sip_contact) {
		url_e(contact, sizeof(contact), ev->msg->sip_contact->m_url);
		a.contact = contact[0] && !strncasecmp(contact, "sip", 3) ? contact : NULL;
	}
	if (ev->status / 100 == 2) {
		d->established = true;
		d->updates = takes_update(ev->msg);
	}
	nua_handle_t *nh = d->nh;
	sip_call_answer(d->call, &a);
	/* nua would wait for credentials, or has ended the dialog by itself */
	if (d->call && d->nh == nh && ev->status >= 300 && !d->established)
		sip_call_over(d->call, SIP_END_FAILED, ev->phrase);
}

ON_THREAD(ROLE_CTL) static void on_info(struct sip_dialog *d, const struct sip_event *ev)
{
	const sip_t *m = ev->msg;
	const char *type = m && m->sip_content_type ? m->sip_content_type->c_type : "";
	bool body = has_body(m);

	nua_respond(ev->nh, SIP_200_OK, NUTAG_WITH_THIS(sip_nua(d->calls->sip)), TAG_END());
	if (body)
		sip_call_take_info(d->call, type, m->sip_payload->pl_data,
			      (size_t)m->sip_payload->pl_len);
}

ON_THREAD(ROLE_CTL) static void on_refer(struct sip_dialog *d, const struct sip_event *ev)
{
	const sip_refer_to_t *to = ev->msg ? ev->msg->sip_refer_to : NULL;
	char uri[300] = "", room[SIP_ROOM_MAX + 1];

	if (d->refer_kept) { /* one at a time */
		sip_reply_send(d->nh, sip_nua(d->calls->sip), NULL, &(struct sip_reply){ .status = 491 },
			       "", false);
		return;
	}
	if (to)
		url_e(uri, sizeof(uri), to->r_url);
	if (!uri[0] || (to->r_url->url_type != url_sip && to->r_url->url_type != url_sips)) {
		d_refer(d, 400);
		return;
	}
	bool ours = sip_target_here(d->calls->sip, to->r_url, room) == SIP_WANT_ROOM;
	d->refer_open = true;
	sip_call_refer(d->call, uri, ours ? room : NULL);
	d->refer_kept = d->refer_open && d->nh && nua_save_event(sip_nua(d->calls->sip), d->refer);
	d->refer_open = d->refer_kept;
}

/* An offer or a refresh; another body is not for a call. */
ON_THREAD(ROLE_CTL) static void on_offer(struct sip_dialog *d, const struct sip_event *ev)
{
	size_t len;
	const char *sdp = sip_body_sdp(ev->msg, &len);

	if (sip_body_strange(ev->msg))
		d_respond(d, &(struct sip_reply){ .status = 415 });
	else if (ev->event == nua_i_update)
		sip_call_update(d->call, sdp, len);
	else
		sip_call_reinvite(d->call, sdp, len);
}

ON_THREAD(ROLE_CTL) static void on_ack(struct sip_dialog *d, const struct sip_event *ev)
{
	size_t len;
	const char *sdp = sip_body_sdp(ev->msg, &len);

	sip_call_acked(d->call, sdp, len);
}

/* nua ends a dialog by itself when ACK or the refresh of the session does not come. */
ON_THREAD(ROLE_CTL) static void on_gone(struct sip_dialog *d)
{
	if (d->no_ack)
		sip_call_over(d->call, SIP_END_FAILED, "ACK did not come");
	else if (d->timed_out)
		sip_call_over(d->call, SIP_END_TIMER, "The session was not refreshed");
	else
		sip_call_over(d->call, SIP_END_FAILED, "The dialog was lost");
}

ON_THREAD(ROLE_CTL) static void dispatch(struct sip_dialog *d, const struct sip_event *ev)
{
	switch (ev->event) {
	case nua_i_invite:
	case nua_i_update:
		if (ev->status < 200)
			on_offer(d, ev);
		break;
	case nua_i_ack: on_ack(d, ev); break;
	case nua_i_cancel: sip_call_cancelled(d->call, reason_of(ev->msg)); break;
	case nua_i_bye: sip_call_bye(d->call, reason_of(ev->msg)); break;
	case nua_i_info: on_info(d, ev); break;
	case nua_i_refer: on_refer(d, ev); break;
	case nua_r_invite: on_answer(d, ev); break;
	case nua_r_bye: d->timed_out = d->timed_out || !d->bye_sent; break;
	case nua_i_error: d->no_ack = d->no_ack || ev->status == 408; break;
	case nua_i_terminated: on_gone(d); break;
	default: break;
	}
}

void sip_dialog_event(struct sip_owner *o, const struct sip_event *ev)
{
	struct sip_dialog *d = (struct sip_dialog *)o;

	if (!d->call || ev->nh != d->nh)
		return;
	d->holds++;
	const struct sip_event *before = d->now;
	d->now = ev;
	dispatch(d, ev);
	d->now = before;
	if (!--d->holds && !d->call)
		sip_dialog_free(d);
}
