/* Which stream a received RTP packet belongs to: that of the line it came by, or where
 * there is one transport for all (RFC 8843 9.2): by mid, then by what its SSRC was last
 * said to be, then by payload type. Of a stream one source
 * counts at a time: the newest that was announced. Of simulcast (RFC 8853) one
 * layer counts: the one that was asked for, or, while that is silent, another.
 *
 * Pure but for the table, which is bounded: the source unheard for longest makes
 * room. A peer that lies about its packets confuses its own streams only.
 * Owner: the leg on its shard. */
#ifndef MCU_ROOM_RTP_DEMUX_H
#define MCU_ROOM_RTP_DEMUX_H

#include <stdbool.h>
#include <stdint.h>

#include "mcu/room/leg_media.h"
#include "mcu/rtp/packet.h"

enum {
	RTP_DEMUX_SOURCES = 32,
	RTP_DEMUX_SILENT_MS = 500,   /* then a source is replaced by whoever sends */
	RTP_DEMUX_LAYER_MS = 2000,   /* then another layer is taken */
};

enum rtp_route_kind {
	RTP_ROUTE_UNKNOWN,     /* not agreed on */
	RTP_ROUTE_MEDIA,
	RTP_ROUTE_RTX,	       /* repairs media_ssrc; original payload type in pt */
	RTP_ROUTE_OTHER_LAYER, /* a layer that is not taken, or its repairs */
	RTP_ROUTE_OLD_SOURCE,  /* one that has been replaced, or its repairs */
};

enum rtp_route_stream {
	RTP_STREAM_NONE,
	RTP_STREAM_AUDIO,
	RTP_STREAM_VIDEO,
	RTP_STREAM_CONTENT,
	RTP_STREAM_N
};

struct rtp_route {
	enum rtp_route_kind kind;
	enum rtp_route_stream stream;
	enum codec codec; /* CODEC_NONE: RED */
	uint8_t pt;
	uint32_t media_ssrc;
};

struct rtp_source {
	uint32_t ssrc;
	uint8_t stream; /* enum rtp_route_stream; 0: a free place */
	bool announced; /* by mid, rid or signaling */
	bool used;	/* was the stream's source once */
	bool has_pair;
	uint32_t pair; /* RTX without rid: whose repairs these are */
	char rid[RTP_MID_MAX + 1];
	int64_t last_ns, since_ns; /* heard; since the last pause */
};

struct rtp_demux_stream {
	const struct leg_stream *s;
	bool have, announced;
	bool rids;   /* sources say their rid */
	bool layers; /* and there was more than one */
	uint32_t ssrc;
	int64_t last_ns; /* of what was taken; 0: nothing yet */
	char rid[RTP_MID_MAX + 1];
	char asked[RTP_MID_MAX + 1];
	uint32_t signalled, signalled_rtx;
};

struct rtp_demux {
	bool lines; /* packets come by lines */
	uint8_t ext_mid, ext_rid, ext_rrid;
	struct rtp_demux_stream stream[RTP_STREAM_N];
	struct rtp_source source[RTP_DEMUX_SOURCES];
};

/* m: borrowed as long as d is used, for the streams' formats; call again when it
 * has changed. What announced sources were said to be stays. A zeroed *d is new. */
void rtp_demux_configure(struct rtp_demux *d, const struct leg_media *m);
/* line: the stream that it is of for sure; RTP_STREAM_NONE: that is to be found out. Of
 * different lines payload types and SSRCs may be the same. */
void rtp_demux_route(struct rtp_demux *d, const struct rtp_packet *p, enum rtp_route_stream line,
		     int64_t now_ns, struct rtp_route *out);

/* The layer of a stream that is taken now; "": none. */
const char *rtp_demux_rid(const struct rtp_demux *d, enum rtp_route_stream stream);

#endif
