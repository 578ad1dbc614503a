#include "mcu/net/rtp_tcp.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "mcu/base/clock.h"
#include "mcu/base/metrics.h"
#include "mcu/net/rx.h"
#include "mcu/net/shard_loop.h"
#include "mcu/net/tap.h"

METRIC_GAUGE(g_tcp, "mcu_net_tcp_connections", "Connections that RTSP replies and packets go over");
METRIC_COUNTER(m_dropped, "mcu_net_tcp_dropped_total",
	       "Packets for RTSP clients over TCP that were dropped: the client did not read");
METRIC_COUNTER(m_stalled, "mcu_net_tcp_stalls_total",
	       "Times that pictures over TCP stopped for a client that did not read");

enum { FRAME_HEADER = 4 };

struct tcp_transport;

struct rtp_tcp {
	struct net_shard *shard;
	unsigned refs; /* of CTL */
	struct net_letter last; /* its end */
	/* of NET */
	int fd;
	bool dead;
	bool stalled; /* somebody's pictures were left out */
	struct net_fd *watch; /* NULL: everything is written */
	uint8_t *queue;	      /* a circle of RTP_TCP_QUEUE_BYTES */
	size_t head, len;
	struct tcp_transport *on[RTP_TCP_TRANSPORTS];
};

struct tcp_line {
	uint32_t ssrc, rtx_ssrc;
	bool used, tx, picture;
	bool inside; /* of an access unit: the last packet had no marker */
	bool missed; /* pictures were left out */
	uint8_t channel[2];
};

struct tcp_transport {
	struct transport base;
	struct rtp_tcp *tcp;
	bool closing, told;
	struct transport_stats stats;
	struct tcp_line line[RTP_LINES];
	const struct transport_events *ev;
	void *obj;
	struct shard_work work; /* connected at first, opened, destruction at last */
};

static struct tcp_transport *self(struct transport *t)
{
	return (struct tcp_transport *)t;
}

/* --- the queue ------------------------------------------------------------------------- */

static size_t room(const struct rtp_tcp *t)
{
	size_t most = RTP_TCP_QUEUE_BYTES - RTP_TCP_RESERVE_BYTES;

	return t->dead || t->len > most ? 0 : most - t->len;
}

/* There is room for it. */
static void put(struct rtp_tcp *t, const void *p, size_t len)
{
	size_t at = (t->head + t->len) % RTP_TCP_QUEUE_BYTES, first = RTP_TCP_QUEUE_BYTES - at;

	if (first > len)
		first = len;
	memcpy(t->queue + at, p, first);
	memcpy(t->queue, (const uint8_t *)p + first, len - first);
	t->len += len;
}

/* Its reader is told by the end of the connection. */
static void die(struct rtp_tcp *t) ON_THREAD(ROLE_NET)
{
	t->dead = true;
	t->len = 0;
	if (t->watch)
		net_fd_remove(&t->watch);
	shutdown(t->fd, SHUT_RDWR);
}

/* Whoever was left out goes on, now that there is room. */
static void reopen(struct rtp_tcp *t) ON_THREAD(ROLE_NET)
{
	if (!t->stalled || t->dead || t->len > RTP_TCP_QUEUE_BYTES / 8)
		return;
	t->stalled = false;
	for (int i = 0; i < RTP_TCP_TRANSPORTS; i++) {
		struct tcp_transport *x = t->on[i];
		bool missed = false;

		for (int k = RTP_LINE_AUDIO; x && k < RTP_LINES; k++)
			missed = missed || x->line[k].missed;
		if (missed)
			shard_work_post(t->shard, &x->work);
	}
}

static void flush(struct rtp_tcp *t) ON_THREAD(ROLE_NET);

static void on_writable(void *obj, int fd, uint32_t events)
{
	struct rtp_tcp *t = obj;

	(void)fd;
	role_assert_net();
	if (events & (EPOLLERR | EPOLLHUP))
		die(t);
	else
		flush(t);
}

