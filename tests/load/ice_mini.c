/* A controlling ICE agent on one loopback socket: connectivity checks with
 * regular nomination, answers to the peer's checks, consent (RFC 7675) both
 * ways. No servers, no TCP, no IPv6, no role conflicts. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/load/ice.h"
#include "tests/load/stun.h"
#include "tests/load/util.h"

enum {
	MAX_REMOTES = 16,
	RX_BATCH = 32,
	RX_BYTES = 2048,
	RX_BUFFER_BYTES = 1 << 20,
	RX_ROUNDS = 32
};
/* Peer-reflexive host priority; RFC 8445 section 5.1.2.2 type preference 126. */
enum {
	HOST_PRIORITY = 126 << 24 | 65535 << 8 | 255,
	PRFLX_PRIORITY = 110 << 24 | 65535 << 8 | 255
};
static const int64_t CHECK_EVERY_NS = 50 * BOT_NS_PER_MS, CONSENT_EVERY_NS = 5 * BOT_NS_PER_S;
static const int64_t FAIL_AFTER_NS = 20 * BOT_NS_PER_S, CONSENT_EXPIRES_NS = 30 * BOT_NS_PER_S;

struct remote {
	struct sockaddr_in at;
	uint8_t txid[STUN_TXID];
	bool valid, nominating;
};

struct mini {
	struct ice ice;
	int fd;
	bool stamps, ended;
	char ufrag[257], pwd[257], remote_ufrag[257], remote_pwd[257];
	struct remote remote[MAX_REMOTES];
	int remotes;
	struct remote *nominated, *selected;
	uint64_t tie_breaker;
	int64_t next_check_ns, started_ns, consent_ns;
};

static struct mini *mini_of(struct ice *i)
{
	return (struct mini *)i;
}

static bool send_to(struct mini *m, const struct sockaddr_in *to, const uint8_t *p, size_t len)
{
	return sendto(m->fd, p, len, 0, (const struct sockaddr *)to, sizeof *to) == (ssize_t)len;
}

static void check(struct mini *m, struct remote *r, bool nominate)
{
	char username[2 * sizeof m->ufrag];
	uint8_t buf[STUN_MAX_BYTES];
	struct stun_request q = { .username = username,
				  .pwd = m->remote_pwd,
				  .priority = PRFLX_PRIORITY,
				  .tie_breaker = m->tie_breaker,
				  .use_candidate = nominate };

	snprintf(username, sizeof username, "%s:%s", m->remote_ufrag, m->ufrag);
	bot_random_bytes(q.txid, sizeof q.txid);
	memcpy(r->txid, q.txid, sizeof q.txid);
	r->nominating = nominate;
	send_to(m, &r->at, buf, stun_write_request(buf, &q));
}

static void mini_start(struct ice *i)
{
	struct mini *m = mini_of(i);
	struct sockaddr_in at;
	socklen_t len = sizeof at;
	char line[128];

	if (getsockname(m->fd, (struct sockaddr *)&at, &len))
		bot_die("getsockname: %s", strerror(errno));
	snprintf(line, sizeof line, "candidate:1 1 UDP %u %s %u typ host", HOST_PRIORITY,
		 ice_address(), ntohs(at.sin_port));
	i->events->candidate(i->obj, line);
	i->events->candidate(i->obj, NULL);
}

static void mini_set_remote(struct ice *i, const char *ufrag, const char *pwd)
{
	struct mini *m = mini_of(i);

	snprintf(m->remote_ufrag, sizeof m->remote_ufrag, "%s", ufrag);
	snprintf(m->remote_pwd, sizeof m->remote_pwd, "%s", pwd);
	m->started_ns = bot_now_ns();
	m->next_check_ns = 0;
}

static void mini_add_candidate(struct ice *i, const char *sdp)
{
	struct mini *m = mini_of(i);
	struct remote *r = &m->remote[m->remotes];
	char proto[8], ip[64];
	unsigned component, port;

	if (m->remotes == MAX_REMOTES ||
	    sscanf(sdp, "candidate:%*s %u %7s %*s %63s %u", &component, proto, ip, &port) != 4 ||
	    component != 1 || strcasecmp(proto, "udp") || port < 1 || port > 65535)
		return;
	*r = (struct remote){ .at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) } };
	if (inet_pton(AF_INET, ip, &r->at.sin_addr) != 1)
		return;
	m->remotes++;
	m->next_check_ns = 0;
}

static void on_request(struct mini *m, const struct stun_msg *s, const struct sockaddr_in *from)
{
	uint8_t buf[STUN_MAX_BYTES];
	size_t n = strlen(m->ufrag);

	if (!stun_authentic(s, m->pwd) || s->username_len <= n ||
	    memcmp(s->username, m->ufrag, n) || s->username[n] != ':')
		return;
	send_to(m, from, buf, stun_write_success(buf, s, from, m->pwd));
}

static void on_success(struct mini *m, const struct stun_msg *s)
{
	for (int k = 0; k < m->remotes; k++) {
		struct remote *r = &m->remote[k];

		if (memcmp(r->txid, s->txid, STUN_TXID) || !stun_authentic(s, m->remote_pwd))
			continue;
		m->consent_ns = bot_now_ns();
		r->valid = true;
		if (!m->nominated) {
			m->nominated = r;
			check(m, r, true);
		} else if (r == m->nominated && r->nominating && !m->selected) {
			m->selected = r;
			m->ice.events->selected(m->ice.obj);
		}
		return;
	}
}

