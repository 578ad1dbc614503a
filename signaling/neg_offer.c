#include "signaling/negotiate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "signaling/neg_internal.h"

enum { NOISE_PT = 13, DTMF_PT = 101, RED_PT = 63 };

/* --- numbers ------------------------------------------------------------------ */

/* What the numbers of an offer mean, with those that were agreed on: a payload type
 * keeps its meaning for good (RFC 3264 8.3.2), and means the same in all sections
 * of a bundle (RFC 9143 10.1.2). */
struct numbers {
	uint64_t pt[128]; /* 0: free */
	uint8_t ext[NEG_N_EXTS];
};

enum { MEANS_CODEC = 1, MEANS_RTX, MEANS_RED, MEANS_DTMF, MEANS_NOISE };

static uint64_t means(unsigned kind, uint32_t a, uint32_t b)
{
	return (uint64_t)kind << 56 | (uint64_t)a << 32 | b;
}

static uint64_t means_codec(enum codec codec, unsigned h264_mode, uint32_t h264_profile)
{
	return means(MEANS_CODEC, codec, h264_mode << 24 | (h264_profile & 0xffff00));
}

static void take_pt(struct numbers *n, uint8_t pt, uint64_t meaning)
{
	if (pt < 128 && !n->pt[pt])
		n->pt[pt] = meaning;
}

static int pt_of(const struct numbers *n, uint64_t meaning)
{
	for (int pt = 0; pt < 128; pt++)
		if (n->pt[pt] == meaning)
			return pt;
	return -1;
}

/* A number for it in one section: the one it has there, the one that it has in others,
 * the wanted one, or a free one. Sections that are not bundled may have agreed on
 * different meanings. */
static uint8_t give_pt(struct numbers *all, struct numbers *own, uint8_t wanted, uint64_t meaning)
{
	int pt = pt_of(own, meaning);

	if (pt >= 0)
		return (uint8_t)pt;
	pt = pt_of(all, meaning);
	if (pt < 0 || own->pt[pt])
		pt = wanted;
	for (int k = 127; (all->pt[pt] && all->pt[pt] != meaning) || own->pt[pt]; k--) {
		if (k < 35) /* RFC 3551 6, RFC 5761 4 */
			break;
		if ((k >= 96 || k <= 63) && !all->pt[k] && !own->pt[k])
			pt = k;
	}
	all->pt[pt] = own->pt[pt] = meaning;
	return (uint8_t)pt;
}

static void numbers_of_media(struct numbers *n, const struct neg_media *pm)
{
	for (size_t i = 0; i < pm->n_agreed; i++) {
		const struct neg_agreed *f = &pm->agreed[i];
		take_pt(n, f->pt, means_codec(f->codec, f->h264_mode, f->h264_profile));
		if (f->rtx_pt)
			take_pt(n, f->rtx_pt, means(MEANS_RTX, f->pt, 0));
		if (pm->red_pt_rx && f->codec == CODEC_OPUS)
			take_pt(n, pm->red_pt_rx, means(MEANS_RED, f->pt, 0));
	}
	if (pm->has_noise)
		take_pt(n, pm->noise_pt_rx, means(MEANS_NOISE, 0, 0));
	if (pm->has_dtmf)
		take_pt(n, pm->dtmf_pt_rx, means(MEANS_DTMF, pm->dtmf_clock_hz, 0));
	for (unsigned e = 0; e < NEG_N_EXTS; e++)
		if (pm->ext_id[e])
			n->ext[e] = pm->ext_id[e];
}

static void numbers_of(struct numbers *n, const struct neg_plan *prev)
{
	*n = (struct numbers){ .ext = { 0 } };
	for (size_t i = 0; prev && i < prev->n_media; i++)
		if (prev->media[i].accepted)
			numbers_of_media(n, &prev->media[i]);
}

static uint8_t give_ext(struct numbers *n, unsigned ext)
{
	bool used[16] = { false };

	if (n->ext[ext])
		return n->ext[ext];
	for (unsigned e = 0; e < NEG_N_EXTS; e++)
		used[n->ext[e] & 15] = true;
	uint8_t id = (uint8_t)(ext + 1);
	for (uint8_t k = 1; used[id] && k < 15; k++)
		id = k;
	n->ext[ext] = id;
	return id;
}