/* As much as the socket takes; the rest when it takes more. */
static void flush(struct rtp_tcp *t)
{
	while (t->len && !t->dead) {
		size_t first = RTP_TCP_QUEUE_BYTES - t->head;
		struct iovec v[2] = {
			{ t->queue + t->head, first < t->len ? first : t->len },
			{ t->queue, first < t->len ? t->len - first : 0 },
		};
		struct msghdr m = { .msg_iov = v, .msg_iovlen = v[1].iov_len ? 2 : 1 };
		ssize_t n = sendmsg(t->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
			die(t);
			return;
		}
		if (n < 0)
			break;
		t->head = (t->head + (size_t)n) % RTP_TCP_QUEUE_BYTES;
		t->len -= (size_t)n;
	}
	if (!t->len && t->watch)
		net_fd_remove(&t->watch);
	else if (t->len && !t->watch &&
		 net_fd_add(&t->watch, t->shard, t->fd, EPOLLOUT, on_writable, t))
		die(t);
	reopen(t);
}

/* --- life of a connection ---------------------------------------------------------------- */

int rtp_tcp_new(struct rtp_tcp **out, struct net_shard *s, int fd)
{
	struct rtp_tcp *t = calloc(1, sizeof *t);
	int bytes = RTP_TCP_QUEUE_BYTES / 2;

	role_assert_ctl();
	if (t)
		t->queue = malloc(RTP_TCP_QUEUE_BYTES); /* untouched pages cost nothing */
	if (!t || !t->queue) {
		free(t);
		close(fd);
		return -ENOMEM;
	}
	/* what the kernel holds is as late as what waits here */
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
	t->shard = s;
	t->refs = 1;
	t->fd = fd;
	metric_add(&g_tcp, 1);
	*out = t;
	return 0;
}

struct rtp_tcp *rtp_tcp_ref(struct rtp_tcp *t)
{
	t->refs++;
	return t;
}

struct net_shard *rtp_tcp_shard(const struct rtp_tcp *t)
{
	return t->shard;
}

static void net_free(void *obj, void *arg)
{
	struct rtp_tcp *t = obj;

	(void)arg;
	role_assert_net();
	if (t->watch)
		net_fd_remove(&t->watch);
	close(t->fd);
	free(t->queue);
	free(t);
	metric_add(&g_tcp, -1);
}

void rtp_tcp_unref(struct rtp_tcp **tcp)
{
	struct rtp_tcp *t = *tcp;

	role_assert_ctl();
	*tcp = NULL;
	if (!t || --t->refs)
		return;
	t->last = (struct net_letter){ .fn = net_free, .obj = t };
	net_shard_send(t->shard, &t->last);
}

/* --- what CTL has for it ------------------------------------------------------------------ */

struct parcel {
	size_t len;
	uint8_t channel;
	uint8_t data[];
};

static struct parcel *wrap(const void *data, size_t len, uint8_t channel)
{
	struct parcel *p = malloc(sizeof *p + len);

	if (!p)
		return NULL;
	p->len = len;
	p->channel = channel;
	memcpy(p->data, data, len);
	return p;
}

static void net_text(void *obj, void *arg)
{
	struct rtp_tcp *t = obj;
	struct parcel *p = arg;

	role_assert_net();
	if (!t->dead && p->len <= RTP_TCP_QUEUE_BYTES - t->len) {
		put(t, p->data, p->len);
		flush(t);
	} else if (!t->dead) {
		die(t);
	}
	free(p);
}

int rtp_tcp_text(struct rtp_tcp *t, const char *text, size_t len)
{
	struct parcel *p = wrap(text, len, 0);
	int err = p ? mbox_post(net_shard_mbox(t->shard), net_text, t, p) : -ENOMEM;

	role_assert_ctl();
	if (err)
		free(p);
	return err;
}

