/* What a called address means. Pure: a table in, an answer out. Any thread.
 *
 *   sip:ROOM@here          that room
 *   sip:bridge@here        the voice menu; so do sip:here and tel:… of no DID
 *   sip:DID@here from a trunk: what the trunk's list says: a room, or the menu
 *   sip:anything@elsewhere not for us: we are no proxy
 *
 * "here": sip.domain when there is one, or any numeric address; without a domain any
 * name. A DID is compared by its digits
 * alone: "+49 30-12" is "493012". */
#ifndef MCU_SIGNALING_SIP_ROUTE_H
#define MCU_SIGNALING_SIP_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

enum sip_want {
	SIP_WANT_NOTHING, /* 404 */
	SIP_WANT_ROOM,
	SIP_WANT_BRIDGE
};

enum { SIP_ROOM_MAX = 256 };

/* A number of a trunk and what it leads to. */
struct sip_did {
	const char *number; /* digits, perhaps with a + */
	const char *room;   /* "": the menu */
};

struct sip_route_cfg {
	const char *domain, *bridge;
	const struct sip_did *dids; /* of the trunk that the call came by */
	size_t n_dids;
	bool trunk; /* it came by one */
};


/* Whether this host is this server. */
bool sip_route_is_here(const struct sip_route_cfg *cfg, const char *host);
/* Whether user is one of the trunk's numbers. */
bool sip_route_has_number(const struct sip_route_cfg *cfg, const char *user);
/* user: still escaped ("%20"), NULL: none; host: without brackets, "" for tel:. room gets
 * its name, "" unless SIP_WANT_ROOM. */
enum sip_want sip_route_in(const struct sip_route_cfg *cfg, const char *user, const char *host,
			   char room[SIP_ROOM_MAX + 1]);
/* USER@HOST[:PORT] whose parameters leave the call where it says to go: transport=udp|tcp|tls
 * and user=phone, each once (so no maddr, RFC 3261, 19.1.1), and no header fields. For
 * addresses that somebody gives us and that are held against a list of hosts. */
bool sip_route_is_plain(const char *address);
/* A telephone number: digits with an optional + and - . ( ) or blanks between; out gets
 * the digits and the +. False: it is none. */
bool sip_route_number(const char *text, char *out, size_t cap);
/* How many octets of number this list covers best (0 for ""); -1: none. */
int sip_route_prefix(const char *number, const char *const *prefixes, size_t n);

#endif
