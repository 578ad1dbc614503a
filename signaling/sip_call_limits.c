/* How many calls there may be, and where they may be sent on to. Whoever sends INVITEs and
 * no ACK, from his own address or in others' names, must not take the places of those who
 * call, nor of our own calls. */
#include "signaling/sip_call_priv.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "signaling/sip_limit.h"

/* Of an IPv6 network all addresses are one. */
static bool same_source(const char *a, const char *b)
{
	struct sip_limit_key x, y;

	if (!strcmp(a, b))
		return true;
	return sip_limit_key_text(&x, a) && sip_limit_key_text(&y, b) &&
	       x.half[0] == y.half[0] && x.half[1] == y.half[1];
}

static bool is_open(const struct sip_call *c)
{
	return !c->out && (c->state == CALL_ARRIVING || c->state == CALL_ANSWERED);
}

/* Users and trunks are counted apart from the others, and have no share per address: a
 * trunk is many. */
static int check_open(const struct sip_call_set *s, const struct sip_call_start *start,
		      struct errmsg *why)
{
	bool known = (start->user && *start->user) || (start->trunk && *start->trunk);
	size_t all = 0, source = 0;

	for (guint i = 0; i < s->calls->len; i++) {
		const struct sip_call *c = g_ptr_array_index(s->calls, i);

		if (!is_open(c) || known != (c->user[0] || c->cdr.trunk[0]))
			continue;
		all++;
		source += !known && same_source(c->peer, start->peer);
	}
	if (all >= SIP_OPEN_CALLS)
		return errmsg_set(why, -EBUSY, "server_full", "Too many calls are being answered. Try "
				  "again in half a minute.");
	if (source >= SIP_OPEN_CALLS_SOURCE)
		return errmsg_set(why, -EBUSY, "server_full", "Your address has %d calls that it has not "
				  "acknowledged. Try again in half a minute.", SIP_OPEN_CALLS_SOURCE);
	return 0;
}

int call_limits_in(const struct sip_call_set *s, const struct sip_call_start *start,
		   struct errmsg *why)
{
	size_t most = s->side.max_calls - s->side.max_calls / SIP_KEPT_SHARE;

	if (s->stopping)
		return errmsg_set(why, -ESHUTDOWN, "shutting_down", "The server is shutting down.");
	if (s->side.max_calls && s->calls->len >= most)
		return errmsg_set(why, -EUSERS, "server_full", "The server has %u calls and takes no "
				  "more. Try again later.", s->calls->len);
	return check_open(s, start, why);
}

bool sip_same_place(const char *a, const char *b)
{
	size_t scheme = strcspn(a, ":");
	const char *x = strchr(a, '@'), *y = strchr(b, '@');

	return x && y && scheme == strcspn(b, ":") && !strncasecmp(a, b, scheme) && !strcasecmp(x, y);
}
