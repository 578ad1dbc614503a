#include "tests/bench/udp.h"

#include <netinet/udp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/floor.h"

enum { RX_BATCH = 16 };

static struct mmsghdr msg[UDP_QUEUE];
static struct iovec iov[UDP_QUEUE];
static _Alignas(struct cmsghdr) char ctl[UDP_QUEUE][CMSG_SPACE(sizeof(uint16_t))];
static int queued;

int udp_socket(struct sockaddr_in *at)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), size = 1 << 20;
	socklen_t len = sizeof *at;

	*at = (struct sockaddr_in){ .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size) ||
	    bind(fd, (struct sockaddr *)at, len) || getsockname(fd, (struct sockaddr *)at, &len))
		die("socket: %s", strerror(errno));
	return fd;
}

int udp_has_gso(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), size = 1000;
	int ok = fd >= 0 && !setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof size);

	close(fd);
	return ok;
}

void udp_queue(struct sockaddr_in *to, uint8_t *p, size_t n, size_t seg)
{
	struct msghdr *m = &msg[queued].msg_hdr;
	uint16_t size = (uint16_t)seg;
	struct cmsghdr *c;

	if (queued == UDP_QUEUE)
		die("udp_queue: full");
	iov[queued] = (struct iovec){ p, n };
	*m = (struct msghdr){
		.msg_name = to, .msg_namelen = sizeof *to, .msg_iov = &iov[queued], .msg_iovlen = 1
	};
	if (seg < n) {
		m->msg_control = ctl[queued];
		m->msg_controllen = sizeof ctl[queued];
		c = CMSG_FIRSTHDR(m);
		c->cmsg_level = IPPROTO_UDP;
		c->cmsg_type = UDP_SEGMENT;
		c->cmsg_len = CMSG_LEN(sizeof size);
		memcpy(CMSG_DATA(c), &size, sizeof size);
	}
	queued++;
}

void udp_flush(int fd)
{
	for (int done = 0, n; done < queued; done += n) {
		n = sendmmsg(fd, msg + done, (unsigned)(queued - done), 0);
		if (n < 0)
			die("sendmmsg: %s", strerror(errno));
	}
	queued = 0;
}

void udp_receive(int fd, void (*fn)(const struct sockaddr_in *from, uint8_t *p, size_t n))
{
	static uint8_t in[RX_BATCH][256];
	static struct sockaddr_in from[RX_BATCH];
	static struct iovec v[RX_BATCH];
	static struct mmsghdr m[RX_BATCH];
	int n;

	do {
		for (int i = 0; i < RX_BATCH; i++) {
			v[i] = (struct iovec){ in[i], sizeof in[i] };
			m[i].msg_hdr = (struct msghdr){ .msg_name = &from[i],
							.msg_namelen = sizeof from[i],
							.msg_iov = &v[i],
							.msg_iovlen = 1 };
		}
		n = recvmmsg(fd, m, RX_BATCH, MSG_DONTWAIT, NULL);
		for (int i = 0; i < n; i++)
			fn(&from[i], in[i], m[i].msg_len);
	} while (n == RX_BATCH);
}
