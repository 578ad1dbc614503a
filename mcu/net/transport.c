#include "mcu/net/transport.h"

#include <errno.h>

#include "mcu/base/clock.h"
#include "mcu/net/tap.h"

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
	size_t sent = t->ops->send_rtp(t, pkts, n);

	if (t->tap && sent == n)
		for (size_t i = 0; i < n; i++)
			tap_put(t->tap, true, false, clock_now_ns(&clock_monotonic), pkts[i].hdr,
				pkts[i].hdr_len, pkts[i].payload, pkts[i].payload_len);
	return sent;
}

int transport_send_rtcp(struct transport *t, const uint8_t *p, size_t len)
{
	int err = t->ops->send_rtcp(t, p, len);

	if (t->tap && !err)
		tap_put(t->tap, true, true, clock_now_ns(&clock_monotonic), p, len, NULL, 0);
	return err;
}

void transport_hurry(struct transport *t, bool hurry)
{
	t->ops->hurry(t, hurry);
}

void transport_relax(struct transport *t, const struct transport_silence *s)
{
	if (t->ops->relax)
		t->ops->relax(t, s);
}

void transport_set_tap(struct transport *t, struct tap *tap)
{
	t->tap = tap;
}

int transport_start_data(struct transport *t, uint16_t peer_port, uint32_t max_message)
{
	return t->ops->start_data ? t->ops->start_data(t, peer_port, max_message) : -ENOTSUP;
}

int transport_send_data(struct transport *t, uint16_t channel, bool binary, const uint8_t *p,
			size_t len)
{
	return t->ops->send_data ? t->ops->send_data(t, channel, binary, p, len) : -ENOTSUP;
}

void transport_close_data(struct transport *t, uint16_t channel)
{
	if (t->ops->close_data)
		t->ops->close_data(t, channel);
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
