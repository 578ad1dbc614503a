/* What the payload formats share: appending to an access unit, and cutting one
 * into payloads of equal size. Pure. */
#ifndef MCU_RTP_AU_H
#define MCU_RTP_AU_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "mcu/base/buf.h"

enum {
	RTP_AU_TAIL = 64, /* octets a depacketized buffer keeps free at its end */
	RTP_VIDEO_PAYLOAD = 1140, /* of our own video: 1,200 on the wire with headers and SRTP */
	RTP_AU_MIN_PAYLOAD = 64,
	RTP_AU_MAX_PAYLOAD = UINT16_MAX,
};

/* Octets that may still be appended. */
static inline size_t rtp_au_room(const struct buf *au)
{
	size_t used = (size_t)(au->data - au->store) + au->len;

	return au->cap < used + RTP_AU_TAIL ? 0 : au->cap - used - RTP_AU_TAIL;
}

/* 0 or -EMSGSIZE. */
static inline int rtp_au_append(struct buf *au, const uint8_t *p, size_t len)
{
	if (rtp_au_room(au) < len)
		return -EMSGSIZE;
	if (len)
		memcpy(au->data + au->len, p, len);
	au->len += len;
	return 0;
}

/* How many octets go into each payload so that all are equally long (the last
 * may be shorter) and none is longer than room. len, room > 0. */
static inline size_t rtp_au_each(size_t len, size_t room)
{
	size_t n = (len + room - 1) / room;

	return (len + n - 1) / n;
}

#endif
