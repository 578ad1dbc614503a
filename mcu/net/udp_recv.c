#include "mcu/net/udp_recv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mcu/net/rx.h"
#include "mcu/net/shard_loop.h"
#include "mcu/net/syscalls.h"

enum {
	TIME_BYTES = CMSG_SPACE(sizeof(struct timespec)),
	CONTROL_BYTES = TIME_BYTES + CMSG_SPACE(sizeof(uint32_t)),
};

struct udp_receiver {
	struct net_shard *shard;
	struct shard_work work; /* at the end of a turn */
	bool knows_time;
	struct rx_now now; /* of this turn */
	struct mmsghdr msg[UDP_RECV_AT_ONCE];
	struct iovec iov[UDP_RECV_AT_ONCE];
	struct sockaddr_storage from[UDP_RECV_AT_ONCE];
	struct buf *b[UDP_RECV_AT_ONCE];
	_Alignas(struct cmsghdr) char ctl[UDP_RECV_AT_ONCE][CONTROL_BYTES];
};

static void give_back(void *obj)
{
	struct udp_receiver *r = obj;

	for (int i = 0; i < UDP_RECV_AT_ONCE; i++)
		buf_unref(&r->b[i]);
	r->knows_time = false;
}

int udp_receiver_new(struct udp_receiver **out, struct net_shard *s)
{
	struct udp_receiver *r = calloc(1, sizeof *r);

	if (!r)
		return -ENOMEM;
	r->shard = s;
	r->work = (struct shard_work){ .fn = give_back, .obj = r };
	for (int i = 0; i < UDP_RECV_AT_ONCE; i++)
		r->msg[i].msg_hdr = (struct msghdr){ .msg_name = &r->from[i],
						     .msg_iov = &r->iov[i], .msg_iovlen = 1,
						     .msg_control = r->ctl[i] };
	*out = r;
	return 0;
}

void udp_receiver_free(struct udp_receiver **r)
{
	if (*r)
		give_back(*r);
	free(*r);
	*r = NULL;
}

/* Buffers for so many, as far as there are any; how many. */
static unsigned prepare(struct udp_receiver *r, unsigned most) ON_THREAD(ROLE_NET)
{
	unsigned n = 0;

	for (; n < most; n++) {
		if (!r->b[n])
			r->b[n] = buf_get(net_shard_packets(r->shard));
		if (!r->b[n])
			break;
		r->iov[n] = (struct iovec){ r->b[n]->data, r->b[n]->cap };
		r->msg[n].msg_hdr.msg_namelen = sizeof r->from[n];
		r->msg[n].msg_hdr.msg_controllen = CONTROL_BYTES;
	}
	return n;
}

static int receive_one(struct mmsghdr *m, int fd)
{
	ssize_t got = sys_recvmsg(fd, &m->msg_hdr, MSG_DONTWAIT);

	m->msg_len = got < 0 ? 0 : (unsigned)got;
	return got < 0 ? -1 : 1;
}

int udp_receive(struct udp_receiver *r, int fd, unsigned most)
{
	unsigned n = prepare(r, most);
	int got;

	shard_work_post(r->shard, &r->work);
	if (!n)
		return -ENOBUFS;
	if (!r->knows_time)
		r->now = rx_now(true);
	r->knows_time = true;
	got = n == 1 ? receive_one(r->msg, fd) : sys_recvmmsg(fd, r->msg, n, MSG_DONTWAIT);
	return got > 0 ? got : 0;
}

/* It comes behind the time, and mostly not at all. */
static uint32_t drops_of(struct msghdr *m)
{
	uint32_t drops = 0;

	if (m->msg_controllen <= TIME_BYTES)
		return 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL)
			memcpy(&drops, CMSG_DATA(c), sizeof drops);
	return drops;
}

struct udp_datagram udp_received(struct udp_receiver *r, unsigned i)
{
	struct mmsghdr *m = &r->msg[i];
	struct buf *b = r->b[i];

	b->len = m->msg_len;
	b->time_ns = rx_arrival_ns(&m->msg_hdr, &r->now);
	return (struct udp_datagram){ .from = &r->from[i], .b = &r->b[i],
				      .truncated = m->msg_hdr.msg_flags & MSG_TRUNC,
				      .drops = drops_of(&m->msg_hdr) };
}
