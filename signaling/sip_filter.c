#include "signaling/sip_filter.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

enum { IPV4_SOURCE = 12, IPV6_SOURCE = 8 }; /* octets into the header */

/* Four words of the address, as a program loads them. */
static bool words_of(const struct sip_limit_key *key, uint32_t out[4])
{
	memcpy(out, key->half, 16);
	for (int i = 0; i < 4; i++)
		out[i] = ntohl(out[i]);
	return !out[0] && !out[1] && out[2] == 0xffff; /* IPv4 */
}

static struct sock_filter load(int at)
{
	return (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_NET_OFF + at));
}

/* Skips so many when the word is not this one. */
static struct sock_filter unless(uint32_t word, uint8_t skip)
{
	return (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, word, 0, skip);
}

static size_t build(struct sock_filter *p, bool v6, const struct sip_limit_key *keys, size_t n)
{
	static const struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0),
					pass = BPF_STMT(BPF_RET | BPF_K, UINT32_MAX);
	uint32_t w[4];
	size_t len = 0;

	if (!v6)
		p[len++] = load(IPV4_SOURCE);
	for (size_t i = 0; i < n; i++) {
		bool v4 = words_of(&keys[i], w);

		if (v4 == v6)
			continue;
		if (v6) {
			p[len++] = load(IPV6_SOURCE);
			p[len++] = unless(w[0], 3);
			p[len++] = load(IPV6_SOURCE + 4);
			p[len++] = unless(w[1], 1);
		} else {
			p[len++] = unless(w[3], 1);
		}
		p[len++] = drop;
	}
	p[len++] = pass;
	return len;
}

int sip_filter_set(int fd, const struct sip_limit_key *keys, size_t n)
{
	struct sock_filter program[SIP_FILTER_MAX * 5 + 2];
	struct sock_fprog f = { .filter = program };
	int family = 0;
	socklen_t len = sizeof family;

	if (n > SIP_FILTER_MAX)
		return -EINVAL;
	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &len))
		return -errno;
	if (!n)
		return setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &(int){ 0 }, sizeof(int)) &&
			errno != ENOENT ? -errno : 0;
	f.len = (unsigned short)build(program, family == AF_INET6, keys, n);
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &f, sizeof f) ? -errno : 0;
}
