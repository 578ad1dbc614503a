/* Receiving. libnice must see every STUN message and can be given none, so it
 * owns its sockets; but its way of receiving costs some ten microseconds per
 * packet and GLib two more system calls. Once a pair is selected we therefore
 * look at the head of the selected socket's queue first (MSG_PEEK): media and
 * DTLS from the selected peer are read here, at anything else the socket is left
 * to libnice, which reads it as ever. */
#include "mcu/net/ice_transport.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "mcu/base/clock.h"
#include "mcu/base/metrics.h"
#include "mcu/net/demux.h"
#include "mcu/net/tap.h"

enum { READ_BATCH = 64 }; /* packets of one transport before others get their turn */
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
METRIC_COUNTER(m_rx, "mcu_net_received_packets_total", "RTP and RTCP packets accepted");
METRIC_COUNTER(m_rx_octets, "mcu_net_received_octets_total", "Octets of those, decrypted");

static void drop(struct ice_transport *t, struct metric *why)
{
	metric_add(why, 1);
	t->stats.rx_dropped++;
}

static void drop_err(struct ice_transport *t, int err)
{
	switch (err) {
	case -EACCES: drop(t, &d_auth); break;
	case -EALREADY: drop(t, &d_replay); break;
	case -ENOSPC: drop(t, &d_streams); break;
	case -ENOTSUP: drop(t, &d_unwanted); break;
	default: drop(t, &d_malformed);
	}
}

static void count_input(struct ice_transport *t, size_t len)
{
	t->stats.rx_packets++;
	t->stats.rx_octets += len;
	metric_add(&m_rx, 1);
	metric_add(&m_rx_octets, (int64_t)len);
}

/* Takes *b if it is passed on. */
static void input_media(struct ice_transport *t, bool rtcp, struct buf **b) ON_THREAD(ROLE_NET)
{
	struct buf *pkt = *b;
	int err;

	if (t->state != ICE_CONNECTED) {
		ice_count_early(t);
		return;
	}
	err = rtcp ? srtp_in_rtcp(t->in, pkt->data, &pkt->len)
		   : srtp_in_rtp(t->in, pkt->data, &pkt->len);
	if (err) {
		drop_err(t, err);
		return;
	}
	count_input(t, pkt->len);
	t->heard_ns = pkt->time_ns;
	if (t->base.tap)
		tap_put(t->base.tap, false, rtcp, pkt->time_ns, pkt->data, pkt->len, NULL, 0);
	if (rtcp && t->ev->rtcp)
		t->ev->rtcp(t->obj, pkt->data, pkt->len, pkt->time_ns);
	if (!rtcp && t->ev->rtp) {
		*b = NULL;
		t->ev->rtp(t->obj, pkt, pkt->time_ns);
	}
}

/* Whoever goes on and on is shown the door: dropping, too, takes time. */
static void drop_flood(struct ice_transport *t, int64_t now_ns) ON_THREAD(ROLE_NET)
{
	drop(t, &d_flood);
	if (!t->flood_from_ns || now_ns - t->flood_ns > NS_PER_S)
		t->flood_from_ns = now_ns;
	t->flood_ns = now_ns;
	if (now_ns - t->flood_from_ns >= ICE_FLOOD_S * NS_PER_S)
		ice_fail(t, TRANSPORT_CLOSED_FLOOD);
}

static bool within_rate(struct ice_transport *t, const struct buf *b)
{
	int64_t octets = b->len < ICE_LEAST_OCTETS ? ICE_LEAST_OCTETS : (int64_t)b->len;

	return !t->max_rx_kbps ||
	       quota_take(&t->rx, b->time_ns, octets * 8 * NS_PER_MS / t->max_rx_kbps, NS_PER_S);
}

/* Takes b, the whole datagram. */
static void input_buf(struct ice_transport *t, struct buf *b) ON_THREAD(ROLE_NET)
{
	enum demux_kind kind = demux_classify(b->data, b->len);

	if (!within_rate(t, b)) {
		drop_flood(t, b->time_ns);
		buf_unref(&b);
		return;
	}
	switch (kind) {
	case DEMUX_RTP:
	case DEMUX_RTCP: input_media(t, kind == DEMUX_RTCP, &b); break;
	case DEMUX_DTLS: ice_input_dtls(t, b->data, b->len); break;
	default: drop(t, &d_unknown);
	}
	buf_unref(&b);
}

