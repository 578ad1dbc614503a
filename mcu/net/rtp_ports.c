#include "mcu/net/rtp_ports.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "mcu/base/hot.h"
#include "mcu/base/metrics.h"
#include "mcu/net/rtp_tcp.h"

enum {
	FIRST_PORT = 1024,
	NO_PORT = 9, /* of a line over a connection: discard */
	BIND_TRIES = 200, /* ports of the range that somebody else has */
	PICTURE_BUFFER = 1 << 20,
	MASTER_BYTES = SRTP_KEY_BYTES + SRTP_SALT_BYTES,
	INLINE_BYTES = 7 + (MASTER_BYTES + 2) / 3 * 4 + 1,
};

METRIC_GAUGE(g_pairs, "mcu_rtp_ports_used", "Pairs of ports that calls have, of sip.rtp_ports");
METRIC_COUNTER(m_refused, "mcu_rtp_ports_refused_total",
	       "Calls and streams refused: all of sip.rtp_ports are in use");

/* Ports are given in turn, so that what is still sent to an earlier call does not
 * meet the next one. */
struct rtp_port_range {
	uint16_t min; /* even */
	size_t pairs, used, next;
	bool taken[];
};

struct our_key {
	struct srtp_keys keys;
	char text[INLINE_BYTES];
};

struct port_line {
	uint16_t port; /* 0: not open */
	bool in_use;
	int fd[2]; /* RTP, RTCP */
	struct our_key key[RTP_SUITES];
	struct rtp_sdes sdes[RTP_SUITES];
	uint8_t channel[2];   /* over a connection */
	struct rtp_kept kept; /* of NET */
};

struct rtp_ports {
	struct rtp_port_range *range;
	unsigned refs, shard;
	struct sockaddr_storage local;
	char address[RTP_ADDRESS_BYTES];
	struct port_line line[RTP_LINES];
	atomic_bool withheld, proven; /* of CTL, read by NET */
	_Atomic int64_t heard_ns;     /* of NET */
	struct rtp_tcp *tcp;
};

static const enum srtp_profile suites[RTP_SUITES] = { SRTP_PROFILE_CM, SRTP_PROFILE_GCM,
						      SRTP_PROFILE_CM32 };

/* --- the range --------------------------------------------------------------------- */

bool rtp_port_range_parse(const char *text, uint16_t *min, uint16_t *max)
{
	unsigned a, b;
	int n = 0;

	if (strspn(text, "0123456789-") != strlen(text) || *text == '-' ||
	    sscanf(text, "%5u-%5u%n", &a, &b, &n) != 2 || text[n] || a < FIRST_PORT || b > 65535 ||
	    (a + 1) / 2 * 2 + 1 > b)
		return false;
	*min = (uint16_t)a;
	*max = (uint16_t)b;
	return true;
}

int rtp_port_range_new(struct rtp_port_range **out, uint16_t min, uint16_t max)
{
	unsigned even = (min + 1u) / 2 * 2;
	size_t pairs = max > even ? (max - even + 1u) / 2 : 0;
	struct rtp_port_range *r;
	uint32_t random;

	if (!pairs)
		return -EINVAL;
	r = calloc(1, sizeof *r + pairs * sizeof *r->taken);
	if (!r)
		return -ENOMEM;
	if (RAND_bytes((unsigned char *)&random, sizeof random) != 1)
		random = 0;
	r->min = (uint16_t)even;
	r->pairs = pairs;
	r->next = random % pairs;
	*out = r;
	return 0;
}

void rtp_port_range_free(struct rtp_port_range **r)
{
	free(*r);
	*r = NULL;
}

size_t rtp_port_range_used(const struct rtp_port_range *r)
{
	return r->used;
}

size_t rtp_port_range_pairs(const struct rtp_port_range *r)
{
	return r->pairs;
}

/* The next pair that is free as far as we know; 0: there is none. */
static uint16_t take_pair(struct rtp_port_range *r)
{
	if (r->used == r->pairs)
		return 0;
	while (r->taken[r->next])
		r->next = (r->next + 1) % r->pairs;
	r->taken[r->next] = true;
	r->used++;
	metric_add(&g_pairs, 1);
	return (uint16_t)(r->min + 2 * r->next);
}

static void give_back(struct rtp_port_range *r, uint16_t port)
{
	r->taken[(port - r->min) / 2] = false;
	r->used--;
	metric_add(&g_pairs, -1);
}

/* --- keys -------------------------------------------------------------------------- */

static int make_key(struct our_key *k, enum srtp_profile suite)
{
	uint8_t master[MASTER_BYTES];
	size_t salt = srtp_profile_salt_bytes(suite);
	int err = RAND_bytes(master, sizeof master) == 1 ? 0 : -EIO;

	k->keys = (struct srtp_keys){ .profile = suite };
	memcpy(k->keys.key, master, SRTP_KEY_BYTES);
	memcpy(k->keys.salt, master + SRTP_KEY_BYTES, salt);
	memcpy(k->text, "inline:", 7);
	EVP_EncodeBlock((unsigned char *)k->text + 7, master, (int)(SRTP_KEY_BYTES + salt));
	OPENSSL_cleanse(master, sizeof master);
	return err;
}