/* --- lines --------------------------------------------------------------------- */

/* Another mid than all of prev and of s so far. */
static void new_mid(const struct neg_plan *prev, const struct sdp *s, char *out, size_t cap)
{
	for (size_t n = s->n_media;; n++) {
		bool taken = false;
		snprintf(out, cap, "%zu", n);
		for (size_t i = 0; prev && i < prev->n_media; i++)
			taken = taken || !strcmp(prev->media[i].mid, out);
		for (size_t i = 0; i < s->n_media; i++) {
			const char *mid = sdp_value(s, &s->media[i], "mid");
			taken = taken || (mid && !strcmp(mid, out));
		}
		if (!taken)
			return;
	}
}

static const char *offer_proto(enum neg_role role, enum neg_security security,
			       const struct neg_media *before)
{
	if (before)
		return before->proto;
	if (role == NEG_ROLE_APPLICATION)
		return "UDP/DTLS/SCTP";
	switch (security) {
	case NEG_DTLS: return "UDP/TLS/RTP/SAVPF";
	case NEG_SDES: return "RTP/SAVP";
	default: return "RTP/AVP";
	}
}

static enum neg_security offer_security(const struct neg_policy *p)
{
	if (p->offer)
		return p->offer;
	if (p->security & NEG_DTLS)
		return NEG_DTLS;
	return p->security & NEG_SDES ? NEG_SDES : NEG_PLAIN;
}

/* The numbers of the offer so far, and those of one section of it. */
struct numbering {
	struct numbers *all, own;
};

static uint8_t number(struct numbering *n, uint8_t wanted, uint64_t meaning)
{
	return give_pt(n->all, &n->own, wanted, meaning);
}

static void list_format(struct neg_line *l, struct numbering *n, const struct neg_format *f,
			uint8_t pt, uint32_t h264_profile)
{
	struct neg_listed *out = &l->list.v[l->list.n++];

	*out = (struct neg_listed){
		.format = f, .pt = pt, .h264_profile = h264_profile, .fb = l->mp->fb
	};
	if (l->mp->rtx && f->rtx_pt)
		out->rtx_pt = number(n, f->rtx_pt, means(MEANS_RTX, pt, 0));
	l->tx_rtx = l->tx_rtx || out->rtx_pt;
	if (l->mp->red && f->codec == CODEC_OPUS && !l->list.red_pt)
		l->list.red_pt = number(n, RED_PT, means(MEANS_RED, pt, 0));
}

static const struct neg_format *policy_format(const struct neg_media_policy *mp,
					      const struct neg_agreed *a)
{
	for (size_t i = 0; i < mp->n_formats; i++) {
		const struct neg_format *f = &mp->formats[i];
		if (f->codec == a->codec && f->h264_mode == a->h264_mode && neg_format_dir(mp, f))
			return f;
	}
	return NULL;
}

/* What was agreed on before, then what our policy has besides. */
static void offer_list(struct neg_line *l, struct numbering *n, const struct neg_media *before)
{
	bool done[NEG_MAX_FORMATS] = { false };

	for (size_t i = 0; before && i < before->n_agreed; i++) {
		const struct neg_agreed *a = &before->agreed[i];
		const struct neg_format *f = policy_format(l->mp, a);
		if (!f)
			continue;
		if (f - l->mp->formats < NEG_MAX_FORMATS)
			done[f - l->mp->formats] = true;
		uint32_t level = f->h264_profile & 0xff;
		list_format(l, n, f, a->pt, (a->h264_profile & 0xffff00) | level);
	}
	for (size_t i = 0; i < l->mp->n_formats && l->list.n < NEG_MAX_FORMATS; i++) {
		const struct neg_format *f = &l->mp->formats[i];
		if ((i < NEG_MAX_FORMATS && done[i]) || !neg_format_dir(l->mp, f))
			continue;
		uint64_t meaning = means_codec(f->codec, f->h264_mode, f->h264_profile);
		list_format(l, n, f, number(n, f->pt, meaning), f->h264_profile);
	}
}

