/* A UDP transport on a shard's thread, and its peer: sockets of the test. Included by
 * one file per program. */
#ifndef TESTS_MCU_NET_UDP_RIG_H
#define TESTS_MCU_NET_UDP_RIG_H

#include "tests/mcu/net/srtp_rig.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mcu/base/clock.h"
#include "mcu/base/mbox.h"
#include "mcu/net/rtp_udp_priv.h"

enum { WAIT_S = 30, PACKET = 200, OURS = 0x2aaa0000 /* + line */, THEIRS = 0x77777777 };

static struct {
	struct net_shard *shard;
	struct rtp_port_range *range;
	struct rtp_ports *ports;
	struct rtp_udp_cfg cfg;
	struct transport *t; /* NET */
	int sock[RTP_LINES][2]; /* the peer's: RTP, RTCP */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* under the lock */
	bool done, connected;
	char profile[32], closed[16];
	unsigned rtp[RTP_LINES], rtcp[RTP_LINES]; /* by line */
	unsigned opened, skipped;
	uint8_t last[2048]; /* the newest packet */
	size_t last_len;
	/* of the job */
	struct out_pkt pkts[64];
	size_t n_pkts, sent;
	const uint8_t *rtcp_pkt;
	size_t rtcp_len;
	int result;
	struct transport_stats stats;
} the = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

#define NOTE(statement)                                                                            \
	do {                                                                                       \
		pthread_mutex_lock(&the.lock);                                                     \
		statement;                                                                         \
		pthread_cond_broadcast(&the.changed);                                              \
		pthread_mutex_unlock(&the.lock);                                                   \
	} while (0)

