/* The protector of the fan-out: SRTP and SRTCP (RFC 3711, RFC 7714) on OpenSSL's
 * EVP, for what this side sends. Cipher contexts are keyed once, so that the
 * cost per packet does not depend on how many sessions there are. Byte for byte
 * what libsrtp2 makes. No allocation per packet.
 *
 * Owner: a transport; ROLE_NET.
 *
 * An SRTP index must never be used twice with different octets: with GCM that
 * gives the key away. The caller (egress) guarantees it, as headers and payload
 * are a pure function of the sequence number; builds with a sanitizer check it
 * and refuse with -EEXIST. */
#ifndef MCU_NET_SRTP_OUT_H
#define MCU_NET_SRTP_OUT_H

#include <stddef.h>
#include <stdint.h>

#include "mcu/base/role.h"
#include "mcu/net/srtp_keys.h"

struct srtp_out;

enum { SRTP_OUT_STREAMS = 16 }; /* SSRCs of one session */

/* 0, -EINVAL, -ENOMEM, -EIO. */
int srtp_out_new(struct srtp_out **out, const struct srtp_keys *keys);
void srtp_out_free(struct srtp_out **s);

/* Octets that encryption adds. */
size_t srtp_out_rtp_overhead(const struct srtp_out *s);
size_t srtp_out_rtcp_overhead(const struct srtp_out *s);

/* Writes header, encrypted payload and tag to out (cap octets), which overlaps
 * neither. hdr: whole RTP header with CSRCs and extensions. The roll-over
 * counter starts at 0 with the first packet of each SSRC, whose sequence number
 * should therefore be below 2^15 (RFC 3711 section 3.3.1); a number up to 32,767
 * behind the newest is an older packet and gets the index it had.
 * Returns the length; -EINVAL: no RTP header, or from before the start;
 * -EMSGSIZE: cap; -ENOSPC: too many SSRCs; -EEXIST; -EIO. */
int srtp_out_rtp(struct srtp_out *s, uint8_t *out, size_t cap, const uint8_t *hdr, size_t hdr_len,
		 const uint8_t *payload, size_t payload_len) ON_THREAD(ROLE_NET);

/* A packet will soon be protected (transport.h): steps 0 and 1. */
void srtp_out_prefetch(const struct srtp_out *s, unsigned step);

/* The same for RTCP. One index for all SSRCs of the session, from 1.
 * -EOVERFLOW when 2^31 packets have been sent. */
int srtp_out_rtcp(struct srtp_out *s, uint8_t *out, size_t cap, const uint8_t *p, size_t len)
	ON_THREAD(ROLE_NET);

#endif
