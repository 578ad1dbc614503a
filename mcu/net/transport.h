/* A leg's transport: how RTP and RTCP reach one peer and come from it.
 *
 * The members of the family are ICE + DTLS-SRTP (ice.h), plain UDP (rtp_udp.h) and
 * packets interleaved with a TCP connection (rtp_tcp.h).
 * Callers see only this header: create with the member's own function, then use the
 * calls below.
 *
 * Owner: the leg's state on its network shard. Everything here is ROLE_NET, on
 * the shard the transport was made on, and so are the events. An event may
 * close the transport; nothing is called for it afterwards, and its memory goes
 * once the event has returned. Calls on a transport that has reported closed
 * are harmless and do nothing; only transport_close releases it. */
#ifndef MCU_NET_TRANSPORT_H
#define MCU_NET_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/buf.h"
#include "mcu/base/role.h"

struct transport;
struct tap;

/* Who opens the DTLS handshake (RFC 5763): this side, or the peer. */
enum transport_setup { TRANSPORT_ACTIVE = 1, TRANSPORT_PASSIVE };

struct transport_remote {
	const char *ufrag, *pwd;    /* RFC 8839 */
	const char *fingerprint;    /* "sha-256 AB:CD:…" as in a=fingerprint, RFC 8122 */
	enum transport_setup setup; /* what this side does */
};

/* One RTP packet in plain text: header (12 octets, CSRCs, extensions) and
 * payload, both borrowed for the call. The sequence number is in the header. */
struct out_pkt {
	const uint8_t *hdr;
	const uint8_t *payload;
	uint16_t hdr_len;
	uint16_t payload_len;
};

/* The largest packet before encryption that is ever sent, and what encryption
 * may add to RTP and to RTCP (tag; index word). */
enum {
	TRANSPORT_MTU = 1200,
	TRANSPORT_MAX_PACKET = 1400,
	TRANSPORT_RTP_OVERHEAD = 16,
	TRANSPORT_RTCP_OVERHEAD = 20,
};

/* The largest message on a data channel: from the peer, our a=max-message-size, and
 * to it, if it takes that: one of the former with four octets in front. */
enum { TRANSPORT_MAX_MESSAGE = 65536, TRANSPORT_MAX_SEND = 65536 + 4 };

/* A data channel that the peer opens (RFC 8832); label is not terminated and may
 * hold anything. */
struct transport_channel {
	uint16_t id;
	bool ordered, reliable;
	const char *label;
	size_t label_len;
};

/* All may be NULL but closed. Strings are borrowed for the call. */
struct transport_events {
	/* A local candidate as the value of a=candidate ("candidate:…");
	 * NULL: there will be no more. */
	void (*candidate)(void *obj, const char *candidate);
	/* Media may flow. profile: "AEAD_AES_128_GCM", "AES_CM_128_HMAC_SHA1_80" …, or
	 * "RTP/AVP" without encryption. */
	void (*connected)(void *obj, const char *profile);
	/* Pictures were withheld that could not be sent yet; those from now on go. May be NULL. */
	void (*opened)(void *obj);
	/* A decrypted RTP packet, taken by the callee. pkt->time_ns = arrival_ns. */
	void (*rtp)(void *obj, struct buf *pkt, int64_t arrival_ns);
	/* A decrypted compound or reduced-size RTCP packet, borrowed. */
	void (*rtcp)(void *obj, const uint8_t *p, size_t len, int64_t arrival_ns);
	/* A data channel is open; false refuses it: it is closed again. */
	bool (*data_open)(void *obj, const struct transport_channel *c);
	/* A whole message, at most TRANSPORT_MAX_MESSAGE octets, borrowed. Text is
	 * UTF-8 by the RFC and not checked. */
	void (*data)(void *obj, uint16_t channel, bool binary, const uint8_t *p, size_t len);
	/* The peer has closed a channel, or all have gone with their association. */
	void (*data_closed)(void *obj, uint16_t channel);
	/* The end, once, with a TRANSPORT_CLOSED_… code. */
	void (*closed)(void *obj, const char *reason);
};

