/* What a negotiation agreed on, in the media side's own words: no SDP. A plain
 * value; copied, never shared. Ids, SSRCs and payload types of 0 mean "not
 * agreed" or "not known". */
#ifndef MCU_ROOM_LEG_MEDIA_H
#define MCU_ROOM_LEG_MEDIA_H

#include <stdbool.h>
#include <stdint.h>

#include "mcu/base/codec.h"
#include "mcu/net/rtp_udp.h"

/* Our ICE credentials. */
struct leg_ice {
	char ufrag[9], pwd[33];
};

enum { LEG_MID_BYTES = 17, LEG_CNAME_BYTES = 32, LEG_MAX_FORMATS = 16 };

/* What the peer may put into its packets; it may change among these at any time. */
struct leg_rx_format {
	enum codec codec;
	uint8_t pt;
	uint8_t rtx_pt; /* RFC 4588: repairs of pt */
};

/* What we put into ours. */
struct leg_tx_format {
	enum codec codec;
	uint8_t pt;
	uint8_t rtx_pt;
	uint8_t channels;	   /* sound: 1 or 2 */
	uint8_t ptime_ms;	   /* sound: of a packet, as the peer likes it; 0: 20 */
	uint8_t cn_pt;		   /* comfort noise (RFC 3389) between this one's packets */
	bool annex_b;		   /* G.729: it may be told of silence */
	bool cbr;		   /* Opus: at a constant rate */
	uint32_t max_hz;	   /* Opus: it plays no more than this; 0: all */
	bool single_nal;	   /* H.264: packetization-mode 0, each NAL unit in one packet */
	uint32_t profile_level_id; /* H.264: what the sequence header must say; 0: as we like */
	/* What the peer can take; of a picture's macroblocks, those per second; of Opus
	 * the average rate; 0: any. */
	uint32_t max_fs, max_mbps, max_bps;
};

/* One format both ways, as an initialiser of a struct leg_stream. */
#define LEG_FORMAT(c, p)                                                                           \
	.rx_format = { { .codec = (c), .pt = (p) } }, .n_rx_formats = 1, .tx_format = {           \
		.codec = (c), .pt = (p), .channels = 1                                             \
	}

struct leg_stream {
	bool rx, tx; /* the leg sends to us; we send to it */
	struct leg_rx_format rx_format[LEG_MAX_FORMATS];
	uint8_t n_rx_formats;
	struct leg_tx_format tx_format;
	uint8_t rx_red_pt, tx_red_pt; /* RFC 2198 around Opus */
	uint8_t rx_dtmf_pt, tx_dtmf_pt; /* RFC 4733 telephone-event */
	uint32_t dtmf_hz;	/* its clock */
	uint32_t rx_ssrc, rx_rtx_ssrc; /* as signalled; 0: learnt from mid, rid or payload type */
	uint32_t tx_ssrc, tx_rtx_ssrc;
	char mid[LEG_MID_BYTES];
	char rid[LEG_MID_BYTES]; /* of simulcast: the one layer that was asked for; "": none */
	uint8_t ext_mid, ext_audio_level, ext_abs_send_time, ext_twcc, ext_orientation;
	uint8_t ext_rid, ext_rrid; /* RFC 8852: rid, repaired-rid */
	bool nack, pli, fir, remb, twcc;
};

/* The codec of a payload type that the peer sends; CODEC_NONE: not agreed on
 * (RTX and RED are none of these). */
static inline enum codec leg_stream_codec(const struct leg_stream *s, uint8_t pt)
{
	for (unsigned i = 0; i < s->n_rx_formats; i++)
		if (s->rx_format[i].pt == pt)
			return s->rx_format[i].codec;
	return CODEC_NONE;
}

struct leg_media {
	struct leg_stream audio, video;
	/* a second picture of the leg's, and what another leg presents */
	struct leg_stream content;
	char cname[LEG_CNAME_BYTES];
	/* transport: over UDP, with ports of the call, or ICE */
	bool udp;
	struct rtp_udp_line line[RTP_LINES];
	char peer[64]; /* that its signaling comes from; "": unknown */
	struct leg_ice local; /* set by leg.c; others than before: ICE is restarted */
	char remote_ufrag[257], remote_pwd[257];
	char remote_fingerprint[128]; /* "sha-256 AB:CD:…" */
	bool dtls_active;             /* we are the DTLS client */
	bool data;		      /* data channels were agreed on */
	uint16_t sctp_port;	      /* of the peer; RFC 8841 */
	uint32_t max_message;	      /* octets that the peer takes; 0: any size */
};

#endif
