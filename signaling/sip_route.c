#include "signaling/sip_route.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "signaling/protocol.h"

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* RFC 3261, 19.1.2: what is escaped means the same as what is not. */
static bool unescape(const char *from, char *to, size_t cap)
{
	size_t n = 0;

	for (; *from && *from != ';'; from++) {
		int c = (unsigned char)*from;

		if (c == '%') {
			int high = hex(from[1]), low = high < 0 ? -1 : hex(from[2]);

			if (low < 0)
				return false;
			c = high << 4 | low;
			from += 2;
		}
		if (!c || n + 1 >= cap)
			return false;
		to[n++] = (char)c;
	}
	to[n] = '\0';
	return true;
}

bool sip_route_number(const char *text, char *out, size_t cap)
{
	size_t n = 0, digits = 0;

	for (const char *p = text; *p; p++) {
		bool plus = *p == '+' && p == text;

		if (strchr("-. ()", *p))
			continue;
		if ((!isdigit((unsigned char)*p) && !plus) || n + 1 >= cap)
			return false;
		out[n++] = *p;
		digits += !plus;
	}
	out[n] = '\0';
	return digits;
}

static bool same_number(const char *a, const char *b)
{
	return !strcmp(a + (*a == '+'), b + (*b == '+'));
}

static const struct sip_did *find_did(const struct sip_route_cfg *cfg, const char *user)
{
	char number[64], did[64];

	if (!sip_route_number(user, number, sizeof number))
		return NULL;
	for (size_t i = 0; i < cfg->n_dids; i++)
		if (sip_route_number(cfg->dids[i].number, did, sizeof did) &&
		    same_number(number, did))
			return &cfg->dids[i];
	return NULL;
}

bool sip_route_has_number(const struct sip_route_cfg *cfg, const char *user)
{
	return find_did(cfg, user);
}

bool sip_route_is_here(const struct sip_route_cfg *cfg, const char *host)
{
	unsigned char address[sizeof(struct in6_addr)];

	return cfg->trunk || !*host || !cfg->domain[0] || !strcasecmp(host, cfg->domain) ||
	       inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

enum sip_want sip_route_in(const struct sip_route_cfg *cfg, const char *user, const char *host,
			   char room[SIP_ROOM_MAX + 1])
{
	const struct sip_did *did;
	char name[SIP_ROOM_MAX + 1];

	room[0] = '\0';
	if (!sip_route_is_here(cfg, host))
		return SIP_WANT_NOTHING;
	if (!user || !*user)
		return SIP_WANT_BRIDGE;
	if (!unescape(user, name, sizeof name))
		return SIP_WANT_NOTHING;
	if (!strcmp(name, cfg->bridge))
		return SIP_WANT_BRIDGE;
	did = find_did(cfg, name);
	if (did && !did->room[0])
		return SIP_WANT_BRIDGE;
	if (!did && !*host) /* tel: is a number of the world, not the name of a room */
		return SIP_WANT_BRIDGE;
	if (did && strlen(did->room) <= SIP_ROOM_MAX)
		strcpy(name, did->room);
	if (!protocol_room_name_valid(name))
		return SIP_WANT_NOTHING;
	strcpy(room, name);
	return SIP_WANT_ROOM;
}

int sip_route_prefix(const char *number, const char *const *prefixes, size_t n)
{
	int best = -1;

	for (size_t i = 0; i < n; i++) {
		int len = (int)strlen(prefixes[i]);

		if (len > best && !strncmp(number, prefixes[i], (size_t)len))
			best = len;
	}
	return best;
}

/* --- addresses ----------------------------------------------------------------- */

/* One to five digits up to 65535, alone. */
static bool is_port(const char *s, size_t len)
{
	long port = 0;

	for (size_t i = 0; i < len; i++) {
		if (s[i] < '0' || s[i] > '9' || i == 5)
			return false;
		port = port * 10 + s[i] - '0';
	}
	return port > 0 && port <= 65535;
}

/* Octets of the host at s; 0: there is none. */
static size_t host_length(const char *s)
{
	struct in6_addr in6;
	char bare[INET6_ADDRSTRLEN];
	size_t len = 0;

	if (*s == '[') {
		len = strcspn(s, "]");
		if (!s[len] || len > sizeof(bare))
			return 0;
		snprintf(bare, sizeof(bare), "%.*s", (int)len - 1, s + 1);
		return inet_pton(AF_INET6, bare, &in6) == 1 ? len + 1 : 0;
	}
	while (isalnum((unsigned char)s[len]) || (s[len] && strchr(".-_", s[len])))
		len++;
	return len;
}

enum { TRANSPORT, PHONE, PARAMETERS };

/* Which one it is; PARAMETERS: none that is known. */
static int parameter(const char *s, size_t len)
{
	static const struct {
		const char *text;
		int is;
	} known[] = { { "transport=udp", TRANSPORT }, { "transport=tcp", TRANSPORT },
		      { "transport=tls", TRANSPORT }, { "user=phone", PHONE } };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strlen(known[i].text) == len && !strncasecmp(s, known[i].text, len))
			return known[i].is;
	return PARAMETERS;
}

bool sip_route_is_plain(const char *address)
{
	const char *at = strchr(address, '@'), *p;
	bool seen[PARAMETERS + 1] = { [PARAMETERS] = true };
	size_t len;

	/* Others end the user's name at these. */
	if (!at || at == address || strcspn(address, ";/?#") < (size_t)(at - address))
		return false;
	p = at + 1;
	len = host_length(p);
	if (!len)
		return false;
	p += len;
	if (*p == ':') {
		len = strcspn(++p, ";");
		if (!is_port(p, len))
			return false;
		p += len;
	}
	for (; *p == ';'; p += len) {
		len = strcspn(++p, ";");
		int which = parameter(p, len);
		if (seen[which])
			return false;
		seen[which] = true;
	}
	return !*p;
}
