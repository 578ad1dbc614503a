#include "mcu/media_plan.h"

#include <arpa/inet.h>
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

/* As the peer wants it, and not longer than it takes; 0: unsaid. */
static uint8_t ptime_of(const struct neg_codec_plan *c)
{
	uint32_t ms = c->ptime_ms;

	if (c->maxptime_ms && (ms ? ms : 20) > c->maxptime_ms)
		ms = c->maxptime_ms;
	return ms < UINT8_MAX ? (uint8_t)ms : UINT8_MAX;
}

static void convert_opus(struct leg_stream *s, const struct neg_media *m)
{
	struct leg_tx_format *f = &s->tx_format;

	s->tx_red_pt = m->red_pt_tx;
	f->max_hz = m->codec.opus_max_playback_hz;
	f->cbr = m->codec.opus_cbr;
	if (m->codec.opus_max_bps && (!f->max_bps || m->codec.opus_max_bps < f->max_bps))
		f->max_bps = m->codec.opus_max_bps;
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
			.single_nal = f->codec == CODEC_H264 && !f->h264_mode,
			.profile_level_id = m->codec.h264_sps,
			.max_fs = m->codec.max_fs, .max_mbps = m->codec.max_mbps,
			.max_bps = lower(m->max_bps, m->codec.max_br_kbps),
			.ptime_ms = ptime_of(&m->codec), .cn_pt = m->has_noise ? m->noise_pt_tx : 0,
			.annex_b = m->codec.g729_annex_b,
		};
		if (f->codec == CODEC_OPUS)
			convert_opus(s, m);
	}
	s->rx_red_pt = m->red_pt_rx;
	if (m->has_noise && s->n_rx_formats < LEG_MAX_FORMATS)
		s->rx_format[s->n_rx_formats++] = (struct leg_rx_format){
			.codec = CODEC_CN, .pt = m->noise_pt_rx,
		};
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

/* --- over UDP ---------------------------------------------------------------------- */

/* What neg_sdes.c has checked the length of. */
static void keys_of(struct srtp_keys *out, const struct neg_crypto *c, enum srtp_profile profile)
{
	*out = (struct srtp_keys){ .profile = profile };
	memcpy(out->key, c->master, SRTP_KEY_BYTES);
	memcpy(out->salt, c->master + SRTP_KEY_BYTES, srtp_profile_salt_bytes(profile));
}

/* Of the kind of our sockets, or none ("0.0.0.0": on hold). */
static int copy_address(char out[RTP_ADDRESS_BYTES], const char *text, bool ip6, struct errmsg *why)
{
	unsigned char octets[sizeof(struct in6_addr)];
	struct latch_address a;
	bool none = !text[0] || !strcmp(text, "0.0.0.0") || !strcmp(text, "::");

	if (!none && (strlen(text) >= RTP_ADDRESS_BYTES ||
		      inet_pton(ip6 ? AF_INET6 : AF_INET, text, octets) != 1))
		return errmsg_set(why, -ENOTSUP, "not_acceptable",
				  "The c= line says \"%s\", but this call's media needs a numeric %s "
				  "address.", text, ip6 ? "IPv6" : "IPv4");
	if (!none && latch_address_read(&a, text, 1) && latch_address_kind(&a) == LATCH_NOBODY)
		return errmsg_set(why, -ENOTSUP, "not_acceptable",
				  "The c= line says \"%s\", but media is sent to one host only.", text);
	snprintf(out, RTP_ADDRESS_BYTES, "%s", none ? "" : text);
	return 0;
}

static int convert_line(struct rtp_udp_line *l, const struct neg_plan *plan,
			const struct neg_media *m, const struct rtp_ports *ports, enum rtp_line i,
			struct errmsg *why)
{
	const struct neg_transport *t = neg_plan_transport(plan, m);
	int err;

	if (t->ice || (t->security != NEG_PLAIN && t->security != NEG_SDES) ||
	    !rtp_ports_port(ports, i))
		return errmsg_set(why, -ENOTSUP, "not_acceptable",
				  "All media of a call must be RTP/AVP or RTP/SAVP, or all of it ICE.");
	*l = (struct rtp_udp_line){
		.used = true, .rx = m->dir & NEG_RECVONLY, .tx = m->dir & NEG_SENDONLY,
		.mux = t->rtcp_mux, .avpf = m->avpf, .trr_int_ms = m->trr_int_ms,
		.port = t->port, .rtcp_port = t->rtcp_port, .srtp = t->security == NEG_SDES,
	};
	err = copy_address(l->address, t->address, rtp_ports_ip6(ports), why);
	if (!err)
		err = copy_address(l->rtcp_address, t->rtcp_address, rtp_ports_ip6(ports), why);
	if (err || !l->srtp)
		return err;
	if (!rtp_ports_keys(ports, i, t->crypto[0].suite, &l->ours))
		return errmsg_set(why, -ENOTSUP, "not_acceptable", "The suite \"%s\" is not known.",
				  t->crypto[0].suite);
	keys_of(&l->peer, &t->crypto[0], l->ours.profile);
	return 0;
}

static int convert_udp(struct leg_media *out, const struct neg_plan *plan,
		       const struct leg_local *local, struct errmsg *why)
{
	static const enum neg_role roles[RTP_LINES] = {
		[RTP_LINE_AUDIO] = NEG_ROLE_AUDIO, [RTP_LINE_CAMERA] = NEG_ROLE_CAMERA,
		[RTP_LINE_CONTENT] = NEG_ROLE_CONTENT,
	};

	out->udp = true;
	for (enum rtp_line i = RTP_LINE_AUDIO; i < RTP_LINES; i++) {
		const struct neg_media *m = neg_plan_media(plan, roles[i]);
		int err = m ? convert_line(&out->line[i], plan, m, local->ports, i, why) : 0;

		if (err)
			return err;
	}
	return 0;
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

	bool udp = t && local->ports && !t->ice;

	if (!t || (!udp && (!t->ice || t->security != NEG_DTLS)))
		return errmsg_set(why, -ENOTSUP, "not_acceptable",
				  "This connection needs ICE and DTLS-SRTP, as browsers offer them.");
	*out = (struct leg_media){ .dtls_active = t->setup == NEG_SETUP_ACTIVE };
	convert_stream(&out->audio, audio, local->audio_ssrc, 0);
	convert_stream(&out->video, video, local->video_ssrc, local->video_rtx_ssrc);
	convert_stream(&out->content, content,
		       udp || (content && content->dir & NEG_SENDONLY) ? local->content_ssrc : 0, 0);
	snprintf(out->cname, sizeof out->cname, "%s", local->cname);
	if (udp)
		return convert_udp(out, plan, local, why);
	out->data = data != NULL;
	out->sctp_port = data ? data->sctp_port : 0;
	out->max_message = data ? data->max_message : 0;
	snprintf(out->remote_ufrag, sizeof out->remote_ufrag, "%s", t->ice_ufrag);
	snprintf(out->remote_pwd, sizeof out->remote_pwd, "%s", t->ice_pwd);
	if (strcasecmp(t->fingerprint_hash, "sha-256") ||
	    snprintf(out->remote_fingerprint, sizeof out->remote_fingerprint, "%s %s",
		     t->fingerprint_hash, t->fingerprint) >= (int)sizeof out->remote_fingerprint)
		return errmsg_set(why, -ENOTSUP, "not_acceptable",
				  "The certificate's fingerprint must be of SHA-256.");
	return 0;
}