static int make_keys(struct rtp_ports *p)
{
	int err = 0;

	for (int i = RTP_LINE_AUDIO; i < RTP_LINES; i++)
		for (int k = 0; k < RTP_SUITES && !err; k++) {
			struct port_line *l = &p->line[i];

			err = make_key(&l->key[k], suites[k]);
			l->sdes[k] = (struct rtp_sdes){ srtp_profile_name(suites[k]), l->key[k].text };
		}
	return err;
}

const struct rtp_sdes *rtp_ports_sdes(const struct rtp_ports *p, enum rtp_line line)
{
	return p->line[line].sdes;
}

bool rtp_ports_keys(const struct rtp_ports *p, enum rtp_line line, const char *suite,
		    struct srtp_keys *out)
{
	for (int k = 0; k < RTP_SUITES; k++)
		if (!strcmp(p->line[line].sdes[k].suite, suite)) {
			*out = p->line[line].key[k].keys;
			return true;
		}
	return false;
}

/* --- sockets ----------------------------------------------------------------------- */

static bool read_address(struct sockaddr_storage *out, const char *text)
{
	struct sockaddr_in *a4 = (void *)out;
	struct sockaddr_in6 *a6 = (void *)out;

	memset(out, 0, sizeof *out);
	if (inet_pton(AF_INET, text, &a4->sin_addr) == 1)
		out->ss_family = AF_INET;
	else if (inet_pton(AF_INET6, text, &a6->sin6_addr) == 1)
		out->ss_family = AF_INET6;
	return out->ss_family != 0;
}

static socklen_t address_len(const struct sockaddr_storage *a)
{
	return a->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}

static void set_port(struct sockaddr_storage *a, uint16_t port)
{
	if (a->ss_family == AF_INET6)
		((struct sockaddr_in6 *)(void *)a)->sin6_port = htons(port);
	else
		((struct sockaddr_in *)(void *)a)->sin_port = htons(port);
}

