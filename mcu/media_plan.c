#include "mcu/media_plan.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static void convert_stream(struct leg_stream *s, const struct neg_media *m, uint32_t tx_ssrc)
{
	if (!m)
		return;
	s->rx = m->dir & NEG_RECVONLY;
	s->tx = m->dir & NEG_SENDONLY;
	s->rx_format[0] = (struct leg_rx_format){ .codec = m->codec.codec, .pt = m->codec.pt_rx };
	s->n_rx_formats = 1;
	s->tx_format = (struct leg_tx_format){
		.codec = m->codec.codec, .pt = m->codec.pt_tx,
		.channels = m->codec.opus_stereo ? 2 : 1,
		.profile_level_id = m->codec.h264_profile,
	};
	s->rx_ssrc = m->n_remote_ssrcs ? m->remote_ssrc[0] : 0;
	s->tx_ssrc = tx_ssrc;
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
	const struct neg_transport *t = NULL;

	if (audio || video)
		t = neg_plan_transport(plan, audio ? audio : video);
	if (!t || !t->ice || t->security != NEG_DTLS)
		return errmsg_set(why, -ENOTSUP, "not_acceptable",
				  "This connection needs ICE and DTLS-SRTP, as browsers offer them.");
	*out = (struct leg_media){ .dtls_active = t->setup == NEG_SETUP_ACTIVE };
	convert_stream(&out->audio, audio, local->audio_ssrc);
	convert_stream(&out->video, video, local->video_ssrc);
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