#define WAIT(condition)                                                                            \
	do {                                                                                       \
		struct timespec until_;                                                            \
		int late_ = 0;                                                                     \
		clock_gettime(CLOCK_REALTIME, &until_);                                            \
		until_.tv_sec += WAIT_S;                                                           \
		pthread_mutex_lock(&the.lock);                                                     \
		while (!(condition) && !late_)                                                     \
			late_ = pthread_cond_timedwait(&the.changed, &the.lock, &until_);          \
		pthread_mutex_unlock(&the.lock);                                                   \
		if (late_)                                                                         \
			fail_msg("waited %d s for %s", WAIT_S, #condition);                        \
	} while (0)

/* --- on the shard ---------------------------------------------------------------- */

static inline void on_connected(void *obj, const char *profile)
{
	(void)obj;
	NOTE(the.connected = true; snprintf(the.profile, sizeof the.profile, "%s", profile));
}

static inline void on_rtp(void *obj, struct buf *pkt, int64_t arrival_ns)
{
	(void)obj;
	(void)arrival_ns;
	NOTE(the.rtp[transport_line(the.t)]++; the.skipped += transport_skipped(the.t); memcpy(the.last, pkt->data, pkt->len);
	     the.last_len = pkt->len);
	buf_unref(&pkt);
}

static inline void on_rtcp(void *obj, const uint8_t *p, size_t len, int64_t arrival_ns)
{
	(void)obj;
	(void)arrival_ns;
	NOTE(the.rtcp[transport_line(the.t)]++; memcpy(the.last, p, len); the.last_len = len);
}

static inline void on_opened(void *obj)
{
	(void)obj;
	NOTE(the.opened++);
}

static inline void on_closed(void *obj, const char *reason)
{
	(void)obj;
	NOTE(snprintf(the.closed, sizeof the.closed, "%s", reason));
}

static const struct transport_events udp_events = {
	.connected = on_connected, .rtp = on_rtp, .rtcp = on_rtcp, .closed = on_closed,
	.opened = on_opened,
};

static inline void on_shard(mbox_fn *fn)
{
	NOTE(the.done = false);
	while (mbox_post(net_shard_mbox(the.shard), fn, NULL, NULL))
		sched_yield();
	WAIT(the.done);
}

static inline void job_open(void *obj, void *arg)
{
	(void)obj;
	(void)arg;
	role_assert_net();
	the.result = transport_udp_new(&the.t, the.shard, &the.cfg, &udp_events, NULL);
	NOTE(the.done = true);
}

static inline void job_set(void *obj, void *arg)
{
	(void)obj;
	(void)arg;
	role_assert_net();
	the.result = transport_udp_set(the.t, &the.cfg);
	NOTE(the.done = true);
}

static inline void job_close(void *obj, void *arg)
{
	(void)obj;
	(void)arg;
	role_assert_net();
	transport_get_stats(the.t, &the.stats);
	transport_close(&the.t);
	NOTE(the.done = true);
}

static inline void job_stats(void *obj, void *arg)
{
	(void)obj;
	(void)arg;
	role_assert_net();
	transport_get_stats(the.t, &the.stats);
	NOTE(the.done = true);
}

static inline void job_send(void *obj, void *arg)
{
	(void)obj;
	(void)arg;
	role_assert_net();
	for (unsigned i = 0; i < TRANSPORT_PREFETCH_STEPS; i++)
		transport_prefetch(the.t, i);
	the.sent = transport_send_rtp(the.t, the.pkts, the.n_pkts);
	NOTE(the.done = true);
}

static inline void job_send_rtcp(void *obj, void *arg)
{
	(void)obj;
	(void)arg;
	role_assert_net();
	the.result = transport_send_rtcp(the.t, the.rtcp_pkt, the.rtcp_len);
	NOTE(the.done = true);
}

/* --- the test's thread ----------------------------------------------------------- */

static inline uint16_t bound_port(int fd)
{
	struct sockaddr_storage a;
	socklen_t len = sizeof a;

	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	return ntohs(a.ss_family == AF_INET ? ((struct sockaddr_in *)(void *)&a)->sin_port :
					      ((struct sockaddr_in6 *)(void *)&a)->sin6_port);
}

static inline socklen_t address_of(struct sockaddr_storage *a, const char *ip, uint16_t port)
{
	struct sockaddr_in *a4 = (void *)a;
	struct sockaddr_in6 *a6 = (void *)a;

	memset(a, 0, sizeof *a);
	if (inet_pton(AF_INET, ip, &a4->sin_addr) == 1) {
		a4->sin_family = AF_INET;
		a4->sin_port = htons(port);
		return sizeof *a4;
	}
	assert_int_equal(inet_pton(AF_INET6, ip, &a6->sin6_addr), 1);
	a6->sin6_family = AF_INET6;
	a6->sin6_port = htons(port);
	return sizeof *a6;
}

static inline int make_socket(const char *ip)
{
	struct sockaddr_storage a;
	socklen_t len = address_of(&a, ip, 0);
	int fd = socket(a.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, len), 0);
	return fd;
}

/* A transport with so many lines, and the peer where its description says. */
static inline void open_rig(const char *ip, int lines, bool mux)
{
	struct errmsg why;

	the.connected = false;
	the.closed[0] = 0;
	memset(the.rtp, 0, sizeof the.rtp);
	memset(the.rtcp, 0, sizeof the.rtcp);
	the.opened = the.skipped = 0;
	assert_int_equal(net_shard_new(&the.shard, 0, NULL), 0);
	assert_int_equal(rtp_port_range_new(&the.range, 22000, 25000), 0);
	assert_int_equal(rtp_ports_new(&the.ports, the.range, ip, 0, &why), 0);
	the.cfg = (struct rtp_udp_cfg){ .ports = the.ports, .silence_s = 30, .max_rx_kbps = 30000,
					.signaling = ip };
	for (enum rtp_line i = RTP_LINE_AUDIO; i < RTP_LINES; i++) {
		struct rtp_udp_line *l = &the.cfg.line[i];

		for (int k = 0; k < 2; k++)
			the.sock[i][k] = make_socket(ip);
		if ((int)i > lines)
			continue;
		assert_int_equal(rtp_ports_open(the.ports, i, &why), 0);
		*l = (struct rtp_udp_line){ .used = true, .rx = true, .tx = true, .mux = mux };
		snprintf(l->address, sizeof l->address, "%s", ip);
		snprintf(l->rtcp_address, sizeof l->rtcp_address, "%s", ip);
		l->port = bound_port(the.sock[i][0]);
		l->rtcp_port = bound_port(the.sock[i][!mux]);
		the.cfg.ssrc[i] = OURS + i;
	}
}

