/* REFER outside of a dialog: somebody asks that somebody be called into a room, without
 * being in it. The handle lives until the last NOTIFY is answered. */
#include "signaling/sip_call_nua.h"

#include <errno.h>
#include <stdlib.h>

#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/url.h>

#include "mcu/base/log.h"

struct referred {
	struct sip_owner owner;
	struct sip *sip;
	nua_handle_t *nh; /* NULL: nobody wants to know any more */
	bool told;	  /* the last NOTIFY was sent */
	bool over;	  /* the call is, and progress() comes no more */
};

static void on_event(struct sip_owner *o, const struct sip_event *ev)
{
	struct referred *r = (struct referred *)o;
	int state = nua_substate_active;

	role_assert_ctl();
	if (ev->event != nua_r_notify || ev->status < 200)
		return;
	/* of which of them this is the answer */
	tl_gets(ev->tags, NUTAG_SUBSTATE_REF(state), TAG_END());
	if (ev->status < 300 && state != nua_substate_terminated)
		return;
	nua_handle_bind(r->nh, NULL);
	nua_handle_destroy(r->nh);
	r->nh = NULL;
	if (r->over)
		free(r);
}

static void progress(void *obj, const struct sip_dial_event *ev)
{
	struct referred *r = obj;
	bool answered = ev->state == SIP_DIAL_ANSWERED;
	int status = ev->status ? ev->status : 100;

	role_assert_ctl();
	r->over = sip_dial_is_over(ev->state);
	if (answered)
		status = 200;
	else if (r->over && status < 300)
		status = 503;
	if (r->nh && sip_stopping(r->sip)) {
		nua_handle_bind(r->nh, NULL); /* nua ends it, and tells nobody */
		r->nh = NULL;
	}
	if (r->nh && !r->told)
		sip_notify_send(r->nh, status, NULL, answered || r->over);
	r->told = r->told || answered || r->over;
	if (!r->nh && r->over)
		free(r);
}

ON_THREAD(ROLE_CTL) static void answer(const struct sip_event *ev, int status)
{
	sip_reply_send(ev->nh, sip_nua(ev->sip), NULL, &(struct sip_reply){ .status = status }, "",
		       false);
}

ON_THREAD(ROLE_CTL) static void refuse(const struct sip_event *ev, int status)
{
	answer(ev, status);
	nua_handle_destroy(ev->nh);
}

void sip_call_referred(struct sip_calls *c, const struct sip_event *ev,
		       const struct sip_arrival *in)
{
	const sip_refer_to_t *to = ev->msg->sip_refer_to;
	struct errmsg why = { .code = "" };
	char uri[300] = "";
	struct sip_dial_req req = { .room = in->room, .to = uri, .by = in->user };
	int64_t id;

	if (to && (to->r_url->url_type == url_sip || to->r_url->url_type == url_sips))
		url_e(uri, sizeof(uri), to->r_url);
	if (!uri[0] || in->want != SIP_WANT_ROOM || !in->user[0]) {
		refuse(ev, !uri[0] ? 400 : in->user[0] ? 404 : 403);
		return;
	}
	struct referred *r = calloc(1, sizeof(*r));
	int err = r ? call_dial(c->set, &req, progress, r, &id, &why) : -ENOMEM;
	if (err) {
		log_info(NULL, "REFER of %s refused: %s", in->user, why.text);
		refuse(ev, err == -EBUSY || err == -ENOMEM ? 503 : 404);
		free(r);
		return;
	}
	r->owner.event = on_event;
	r->sip = ev->sip;
	r->nh = ev->nh;
	sip_handle_own(ev->nh, &r->owner);
	answer(ev, 202);
}