static const char *kind_of(enum neg_role role)
{
	return role == NEG_ROLE_AUDIO	      ? "audio"
	       : role == NEG_ROLE_APPLICATION ? "application"
					      : "video";
}

/* One description under way. */
struct offering {
	struct sdp *s;
	const struct neg_policy *p;
	const struct neg_plan *prev;
	struct numbers numbers;
};

static void offer_names(const struct offering *o, struct neg_media *pm, struct numbers *n,
			const struct neg_media *before, bool need_mid)
{
	const struct neg_media_policy *mp = &o->p->media[pm->role];

	if (before && before->accepted) {
		snprintf(pm->mid, sizeof(pm->mid), "%s", before->mid);
		snprintf(pm->rid, sizeof(pm->rid), "%s", before->rid);
	} else if (need_mid) { /* also of a line that is used again: JSEP 5.2.2 */
		new_mid(o->prev, o->s, pm->mid, sizeof(pm->mid));
	}
	for (unsigned e = 0; e < NEG_N_EXTS; e++) {
		bool of_rid = e == NEG_EXT_RID || e == NEG_EXT_REPAIRED_RID;
		if (mp->exts & 1u << e && pm->mid[0] && (!of_rid || pm->rid[0]))
			pm->ext_id[e] = give_ext(n, e);
	}
}

/* Where the peer's ufrag is forgotten our side is another, with no DTLS association yet. That
 * is told by the roles, which change then (RFC 8842 4); not all know a=tls-id. */
static enum neg_setup offer_setup(const struct neg_transport *now)
{
	if (!now || !now->ice || now->ice_ufrag[0] || now->security != NEG_DTLS)
		return NEG_SETUP_ACTPASS;
	return now->setup == NEG_SETUP_PASSIVE ? NEG_SETUP_ACTIVE : NEG_SETUP_PASSIVE;
}

/* before: the line in the plan in force, also a refused one that is used again;
 * NULL: a new one. */
static int offer_line(struct offering *o, const struct neg_media *before, enum neg_role role)
{
	const struct neg_policy *p = o->p;
	const struct neg_media *same = before && before->accepted ? before : NULL;
	const struct neg_transport *now = same ? neg_plan_transport(o->prev, same) : NULL;
	enum neg_security security = now ? now->security : offer_security(p);
	struct neg_transport t = {
		.ice = now ? now->ice : p->ice && security == NEG_DTLS,
		.security = security,
		.setup = offer_setup(now),
		.rtcp_mux = true,
	};
	struct neg_media pm = { .role = role,
				.dir = p->media[role].dir,
				.rtcp_rsize = security == NEG_DTLS };
	struct neg_line l = { .policy = p,
			      .mp = &p->media[role],
			      .media = &pm,
			      .transport = &t,
			      .carries_transport = o->s->n_media == 0 || !p->one_transport,
			      .offer = true };
	struct numbering n = { .all = &o->numbers };

	if (same)
		numbers_of_media(&n.own, same);
	offer_names(o, &pm, &o->numbers, before, t.ice);
	struct sdp_media *m = sdp_add_media(o->s, kind_of(role), t.ice ? 9 : l.mp->port,
					    offer_proto(role, security, same));
	if (!m)
		return -ENOMEM;
	offer_list(&l, &n, same);
	int err = neg_write_formats(o->s, m, &l);
	if (!err && l.mp->noise)
		err = neg_noise_write(o->s, m, number(&n, NOISE_PT, means(MEANS_NOISE, 0, 0)));
	if (!err && l.mp->dtmf) {
		uint64_t meaning = means(MEANS_DTMF, 8000, 0);
		err = neg_write_dtmf(o->s, m, number(&n, DTMF_PT, meaning), 8000);
	}
	return err ? err : neg_write_media(o->s, m, &l);
}