/* The descriptor or -errno. */
static int bind_socket(const struct rtp_ports *p, uint16_t port, bool pictures)
{
	struct sockaddr_storage at = p->local;
	const int on = 1, bytes = PICTURE_BUFFER;
	int fd = socket(at.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), err;

	if (fd < 0)
		return -errno;
	set_port(&at, port);
	if (at.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
	if (pictures) {
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
	}
	if (!bind(fd, (struct sockaddr *)&at, address_len(&at)))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

static int bind_pair(struct rtp_ports *p, struct port_line *l, uint16_t port, bool pictures)
{
	l->fd[0] = bind_socket(p, port, pictures);
	if (l->fd[0] < 0)
		return l->fd[0];
	l->fd[1] = bind_socket(p, (uint16_t)(port + 1), false);
	if (l->fd[1] >= 0)
		return 0;
	close(l->fd[0]);
	return l->fd[1];
}

static int used_up(const struct rtp_port_range *r, struct errmsg *why)
{
	metric_add(&m_refused, 1);
	return errmsg_set(why, -EADDRINUSE, "busy", "All %zu pairs of ports for calls are in use. Try "
			  "again later, or ask the administrator of the server to widen sip.rtp_ports.",
			  r->pairs);
}

int rtp_ports_open(struct rtp_ports *p, enum rtp_line line, struct errmsg *why)
{
	struct port_line *l = &p->line[line];
	int err = -EADDRINUSE;

	if (p->tcp)
		l->port = NO_PORT;

	for (int i = 0; i < BIND_TRIES && !l->port && err == -EADDRINUSE; i++) {
		uint16_t port = take_pair(p->range);

		if (!port)
			return used_up(p->range, why);
		/* also of one that somebody else has: it is not asked again at once */
		p->range->next = (p->range->next + 1) % p->range->pairs;
		err = bind_pair(p, l, port, line != RTP_LINE_AUDIO);
		if (err)
			give_back(p->range, port);
		else
			l->port = port;
	}
	if (l->port)
		return 0;
	if (err == -EADDRINUSE)
		return used_up(p->range, why);
	return errmsg_set(why, err, "internal", "No socket for media can be had at %s: %s.", p->address,
			  err_str(err));
}

static void close_line(struct rtp_ports *p, struct port_line *l)
{
	if (!l->port || p->tcp) {
		l->port = 0;
		return;
	}
	close(l->fd[0]);
	close(l->fd[1]);
	give_back(p->range, l->port);
	l->port = 0;
}

void rtp_ports_withhold(struct rtp_ports *p, bool withhold)
{
	atomic_store_explicit(&p->withheld, withhold, memory_order_relaxed);
}

bool rtp_ports_withheld(const struct rtp_ports *p)
{
	return atomic_load_explicit(&p->withheld, memory_order_relaxed);
}

void rtp_ports_prove(struct rtp_ports *p)
{
	atomic_store_explicit(&p->proven, true, memory_order_relaxed);
}

bool rtp_ports_proven(const struct rtp_ports *p)
{
	return atomic_load_explicit(&p->proven, memory_order_relaxed);
}

void rtp_ports_hear(struct rtp_ports *p, int64_t now_ns)
{
	atomic_store_explicit(&p->heard_ns, now_ns, memory_order_relaxed);
}

void rtp_ports_prefetch(const struct rtp_ports *p)
{
	__builtin_prefetch((const char *)&p->withheld);
	__builtin_prefetch((const char *)&p->heard_ns);
}

int64_t rtp_ports_heard_ns(const struct rtp_ports *p)
{
	return atomic_load_explicit(&p->heard_ns, memory_order_relaxed);
}

void rtp_ports_set_tcp(struct rtp_ports *p, struct rtp_tcp *t)
{
	p->tcp = rtp_tcp_ref(t);
	p->shard = net_shard_index(rtp_tcp_shard(t));
}

struct rtp_tcp *rtp_ports_tcp(const struct rtp_ports *p)
{
	return p->tcp;
}

void rtp_ports_set_channels(struct rtp_ports *p, enum rtp_line line, uint8_t rtp, uint8_t rtcp)
{
	p->line[line].channel[0] = rtp;
	p->line[line].channel[1] = rtcp;
}

uint8_t rtp_ports_channel(const struct rtp_ports *p, enum rtp_line line, bool rtcp)
{
	return p->line[line].channel[rtcp];
}

void rtp_ports_use(struct rtp_ports *p, enum rtp_line line)
{
	p->line[line].in_use = true;
}

void rtp_ports_close_unused(struct rtp_ports *p, enum rtp_line line)
{
	if (!p->line[line].in_use)
		close_line(p, &p->line[line]);
}

/* --- life -------------------------------------------------------------------------- */

int rtp_ports_new(struct rtp_ports **out, struct rtp_port_range *r, const char *address,
		  unsigned shard, struct errmsg *why)
{
	struct rtp_ports *p = hot_calloc(sizeof *p);
	int err;

	if (!p)
		return errmsg_set(why, -ENOMEM, "internal", "The server is out of memory.");
	p->range = r;
	p->refs = 1;
	p->shard = shard;
	if (!read_address(&p->local, address)) {
		hot_free(p, sizeof *p);
		return errmsg_set(why, -EINVAL, "internal", "\"%s\" is no IP address.", address);
	}
	inet_ntop(p->local.ss_family,
		  p->local.ss_family == AF_INET ?
			  (void *)&((struct sockaddr_in *)(void *)&p->local)->sin_addr :
			  (void *)&((struct sockaddr_in6 *)(void *)&p->local)->sin6_addr,
		  p->address, sizeof p->address);
	err = make_keys(p);
	if (err) {
		hot_free(p, sizeof *p);
		return errmsg_set(why, err, "internal", "The server has no random numbers.");
	}
	*out = p;
	return 0;
}

struct rtp_ports *rtp_ports_ref(struct rtp_ports *p)
{
	p->refs++;
	return p;
}

void rtp_ports_unref(struct rtp_ports **ports)
{
	struct rtp_ports *p = *ports;

	*ports = NULL;
	if (!p || --p->refs)
		return;
	for (int i = RTP_LINE_AUDIO; i < RTP_LINES; i++) {
		close_line(p, &p->line[i]);
		srtp_in_free(&p->line[i].kept.in);
	}
	if (p->tcp)
		rtp_tcp_unref(&p->tcp);
	OPENSSL_cleanse(p->line, sizeof p->line);
	hot_free(p, sizeof *p);
}

const char *rtp_ports_address(const struct rtp_ports *p)
{
	return p->address;
}

bool rtp_ports_ip6(const struct rtp_ports *p)
{
	return p->local.ss_family == AF_INET6;
}

unsigned rtp_ports_shard(const struct rtp_ports *p)
{
	return p->shard;
}

uint16_t rtp_ports_port(const struct rtp_ports *p, enum rtp_line line)
{
	return p->line[line].port;
}

int rtp_ports_fd(const struct rtp_ports *p, enum rtp_line line, bool rtcp)
{
	return p->line[line].fd[rtcp];
}

struct rtp_kept *rtp_ports_kept(struct rtp_ports *p, enum rtp_line line)
{
	return &p->line[line].kept;
}

int rtp_local_address(const char *peer, char out[RTP_ADDRESS_BYTES])
{
	struct sockaddr_storage to, from;
	socklen_t len = sizeof from;
	int err = 0, fd;

	if (!read_address(&to, peer))
		return -EINVAL;
	set_port(&to, 9); /* nothing is sent */
	fd = socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&to, address_len(&to)) ||
	    getsockname(fd, (struct sockaddr *)&from, &len))
		err = -errno;
	close(fd);
	if (err)
		return err;
	return inet_ntop(from.ss_family,
			 from.ss_family == AF_INET ?
				 (void *)&((struct sockaddr_in *)(void *)&from)->sin_addr :
				 (void *)&((struct sockaddr_in6 *)(void *)&from)->sin6_addr,
			 out, RTP_ADDRESS_BYTES) ? 0 : -EINVAL;
}
