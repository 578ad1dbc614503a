#include "signaling/negotiate.h"

#include "signaling/neg_internal.h"

/* The numbers are those that browsers use themselves. */
const struct neg_format neg_audio_formats[] = {
	{ .codec = CODEC_OPUS, .pt = 111, .fmtp = "minptime=10;useinbandfec=1" },
	{ .codec = CODEC_G722, .pt = 9 },
	{ .codec = CODEC_PCMU, .pt = 0 },
	{ .codec = CODEC_PCMA, .pt = 8 },
	{ .codec = CODEC_G729, .pt = 18 },
};
const size_t neg_n_audio_formats = sizeof(neg_audio_formats) / sizeof(neg_audio_formats[0]);
const size_t neg_n_browser_audio_formats = 4;

const struct neg_format neg_video_formats[] = {
	{ .codec = CODEC_H264, .pt = 102, .rtx_pt = 103, .h264_mode = 1, .h264_profile = 0x42e01f },
	{ .codec = CODEC_VP8, .pt = 96, .rtx_pt = 97 },
	{ .codec = CODEC_VP9, .pt = 98, .rtx_pt = 99, .fmtp = "profile-id=0" },
	{ .codec = CODEC_AV1, .pt = 45, .rtx_pt = 46 },
	{ .codec = CODEC_H264,
	  .pt = 104,
	  .rtx_pt = 105,
	  .h264_mode = 0,
	  .h264_profile = 0x42e01f },
	/* for the oldest: both sizes, each as often as it likes */
	{ .codec = CODEC_H263, .pt = 106, .fmtp = "CIF=1;QCIF=1" },
};
const size_t neg_n_video_formats = sizeof(neg_video_formats) / sizeof(neg_video_formats[0]);
const size_t neg_n_browser_video_formats = 5;

void neg_policy_browser(struct neg_policy *p, const struct neg_abilities *can)
{
	*p = (struct neg_policy){
		.security = NEG_DTLS,
		.one_transport = true,
		.ice = true,
		.setup = NEG_SETUP_PASSIVE,
	};
	p->media[NEG_ROLE_AUDIO] = (struct neg_media_policy){
		.dir = NEG_SENDRECV,
		.enabled = true,
		.many = true,
		.formats = neg_audio_formats,
		.n_formats = neg_n_browser_audio_formats,
		.send = can->send,
		.recv = can->recv,
		.red = can->red,
		.stereo = can->stereo,
		.fb = NEG_FB_NACK | NEG_FB_TWCC,
		.exts = 1u << NEG_EXT_MID | 1u << NEG_EXT_AUDIO_LEVEL |
			1u << NEG_EXT_ABS_SEND_TIME | 1u << NEG_EXT_TWCC,
	};
	p->media[NEG_ROLE_CAMERA] = (struct neg_media_policy){
		.dir = NEG_SENDRECV,
		.enabled = true,
		.many = true,
		.formats = neg_video_formats,
		.n_formats = neg_n_browser_video_formats,
		.send = can->send,
		.recv = can->recv,
		.rtx = can->rtx,
		.simulcast = can->simulcast,
		.fb = NEG_FB_NACK | NEG_FB_PLI | NEG_FB_FIR | NEG_FB_REMB | NEG_FB_TWCC |
		      NEG_FB_TMMBR,
		.exts = 1u << NEG_EXT_MID | 1u << NEG_EXT_ABS_SEND_TIME | 1u << NEG_EXT_TWCC |
			1u << NEG_EXT_VIDEO_ORIENTATION | 1u << NEG_EXT_RID |
			1u << NEG_EXT_REPAIRED_RID,
	};
	p->media[NEG_ROLE_CONTENT] = p->media[NEG_ROLE_CAMERA];
	p->media[NEG_ROLE_CONTENT].dir = NEG_RECVONLY;
	p->media[NEG_ROLE_CONTENT].enabled = can->content;
	p->media[NEG_ROLE_APPLICATION] = (struct neg_media_policy){
		.dir = NEG_SENDRECV,
		.enabled = can->data,
		.sctp_port = 5000,
		.max_message = 65536,
	};
}

void neg_policy_phone(struct neg_policy *p, const struct neg_abilities *can)
{
	neg_policy_browser(p, can);
	p->security = NEG_PLAIN | NEG_SDES | NEG_DTLS;
	p->offer = NEG_PLAIN;
	p->dtls_needs_ice = p->no_trickle = true;
	for (int r = NEG_ROLE_AUDIO; r <= NEG_ROLE_CONTENT; r++) {
		p->media[r].many = false;
		p->media[r].rtx = p->media[r].red = p->media[r].simulcast = false;
		p->media[r].exts = 0;
		p->media[r].fb = r == NEG_ROLE_AUDIO ? 0 : NEG_FB_NACK | NEG_FB_PLI | NEG_FB_FIR |
							   NEG_FB_TMMBR;
	}
	p->media[NEG_ROLE_CONTENT].dir = NEG_SENDRECV;
	p->media[NEG_ROLE_CONTENT].only_answered = true;
	p->media[NEG_ROLE_CONTENT].fb &= ~(uint32_t)NEG_FB_TMMBR;
	p->media[NEG_ROLE_AUDIO].dtmf = p->media[NEG_ROLE_AUDIO].noise = true;
	p->media[NEG_ROLE_AUDIO].n_formats = neg_n_audio_formats;
	p->media[NEG_ROLE_CAMERA].n_formats = p->media[NEG_ROLE_CONTENT].n_formats =
		neg_n_video_formats;
	/* 1280x720 at 30; some refuse a description that does not say it */
	p->media[NEG_ROLE_CAMERA].max_fs = p->media[NEG_ROLE_CONTENT].max_fs = 3600;
	p->media[NEG_ROLE_CAMERA].max_mbps = p->media[NEG_ROLE_CONTENT].max_mbps = 108000;
	p->media[NEG_ROLE_APPLICATION].enabled = false;
}
