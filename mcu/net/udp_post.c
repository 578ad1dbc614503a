#include "mcu/net/udp_post.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "mcu/net/syscalls.h"

enum { TRIES = 4 };

struct letter {
	const struct udp_path *to;
	struct transport_stats *counts;
	uint32_t at, len; /* in the arena */
	bool sent;
};

struct udp_post {
	size_t n, octets;
	struct letter letter[UDP_POST_PACKETS];
	uint8_t arena[UDP_POST_PACKETS * UDP_SEND_MAX_PACKET];
};

int udp_post_new(struct udp_post **out)
{
	*out = calloc(1, sizeof **out);
	return *out ? 0 : -ENOMEM;
}

void udp_post_free(struct udp_post **p)
{
	free(*p);
	*p = NULL;
}

uint8_t *udp_post_room(struct udp_post *p)
{
	if (p->n == UDP_POST_PACKETS)
		udp_post_send(p);
	return p->arena + p->octets;
}

void udp_post_commit(struct udp_post *p, size_t len, const struct udp_path *path,
		     struct transport_stats *counts)
{
	p->letter[p->n++] = (struct letter){
		.to = path, .counts = counts, .at = (uint32_t)p->octets, .len = (uint32_t)len,
	};
	p->octets += len;
}

/* What ICMP said of an earlier packet is told once, and not about this one. */
static bool send_one(const struct udp_post *p, const struct letter *l)
{
	const struct sockaddr *to = l->to->connected ? NULL : (const struct sockaddr *)&l->to->to;
	socklen_t to_len = to ? l->to->to_len : 0;

	for (int i = 0; i < TRIES; i++) {
		if (sys_sendto(l->to->fd, p->arena + l->at, l->len, MSG_DONTWAIT | MSG_NOSIGNAL, to,
			       to_len) >= 0)
			return true;
		if (errno != EINTR && errno != ECONNREFUSED)
			return false;
	}
	return false;
}

void udp_post_send(struct udp_post *p)
{
	int64_t sent = 0, octets = 0;

	if (!p->n)
		return;
	for (size_t i = 0; i < p->n; i++)
		p->letter[i].sent = send_one(p, &p->letter[i]);
	for (size_t i = 0; i < p->n; i++) {
		const struct letter *l = &p->letter[i];

		l->counts->tx_packets += l->sent;
		l->counts->tx_dropped += !l->sent;
		sent += l->sent;
		octets += l->sent ? l->len : 0;
	}
	udp_send_count((int64_t)p->n, sent, octets, (int64_t)p->n - sent);
	p->n = p->octets = 0;
}
