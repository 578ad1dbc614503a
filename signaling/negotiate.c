#include "signaling/negotiate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/neg_internal.h"
#include "signaling/sdp_text.h"

/* One negotiation under way. */
struct work {
	const struct sdp *remote;
	const struct sdp *offer; /* ours, when the remote is its answer; else NULL */
	const struct neg_policy *policy;
	const struct neg_plan *prev;
	struct neg_plan *plan;
	struct neg_matches match[SDP_MAX_MEDIA]; /* of the accepted ones */
	bool in_bundle[SDP_MAX_MEDIA]; /* offered in the group */
	size_t group[SDP_MAX_MEDIA];   /* its members in the order of the group */
	size_t n_group;
	size_t carrier; /* index of the m-line that carries the bundle's transport */
	bool no_codec;	/* an m-line was refused for want of a codec */
	struct errmsg *why;
};

void neg_plan_free(struct neg_plan **p)
{
	if (!*p)
		return;
	free((*p)->media);
	free((*p)->candidates);
	free(*p);
	*p = NULL;
}

const struct neg_media *neg_plan_media(const struct neg_plan *p, enum neg_role role)
{
	for (size_t i = 0; i < p->n_media; i++)
		if (p->media[i].accepted && p->media[i].role == role)
			return &p->media[i];
	return NULL;
}

const struct neg_transport *neg_plan_transport(const struct neg_plan *p, const struct neg_media *m)
{
	return &p->media[m->transport_index].transport;
}

/* --- the m-lines of the remote ---------------------------------------------- */

static int work_begin(struct work *w)
{
	size_t n = w->remote->n_media;
	if (!n)
		return errmsg_set(w->why, -EINVAL, "bad_sdp",
				  "The session description has no m= line.");
	if (w->prev && n < w->prev->n_media)
		return errmsg_set(
			w->why, -EINVAL, "bad_sdp",
			"There are fewer m= lines (%zu) than before (%zu); refuse a line with "
			"port 0 instead of leaving it out.",
			n, w->prev->n_media);
	w->plan = calloc(1, sizeof(*w->plan));
	if (w->plan)
		w->plan->media = calloc(n, sizeof(*w->plan->media));
	if (!w->plan || !w->plan->media)
		return errmsg_set(w->why, -ENOMEM, "internal", "Out of memory.");
	w->plan->n_media = n;
	w->plan->we_offered = w->offer != NULL;
	w->plan->remote_session_version = w->remote->session_version;
	return 0;
}

static int read_lines(struct work *w)
{
	for (size_t i = 0; i < w->plan->n_media; i++) {
		struct neg_media *pm = &w->plan->media[i];
		const struct sdp_media *m = &w->remote->media[i];
		int err = neg_remote_media(pm, w->remote, m, w->why);
		if (err)
			return err;
		for (size_t j = 0; j < i; j++)
			if (pm->mid[0] && !strcmp(pm->mid, w->plan->media[j].mid))
				return errmsg_set(
					w->why, -EINVAL, "bad_sdp",
					"The session description has a=mid:%s twice (line %u).",
					pm->mid, m->line);
		pm->transport_index = (uint8_t)i;
		pm->created = !w->prev || i >= w->prev->n_media || !w->prev->media[i].accepted;
	}
	return 0;
}

/* The first a=group:BUNDLE (RFC 9143). */
static void read_group(struct work *w)
{
	char mid[33];
	for (size_t i = 0; i < w->remote->attrs.n; i++) {
		const char *v = w->remote->attrs.v[i].value;
		if (!v || strcmp(w->remote->attrs.v[i].name, "group") || strncmp(v, "BUNDLE ", 7))
			continue;
		v += 7;
		while (sdp_copy_word(&v, mid, sizeof(mid)))
			for (size_t j = 0; j < w->plan->n_media; j++)
				if (!strcmp(mid, w->plan->media[j].mid) && !w->in_bundle[j]) {
					w->in_bundle[j] = true;
					w->group[w->n_group++] = j;
				}
		return;
	}
}

static bool role_taken(const struct work *w, size_t before, enum neg_role role)
{
	for (size_t i = 0; i < before; i++)
		if (w->plan->media[i].accepted && w->plan->media[i].role == role)
			return true;
	return false;
}

