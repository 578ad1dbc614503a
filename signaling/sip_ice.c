#include "signaling/sip_ice.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { NO_PORT = 9 }; /* RFC 8839 4.3.1: said where no candidate is known */

bool sip_ice_of(const struct neg_plan *plan)
{
	for (size_t i = 0; plan && i < plan->n_media; i++)
		if (plan->media[i].accepted)
			return neg_plan_transport(plan, &plan->media[i])->ice;
	return false;
}

/* Of IPv4 before IPv6, of what the world sees before what the machine has. */
static int worth(const char *address, const char *type)
{
	return (strchr(address, ':') ? 0 : 2) + !strcmp(type, "srflx");
}

static const char *after_name(const char *candidate)
{
	return strncmp(candidate, "candidate:", 10) ? candidate : candidate + 10;
}

/* False: there is none. */
static bool choose(const struct neg_policy *p, char address[64], unsigned *port)
{
	int best = -1;

	for (size_t i = 0; i < p->n_candidates; i++) {
		char protocol[8], at[64], type[8];
		unsigned n;
		if (sscanf(after_name(p->candidates[i]), "%*32s %*5u %7s %*10u %63s %5u typ %7s",
			   protocol, at, &n, type) != 4 ||
		    strcasecmp(protocol, "udp") || n > 65535 || worth(at, type) <= best)
			continue;
		best = worth(at, type);
		*port = n;
		strcpy(address, at);
	}
	return best >= 0;
}

int sip_ice_address(struct sdp *s, const struct neg_policy *p)
{
	char address[64];
	unsigned port;

	if (!choose(p, address, &port))
		return 0;
	for (size_t i = 0; i < s->n_media; i++) {
		struct sdp_media *m = &s->media[i];
		if (m->port != NO_PORT || !sdp_value(s, m, "ice-ufrag"))
			continue;
		m->port = (uint16_t)port;
		m->conn.address = sdp_strdup(s, address);
		m->conn.ip6 = strchr(address, ':') != NULL;
		if (!m->conn.address)
			return -ENOMEM;
	}
	return 0;
}

int sip_ice_answer(struct sdp *answer, const struct neg_plan *plan, const struct neg_policy *p)
{
	int err = 0;

	for (size_t i = 0; i < plan->n_media && i < answer->n_media; i++) {
		if (!plan->media[i].accepted || plan->media[i].transport_index != i)
			continue;
		for (size_t k = 0; k < p->n_candidates && !err; k++)
			err = sdp_add_attr(answer, &answer->media[i], "candidate", "%s",
					   after_name(p->candidates[k]));
	}
	return err ? err : sip_ice_address(answer, p);
}