/* A line of prev that is of no use any more, at port 0 in its place. */
static int offer_refused(struct sdp *s, const struct neg_media *before)
{
	const struct sdp_media gone = { .kind = before->kind,
					.proto = before->proto,
					.format = { before->format },
					.n_formats = 1 };
	return neg_write_refused(s, &gone, before->mid);
}

/* A role that has no line yet; data needs DTLS and a way for it. */
static bool role_wanted(const struct neg_policy *p, const bool *done, enum neg_role role)
{
	const struct neg_media_policy *mp = &p->media[role];

	if (done[role] || !mp->enabled || mp->only_answered)
		return false;
	if (role == NEG_ROLE_CONTENT && !(mp->dir & NEG_SENDONLY))
		return false; /* whoever shares something adds the line */
	return role == NEG_ROLE_APPLICATION
		       ? offer_security(p) == NEG_DTLS && (p->ice || mp->port)
		       : mp->n_formats > 0;
}

/* The role that a refused line is used again for (JSEP, RFC 8829 5.2.2), so that
 * the number of lines stays bounded; NONE: it stays refused. */
static enum neg_role role_again(const struct offering *o, const struct neg_media *before,
				const bool *done)
{
	if (before->accepted || !before->mid[0])
		return NEG_ROLE_NONE;
	for (unsigned r = NEG_ROLE_AUDIO; r < NEG_N_ROLES; r++)
		if (role_wanted(o->p, done, (enum neg_role)r) &&
		    !strcmp(before->kind, kind_of((enum neg_role)r)) &&
		    !strcmp(before->proto,
			    offer_proto((enum neg_role)r, offer_security(o->p), NULL)))
			return (enum neg_role)r;
	return NEG_ROLE_NONE;
}

static int offer_lines(struct offering *o, bool *in, size_t *carrier)
{
	const struct neg_policy *p = o->p;
	const struct neg_plan *prev = o->prev;
	struct sdp *s = o->s;
	bool done[NEG_N_ROLES] = { false };
	int err = 0;

	for (size_t i = 0; prev && i < prev->n_media; i++)
		if (prev->media[i].accepted)
			done[prev->media[i].role] = true;
	for (size_t i = 0; prev && i < prev->n_media && !err; i++) {
		const struct neg_media *before = &prev->media[i];
		enum neg_role role = before->accepted ? before->role : role_again(o, before, done);
		if (role != NEG_ROLE_NONE && p->media[role].enabled) {
			done[role] = true;
			in[i] = before->mid[0];
			err = offer_line(o, before, role);
		} else {
			err = offer_refused(s, before);
		}
	}
	for (unsigned r = NEG_ROLE_AUDIO; r < NEG_N_ROLES && !err; r++) {
		if (!role_wanted(p, done, (enum neg_role)r))
			continue;
		if (s->n_media == SDP_MAX_MEDIA)
			return -ENOBUFS;
		err = offer_line(o, NULL, (enum neg_role)r);
		if (!err)
			in[s->n_media - 1] =
				sdp_attr_find(&s->media[s->n_media - 1].attrs, "mid") != NULL;
	}
	for (*carrier = 0; *carrier < s->n_media && !in[*carrier]; (*carrier)++)
		;
	return err;
}

int neg_offer(const struct neg_policy *policy, const struct neg_plan *prev, struct sdp **offer,
	      struct errmsg *why)
{
	struct offering o = { .p = policy, .prev = prev };
	struct sdp *s = NULL;
	bool in[SDP_MAX_MEDIA] = { false };
	size_t carrier;

	int err = sdp_new(&s, policy->session_id, policy->session_version);
	if (err)
		return errmsg_set(why, err, "internal", "Out of memory.");
	o.s = s;
	numbers_of(&o.numbers, prev);
	err = offer_lines(&o, in, &carrier);
	if (!err && !s->n_media)
		err = -EINVAL;
	if (!err && carrier < s->n_media)
		err = neg_write_bundle(s, in, carrier);
	if (err) {
		sdp_free(&s);
		return errmsg_set(why, err, "internal", "The offer could not be written: %s.",
				  err_str(err));
	}
	*offer = s;
	return 0;
}