/* An m-line keeps the role it had; a second camera is content. */
static enum neg_role role_of_line(const struct work *w, size_t i)
{
	const struct sdp_media *m = &w->remote->media[i];
	if (w->offer)
		return neg_role_of(&w->offer->media[i]);
	if (w->prev && i < w->prev->n_media && w->prev->media[i].accepted &&
	    !strcmp(w->prev->media[i].kind, m->kind))
		return w->prev->media[i].role;
	enum neg_role role = neg_role_of(m);
	return role == NEG_ROLE_CAMERA && role_taken(w, i, role) ? NEG_ROLE_CONTENT : role;
}

/* RFC 4733, preferably at the codec's clock. */
static void choose_dtmf(struct neg_media *pm, const struct sdp_media *m)
{
	for (size_t i = 0; i < m->n_formats; i++) {
		struct neg_pt pt;
		if (!neg_pt_read(&pt, m, m->format[i]) || !pt.dtmf)
			continue;
		if (pm->has_dtmf && pt.clock_hz != pm->codec.clock_hz)
			continue;
		pm->has_dtmf = true;
		pm->dtmf_pt_tx = pm->dtmf_pt_rx = pt.pt;
		pm->dtmf_clock_hz = pt.clock_hz;
	}
}

/* What the answer calls telephone-event we may have offered under another number. */
static void own_dtmf(struct neg_media *pm, const struct sdp_media *ours)
{
	for (size_t i = 0; i < ours->n_formats; i++) {
		struct neg_pt pt;
		if (neg_pt_read(&pt, ours, ours->format[i]) && pt.dtmf && pm->has_dtmf &&
		    pt.clock_hz == pm->dtmf_clock_hz)
			pm->dtmf_pt_rx = pt.pt;
	}
}

static enum neg_dir line_dir(const struct work *w, size_t i, const struct neg_media_policy *mp)
{
	const struct sdp_media *m = &w->remote->media[i];
	enum neg_dir theirs = neg_dir_reverse(neg_remote_dir(w->remote, m));
	enum neg_dir ours = mp->dir;
	if (w->offer)
		ours = neg_remote_dir(w->offer, &w->offer->media[i]);
	return (enum neg_dir)((unsigned)theirs & (unsigned)ours);
}

static const struct neg_media *media_before(const struct work *w, size_t i)
{
	if (!w->prev || i >= w->prev->n_media || !w->prev->media[i].accepted)
		return NULL;
	return &w->prev->media[i];
}

/* The formats of a section of RTP, and the direction that they leave; false: there
 * is nothing that both sides can do. */
static bool choose_formats(struct work *w, size_t i)
{
	struct neg_media *pm = &w->plan->media[i];
	const struct sdp_media *m = &w->remote->media[i];
	const struct neg_media_policy *mp = &w->policy->media[pm->role];
	struct neg_matches *x = &w->match[i];
	unsigned can = 0;

	neg_match(x, m, mp);
	if (w->offer)
		neg_match_own(x, &w->offer->media[i]);
	for (size_t k = 0; k < x->n; k++)
		can |= x->v[k].dir;
	enum neg_dir wanted = line_dir(w, i, mp);
	pm->dir = (enum neg_dir)((unsigned)wanted & can);
	if (!can || (wanted && !pm->dir))
		return false;
	neg_match_keep(x, pm->dir);
	neg_match_fill(pm, x, m, mp);
	return true;
}

/* Role, codec, direction, features: everything but the transport. */
static void consider(struct work *w, size_t i)
{
	struct neg_media *pm = &w->plan->media[i];
	const struct neg_media *before = media_before(w, i);
	const struct sdp_media *m = &w->remote->media[i];

	pm->role = role_of_line(w, i);
	const struct neg_media_policy *mp = &w->policy->media[pm->role];
	bool refused = !m->port && (w->offer || !sdp_attr_find(&m->attrs, "bundle-only"));
	if (w->offer && !w->offer->media[i].port)
		refused = true;
	if (refused || !mp->enabled || pm->role == NEG_ROLE_NONE || role_taken(w, i, pm->role))
		return;
	if (pm->role == NEG_ROLE_APPLICATION) {
		pm->accepted = neg_data_read(pm, m);
		pm->dir = NEG_SENDRECV;
		return;
	}
	if (!choose_formats(w, i)) {
		w->no_codec = true;
		return;
	}
	pm->accepted = true;
	if (mp->dtmf)
		choose_dtmf(pm, m);
	if (w->offer)
		own_dtmf(pm, &w->offer->media[i]);
	if (mp->noise)
		neg_noise_choose(pm, m, w->offer ? &w->offer->media[i] : NULL);
	pm->hold = !(neg_remote_dir(w->remote, m) & NEG_RECVONLY);
	if (mp->simulcast)
		neg_simulcast_choose(pm, m, before ? before->rid : "");
	if (pm->rid[0]) /* which of the SSRCs has it, only packets say */
		pm->n_remote_ssrcs = pm->remote_rtx_ssrc = 0;
	neg_remote_features(pm, w->remote, m, mp);
}