static void net_feed(void *obj, void *arg)
{
	struct rtp_tcp *t = obj;
	struct parcel *p = arg;

	role_assert_net();
	for (int i = 0; i < RTP_TCP_TRANSPORTS; i++) {
		struct tcp_transport *x = t->on[i];

		for (int k = RTP_LINE_AUDIO; x && x->told && !x->closing && k < RTP_LINES; k++) {
			struct tcp_line *l = &x->line[k];

			if (!l->used || l->channel[1] != p->channel)
				continue;
			x->stats.rx_packets++;
			x->stats.rx_octets += p->len;
			x->base.line = (uint8_t)k;
			if (x->ev->rtcp)
				x->ev->rtcp(x->obj, p->data, p->len, net_shard_now_ns(t->shard));
			x = t->on[i];
			break;
		}
	}
	free(p);
}

void rtp_tcp_feed(struct rtp_tcp *t, uint8_t channel, const uint8_t *data, size_t len)
{
	struct parcel *p = wrap(data, len, channel);

	role_assert_ctl();
	if (p && mbox_post(net_shard_mbox(t->shard), net_feed, t, p))
		free(p);
}

/* --- sending ------------------------------------------------------------------------------- */

static void put_frame(struct rtp_tcp *t, uint8_t channel, const struct out_pkt *k)
{
	size_t n = (size_t)k->hdr_len + k->payload_len;
	const uint8_t h[FRAME_HEADER] = { '$', channel, (uint8_t)(n >> 8), (uint8_t)n };

	put(t, h, sizeof h);
	put(t, k->hdr, k->hdr_len);
	put(t, k->payload, k->payload_len);
}

static struct tcp_line *line_of(struct tcp_transport *t, const uint8_t *ssrc)
{
	uint32_t s = (uint32_t)ssrc[0] << 24 | (uint32_t)ssrc[1] << 16 | (uint32_t)ssrc[2] << 8 | ssrc[3];

	for (int i = RTP_LINE_AUDIO; i < RTP_LINES; i++)
		if (s && (t->line[i].ssrc == s || t->line[i].rtx_ssrc == s))
			return t->line[i].used ? &t->line[i] : NULL;
	return NULL;
}

/* Whether the packet is queued. A picture is begun only while less than half waits. */
static bool may_go(struct tcp_transport *t, struct tcp_line *l, size_t len) ON_THREAD(ROLE_NET)
{
	bool late = l->picture && !l->inside && t->tcp->len > RTP_TCP_QUEUE_BYTES / 2;

	if (!l->missed && !late && len <= room(t->tcp))
		return true;
	if (l->picture && !l->missed && !t->tcp->dead) {
		l->missed = t->tcp->stalled = true;
		l->inside = false;
		metric_add(&m_stalled, 1);
	}
	metric_add(&m_dropped, 1);
	return false;
}

static size_t tcp_send_rtp(struct transport *base, const struct out_pkt *pkts, size_t n)
{
	struct tcp_transport *t = self(base);
	size_t sent = 0;

	role_assert_net();
	if (t->closing || !t->told)
		return 0;
	for (size_t i = 0; i < n; i++) {
		const struct out_pkt *k = &pkts[i];
		size_t len = (size_t)k->hdr_len + k->payload_len;
		struct tcp_line *l = k->hdr_len >= 12 ? line_of(t, k->hdr + 8) : NULL;

		if (!l || !l->tx || len > UINT16_MAX || !may_go(t, l, len + FRAME_HEADER))
			continue;
		put_frame(t->tcp, l->channel[0], k);
		l->inside = !(k->hdr[1] & 0x80);
		t->stats.tx_octets += len;
		sent++;
	}
	t->stats.tx_packets += sent;
	t->stats.tx_dropped += n - sent;
	flush(t->tcp);
	return sent;
}

static int tcp_send_rtcp(struct transport *base, const uint8_t *p, size_t len)
{
	struct tcp_transport *t = self(base);
	struct out_pkt k = { .hdr = p, .hdr_len = (uint16_t)len, .payload = p };
	struct tcp_line *l;

	role_assert_net();
	if (t->closing || !t->told)
		return -ENOTCONN;
	if (len > TRANSPORT_MAX_PACKET)
		return -EMSGSIZE;
	l = len >= 8 ? line_of(t, p + 4) : NULL;
	if (!l)
		return -ENOTCONN;
	if (len + FRAME_HEADER > room(t->tcp)) {
		t->stats.tx_dropped++;
		return -EAGAIN;
	}
	put_frame(t->tcp, l->channel[1], &k);
	t->stats.tx_octets += len;
	flush(t->tcp);
	return 0;
}