static inline void start(void)
{
	on_shard(job_open);
	assert_int_equal(the.result, 0);
	WAIT(the.connected);
}

static inline void close_rig(void)
{
	if (the.t)
		on_shard(job_close);
	net_shard_free(&the.shard);
	rtp_ports_unref(&the.ports);
	assert_int_equal(rtp_port_range_used(the.range), 0);
	rtp_port_range_free(&the.range);
	for (enum rtp_line i = RTP_LINE_AUDIO; i < RTP_LINES; i++)
		for (int k = 0; k < 2; k++)
			close(the.sock[i][k]);
}

static inline void send_to_us(int fd, enum rtp_line line, bool rtcp, const void *p, size_t len)
{
	struct sockaddr_storage a;
	socklen_t n = address_of(&a, rtp_ports_address(the.ports),
				 (uint16_t)(rtp_ports_port(the.ports, line) + rtcp));

	assert_int_equal(sendto(fd, p, len, 0, (struct sockaddr *)&a, n), (ssize_t)len);
}

/* RTP of the peer; its length. */
static inline size_t peer_packet(uint8_t *out, uint16_t seq)
{
	size_t n = make_header(out, THEIRS, seq, 0, 0);

	memset(out + n, (uint8_t)seq, PACKET - n);
	return PACKET;
}

static inline size_t peer_report(uint8_t *out, uint32_t ssrc)
{
	memcpy(out, (const uint8_t[]){ 0x80, 201, 0, 1, 0, 0, 0, 0 }, 8);
	srtp_put32(out + 4, ssrc);
	return 8;
}

static inline void peer_sends(int fd, enum rtp_line line, uint16_t seq)
{
	uint8_t p[PACKET];

	send_to_us(fd, line, false, p, peer_packet(p, seq));
}

/* Packets of sound that have come so far. */
static inline unsigned heard(void)
{
	unsigned n;

	NOTE(n = the.rtp[RTP_LINE_AUDIO]);
	return n;
}

/* What the peer gets: its length, the sender's port; fails when nothing comes. */
static inline size_t peer_gets(int fd, uint8_t *out, size_t cap, uint16_t *from)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct sockaddr_storage a;
	socklen_t len = sizeof a;
	ssize_t n;

	assert_int_equal(poll(&p, 1, WAIT_S * 1000), 1);
	n = recvfrom(fd, out, cap, 0, (struct sockaddr *)&a, &len);
	assert_true(n > 0);
	if (from)
		*from = ntohs(a.ss_family == AF_INET ? ((struct sockaddr_in *)(void *)&a)->sin_port :
						       ((struct sockaddr_in6 *)(void *)&a)->sin6_port);
	return (size_t)n;
}

/* Whatever has been sent on loopback by now is there. */
static inline bool peer_has_nothing(int fd)
{
	uint8_t p[2048];

	return recv(fd, p, sizeof p, MSG_DONTWAIT) < 0;
}

/* n packets of a line from seq on; how many the transport says went out. */
static inline size_t we_send(enum rtp_line line, uint16_t seq, size_t n)
{
	static uint8_t hdr[64][12], payload[PACKET];

	for (size_t i = 0; i < n; i++) {
		make_header(hdr[i], OURS + line, (uint16_t)(seq + i), 0, 0);
		the.pkts[i] = (struct out_pkt){ hdr[i], payload, 12, sizeof payload };
	}
	the.n_pkts = n;
	on_shard(job_send);
	return the.sent;
}

static inline int we_report(enum rtp_line line)
{
	static uint8_t p[8];

	the.rtcp_len = peer_report(p, OURS + line);
	the.rtcp_pkt = p;
	on_shard(job_send_rtcp);
	return the.result;
}

#endif
