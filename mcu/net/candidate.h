/* The value of a=candidate (RFC 8839 section 5.1): parser and writer. Pure.
 * The text comes from a peer: nothing in it is believed before it is checked. */
#ifndef MCU_NET_CANDIDATE_H
#define MCU_NET_CANDIDATE_H

#include <stddef.h>
#include <stdint.h>

enum candidate_type { CANDIDATE_HOST = 1, CANDIDATE_SRFLX, CANDIDATE_PRFLX, CANDIDATE_RELAY };

enum { CANDIDATE_BYTES = 512, CANDIDATE_FOUNDATION = 33, CANDIDATE_ADDRESS = 46 };

/* Always UDP. related_address "": none. */
struct candidate {
	enum candidate_type type;
	unsigned component;
	uint32_t priority;
	uint16_t port, related_port;
	char foundation[CANDIDATE_FOUNDATION];
	char address[CANDIDATE_ADDRESS]; /* IPv4 or IPv6, numeric */
	char related_address[CANDIDATE_ADDRESS];
};

/* With or without "a=" and "candidate:" in front. 0; -EBADMSG: malformed;
 * -ENOTSUP: legal, but nothing to send to from here (TCP, names such as those of
 * mDNS, port 0, unspecified and multicast addresses, unknown types). */
int candidate_parse(struct candidate *out, const char *text);

/* The value of the extension "ufrag", as browsers send it: the peer's ufrag of the
 * ICE generation that the candidate belongs to. Borrowed from text, *len octets;
 * NULL: unsaid. */
const char *candidate_ufrag(const char *text, size_t *len);

/* "candidate:…", with its NUL. The length, or -EMSGSIZE. */
int candidate_write(const struct candidate *c, char *out, size_t cap);

#endif