#define TRANSPORT_CLOSED_ICE	     "ice"	   /* no pair of candidates worked */
#define TRANSPORT_CLOSED_CONSENT     "consent"	   /* the peer vanished, RFC 7675 */
#define TRANSPORT_CLOSED_DTLS	     "dtls"	   /* the handshake failed or timed out */
#define TRANSPORT_CLOSED_FINGERPRINT "fingerprint" /* the certificate is not the signalled one */
#define TRANSPORT_CLOSED_PROFILE     "profile"	   /* no common SRTP profile */
#define TRANSPORT_CLOSED_FLOOD	     "flood"	   /* the peer sends more than it may, all the time */
#define TRANSPORT_CLOSED_SILENCE     "silence"	   /* nothing came for too long (plain UDP) */
#define TRANSPORT_CLOSED_PEER	     "peer"	   /* the peer said goodbye (close_notify) */

/* What a sender of nothing but silence sends, if one can tell by the packet: each octet of
 * the payload is code under mask. payload_len 0: one cannot. */
struct transport_silence {
	uint16_t payload_len;
	uint8_t pt, code, mask;
};

static inline bool transport_silence_equal(const struct transport_silence *a,
					   const struct transport_silence *b)
{
	return a->payload_len == b->payload_len && a->pt == b->pt &&
	       a->code == b->code && a->mask == b->mask;
}

/* Counted since the start; for stats messages. */
struct transport_stats {
	uint64_t tx_packets, tx_octets, tx_dropped;
	uint64_t rx_packets, rx_octets, rx_dropped;
};

struct transport_ops {
	int (*set_remote)(struct transport *t, const struct transport_remote *r);
	int (*add_candidate)(struct transport *t, const char *candidate);
	size_t (*send_rtp)(struct transport *t, const struct out_pkt *pkts, size_t n);
	int (*send_rtcp)(struct transport *t, const uint8_t *p, size_t len);
	void (*prefetch)(const struct transport *t, unsigned step); /* from 1 on */
	int (*start_data)(struct transport *t, uint16_t peer_port, uint32_t max_message);
	int (*send_data)(struct transport *t, uint16_t channel, bool binary, const uint8_t *p,
			 size_t len);
	void (*close_data)(struct transport *t, uint16_t channel);
	void (*hurry)(struct transport *t, bool hurry);
	void (*relax)(struct transport *t, const struct transport_silence *s); /* may be NULL */
	void (*stats)(const struct transport *t, struct transport_stats *out);
	void (*close)(struct transport *t);
};

/* What sending takes of an implementation's own struct is at its beginning. */
enum { TRANSPORT_PREFETCH_STEPS = 3, TRANSPORT_HOT_BYTES = 192 };

/* The first member of every implementation's struct. */
struct transport {
	const struct transport_ops *ops;
	struct tap *tap; /* NULL: nobody looks */
	uint8_t line;
	uint32_t skipped;
};

/* During the events rtp and rtcp: the line that the packet came by (enum rtp_line of
 * rtp_ports.h), for payload types and SSRCs may repeat between lines; 0: there is but
 * one transport for all of them. */
static inline unsigned transport_line(const struct transport *t)
{
	return t->line;
}

/* During the event rtp: how many packets of the silence that transport_relax described were
 * dropped right before this one, unseen but counted. */
static inline uint32_t transport_skipped(const struct transport *t)
{
	return t->skipped;
}

/* Whether the peer sends pictures now: then what comes is read at once, and not a
 * little ahead of the next audio tick (shard.h, patient descriptors). First it is
 * not. */
void transport_hurry(struct transport *t, bool hurry) ON_THREAD(ROLE_NET);
/* Nothing but silence comes (copied; NULL: not any more): what does may wait for another
 * read, so long as it is not hurried, or may not come at all but for a packet now and
 * then. What is no silence comes as ever. */