void ice_input(void *obj, const uint8_t *p, size_t len)
{
	struct ice_transport *t = obj;
	struct buf *b;

	role_assert_net();
	if (ice_gone(t))
		return;
	if (len > NET_PACKET_BYTES) {
		drop(t, &d_size);
		return;
	}
	b = buf_get(net_shard_packets(t->shard));
	if (!b) {
		drop(t, &d_buffer);
		return;
	}
	memcpy(b->data, p, len);
	b->len = len;
	b->time_ns = clock_now_ns(&clock_monotonic);
	input_buf(t, b);
}

static bool same_address(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	const struct sockaddr_in *a4 = (const void *)a, *b4 = (const void *)b;
	const struct sockaddr_in6 *a6 = (const void *)a, *b6 = (const void *)b;

	if (a->ss_family != b->ss_family)
		return false;
	if (a->ss_family == AF_INET)
		return a4->sin_port == b4->sin_port && a4->sin_addr.s_addr == b4->sin_addr.s_addr;
	return a->ss_family == AF_INET6 && a6->sin6_port == b6->sin6_port &&
	       IN6_ARE_ADDR_EQUAL(&a6->sin6_addr, &b6->sin6_addr);
}

/* 1: the next datagram is ours, 0: there is none, -1: it is for libnice. */
static int look(const struct ice_transport *t, int fd)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof from;
	uint8_t first = 0;
	ssize_t n =
		recvfrom(fd, &first, 1, MSG_PEEK | MSG_DONTWAIT, (struct sockaddr *)&from, &len);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	if (n == 0 || !((first >= 20 && first <= 63) || (first >= 128 && first <= 191)))
		return -1;
	return same_address(&from, &t->path.to) ? 1 : -1;
}

/* The two clocks at one moment: the kernel stamps packets with the other one. */
struct now {
	int64_t mono_ns, real_ns;
};

static struct now look_at_clocks(const struct ice_transport *t)
{
	struct now n = { .mono_ns = clock_now_ns(&clock_monotonic) };
	struct timespec ts;

	if (t->stamped && !clock_gettime(CLOCK_REALTIME, &ts))
		n.real_ns = ts.tv_sec * NS_PER_S + ts.tv_nsec;
	return n;
}

/* When the kernel got it. A time of day that was set meanwhile is not believed. */
static int64_t arrival_ns(struct msghdr *m, const struct now *now)
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

static void read_one(struct ice_transport *t, int fd, const struct now *now) ON_THREAD(ROLE_NET)
{
	_Alignas(struct cmsghdr) char ctl[CMSG_SPACE(sizeof(struct timespec))];
	struct buf *b = buf_get(net_shard_packets(t->shard));
	struct iovec iov = { 0 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1,
			    .msg_control = ctl, .msg_controllen = sizeof ctl };
	uint8_t none;
	ssize_t n;

	if (!b) {
		recv(fd, &none, 1, MSG_DONTWAIT);
		drop(t, &d_buffer);
		return;
	}
	iov = (struct iovec){ b->data, b->cap };
	n = recvmsg(fd, &m, MSG_DONTWAIT | MSG_TRUNC);
	if (n > 0 && (size_t)n <= b->cap) {
		b->len = (size_t)n;
		b->time_ns = arrival_ns(&m, now);
		input_buf(t, b);
		return;
	}
	if (n > 0)
		drop(t, &d_size);
	buf_unref(&b);
}

bool ice_read(void *obj, int fd)
{
	struct ice_transport *t = obj;
	struct now now = look_at_clocks(t);

	role_assert_net();
	for (int i = 0; i < READ_BATCH && !ice_gone(t); i++) {
		int what = look(t, fd);

		if (what <= 0)
			return what < 0;
		read_one(t, fd, &now);
		/* Feedback comes alone. If not, the rest is read in the next round. */
		if (t->patient && !t->publishes)
			return false;
	}
	return false;
}
