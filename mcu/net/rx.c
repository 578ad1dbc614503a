#include "mcu/net/rx.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "mcu/base/metrics.h"

#define AGE_MAX_NS NS_PER_S

METRIC_COUNTER(d_unknown, "mcu_net_rx_unknown_total", "Datagrams dropped: not of a known protocol");
METRIC_COUNTER(d_buffer, "mcu_net_rx_no_buffer_total", "Datagrams dropped: the pool is dry");
METRIC_COUNTER(d_size, "mcu_net_rx_oversize_total", "Packets dropped: too large");
METRIC_COUNTER(d_auth, "mcu_net_rx_auth_failed_total", "Packets dropped: authentication failed");
METRIC_COUNTER(d_replay, "mcu_net_rx_replayed_total", "Packets dropped: replayed or too old");
METRIC_COUNTER(d_streams, "mcu_net_rx_streams_total", "Packets dropped: too many SSRCs of a peer");
METRIC_COUNTER(d_unwanted, "mcu_net_rx_unwanted_total", "RTP dropped: the leg only receives");
METRIC_COUNTER(d_flood, "mcu_net_rx_flood_total",
	       "Packets dropped: the peer sends more than limits.uplink_kbps");
METRIC_COUNTER(d_malformed, "mcu_net_rx_malformed_total", "Packets dropped: malformed");
METRIC_COUNTER(d_stranger, "mcu_net_rx_stranger_total",
	       "Packets over plain UDP dropped: not from where the peer is");
METRIC_COUNTER(m_rx, "mcu_net_received_packets_total", "RTP and RTCP packets accepted");
METRIC_COUNTER(m_silence, "mcu_net_rx_silence_total",
	       "Packets of telephones' silence that the kernel dropped unread, as it was told to");
METRIC_COUNTER(m_rx_octets, "mcu_net_received_octets_total", "Octets of those, decrypted");

static struct metric *const drops[RX_DROPS] = {
	[RX_UNKNOWN] = &d_unknown, [RX_NO_BUFFER] = &d_buffer, [RX_SIZE] = &d_size,
	[RX_AUTH] = &d_auth, [RX_REPLAY] = &d_replay, [RX_STREAMS] = &d_streams,
	[RX_UNWANTED] = &d_unwanted, [RX_FLOOD] = &d_flood, [RX_MALFORMED] = &d_malformed,
	[RX_STRANGER] = &d_stranger,
};

void rx_count_drop(enum rx_drop why)
{
	metric_add(drops[why], 1);
}

enum rx_drop rx_drop_of(int err)
{
	switch (err) {
	case -EACCES: return RX_AUTH;
	case -EALREADY: return RX_REPLAY;
	case -ENOSPC: return RX_STREAMS;
	case -ENOTSUP: return RX_UNWANTED;
	default: return RX_MALFORMED;
	}
}

void rx_count(size_t len)
{
	metric_add(&m_rx, 1);
	metric_add(&m_rx_octets, (int64_t)len);
}

void rx_count_silence(size_t n)
{
	metric_add(&m_silence, (int64_t)n);
}

struct rx_now rx_now(bool stamped)
{
	struct rx_now n = { .mono_ns = clock_now_ns(&clock_monotonic) };
	struct timespec ts;

	if (stamped && !clock_gettime(CLOCK_REALTIME, &ts))
		n.real_ns = ts.tv_sec * NS_PER_S + ts.tv_nsec;
	return n;
}

int64_t rx_arrival_ns(struct msghdr *m, const struct rx_now *now)
{
	struct cmsghdr *c = now->real_ns ? CMSG_FIRSTHDR(m) : NULL;
	struct timespec ts;
	int64_t age_ns;

	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
		return now->mono_ns;
	memcpy(&ts, CMSG_DATA(c), sizeof ts);
	age_ns = now->real_ns - (ts.tv_sec * NS_PER_S + ts.tv_nsec);
	return age_ns > 0 && age_ns < AGE_MAX_NS ? now->mono_ns - age_ns : now->mono_ns;
}

bool rx_rate_flood(struct rx_rate *r, int64_t now_ns)
{
	rx_count_drop(RX_FLOOD);
	if (!r->flood_ns || now_ns - r->drop_ns > NS_PER_S)
		r->flood_ns = now_ns;
	r->drop_ns = now_ns;
	return now_ns - r->flood_ns >= RX_FLOOD_S * NS_PER_S;
}
