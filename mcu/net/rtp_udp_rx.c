#include "mcu/net/rtp_udp_priv.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "mcu/net/demux.h"
#include "mcu/net/tap.h"
#include "mcu/net/udp_recv.h"

enum { READ_ROUNDS = 16 /* of one socket before others get their turn */ };

static void drop(struct udp_transport *t, enum rx_drop why)
{
	rx_count_drop(why);
	t->stats.rx_dropped++;
}

static bool read_from(struct latch_address *out, const struct sockaddr_storage *a)
{
	const struct sockaddr_in *a4 = (const void *)a;
	const struct sockaddr_in6 *a6 = (const void *)a;

	*out = (struct latch_address){ .ip = { [10] = 0xff, [11] = 0xff } };
	if (a->ss_family == AF_INET) {
		memcpy(out->ip + 12, &a4->sin_addr, 4);
		out->port = ntohs(a4->sin_port);
	} else if (a->ss_family == AF_INET6) {
		memcpy(out->ip, &a6->sin6_addr, 16);
		out->port = ntohs(a6->sin6_port);
	}
	return out->port != 0;
}

/* What is of the peer by its source address alone. */
static bool is_known(const struct udp_line *l, const struct latch_address *from, bool rtcp)
{
	const struct latch *k = &l->kept->latch;

	if (rtcp && !l->said.mux)
		return k->rtcp_learnt && latch_address_equal(&k->rtcp_from, from);
	return latch_address_equal(k->learnt ? &k->from : &k->said.rtp, from);
}

/* Strangers may not end a call by sending much, nor take more than a little time. */
static bool within_rate(struct udp_transport *t, size_t len, bool known, int64_t now_ns)
	ON_THREAD(ROLE_NET)
{
	struct rx_rate *r = known ? &t->rx : &t->strangers;

	if (rx_rate_take(r, len, now_ns))
		return true;
	t->stats.rx_dropped++;
	if (rx_rate_flood(r, now_ns) && known)
		udp_fail(t, TRANSPORT_CLOSED_FLOOD);
	return false;
}

/* Decrypts; 0 or why not. */
static int open_packet(struct udp_line *l, struct buf *b, bool rtcp) ON_THREAD(ROLE_NET)
{
	if (!l->said.srtp)
		return 0;
	if (!l->kept->in)
		return -EACCES;
	return rtcp ? srtp_in_rtcp(l->kept->in, b->data, &b->len) :
		      srtp_in_rtp(l->kept->in, b->data, &b->len);
}

/* Learns from it; whether it is the peer's. What is authentic is, wherever it comes
 * from; but what is sent follows the latch alone. known: as is_known says. */
static bool is_of_peer(struct udp_line *l, const struct latch_address *from, const struct buf *b,
		       bool rtcp, bool known) ON_THREAD(ROLE_NET)
{
	const struct latch *k = &l->kept->latch;
	const uint8_t *p = b->data;
	/* then nothing is learnt of where it is */
	bool settled = !rtcp && known && k->learnt && k->in_row >= LATCH_RUN;
	uint32_t ssrc;
	bool taken;

	if (rtcp) {
		taken = latch_rtcp(&l->kept->latch, from, l->said.srtp, b->time_ns);
	} else {
		ssrc = (uint32_t)p[8] << 24 | (uint32_t)p[9] << 16 | (uint32_t)p[10] << 8 | p[11];
		taken = latch_rtp(&l->kept->latch, from, ssrc, (uint16_t)(p[2] << 8 | p[3]),
				  l->said.srtp, b->time_ns);
	}
	if (taken && !settled)
		udp_line_aim(l);
	return taken || l->said.srtp;
}

/* How many of a line's packets of silence were dropped since the last that passed. */
static uint32_t skipped(struct udp_socket *k, uint32_t drops, const struct buf *b)
	ON_THREAD(ROLE_NET)
{
	struct udp_transport *t = k->line->t;
	int32_t more = drops ? (int32_t)(drops - k->drops) : 0;

	k->passed_ns = b->time_ns;
	if (more > 0) {
		k->drops = drops;
		t->stats.rx_packets += (uint32_t)more;
		t->stats.rx_octets += (uint64_t)more * k->dropped_octets;
		rx_count_silence((size_t)more);
	} else if (!k->rests) {
		k->bridges = false; /* what came before that was read */
	}
	if (k->rests && t->base.tap)
		udp_end_rest(k);
	return more > 0 ? (uint32_t)more : 0;
}

/* Takes *b if it is passed on. */
static void pass_on(struct udp_line *l, struct buf **b, bool rtcp) ON_THREAD(ROLE_NET)
{
	struct udp_transport *t = l->t;
	struct buf *pkt = *b;

	if (!rtcp && !l->said.rx) {
		drop(t, RX_UNWANTED);
		return;
	}
	t->stats.rx_packets++;
	t->stats.rx_octets += pkt->len;
	rx_count(pkt->len);
	/* Without keys anybody at the signaling's host can send reports, for media that goes
	 * elsewhere. */
	if (!rtcp || l->said.srtp || l->kept->latch.learnt)
		t->heard_ns = pkt->time_ns;
	rtp_ports_hear(t->ports, pkt->time_ns);
	t->base.line = (uint8_t)l->id;
	if (t->base.tap)
		tap_put(t->base.tap, false, rtcp, pkt->time_ns, pkt->data, pkt->len, NULL, 0);
	if (rtcp && t->ev->rtcp)
		t->ev->rtcp(t->obj, pkt->data, pkt->len, pkt->time_ns);
	if (!rtcp && t->ev->rtp) {
		*b = NULL;
		t->ev->rtp(t->obj, pkt, pkt->time_ns);
	}
}

