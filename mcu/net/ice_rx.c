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
#include "mcu/net/demux.h"
#include "mcu/net/syscalls.h"
#include "mcu/net/tap.h"

enum { READ_BATCH = 64 }; /* packets of one transport before others get their turn */

static void drop(struct ice_transport *t, enum rx_drop why)
{
	rx_count_drop(why);
	t->stats.rx_dropped++;
}

static void count_input(struct ice_transport *t, size_t len)
{
	t->stats.rx_packets++;
	t->stats.rx_octets += len;
	rx_count(len);
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
		drop(t, rx_drop_of(err));
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

static void drop_flood(struct ice_transport *t, int64_t now_ns) ON_THREAD(ROLE_NET)
{
	t->stats.rx_dropped++;
	if (rx_rate_flood(&t->rx, now_ns))
		ice_fail(t, TRANSPORT_CLOSED_FLOOD);
}

/* Takes b, the whole datagram. */
static void input_buf(struct ice_transport *t, struct buf *b) ON_THREAD(ROLE_NET)
{
	enum demux_kind kind = demux_classify(b->data, b->len);

	if (!rx_rate_take(&t->rx, b->len, b->time_ns)) {
		drop_flood(t, b->time_ns);
		buf_unref(&b);
		return;
	}
	switch (kind) {
	case DEMUX_RTP:
	case DEMUX_RTCP: input_media(t, kind == DEMUX_RTCP, &b); break;
	case DEMUX_DTLS: ice_input_dtls(t, b->data, b->len); break;
	default: drop(t, RX_UNKNOWN);
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
		drop(t, RX_SIZE);
		return;
	}
	b = buf_get(net_shard_packets(t->shard));
	if (!b) {
		drop(t, RX_NO_BUFFER);
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
		sys_recvfrom(fd, &first, 1, MSG_PEEK | MSG_DONTWAIT, (struct sockaddr *)&from, &len);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	if (n == 0 || !((first >= 20 && first <= 63) || (first >= 128 && first <= 191)))
		return -1;
	return same_address(&from, &t->path.to) ? 1 : -1;
}

static void read_one(struct ice_transport *t, int fd, const struct rx_now *now) ON_THREAD(ROLE_NET)
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
		drop(t, RX_NO_BUFFER);
		return;
	}
	iov = (struct iovec){ b->data, b->cap };
	n = sys_recvmsg(fd, &m, MSG_DONTWAIT | MSG_TRUNC);
	if (n > 0 && (size_t)n <= b->cap) {
		b->len = (size_t)n;
		b->time_ns = rx_arrival_ns(&m, now);
		input_buf(t, b);
		return;
	}
	if (n > 0)
		drop(t, RX_SIZE);
	buf_unref(&b);
}

bool ice_read(void *obj, int fd)
{
	struct ice_transport *t = obj;
	struct rx_now now = rx_now(t->stamped);

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
