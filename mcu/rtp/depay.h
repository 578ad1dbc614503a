/* The video payload formats behind one table, so that who reassembles access
 * units (video_rx.h) knows none of them. Pure. */
#ifndef MCU_RTP_DEPAY_H
#define MCU_RTP_DEPAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/buf.h"
#include "mcu/base/codec.h"
#include "mcu/rtp/layers.h"
#include "mcu/rtp/payload_av1.h"
#include "mcu/rtp/payload_h263.h"
#include "mcu/rtp/payload_h264.h"
#include "mcu/rtp/payload_vp8.h"
#include "mcu/rtp/payload_vp9.h"

enum rtp_start {
	RTP_START_NO = 1,
	RTP_START_KEY,      /* an access unit that may be a key frame starts with this payload */
	RTP_START_KEY_REST, /* the same, but parameter sets may come before it */
};

/* What one payload says without being depacketized. */
struct rtp_payload_info {
	enum rtp_start start;
	bool first; /* starts an access unit for sure */
	struct rtp_layer layer;
};

/* What an access unit turned out to be. */
struct rtp_unit_info {
	bool picture;       /* not only parameter sets */
	bool random_access; /* refers to nothing, given the parameter sets */
	bool sets;          /* parameter sets are in it, where the codec has such */
};

struct rtp_depay {
	const struct rtp_depay_ops *ops;
	union {
		struct rtp_h264_depay h264;
		struct rtp_vp8_depay vp8;
		struct rtp_vp9_depay vp9;
		struct rtp_av1_depay av1;
		struct rtp_h263_depay h263;
	} of;
};

struct rtp_depay_ops {
	/* Fills *out, whatever the payload is. */
	void (*describe)(const uint8_t *payload, size_t len, struct rtp_payload_info *out);
	/* Appends at au->len; keeps RTP_AU_TAIL octets free. */
	void (*begin)(struct rtp_depay *d, struct buf *au);
	/* The payloads of an access unit in sequence without a hole. 0, -EBADMSG (malformed),
	 * -EMSGSIZE (does not fit). */
	int (*put)(struct rtp_depay *d, const uint8_t *payload, size_t len);
	/* The access unit is complete. 0 and *out, or as put. Without a picture in it,
	 * the next unit's payloads may follow. */
	int (*end)(struct rtp_depay *d, struct rtp_unit_info *out);
};

/* NULL for what is not a video codec. */
const struct rtp_depay_ops *rtp_depay_ops(enum codec c);

static inline void rtp_depay_begin(struct rtp_depay *d, enum codec c, struct buf *au)
{
	d->ops = rtp_depay_ops(c);
	d->ops->begin(d, au);
}

#endif
