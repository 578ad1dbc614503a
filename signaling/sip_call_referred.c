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
	struct sip_calls *calls; /* in whose list it is; NULL: they are shut down */
	nua_handle_t *nh; /* NULL: nobody wants to know any more */
	bool inside;	  /* sip_call_referred() has not returned */
	bool asking;	  /* it is not answered */
	bool kept;	  /* the event to answer */
	nua_saved_event_t event[1];
	bool told;	  /* the last NOTIFY was sent */
	bool over;	  /* the call is, and progress() comes no more */
};

static void drop(struct referred *r)
{
	if (r->calls)
		g_ptr_array_remove(r->calls->referred, r);
	free(r);
}

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
		drop(r);
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
	if (r->nh && !r->told)
		sip_notify_send(r->nh, status, NULL, answered || r->over);
	r->told = r->told || answered || r->over;
	if (!r->nh && r->over)
		drop(r);
}

ON_THREAD(ROLE_CTL) static void refuse(const struct sip_event *ev, int status)
{
	sip_reply_send(ev->nh, sip_nua(ev->sip), NULL, &(struct sip_reply){ .status = status }, "",
		       false);
	nua_handle_destroy(ev->nh);
}

/* Once, unless nobody waits any more. */
ON_THREAD(ROLE_CTL) static void answer(struct referred *r, int status)
{
	if (!r->asking)
		return;
	if (r->kept)
		nua_respond(r->nh, status, sip_status_phrase(status), NUTAG_WITH_SAVED(r->event),
			    TAG_END());
	else
		sip_reply_send(r->nh, sip_nua(r->calls->sip), NULL,
			       &(struct sip_reply){ .status = status }, "", false);
	if (r->kept)
		nua_destroy_event(r->event);
	r->asking = r->kept = false;
	if (status < 300)
		return;
	nua_handle_bind(r->nh, NULL);
	nua_handle_destroy(r->nh);
	r->nh = NULL;
}

static void on_asked(void *obj, int err, const struct errmsg *why)
{
	struct referred *r = obj;

	role_assert_ctl();
	if (err)
		log_info(NULL, "REFER refused: %s", why->text);
	answer(r, call_refer_status(err));
	r->over = r->over || err;
	if (err && !r->inside)
		drop(r);
}

void sip_call_referred_shutdown(struct sip_calls *c)
{
	while (c->referred->len) {
		struct referred *r = g_ptr_array_index(c->referred, 0);

		answer(r, 503);
		if (r->nh)
			nua_handle_bind(r->nh, NULL); /* nua ends it, and tells nobody */
		r->nh = NULL;
		g_ptr_array_remove_index(c->referred, 0);
		r->calls = NULL;
		if (r->over) /* otherwise who makes the call has it until that is over */
			free(r);
	}
}

void sip_call_referred(struct sip_calls *c, const struct sip_event *ev,
		       const struct sip_arrival *in)
{
	const sip_refer_to_t *to = ev->msg->sip_refer_to;
	char uri[300] = "";

	if (to && (to->r_url->url_type == url_sip || to->r_url->url_type == url_sips))
		url_e(uri, sizeof(uri), to->r_url);
	if (!uri[0] || in->want != SIP_WANT_ROOM || !in->user[0] || !c->set->side.refer) {
		refuse(ev, !uri[0] ? 400 : in->user[0] && c->set->side.refer ? 404 : 403);
		return;
	}
	struct referred *r = calloc(1, sizeof(*r));
	if (!r) {
		refuse(ev, 503);
		return;
	}
	*r = (struct referred){ .owner.event = on_event, .calls = c, .nh = ev->nh,
				.inside = true, .asking = true };
	g_ptr_array_add(c->referred, r);
	sip_handle_own(ev->nh, &r->owner);
	c->set->side.refer(c->set->side.obj, &(struct sip_refer_wish){
		.user = in->user, .room = in->room, .to = uri,
		.done = on_asked, .progress = progress, .obj = r });
	r->inside = false;
	if (r->asking)
		r->kept = nua_save_event(sip_nua(ev->sip), r->event);
	else if (r->over && !r->nh)
		drop(r);
}