void transport_relax(struct transport *t, const struct transport_silence *s) ON_THREAD(ROLE_NET);

/* Copies of what is received and sent from now on go to tap (borrowed until it is
 * replaced by another or NULL). */
void transport_set_tap(struct transport *t, struct tap *tap) ON_THREAD(ROLE_NET);

/* The peer's credentials, fingerprint and our DTLS role. Strings are copied.
 * 0; -EINVAL: malformed; -ENOTSUP: unknown hash; -EALREADY: other values than
 * the first time (a re-offer may repeat them), unless ICE was restarted. */
int transport_set_remote(struct transport *t, const struct transport_remote *r) ON_THREAD(ROLE_NET);

/* A candidate of the peer, with or without "candidate:" or "a=candidate:" in
 * front; NULL or "": no more will come. May precede transport_set_remote. 0,
 * also for those that are legal but of no use here (mDNS names, TCP, other
 * components); -EBADMSG: malformed; -ENOSPC: too many. */
int transport_add_candidate(struct transport *t, const char *candidate) ON_THREAD(ROLE_NET);

/* Encrypts and sends, never waiting: what the socket does not take is dropped
 * and counted. Returns how many went out (0 before connected), or will with those to
 * others before the shard sleeps. Consecutive packets of equal size (the last of a run may
 * be shorter) share a system call.
 *
 * The encryption follows the roll-over per SSRC by itself. A packet whose
 * sequence number is not newer than the newest of its SSRC is a retransmission
 * and must be identical to what was sent under that number: header, extensions
 * and payload. */
size_t transport_send_rtp(struct transport *t, const struct out_pkt *pkts, size_t n)
	ON_THREAD(ROLE_NET);

/* A packet will soon be sent: fetches what that takes into the processor's cache.
 * Steps 0, 1, … TRANSPORT_PREFETCH_STEPS - 1, each a little after the one before,
 * whose pointers it follows. Of a thousand receivers' states little is there when
 * their turn comes again. */
static inline void transport_prefetch(const struct transport *t, unsigned step)
{
	if (!t)
		return;
	if (step)
		t->ops->prefetch(t, step);
	else
		for (unsigned at = 0; at < TRANSPORT_HOT_BYTES; at += 64)
			__builtin_prefetch((const char *)t + at);
}

/* A compound or reduced-size RTCP packet in plain text, at most
 * TRANSPORT_MAX_PACKET octets, borrowed; with several lines all of it is of the one that
 * its first SSRC is of. 0; -ENOTCONN; -EMSGSIZE; -EAGAIN (dropped). */
int transport_send_rtcp(struct transport *t, const uint8_t *p, size_t len) ON_THREAD(ROLE_NET);

/* Data channels were agreed on (RFC 8841): the association is made as soon as there
 * is a connection. The peer opens the channels. peer_port 0: 5000; max_message: the
 * largest that the peer takes, 0: any. 0, also when it was done before; -ENOMEM,
 * -EIO; -ENOTSUP: this kind of transport has none. */
int transport_start_data(struct transport *t, uint16_t peer_port, uint32_t max_message)
	ON_THREAD(ROLE_NET);
/* Ordered and reliable as long as it is taken: what waits for a peer that takes it
 * slowly is bounded. 0; -EAGAIN: too much waits, dropped; -EMSGSIZE; -ENOTCONN: no
 * such channel. */
int transport_send_data(struct transport *t, uint16_t channel, bool binary, const uint8_t *p,
			size_t len) ON_THREAD(ROLE_NET);
/* No event follows. */
void transport_close_data(struct transport *t, uint16_t channel) ON_THREAD(ROLE_NET);

void transport_get_stats(const struct transport *t, struct transport_stats *out)
	ON_THREAD(ROLE_NET);

/* Says goodbye to the peer, releases everything and NULLs *t; NULL is fine. */
void transport_close(struct transport **t) ON_THREAD(ROLE_NET);

#endif
