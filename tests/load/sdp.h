/* What the bot says and understands of SDP (RFC 8866, JSEP): one audio and one
 * video section, BUNDLE, rtcp-mux, trickle ICE. Pure. */
#ifndef TESTS_LOAD_SDP_H
#define TESTS_LOAD_SDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SDP_MAX_CANDIDATES = 16, SDP_LINE = 256 };

struct sdp_media {
	bool accepted; /* the section is there and its port is not 0 */
	bool sends, receives;
	uint8_t pt;
	bool vp8; /* of video: not H.264 */
	uint8_t ext_mid, ext_level, ext_twcc; /* RFC 8285 ids, 0: not agreed */
	char mid[16];
};

struct sdp_answer {
	char ufrag[SDP_LINE], pwd[SDP_LINE], fingerprint[SDP_LINE];
	bool active; /* a=setup:active: the server starts DTLS */
	struct sdp_media audio, video, content;
	char candidate[SDP_MAX_CANDIDATES][SDP_LINE];
	size_t candidates;
};

struct sdp_offer {
	const char *ufrag, *pwd, *fingerprint, *cname;
	bool audio_send, audio_receive, video_send, video_receive;
	bool audio_only;   /* no video section */
	bool vp8;	   /* the video is VP8, not H.264 */
	bool transport_cc; /* offered on what is sent */
	uint32_t audio_ssrc, video_ssrc;
	uint32_t content_ssrc; /* 0: no second picture */
};

enum {
	SDP_PT_AUDIO = 111,
	SDP_PT_VIDEO = 102,
	SDP_EXT_LEVEL = 1,
	SDP_EXT_TWCC = 3,
	SDP_EXT_MID = 4
};

/* Zero-terminated SDP; false: cap is too small. */
bool sdp_write_offer(char *out, size_t cap, const struct sdp_offer *o);
/* NULL, or what is missing. */
const char *sdp_parse_answer(struct sdp_answer *a, const char *text);

#endif
