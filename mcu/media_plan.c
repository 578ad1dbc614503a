#include "mcu/media_plan.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* 0: no limit. */
static uint32_t lower(uint32_t bps, uint32_t kbps)
{
	uint32_t other = kbps > UINT32_MAX / 1000 ? UINT32_MAX : kbps * 1000;

	return !bps || (other && other < bps) ? other : bps;
}

/* What the peer may send, and the one format that we send. */
static void convert_formats(struct leg_stream *s, const struct neg_media *m)
{
	for (size_t i = 0; i < m->n_agreed; i++) {
		const struct neg_agreed *f = &m->agreed[i];

		if (f->dir & NEG_RECVONLY && s->n_rx_formats < LEG_MAX_FORMATS)
			s->rx_format[s->n_rx_formats++] = (struct leg_rx_format){
				.codec = f->codec, .pt = f->pt, .rtx_pt = f->rtx_pt,
			};
		if (!(f->dir & NEG_SENDONLY) || f->tx_pt != m->codec.pt_tx)
			continue;
		s->tx_format = (struct leg_tx_format){
			.codec = f->codec, .pt = f->tx_pt, .rtx_pt = f->tx_rtx_pt,
			.channels = m->codec.opus_stereo ? 2 : 1,
			.profile_level_id = m->codec.h264_sps,
			.max_fs = m->codec.max_fs, .max_mbps = m->codec.max_mbps,
			.max_bps = lower(m->max_bps, m->codec.max_br_kbps),
		};
		if (f->codec == CODEC_OPUS)
			s->tx_red_pt = m->red_pt_tx;
	}
	s->rx_red_pt = m->red_pt_rx;
	if (!m->has_dtmf)
		return;
	s->rx_dtmf_pt = m->dtmf_pt_rx;
	s->tx_dtmf_pt = m->dtmf_pt_tx;
	s->dtmf_hz = m->dtmf_clock_hz;
}

static void convert_stream(struct leg_stream *s, const struct neg_media *m, uint32_t tx_ssrc,
			   uint32_t tx_rtx_ssrc)
{
	if (!m)
		return;
	s->rx = m->dir & NEG_RECVONLY;
	s->tx = m->dir & NEG_SENDONLY;
	convert_formats(s, m);
	s->rx_ssrc = m->n_remote_ssrcs ? m->remote_ssrc[0] : 0;
	s->rx_rtx_ssrc = m->remote_rtx_ssrc;
	s->tx_ssrc = tx_ssrc;
	s->tx_rtx_ssrc = s->tx_format.rtx_pt ? tx_rtx_ssrc : 0;
	if (strlen(m->rid) < sizeof s->rid)
		strcpy(s->rid, m->rid);
	s->ext_rid = m->ext_id[NEG_EXT_RID];
	s->ext_rrid = m->ext_id[NEG_EXT_REPAIRED_RID];
	if (strlen(m->mid) < sizeof s->mid)
		strcpy(s->mid, m->mid);
	s->ext_mid = m->ext_id[NEG_EXT_MID];
	s->ext_audio_level = m->ext_id[NEG_EXT_AUDIO_LEVEL];
	s->ext_abs_send_time = m->ext_id[NEG_EXT_ABS_SEND_TIME];
	s->ext_twcc = m->ext_id[NEG_EXT_TWCC];
	s->ext_orientation = m->ext_id[NEG_EXT_VIDEO_ORIENTATION];
	s->nack = m->fb & NEG_FB_NACK;
	s->pli = m->fb & NEG_FB_PLI;
	s->fir = m->fb & NEG_FB_FIR;
	s->remb = m->fb & NEG_FB_REMB;
	s->twcc = m->fb & NEG_FB_TWCC;
}

int media_plan_convert(struct leg_media *out, const struct neg_plan *plan,
		       const struct leg_local *local, struct errmsg *why)
{
	const struct neg_media *audio = neg_plan_media(plan, NEG_ROLE_AUDIO);
	const struct neg_media *video = neg_plan_media(plan, NEG_ROLE_CAMERA);
	const struct neg_media *content = neg_plan_media(plan, NEG_ROLE_CONTENT);
	const struct neg_media *data = neg_plan_media(plan, NEG_ROLE_APPLICATION);
	const struct neg_media *any = audio ? audio : video ? video : content ? content : data;
	const struct neg_transport *t = any ? neg_plan_transport(plan, any) : NULL;

	if (!t || !t->ice || t->security != NEG_DTLS)
		return errmsg_set(why, -ENOTSUP, "not_acceptable",
				  "This connection needs ICE and DTLS-SRTP, as browsers offer them.");
	*out = (struct leg_media){ .dtls_active = t->setup == NEG_SETUP_ACTIVE };
	convert_stream(&out->audio, audio, local->audio_ssrc, 0);
	convert_stream(&out->video, video, local->video_ssrc, local->video_rtx_ssrc);
	convert_stream(&out->content, content, 0, 0);
	out->data = data != NULL;
	out->sctp_port = data ? data->sctp_port : 0;
	out->max_message = data ? data->max_message : 0;
	snprintf(out->cname, sizeof out->cname, "%s", local->cname);
	snprintf(out->remote_ufrag, sizeof out->remote_ufrag, "%s", t->ice_ufrag);
	snprintf(out->remote_pwd, sizeof out->remote_pwd, "%s", t->ice_pwd);
	if (strcasecmp(t->fingerprint_hash, "sha-256") ||
	    snprintf(out->remote_fingerprint, sizeof out->remote_fingerprint, "%s %s",
		     t->fingerprint_hash, t->fingerprint) >= (int)sizeof out->remote_fingerprint)
		return errmsg_set(why, -ENOTSUP, "not_acceptable",
				  "The certificate's fingerprint must be of SHA-256.");
	return 0;
}