size_t transport_tcp_room(const struct transport *base)
{
	return room(((const struct tcp_transport *)base)->tcp);
}

/* --- life of a transport -------------------------------------------------------------------- */

static int set_remote(struct transport *t, const struct transport_remote *r)
{
	(void)t;
	(void)r;
	return -ENOTSUP;
}

static int add_candidate(struct transport *t, const char *candidate)
{
	(void)t;
	(void)candidate;
	return 0;
}

static void prefetch(const struct transport *base, unsigned step)
{
	const struct tcp_transport *t = (const struct tcp_transport *)base;

	if (step == 1)
		__builtin_prefetch(t->tcp);
}

/* Little comes, by way of CTL. */
static void hurry(struct transport *t, bool on)
{
	(void)t;
	(void)on;
}

static void get_stats(const struct transport *base, struct transport_stats *out)
{
	*out = ((const struct tcp_transport *)base)->stats;
}

static void on_work(void *obj)
{
	struct tcp_transport *t = obj;
	bool missed = false;

	role_assert_net();
	if (t->closing) {
		free(t);
		return;
	}
	if (!t->told) {
		t->told = true;
		if (t->ev->connected)
			t->ev->connected(t->obj, "RTP/AVP");
		return;
	}
	for (int i = RTP_LINE_AUDIO; i < RTP_LINES; i++) {
		missed = missed || t->line[i].missed;
		t->line[i].missed = false;
	}
	if (missed && t->ev->opened)
		t->ev->opened(t->obj);
}

static void tcp_close(struct transport *base)
{
	struct tcp_transport *t = self(base);

	role_assert_net();
	t->closing = true;
	for (int i = 0; i < RTP_TCP_TRANSPORTS; i++)
		if (t->tcp->on[i] == t)
			t->tcp->on[i] = NULL;
	shard_work_post(t->tcp->shard, &t->work);
}

static const struct transport_ops tcp_ops = {
	.set_remote = set_remote,
	.add_candidate = add_candidate,
	.send_rtp = tcp_send_rtp,
	.send_rtcp = tcp_send_rtcp,
	.prefetch = prefetch,
	.hurry = hurry,
	.stats = get_stats,
	.close = tcp_close,
};

int transport_tcp_set(struct transport *base, const struct rtp_udp_cfg *cfg)
{
	struct tcp_transport *t = self(base);

	role_assert_net();
	for (enum rtp_line i = RTP_LINE_AUDIO; i < RTP_LINES; i++) {
		struct tcp_line *l = &t->line[i];

		l->ssrc = cfg->ssrc[i];
		l->rtx_ssrc = cfg->rtx_ssrc[i];
		l->used = cfg->line[i].used;
		l->tx = cfg->line[i].tx;
		l->picture = i != RTP_LINE_AUDIO;
		l->channel[0] = rtp_ports_channel(cfg->ports, i, false);
		l->channel[1] = rtp_ports_channel(cfg->ports, i, true);
	}
	return 0;
}

int transport_tcp_new(struct transport **out, struct net_shard *s, const struct rtp_udp_cfg *cfg,
		      const struct transport_events *ev, void *obj)
{
	struct rtp_tcp *tcp = rtp_ports_tcp(cfg->ports);
	struct tcp_transport *t;
	int i = 0;

	role_assert_net();
	while (i < RTP_TCP_TRANSPORTS && tcp->on[i])
		i++;
	if (i == RTP_TCP_TRANSPORTS)
		return -ENOSPC;
	t = calloc(1, sizeof *t);
	if (!t)
		return -ENOMEM;
	t->base.ops = &tcp_ops;
	t->tcp = tcp;
	t->ev = ev;
	t->obj = obj;
	t->work = (struct shard_work){ .fn = on_work, .obj = t };
	tcp->on[i] = t;
	(void)transport_tcp_set(&t->base, cfg);
	shard_work_post(s, &t->work);
	*out = &t->base;
	return 0;
}