static void on_datagram(struct mini *m, uint8_t *p, size_t len, const struct sockaddr_in *from,
			int64_t arrival_ns)
{
	struct stun_msg s;

	if (!len)
		return;
	if (p[0] > 3) {
		m->ice.events->packet(m->ice.obj, p, len, arrival_ns);
		return;
	}
	if (!stun_parse(&s, p, len))
		return;
	if (s.type == STUN_REQUEST)
		on_request(m, &s, from);
	else if (s.type == STUN_SUCCESS)
		on_success(m, &s);
}

/* Kernel time stamps are of the wall clock; skew_ns leads to the other one. */
static int64_t stamp_of(struct msghdr *h, int64_t now_ns, int64_t skew_ns)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
		struct timespec t;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
			continue;
		memcpy(&t, CMSG_DATA(c), sizeof t);
		return t.tv_sec * BOT_NS_PER_S + t.tv_nsec + skew_ns;
	}
	return now_ns;
}

static int receive(struct mini *m, int64_t now_ns)
{
	static uint8_t buf[RX_BATCH][RX_BYTES + ICE_TAILROOM];
	static struct sockaddr_in from[RX_BATCH];
	static struct iovec iov[RX_BATCH];
	static struct mmsghdr msg[RX_BATCH];
	static _Alignas(struct cmsghdr) char ctl[RX_BATCH][64];
	int64_t skew_ns = m->stamps ? bot_now_ns() - bot_wall_ns() : 0;
	int n;

	for (int k = 0; k < RX_BATCH; k++) {
		iov[k] = (struct iovec){ buf[k], RX_BYTES };
		msg[k].msg_hdr = (struct msghdr){ .msg_name = &from[k],
						  .msg_namelen = sizeof from[k],
						  .msg_iov = &iov[k],
						  .msg_iovlen = 1 };
		if (m->stamps) {
			msg[k].msg_hdr.msg_control = ctl[k];
			msg[k].msg_hdr.msg_controllen = sizeof ctl[k];
		}
	}
	n = recvmmsg(m->fd, msg, RX_BATCH, MSG_DONTWAIT, NULL);
	for (int k = 0; k < n && !m->ended; k++)
		on_datagram(m, buf[k], msg[k].msg_len, &from[k],
			    m->stamps ? stamp_of(&msg[k].msg_hdr, now_ns, skew_ns) : now_ns);
	return n;
}

static void end_with(struct mini *m, const char *why)
{
	m->ended = true;
	m->ice.events->failed(m->ice.obj, why);
}

static void mini_sweep(struct ice *i, int64_t now_ns)
{
	struct mini *m = mini_of(i);

	for (int k = 0; k < RX_ROUNDS && !m->ended && !i->muted; k++)
		if (receive(m, now_ns) < RX_BATCH)
			break;
	if (m->ended || i->muted || !m->remote_pwd[0] || now_ns < m->next_check_ns)
		return;
	if (m->selected) {
		if (now_ns - m->consent_ns > CONSENT_EXPIRES_NS) {
			end_with(m, "consent expired");
			return;
		}
		m->next_check_ns = now_ns + CONSENT_EVERY_NS;
		check(m, m->selected, false);
		return;
	}
	if (now_ns - m->started_ns > FAIL_AFTER_NS) {
		end_with(m, "no candidate pair works");
		return;
	}
	m->next_check_ns = now_ns + CHECK_EVERY_NS;
	if (m->nominated)
		check(m, m->nominated, true);
	else
		for (int k = 0; k < m->remotes; k++)
			check(m, &m->remote[k], false);
}

static bool mini_send(struct ice *i, const uint8_t *p, size_t len)
{
	struct mini *m = mini_of(i);

	return m->selected && send_to(m, &m->selected->at, p, len);
}

static void mini_free(struct ice *i)
{
	close(mini_of(i)->fd);
	free(i);
}

static const struct ice_ops OPS = {
	.start = mini_start,
	.set_remote = mini_set_remote,
	.add_candidate = mini_add_candidate,
	.sweep = mini_sweep,
	.send = mini_send,
	.free = mini_free,
};

struct ice *ice_mini_new(const struct ice_cfg *cfg)
{
	struct mini *m = bot_alloc(sizeof *m);
	struct sockaddr_in at = { .sin_family = AF_INET };
	int size = RX_BUFFER_BYTES, on = 1;

	m->ice.ops = &OPS;
	m->stamps = cfg->stamps;
	m->tie_breaker = (uint64_t)bot_random() << 32 | bot_random();
	snprintf(m->ufrag, sizeof m->ufrag, "%s", cfg->ufrag);
	snprintf(m->pwd, sizeof m->pwd, "%s", cfg->pwd);
	m->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (m->fd < 0 || inet_pton(AF_INET, ice_address(), &at.sin_addr) != 1 ||
	    /* root may go above net.core.rmem_max */
	    (setsockopt(m->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) &&
	     setsockopt(m->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size)) ||
	    (cfg->stamps && setsockopt(m->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on)) ||
	    bind(m->fd, (struct sockaddr *)&at, sizeof at))
		bot_die("viewer socket: %s (raise the limit of open files?)", strerror(errno));
	return &m->ice;
}
