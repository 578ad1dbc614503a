#include "mcu/net/udp_send.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/base/metrics.h"
#include "mcu/net/syscalls.h"

METRIC_COUNTER(m_calls, "mcu_net_send_calls_total", "System calls that sent media");
METRIC_COUNTER(m_packets, "mcu_net_sent_packets_total", "Media packets that the kernel took");
METRIC_COUNTER(m_octets, "mcu_net_sent_octets_total",
	       "Octets of those, without UDP and IP headers");
METRIC_COUNTER(m_full, "mcu_net_send_dropped_total",
	       "Media packets dropped because the socket's buffer was full or sending failed");
METRIC_COUNTER(m_fallback, "mcu_net_gso_fallback_total",
	       "Paths on which UDP segmentation offload was given up");

enum { CONTROL_BYTES = CMSG_SPACE(sizeof(uint16_t)) };

struct udp_sender {
	bool gso;
	size_t n, octets; /* queued */
	uint32_t off[UDP_SEND_PACKETS];
	uint16_t len[UDP_SEND_PACKETS];
	uint16_t run_packets[UDP_SEND_PACKETS]; /* of each message */
	struct mmsghdr msg[UDP_SEND_PACKETS];
	struct iovec iov[UDP_SEND_PACKETS];
	_Alignas(struct cmsghdr) char ctl[UDP_SEND_PACKETS][CONTROL_BYTES];
	uint8_t arena[UDP_SEND_PACKETS * UDP_SEND_MAX_PACKET];
};

int udp_sender_new(struct udp_sender **out, bool gso)
{
	struct udp_sender *s = calloc(1, sizeof *s);

	if (!s)
		return -ENOMEM;
	s->gso = gso;
	*out = s;
	return 0;
}

void udp_sender_free(struct udp_sender **s)
{
	free(*s);
	*s = NULL;
}

uint8_t *udp_send_room(struct udp_sender *s)
{
	return s->n < UDP_SEND_PACKETS ? s->arena + s->octets : NULL;
}

void udp_send_commit(struct udp_sender *s, size_t len)
{
	s->off[s->n] = (uint32_t)s->octets;
	s->len[s->n] = (uint16_t)len;
	s->octets += len;
	s->n++;
}

size_t udp_send_queued(const struct udp_sender *s)
{
	return s->n;
}

const uint8_t *udp_send_packet(const struct udp_sender *s, size_t i, size_t *len)
{
	*len = s->len[i];
	return s->arena + s->off[i];
}

void udp_send_clear(struct udp_sender *s)
{
	s->n = s->octets = 0;
}

void udp_send_count(int64_t calls, int64_t packets, int64_t octets, int64_t dropped)
{
	metric_add(&m_calls, calls);
	metric_add(&m_packets, packets);
	metric_add(&m_octets, octets);
	if (dropped)
		metric_add(&m_full, dropped);
}

/* How many packets from i on can be one segmented send. */
static size_t run_length(const struct udp_sender *s, size_t i, bool gso, size_t *octets)
{
	size_t seg = s->len[i], n = 1;

	*octets = seg;
	if (!gso)
		return 1;
	while (i + n < s->n && n < UDP_SEND_SEGMENTS && s->len[i + n] <= seg &&
	       *octets + s->len[i + n] <= UDP_SEND_RUN_BYTES) {
		*octets += s->len[i + n];
		n++;
		if (s->len[i + n - 1] < seg)
			break;
	}
	return n;
}

static void segment(struct msghdr *m, char *ctl, uint16_t seg)
{
	struct cmsghdr *c;

	m->msg_control = ctl;
	m->msg_controllen = CONTROL_BYTES;
	c = CMSG_FIRSTHDR(m);
	c->cmsg_level = SOL_UDP;
	c->cmsg_type = UDP_SEGMENT;
	c->cmsg_len = CMSG_LEN(sizeof seg);
	memcpy(CMSG_DATA(c), &seg, sizeof seg);
}

/* Messages for the packets from i on; returns their number. */
static unsigned build(struct udp_sender *s, struct udp_path *path, size_t i)
{
	unsigned k = 0;

	for (size_t octets, run; i < s->n; i += run, k++) {
		struct msghdr *m = &s->msg[k].msg_hdr;

		run = run_length(s, i, s->gso && !path->no_gso, &octets);
		s->run_packets[k] = (uint16_t)run;
		s->iov[k] = (struct iovec){ s->arena + s->off[i], octets };
		*m = (struct msghdr){ .msg_name = path->connected ? NULL : &path->to,
				      .msg_namelen = path->connected ? 0 : path->to_len,
				      .msg_iov = &s->iov[k],
				      .msg_iovlen = 1 };
		if (run > 1)
			segment(m, s->ctl[k], s->len[i]);
	}
	return k;
}

/* What comes alone does without the lists of the larger calls. How many went, -1. */
static int send_some(struct udp_sender *s, int fd, unsigned k, unsigned n)
{
	const struct msghdr *m = &s->msg[k].msg_hdr;
	enum { FLAGS = MSG_DONTWAIT | MSG_NOSIGNAL };
	ssize_t r;

	if (n > 1)
		return sendmmsg(fd, s->msg + k, n, FLAGS);
	if (m->msg_controllen)
		r = sys_sendmsg(fd, m, FLAGS);
	else
		r = sys_sendto(fd, m->msg_iov->iov_base, m->msg_iov->iov_len, FLAGS, m->msg_name,
			       m->msg_namelen);
	return r < 0 ? -1 : 1;
}

/* Sends messages k…n; adds the packets the kernel took to *i. 0 or -errno. */
static int send_messages(struct udp_sender *s, int fd, unsigned n, size_t *i)
{
	int64_t calls = 0, octets = 0;
	unsigned k = 0;
	int err = 0;

	while (k < n && !err) {
		int r = send_some(s, fd, k, n - k);

		if (r < 0 && errno == EINTR)
			continue;
		calls++;
		if (r <= 0)
			err = r < 0 ? -errno : -EAGAIN;
		for (int j = 0; j < r; j++) {
			octets += (int64_t)s->iov[k].iov_len;
			*i += s->run_packets[k++];
		}
	}
	metric_add(&m_calls, calls);
	metric_add(&m_octets, octets);
	return err;
}

/* An error of sendmmsg is that of its first message. A pending ICMP error
 * (ECONNREFUSED) is reported once and has nothing to do with these packets. */
size_t udp_send_flush(struct udp_sender *s, struct udp_path *path)
{
	size_t i = 0;
	int err = 0, tries = 4;

	while (i < s->n && tries-- > 0) {
		unsigned n = build(s, path, i);

		err = send_messages(s, path->fd, n, &i);
		if ((err == -EINVAL || err == -EIO) && !path->no_gso) {
			path->no_gso = true;
			metric_add(&m_fallback, 1);
		} else if (err && err != -ECONNREFUSED) {
			break;
		}
	}
	metric_add(&m_packets, (int64_t)i);
	if (i < s->n)
		metric_add(&m_full, (int64_t)(s->n - i));
	udp_send_clear(s);
	return i;
}
