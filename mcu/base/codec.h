/* The codecs that the server knows, by one name everywhere: in signaling, RTP,
 * rooms and the mixer. What of it can be sent or received is decided where it is
 * used. Pure. Any thread. */
#ifndef MCU_BASE_CODEC_H
#define MCU_BASE_CODEC_H

#include <stdbool.h>
#include <stdint.h>

enum codec {
	CODEC_NONE,
	CODEC_OPUS,
	CODEC_G722,
	CODEC_PCMU,
	CODEC_PCMA,
	CODEC_G729,
	CODEC_CN,  /* comfort noise between others (RFC 3389) */
	CODEC_AAC, /* recordings and broadcast only */
	CODEC_H264,
	CODEC_VP8,
	CODEC_VP9,
	CODEC_AV1,
	CODEC_H263, /* of 1998 (RFC 4629) */
	CODEC_N
};

/* As in an a=rtpmap ("opus", "VP8"); "none" for what is not one. A constant. */
const char *codec_name(enum codec c);

static inline bool codec_is_audio(enum codec c)
{
	return c >= CODEC_OPUS && c <= CODEC_AAC;
}

static inline bool codec_is_video(enum codec c)
{
	return c >= CODEC_H264 && c <= CODEC_H263;
}

/* Of its RTP time stamps; 0: it has none. G.722's is 8000 although it samples at
 * 16 kHz (RFC 3551 4.5.2). */
static inline uint32_t codec_clock_hz(enum codec c)
{
	if (codec_is_video(c))
		return 90000;
	return c == CODEC_OPUS ? 48000 : c >= CODEC_G722 && c <= CODEC_CN ? 8000 : 0;
}

#endif
