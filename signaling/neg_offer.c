#include "signaling/negotiate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "signaling/neg_internal.h"

enum { DTMF_PT = 101 };

/* A payload type once agreed on stays (RFC 3264 8.3.2). */
static uint8_t offer_pt(const struct neg_plan *prev, const struct neg_format *f)
{
	for (size_t i = 0; prev && i < prev->n_media; i++) {
		const struct neg_media *pm = &prev->media[i];
		if (pm->accepted && pm->codec.codec == f->codec &&
		    (f->codec != CODEC_H264 || pm->codec.h264_mode == f->h264_mode))
			return pm->codec.pt_rx;
	}
	return f->pt;
}

static uint8_t offer_ext(const struct neg_plan *prev, unsigned ext)
{
	bool used[16] = { false };
	for (size_t i = 0; prev && i < prev->n_media; i++) {
		if (prev->media[i].ext_id[ext])
			return prev->media[i].ext_id[ext];
		for (unsigned e = 0; e < NEG_N_EXTS; e++)
			used[prev->media[i].ext_id[e] & 15] = true;
	}
	uint8_t id = (uint8_t)(ext + 1);
	while (id < 14 && used[id])
		id++;
	return id;
}

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

static const char *offer_proto(enum neg_security security, const struct neg_media *before)
{
	if (before)
		return before->proto;
	switch (security) {
	case NEG_DTLS: return "UDP/TLS/RTP/SAVPF";
	case NEG_SDES: return "RTP/SAVP";
	default: return "RTP/AVP";
	}
}

static enum neg_security offer_security(uint32_t allowed)
{
	if (allowed & NEG_DTLS)
		return NEG_DTLS;
	return allowed & NEG_SDES ? NEG_SDES : NEG_PLAIN;
}

static int offer_formats(struct sdp *s, struct sdp_media *m, struct neg_line *l,
			 const struct neg_plan *prev)
{
	for (size_t i = 0; i < l->mp->n_formats; i++) {
		const struct neg_format *f = &l->mp->formats[i];
		uint8_t pt = offer_pt(prev, f);
		int err = neg_write_format(s, m, l->mp, f, pt, f->h264_profile);
		if (err)
			return err;
		if (l->n_pts < SDP_MAX_FORMATS)
			l->pts[l->n_pts++] = pt;
	}
	return l->mp->dtmf ? neg_write_dtmf(s, m, DTMF_PT, 8000) : 0;
}

/* before: the m-line in the plan in force, or NULL for a new one. */
static int offer_line(struct sdp *s, const struct neg_policy *p, const struct neg_plan *prev,
		      const struct neg_media *before, enum neg_role role)
{
	enum neg_security security =
		before ? neg_plan_transport(prev, before)->security : offer_security(p->security);
	struct neg_transport t = {
		.ice = before ? neg_plan_transport(prev, before)->ice : p->ice,
		.security = security,
		.setup = NEG_SETUP_ACTPASS,
		.rtcp_mux = true,
		.crypto = { { .tag = 1 } },
	};
	struct neg_media pm = { .role = role,
				.dir = p->media[role].dir,
				.fb = p->media[role].fb,
				.rtcp_rsize = security == NEG_DTLS };
	struct neg_line l = { .policy = p,
			      .mp = &p->media[role],
			      .media = &pm,
			      .transport = &t,
			      .carries_transport = s->n_media == 0 || !p->one_transport };

	if (before)
		snprintf(pm.mid, sizeof(pm.mid), "%s", before->mid);
	else if (t.ice || p->one_transport)
		new_mid(prev, s, pm.mid, sizeof(pm.mid));
	for (unsigned e = 0; e < NEG_N_EXTS; e++)
		if (l.mp->exts & 1u << e && pm.mid[0])
			pm.ext_id[e] = offer_ext(prev, e);
	struct sdp_media *m = sdp_add_media(s, role == NEG_ROLE_AUDIO ? "audio" : "video",
					    t.ice ? 9 : l.mp->port, offer_proto(security, before));
	if (!m)
		return -ENOMEM;
	int err = offer_formats(s, m, &l, prev);
	return err ? err : neg_write_media(s, m, &l);
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

static int offer_lines(struct sdp *s, const struct neg_policy *p, const struct neg_plan *prev,
		       bool *in, size_t *carrier)
{
	bool done[NEG_N_ROLES] = { false };
	int err = 0;

	for (size_t i = 0; prev && i < prev->n_media && !err; i++) {
		const struct neg_media *before = &prev->media[i];
		in[i] = before->accepted && p->media[before->role].enabled && before->mid[0];
		if (before->accepted && p->media[before->role].enabled) {
			done[before->role] = true;
			err = offer_line(s, p, prev, before, before->role);
		} else {
			err = offer_refused(s, before);
		}
	}
	for (unsigned r = NEG_ROLE_AUDIO; r <= NEG_ROLE_CONTENT && !err; r++) {
		if (done[r] || !p->media[r].enabled || !p->media[r].n_formats)
			continue;
		if (s->n_media == SDP_MAX_MEDIA)
			return -ENOBUFS;
		err = offer_line(s, p, prev, NULL, (enum neg_role)r);
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
	struct sdp *s = NULL;
	bool in[SDP_MAX_MEDIA] = { false };
	size_t carrier;

	int err = sdp_new(&s, policy->session_id, policy->session_version);
	if (err)
		return errmsg_set(why, err, "internal", "Out of memory.");
	err = offer_lines(s, policy, prev, in, &carrier);
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