/* --- transports --------------------------------------------------------------- */

static enum neg_setup our_setup(const struct work *w, enum neg_setup peer,
				const struct neg_transport *before)
{
	if (peer == NEG_SETUP_ACTIVE)
		return NEG_SETUP_PASSIVE;
	if (peer == NEG_SETUP_PASSIVE)
		return NEG_SETUP_ACTIVE;
	if (before && before->security == NEG_DTLS)
		return before->setup; /* RFC 8842 5.5: keep the role of the association */
	return w->policy->setup == NEG_SETUP_ACTIVE ? NEG_SETUP_ACTIVE : NEG_SETUP_PASSIVE;
}

static const struct neg_transport *transport_before(const struct work *w, size_t i)
{
	const struct neg_media *before = media_before(w, i);
	return before ? neg_plan_transport(w->prev, before) : NULL;
}

/* What else the line can be, where there is no ICE for its DTLS. */
static enum neg_security without_dtls(const struct neg_transport *t, const char *proto)
{
	if (strncmp(proto, "RTP/", 4))
		return NEG_DTLS;
	if (strstr(proto, "SAVP"))
		return t->n_cryptos ? NEG_SDES : NEG_DTLS;
	return NEG_PLAIN;
}

/* Our key under the tag that the answer names, or the best one of an offer. */
static bool sdes_usable(const struct work *w, struct neg_transport *t, enum neg_role role)
{
	int k = neg_sdes_choose(t, &w->policy->media[role]);
	return k >= 0 && (!w->offer || t->crypto[0].tag == (unsigned)k + 1);
}

/* Whether we can send and receive over it at all. */
static bool transport_usable(const struct work *w, struct neg_transport *t,
			     const struct neg_media *pm)
{
	const struct neg_policy *p = w->policy;
	enum neg_role role = pm->role;
	t->ice = t->ice && p->ice && p->ice_ufrag && p->ice_pwd;
	if (p->dtls_needs_ice && t->security == NEG_DTLS && (!t->ice || !t->rtcp_mux))
		t->security = without_dtls(t, pm->proto);
	if (p->dtls_needs_ice && t->security != NEG_DTLS)
		t->ice = false;
	if (!(p->security & t->security))
		return false;
	if (t->security == NEG_SDES && !sdes_usable(w, t, role))
		return false;
	if (t->security == NEG_DTLS && (!p->fingerprint || (p->dtls_needs_ice && !t->ice)))
		return false;
	if (role == NEG_ROLE_APPLICATION) {
		t->rtcp_mux = true; /* for others of its bundle; it has no RTCP itself */
		if (t->security != NEG_DTLS)
			return false;
	}
	if (t->ice)
		return t->rtcp_mux; /* we have one component */
	return p->media[role].port != 0;
}

static int take_transport(struct work *w, size_t i)
{
	struct neg_media *pm = &w->plan->media[i];
	const struct neg_transport *before = transport_before(w, i);
	struct neg_transport *t = &pm->transport;
	size_t from = i;
	enum neg_setup peer;

	/* a later offer may give the transport in the group's first line only */
	if (w->in_bundle[i] && !sdp_value(w->remote, &w->remote->media[i], "ice-ufrag"))
		from = w->group[0];
	int err = neg_remote_transport(t, &peer, w->remote, &w->remote->media[from], w->why);
	if (err)
		return err;
	if (w->offer && peer == NEG_SETUP_ACTPASS)
		return errmsg_set(w->why, -EINVAL, "bad_sdp",
				  "An answer must say a=setup:active or a=setup:passive.");
	if (!transport_usable(w, t, pm)) {
		pm->accepted = false;
		return 0;
	}
	if (t->security == NEG_DTLS) {
		t->setup = our_setup(w, peer, before);
		t->dtls_new = !before || before->setup != t->setup ||
			      strcmp(before->fingerprint, t->fingerprint) != 0;
	}
	t->ice_restart =
		before && before->ice &&
		(strcmp(before->ice_ufrag, t->ice_ufrag) || strcmp(before->ice_pwd, t->ice_pwd));
	if (!t->ice && (!strcmp(t->address, "0.0.0.0") || !t->address[0])) {
		pm->hold = true; /* RFC 3264 8.4, the old way */
		pm->dir = (enum neg_dir)(pm->dir & NEG_RECVONLY);
	}
	err = neg_remote_candidates(w->plan, w->remote, &w->remote->media[from], (uint8_t)i);
	return err ? errmsg_set(w->why, err, "internal", "Out of memory.") : 0;
}

