/* WebRTC data channels above SCTP (RFC 8831) and their establishment protocol,
 * DCEP (RFC 8832): what a message on a stream means. Pure: no I/O, no clock; the
 * octets come from a peer. The peer opens channels, this side never does.
 *
 * A struct datachannels is a plain value; owner: a transport. */
#ifndef MCU_NET_DATACHANNEL_H
#define MCU_NET_DATACHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	DATACHANNEL_MAX = 16,	       /* open at once, of one peer */
	DATACHANNEL_STREAMS = 256,     /* ids 0…255 */
	DATACHANNEL_LABEL_BYTES = 256, /* a longer label or protocol is refused */
	DATACHANNEL_ACK_BYTES = 1,
	DATACHANNEL_OPEN_BYTES = 12 + 2 * DATACHANNEL_LABEL_BYTES,
};

/* RFC 8831 section 8: payload protocol identifiers. */
enum datachannel_ppid {
	PPID_DCEP = 50,
	PPID_STRING = 51,
	PPID_BINARY_PARTIAL = 52, /* deprecated, refused */
	PPID_BINARY = 53,
	PPID_STRING_PARTIAL = 54, /* deprecated, refused */
	PPID_STRING_EMPTY = 56,
	PPID_BINARY_EMPTY = 57,
};

/* DATA_CHANNEL_OPEN. Label and protocol are UTF-8 by the RFC, unchecked here, not
 * terminated, and lie in the message. */
struct datachannel_open {
	bool ordered, reliable;
	uint16_t priority;
	uint32_t reliability; /* retransmissions or milliseconds, when not reliable */
	const char *label, *protocol;
	size_t label_len, protocol_len;
};

/* 0 or -EBADMSG. */
int datachannel_parse_open(struct datachannel_open *out, const uint8_t *p, size_t len);
/* The length, or -EMSGSIZE. reliability as above; for clients and tests. */
int datachannel_write_open(const struct datachannel_open *o, uint8_t *p, size_t cap);
size_t datachannel_write_ack(uint8_t p[DATACHANNEL_ACK_BYTES]);
/* How a message is marked; *len becomes 1 for an empty one, which SCTP cannot
 * carry (RFC 8831 section 6.6: one octet of zero is sent). */
enum datachannel_ppid datachannel_ppid(bool binary, size_t *len);

struct datachannels {
	uint16_t stream[DATACHANNEL_MAX]; /* of those that are open */
	unsigned n;
};

enum datachannel_event {
	DATACHANNEL_NOTHING, /* of no consequence */
	DATACHANNEL_BAD,     /* against the rules: count it */
	DATACHANNEL_REFUSE,  /* too many channels: reset the stream */
	DATACHANNEL_OPENED,  /* acknowledge it; *open is filled in */
	DATACHANNEL_TEXT,    /* *len octets; *len is 0 for the empty one */
	DATACHANNEL_BINARY,
};

/* A complete message of the peer. */
enum datachannel_event datachannels_input(struct datachannels *d, uint16_t stream, uint32_t ppid,
					  const uint8_t *p, size_t *len,
					  struct datachannel_open *open);
bool datachannels_is_open(const struct datachannels *d, uint16_t stream);
/* The stream was reset, by either side; whether a channel was open on it. */
bool datachannels_closed(struct datachannels *d, uint16_t stream);

#endif
