#include "signaling/sip_media.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/sip_ice.h"

struct sip_media {
	const struct sip_media_side *side;
	void *obj;
	bool srtp;
	bool talked; /* the peer has taken our sound */
	bool held;
	struct neg_plan *plan;
	struct sdp *offer;   /* ours, not answered for good */
	struct sdp *answer;  /* ours, that waits for its candidates */
	char *answered_with; /* what it was answered with so far */
	char *local;	     /* our description as it was said last */
	uint64_t version;    /* of that */
};

int sip_media_new(struct sip_media **out, const struct sip_media_side *side, void *obj)
{
	struct sip_media *m = calloc(1, sizeof(*m));
	if (!m)
		return -ENOMEM;
	m->side = side;
	m->obj = obj;
	*out = m;
	return 0;
}

void sip_media_free(struct sip_media **mp)
{
	struct sip_media *m = *mp;
	if (!m)
		return;
	sip_media_drop_offer(m);
	sdp_free(&m->answer);
	neg_plan_free(&m->plan);
	free(m->local);
	free(m);
	*mp = NULL;
}

void sip_media_want_srtp(struct sip_media *m, bool srtp)
{
	m->srtp = srtp;
}

void sip_media_drop_offer(struct sip_media *m)
{
	sdp_free(&m->offer);
	free(m->answered_with);
	m->answered_with = NULL;
}

bool sip_media_offered(const struct sip_media *m)
{
	return m->offer != NULL;
}

const struct neg_plan *sip_media_plan(const struct sip_media *m)
{
	return m->plan;
}

bool sip_media_held(const struct sip_media *m)
{
	return m->held;
}

/* --- our descriptions ---------------------------------------------------------- */

/* The text; the version grows when, and only when, it says something else than the
 * last time (RFC 3264 8). */
static int write_local(struct sip_media *m, struct sdp *s, char **text)
{
	s->session_version = m->version ? m->version : 1;
	int err = sdp_write(s, text);
	if (err || (m->local && !strcmp(m->local, *text)))
		return err;
	if (!m->version)
		return 0;
	free(*text);
	*text = NULL;
	s->session_version = m->version + 1;
	return sdp_write(s, text);
}

/* It is said now. Takes the text. */
static const char *keep_local(struct sip_media *m, const struct sdp *s, char *text)
{
	m->version = s->session_version;
	free(m->local);
	m->local = text;
	return text;
}

static int set_origin(struct sdp *s, const struct neg_policy *p, struct errmsg *why)
{
	if (!p->address || !*p->address)
		return 0;
	s->origin.address = sdp_strdup(s, p->address);
	s->origin.ip6 = strchr(p->address, ':') != NULL;
	return s->origin.address ? 0 : errmsg_set(why, -ENOMEM, "internal",
						  "The server is out of memory.");
}

static int policy(struct sip_media *m, bool ice_restart, struct neg_policy *p, struct errmsg *why)
{
	memset(p, 0, sizeof(*p));
	int err = m->side->policy(m->obj, ice_restart, p, why);
	if (err)
		return err;
	p->offer = m->srtp ? NEG_SDES : NEG_PLAIN;
	return 0;
}

/* --- hold ------------------------------------------------------------------------ */

/* Sound decides; without any, all pictures together. */
static bool on_hold(const struct neg_plan *plan)
{
	const struct neg_media *audio = neg_plan_media(plan, NEG_ROLE_AUDIO);
	bool some = false;

	if (audio)
		return audio->hold;
	for (size_t i = 0; i < plan->n_media; i++) {
		const struct neg_media *m = &plan->media[i];
		if (!m->accepted || m->role == NEG_ROLE_APPLICATION)
			continue;
		if (!m->hold)
			return false;
		some = true;
	}
	return some;
}

/* Whoever only sends from the start is a source, and no phone on hold. */
static void look_at_hold(struct sip_media *m, struct neg_plan *plan, bool *held, bool *talked)
{
	bool hold = on_hold(plan);

	*talked = m->talked || !hold;
	*held = hold && m->talked;
	for (size_t i = 0; i < plan->n_media && *held; i++)
		plan->media[i].dir = NEG_INACTIVE;
}

/* Hands a plan to the leg; on success it is the one in force. Takes it then. */
static int agree(struct sip_media *m, struct neg_plan **plan, struct errmsg *why)
{
	bool held, talked;

	look_at_hold(m, *plan, &held, &talked);
	int err = m->side->agreed(m->obj, *plan, why);
	if (err)
		return err;
	neg_plan_free(&m->plan);
	m->plan = *plan;
	*plan = NULL;
	m->held = held;
	m->talked = talked;
	return 0;
}

bool sip_media_waits(const struct sip_media *m)
{
	return m->answer != NULL;
}

static void forget_peer(struct neg_plan *plan)
{
	for (size_t i = 0; i < plan->n_media; i++) {
		struct neg_transport *t = &plan->media[i].transport;
		if (t->ice)
			t->ice_ufrag[0] = t->ice_pwd[0] = '\0';
	}
	plan->n_candidates = 0;
	plan->end_of_candidates = false;
}

