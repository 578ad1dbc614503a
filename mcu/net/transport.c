#include "mcu/net/transport.h"

int transport_set_remote(struct transport *t, const struct transport_remote *r)
{
	return t->ops->set_remote(t, r);
}

int transport_add_candidate(struct transport *t, const char *candidate)
{
	return t->ops->add_candidate(t, candidate);
}

size_t transport_send_rtp(struct transport *t, const struct out_pkt *pkts, size_t n)
{
	return t->ops->send_rtp(t, pkts, n);
}

int transport_send_rtcp(struct transport *t, const uint8_t *p, size_t len)
{
	return t->ops->send_rtcp(t, p, len);
}

void transport_get_stats(const struct transport *t, struct transport_stats *out)
{
	t->ops->stats(t, out);
}

void transport_close(struct transport **t)
{
	if (!*t)
		return;
	(*t)->ops->close(*t);
	*t = NULL;
}
