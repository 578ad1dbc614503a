/* What a negotiation agreed on, in the media side's own words: no SDP, no codec
 * names. A plain value; copied, never shared. Ids and payload types of 0 mean
 * "not agreed". */
#ifndef MCU_ROOM_LEG_MEDIA_H
#define MCU_ROOM_LEG_MEDIA_H

#include <stdbool.h>
#include <stdint.h>

enum { LEG_MID_BYTES = 17, LEG_CNAME_BYTES = 32 };

struct leg_stream {
	bool rx, tx;        /* the leg sends to us; we send to it */
	uint8_t rx_pt, tx_pt;
	uint32_t rx_ssrc;   /* as signalled; 0: learnt from mid or payload type */
	uint32_t tx_ssrc;
	char mid[LEG_MID_BYTES];
	uint8_t ext_mid, ext_audio_level, ext_abs_send_time, ext_twcc, ext_orientation;
	bool nack, pli, fir, remb, twcc;
};

struct leg_media {
	struct leg_stream audio, video;
	char cname[LEG_CNAME_BYTES];
	/* transport */
	char remote_ufrag[257], remote_pwd[257];
	char remote_fingerprint[128]; /* "AB:CD:…", SHA-256 */
	bool dtls_active;             /* we are the DTLS client */
};

#endif
