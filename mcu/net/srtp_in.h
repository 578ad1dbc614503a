/* What comes in: SRTP and SRTCP of one peer, on OpenSSL: roll-over, replay, many
 * SSRCs. (Debian's libsrtp2 is linked with NSS: it costs several times as much per
 * packet, allocates for each, and the more the more sessions there are. It is what
 * this must agree with in the tests.)
 *
 * Of more SSRCs than SRTP_IN_STREAMS that was heard longest ago is retired. What it
 * had come to stays known: a replay of it does not pass, and it may go on behind that.
 *
 * Owner: a transport; ROLE_NET. Input is hostile until it has been authenticated;
 * nothing is allocated per packet. RFC 3711, RFC 7714. */
#ifndef MCU_NET_SRTP_IN_H
#define MCU_NET_SRTP_IN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/role.h"
#include "mcu/net/srtp_keys.h"

struct srtp_in;

enum {
	SRTP_IN_STREAMS = 32,	   /* SSRCs that one peer may use at a time, and … */
	SRTP_IN_RETIRED = 256,	   /* … that it may have used before */
	SRTP_IN_RTP_WINDOW = 1024, /* packets; wider than any NACK window */
	SRTP_IN_RTCP_WINDOW = 64,
};

/* publishes: accepts RTP too. 0, -EINVAL, -ENOMEM, -EIO. */
int srtp_in_new(struct srtp_in **out, const struct srtp_keys *keys, bool publishes);
void srtp_in_free(struct srtp_in **s);
/* From now on RTP is accepted too; keys: those of _new(). What has come of RTCP stays
 * known, so that none of it can be replayed. Idempotent; errors as _new(): nothing
 * has changed then. */
int srtp_in_publish(struct srtp_in *s, const struct srtp_keys *keys) ON_THREAD(ROLE_NET);

/* In place; *len becomes the length in plain text. 0; -EBADMSG: too short or
 * not RTP / RTCP; -EACCES: authentication failed; -EALREADY: a replay, or too
 * old; -ENOSPC: too many SSRCs; -ENOTSUP: RTP from a leg that only receives. */
int srtp_in_rtp(struct srtp_in *s, uint8_t *p, size_t *len) ON_THREAD(ROLE_NET);
int srtp_in_rtcp(struct srtp_in *s, uint8_t *p, size_t *len) ON_THREAD(ROLE_NET);

#endif