/* Takes b, the whole datagram. */
static void input(struct udp_socket *k, struct buf *b, const struct latch_address *from,
		  uint32_t drops)
	ON_THREAD(ROLE_NET)
{
	struct udp_line *l = k->line;
	struct udp_transport *t = l->t;
	enum demux_kind kind = demux_classify(b->data, b->len);
	bool rtcp = kind == DEMUX_RTCP, known;
	int err;

	known = is_known(l, from, rtcp);
	if (!within_rate(t, b->len, known, b->time_ns))
		goto out;
	if ((!rtcp && kind != DEMUX_RTP) || (k->rtcp != rtcp && !(rtcp && l->said.mux))) {
		drop(t, RX_UNKNOWN);
		goto out;
	}
	err = open_packet(l, b, rtcp);
	if (err)
		drop(t, rx_drop_of(err));
	else if (!is_of_peer(l, from, b, rtcp, known))
		drop(t, RX_STRANGER);
	else {
		if (rtcp && latch_same_host(&l->rtp.to, from))
			unheard_sign(&l->unheard, b->time_ns);
		t->base.skipped = k->bridges && !rtcp ? skipped(k, drops, b) : 0;
		pass_on(l, &b, rtcp);
	}
out:
	buf_unref(&b);
}

static void take(struct udp_socket *k, const struct udp_datagram *d) ON_THREAD(ROLE_NET)
{
	struct buf *b = *d->b;
	struct latch_address from;

	if (udp_gone(k->line->t))
		return;
	if (d->truncated) {
		drop(k->line->t, RX_SIZE);
		return;
	}
	if (!read_from(&from, d->from))
		return;
	*d->b = NULL;
	input(k, b, &from, d->drops);
}

/* Without a buffer what waits is thrown away: it would wake us for ever. */
static void throw_away(struct udp_socket *k, int fd) ON_THREAD(ROLE_NET)
{
	uint8_t none;

	for (int i = 0; i < UDP_RECV_AT_ONCE * READ_ROUNDS; i++) {
		if (recv(fd, &none, 1, MSG_DONTWAIT) < 0)
			return;
		drop(k->line->t, RX_NO_BUFFER);
	}
}

static void fetch(const void *p, unsigned lines)
{
	for (unsigned i = 0; i < lines; i++)
		__builtin_prefetch((const char *)p + 64 * i);
}

void udp_prefetch_rx(const void *obj, unsigned step)
{
	enum { SOCKET_LINES = 1, LINE_LINES = 2, TRANSPORT_LINES = 4, OWNER_LINES = 4 };
	const struct udp_socket *k = obj;

	if (!step) {
		fetch(k, SOCKET_LINES);
	} else if (step == 1) {
		fetch(k->line, LINE_LINES);
		fetch(k->line->t, TRANSPORT_LINES);
	} else {
		const struct latch *l = &k->line->kept->latch;

		fetch(&l->learnt, 1);
		fetch(&l->from, 2);
		rtp_ports_prefetch(k->line->t->ports);
		/* whose beginning is what a packet needs, too */
		fetch(k->line->t->obj, OWNER_LINES);
	}
}

/* How many to ask for. Whoever sends steadily has sent as many as the last time; and what
 * came early waits for no longer than a few reads, behind one that came late for none. */
static unsigned to_ask(struct udp_socket *k, uint32_t events)
{
	enum { ALL_EVERY = 4 };

	if (events || !k->usual || ++k->reads % ALL_EVERY == 0)
		return UDP_RECV_AT_ONCE;
	return k->usual;
}

void udp_readable(void *obj, int fd, uint32_t events)
{
	struct udp_socket *k = obj;
	struct udp_transport *t = k->line->t;
	unsigned most = to_ask(k, events);
	struct udp_receiver *r;
	int got = UDP_RECV_AT_ONCE;

	role_assert_net();
	r = shard_receiver(t->shard);
	for (int i = 0; i < READ_ROUNDS && got == UDP_RECV_AT_ONCE && !udp_gone(t); i++) {
		got = udp_receive(r, fd, most);
		if (got == -ENOBUFS)
			throw_away(k, fd);
		if (!got && !i) {
			udp_untie(k);
			net_fd_idle(k->watch);
		}
		if (!i || got > 0)
			k->usual = got > 0 ? (uint8_t)got : 0;
		for (int m = 0; m < got; m++) {
			struct udp_datagram d = udp_received(r, (unsigned)m);

			take(k, &d);
		}
	}
}