/* The bundle's transport is that of its first accepted m-line (RFC 9143 7.3). */
static int take_bundle(struct work *w)
{
	bool found = false;
	for (size_t k = 0; k < w->n_group && !found; k++)
		if (w->plan->media[w->group[k]].accepted) {
			w->carrier = w->group[k];
			found = true;
		}
	if (!found)
		return 0;
	int err = take_transport(w, w->carrier);
	if (err)
		return err;
	bool usable = w->plan->media[w->carrier].accepted;
	if (usable && w->policy->dtls_needs_ice && !w->plan->media[w->carrier].transport.ice) {
		/* each line has its own port then, as those without bundling */
		memset(w->in_bundle, 0, sizeof(w->in_bundle));
		memset(&w->plan->media[w->carrier].transport, 0, sizeof(struct neg_transport));
		return 0;
	}
	w->plan->bundle = usable;
	for (size_t k = 0; k < w->n_group; k++) {
		struct neg_media *pm = &w->plan->media[w->group[k]];
		pm->accepted = pm->accepted && usable;
		pm->transport_index = pm->accepted ? (uint8_t)w->carrier : pm->transport_index;
	}
	return 0;
}

/* There is one transport of ICE, or as many without as there are ports. */
static int take_transports(struct work *w)
{
	int err = take_bundle(w);
	bool have = w->plan->bundle, have_ice = have && w->plan->media[w->carrier].transport.ice;
	for (size_t i = 0; i < w->plan->n_media && !err; i++) {
		struct neg_media *pm = &w->plan->media[i];
		if (!pm->accepted || w->in_bundle[i])
			continue;
		err = take_transport(w, i);
		if (!pm->accepted)
			continue;
		if (w->policy->one_transport && have && (have_ice || pm->transport.ice))
			pm->accepted = false;
		have = have || pm->accepted;
		have_ice = have_ice || (pm->accepted && pm->transport.ice);
	}
	if (err)
		return err;
	for (size_t i = 0; i < w->plan->n_media; i++)
		if (w->plan->media[i].accepted)
			return 0;
	if (w->no_codec)
		return errmsg_set(
			w->why, -ENOTSUP, "no_common_codec",
			"There is no codec that both sides can use; offer opus, G722, PCMU or PCMA, "
			"and H264 (packetization-mode=1), VP8, VP9 (profile-id=0) or AV1.");
	return errmsg_set(w->why, -ENOTSUP, "not_acceptable",
			  "Nothing in the session description can be used here.");
}

static int make_plan(struct work *w)
{
	int err = work_begin(w);
	if (!err)
		err = read_lines(w);
	if (err)
		return err;
	read_group(w);
	for (size_t i = 0; i < w->plan->n_media; i++)
		consider(w, i);
	err = take_transports(w);
	for (size_t i = 0; i < w->plan->n_media && !err; i++)
		if (!w->plan->media[i].accepted) {
			w->plan->media[i].dir = NEG_INACTIVE;
			w->plan->media[i].hold = false;
		}
	return err;
}

/* --- answer ------------------------------------------------------------------- */

static void answer_list(struct neg_line *l, const struct neg_matches *x,
			const struct sdp_media *offered)
{
	uint32_t fb = l->mp->fb;

	if (!l->media->ext_id[NEG_EXT_TWCC])
		fb &= ~(uint32_t)NEG_FB_TWCC;
	for (size_t i = 0; i < x->n; i++) {
		const struct neg_match *c = &x->v[i];
		struct neg_listed *out = &l->list.v[l->list.n++];
		*out = (struct neg_listed){ .format = c->format,
					    .pt = c->pt.pt,
					    .rtx_pt = c->rtx_pt,
					    .fb = neg_remote_fb(offered, c->pt.pt) & fb };
		if (c->format->codec == CODEC_H264)
			out->h264_profile = neg_h264_answer_profile(
				neg_h264_profile(c->pt.fmtp),
				neg_fmtp_number(c->pt.fmtp, "level-asymmetry-allowed", 0) == 1,
				c->format->h264_profile);
		out->no_annex_b = !neg_annex_b(c->pt.fmtp);
	}
	l->list.red_pt = x->red_pt;
	l->tx_rtx = x->n && neg_match_tx(x)->rtx_pt;
}