int sip_media_moved(struct sip_media *m, bool *renew, struct errmsg *why)
{
	*renew = sip_ice_of(m->plan);
	if (*renew) {
		forget_peer(m->plan);
		sip_media_drop_offer(m);
	}
	return m->plan ? m->side->agreed(m->obj, m->plan, why) : 0;
}

/* --- offer and answer --------------------------------------------------------------- */

static int read_offer(struct sip_media *m, const struct sdp *offer, struct sdp **ours,
		      struct neg_plan **plan, struct errmsg *why)
{
	struct neg_policy p;
	int err = policy(m, neg_wants_ice_restart(offer, m->plan), &p, why);

	p.n_candidates = 0; /* those of the transport that is agreed on are added then */
	if (!err)
		err = neg_answer(offer, &p, m->plan, ours, plan, why);
	return err ? err : set_origin(*ours, &p, why);
}

int sip_media_answer(struct sip_media *m, const char *sdp, size_t len, const char **answer,
		     struct errmsg *why)
{
	struct sdp *offer = NULL, *ours = NULL;
	struct neg_plan *plan = NULL;

	*answer = NULL;
	int err = sdp_parse(&offer, sdp, len, why);
	if (!err)
		err = read_offer(m, offer, &ours, &plan, why);
	if (!err)
		err = agree(m, &plan, why);
	if (!err) {
		sdp_free(&m->answer);
		m->answer = ours;
		ours = NULL;
		if (!sip_ice_of(m->plan) || !m->side->gathered || m->side->gathered(m->obj))
			err = sip_media_complete(m, answer, why);
	}
	neg_plan_free(&plan);
	sdp_free(&ours);
	sdp_free(&offer);
	return err;
}

int sip_media_complete(struct sip_media *m, const char **answer, struct errmsg *why)
{
	struct sdp *ours = m->answer;
	struct neg_policy p;
	char *text = NULL;
	int err = 0;

	if (!ours)
		return errmsg_set(why, -EALREADY, "bad_state", "There is no offer to answer.");
	m->answer = NULL;
	if (sip_ice_of(m->plan)) {
		err = policy(m, false, &p, why);
		if (!err)
			err = sip_ice_answer(ours, m->plan, &p);
	}
	if (!err)
		err = write_local(m, ours, &text);
	if (!err)
		*answer = keep_local(m, ours, text);
	else if (!why->code[0])
		errmsg_set(why, err, "internal", "The server is out of memory.");
	sdp_free(&ours);
	return err;
}

int sip_media_offer(struct sip_media *m, const char **offer, struct errmsg *why)
{
	struct neg_policy p;
	struct sdp *ours = NULL;
	char *text = NULL;

	int err = policy(m, false, &p, why);
	if (!err)
		err = neg_offer(&p, m->plan, &ours, why);
	if (!err)
		err = set_origin(ours, &p, why);
	if (err) {
		sdp_free(&ours);
		return err;
	}
	err = sip_ice_address(ours, &p);
	if (!err)
		err = write_local(m, ours, &text);
	if (err) {
		sdp_free(&ours);
		return errmsg_set(why, err, "internal", "The server is out of memory.");
	}
	sip_media_drop_offer(m);
	*offer = keep_local(m, ours, text);
	m->offer = ours;
	return 0;
}

/* Some leave out at the end what they refuse. */
static int fill_up(struct sdp *answer, const struct sdp *offer)
{
	int err = 0;

	while (!err && answer->n_media < offer->n_media) {
		const struct sdp_media *o = &offer->media[answer->n_media];
		struct sdp_media *m = sdp_add_media(answer, o->kind, 0, o->proto);
		err = m ? sdp_add_format(answer, m, o->format[0]) : -ENOMEM;
	}
	return err;
}

static int accept_text(struct sip_media *m, const char *sdp, size_t len, struct errmsg *why)
{
	struct sdp *answer = NULL;
	struct neg_plan *plan = NULL;
	struct neg_policy p;

	int err = sdp_parse(&answer, sdp, len, why);
	if (!err)
		err = fill_up(answer, m->offer);
	if (!err)
		err = policy(m, false, &p, why);
	if (!err)
		err = neg_accept(m->offer, &p, answer, m->plan, &plan, why);
	if (!err)
		err = agree(m, &plan, why);
	neg_plan_free(&plan);
	sdp_free(&answer);
	return err;
}

int sip_media_accept(struct sip_media *m, const char *sdp, size_t len, bool last,
		     struct errmsg *why)
{
	int err = 0;

	if (!m->offer)
		return errmsg_set(why, -EALREADY, "bad_state", "There is no offer to answer.");
	bool same = m->answered_with && strlen(m->answered_with) == len &&
		    !memcmp(m->answered_with, sdp, len);
	if (!same)
		err = accept_text(m, sdp, len, why);
	if (!err && !same) {
		free(m->answered_with);
		m->answered_with = calloc(1, len + 1);
		if (m->answered_with)
			memcpy(m->answered_with, sdp, len);
	}
	if (last)
		sip_media_drop_offer(m);
	return err;
}