static int answer_line(struct work *w, struct sdp *s, size_t i)
{
	const struct neg_media *pm = &w->plan->media[i];
	const struct sdp_media *offered = &w->remote->media[i];
	if (!pm->accepted)
		return neg_write_refused(s, offered, pm->mid);

	struct neg_line l = {
		.policy = w->policy,
		.mp = &w->policy->media[pm->role],
		.media = pm,
		.transport = neg_plan_transport(w->plan, pm),
		.carries_transport = pm->transport_index == i,
	};
	answer_list(&l, &w->match[i], offered);
	enum neg_role carrier = w->plan->media[pm->transport_index].role;
	uint16_t port = l.transport->ice ? 9 : w->policy->media[carrier].port;
	struct sdp_media *m = sdp_add_media(s, offered->kind, port, offered->proto);
	if (!m)
		return -ENOMEM;
	int err = neg_write_formats(s, m, &l);
	if (!err && pm->has_noise)
		err = neg_noise_write(s, m, pm->noise_pt_tx);
	if (!err && pm->has_dtmf)
		err = neg_write_dtmf(s, m, pm->dtmf_pt_tx, pm->dtmf_clock_hz);
	return err ? err : neg_write_media(s, m, &l);
}

int neg_answer(const struct sdp *offer, const struct neg_policy *policy,
	       const struct neg_plan *prev, struct sdp **answer, struct neg_plan **plan,
	       struct errmsg *why)
{
	struct work w = { .remote = offer, .policy = policy, .prev = prev, .why = why };
	struct sdp *s = NULL;
	bool in[SDP_MAX_MEDIA] = { false };

	int err = make_plan(&w);
	if (err)
		goto out;
	err = sdp_new(&s, policy->session_id, policy->session_version);
	for (size_t i = 0; i < w.plan->n_media && !err; i++) {
		err = answer_line(&w, s, i);
		in[i] = w.plan->media[i].accepted && w.in_bundle[i];
	}
	if (!err && w.plan->bundle)
		err = neg_write_bundle(s, in, w.carrier);
	if (err)
		errmsg_set(why, err, "internal", "The answer could not be written: %s.",
			   err_str(err));
out:
	if (err) {
		sdp_free(&s);
		neg_plan_free(&w.plan);
		return err;
	}
	*answer = s;
	*plan = w.plan;
	return 0;
}

int neg_accept(const struct sdp *offer, const struct neg_policy *policy, const struct sdp *answer,
	       const struct neg_plan *prev, struct neg_plan **plan, struct errmsg *why)
{
	struct work w = {
		.remote = answer, .offer = offer, .policy = policy, .prev = prev, .why = why
	};

	if (answer->n_media != offer->n_media)
		return errmsg_set(
			why, -EINVAL, "bad_sdp",
			"The answer has %zu m= lines and the offer %zu; refuse a line with port 0 "
			"in its place.",
			answer->n_media, offer->n_media);
	for (size_t i = 0; i < offer->n_media; i++)
		if (strcmp(offer->media[i].kind, answer->media[i].kind))
			return errmsg_set(
				why, -EINVAL, "bad_sdp",
				"The answer has m=%s in line %u where the offer has m=%s.",
				answer->media[i].kind, answer->media[i].line, offer->media[i].kind);
	int err = make_plan(&w);
	if (err) {
		neg_plan_free(&w.plan);
		return err;
	}
	*plan = w.plan;
	return 0;
}

bool neg_wants_ice_restart(const struct sdp *remote, const struct neg_plan *prev)
{
	for (size_t i = 0; prev && i < prev->n_media && i < remote->n_media; i++) {
		const struct neg_media *pm = &prev->media[i];
		if (!pm->accepted || pm->transport_index != i || !pm->transport.ice)
			continue;
		const char *ufrag = sdp_value(remote, &remote->media[i], "ice-ufrag");
		const char *pwd = sdp_value(remote, &remote->media[i], "ice-pwd");
		if (ufrag && pwd &&
		    (strcmp(ufrag, pm->transport.ice_ufrag) || strcmp(pwd, pm->transport.ice_pwd)))
			return true;
	}
	return false;
}
