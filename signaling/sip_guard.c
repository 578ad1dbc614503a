#include "signaling/sip_guard.h"

#include <dirent.h>
#include <errno.h>
#include <glib.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "mcu/base/clock.h"
#include "mcu/base/log.h"
#include "mcu/base/metrics.h"
#include "signaling/sip_crowd.h"
#include "signaling/sip_filter.h"
#include "signaling/sip_limit.h"
#include "signaling/sip_sockets.h"

METRIC_COUNTER(m_dropped, "mcu_sip_flood_dropped_total",
	       "SIP datagrams above what their source may send; nobody read them.");
METRIC_COUNTER(m_blocked, "mcu_sip_flood_blocked_total",
	       "Times that the kernel was told to drop a source's SIP datagrams for a second.");
METRIC_COUNTER(m_closed, "mcu_sip_flood_closed_total",
	       "SIP connections ended because their source had too many, or sent too fast.");
METRIC_GAUGE(m_connections, "mcu_sip_connections", "TCP and TLS connections of SIP.");

enum { BLOCK_MS = 1000, UNBLOCK_MS = 100, SOURCES = 16384, MAX_UDP = 64, DROPS_PER_TURN = 256, TELL_S = 10 };

struct watch {
	GSource source; /* first */
	struct sip_guard *guard;
};

struct sip_guard {
	struct sip_guard_cfg cfg;
	struct sip_limit *limit; /* NULL: none */
	struct watch *watch;
	GPollFD udp[MAX_UDP];
	size_t n_udp;
	int64_t told_ns;
	guint timer;
	/* Whom the kernel drops for now. */
	struct sip_limit_key blocked[SIP_FILTER_MAX];
	int64_t until_ns[SIP_FILTER_MAX];
	size_t n_blocked;
	guint unblock;
	struct sip_crowd *crowd;
	GArray *there; /* struct sip_crowd_member, of the look */
};

/* --- datagrams ------------------------------------------------------------------------- */

static void tell(struct sip_guard *g, const struct sockaddr_storage *from, int64_t now_ns)
{
	char address[64];
	int port;

	metric_add(&m_dropped, 1);
	if (g->told_ns && now_ns - g->told_ns < TELL_S * NS_PER_S)
		return;
	g->told_ns = now_ns;
	if (sip_sockets_name(address, &port, (const struct sockaddr *)from))
		log_warn(NULL, "SIP: flood from %s: what is above %u messages a second is dropped",
			 address, g->cfg.messages_per_s);
}

static void set_filters(struct sip_guard *g)
{
	for (size_t i = 0; i < g->n_udp; i++)
		(void)sip_filter_set(g->udp[i].fd, g->blocked, g->n_blocked);
}

static gboolean on_unblock(gpointer arg)
{
	struct sip_guard *g = arg;
	int64_t now_ns = clock_now_ns(&clock_monotonic);
	size_t before = g->n_blocked;

	for (size_t i = g->n_blocked; i-- > 0;) {
		if (g->until_ns[i] > now_ns)
			continue;
		g->blocked[i] = g->blocked[--g->n_blocked];
		g->until_ns[i] = g->until_ns[g->n_blocked];
	}
	if (g->n_blocked != before)
		set_filters(g);
	if (g->n_blocked)
		return G_SOURCE_CONTINUE;
	g->unblock = 0;
	return G_SOURCE_REMOVE;
}

/* For a second nothing of it arrives. Otherwise each turn of the loop would let pass what
 * came between this look and sofia-sip's. */
static void block(struct sip_guard *g, const struct sip_limit_key *key, int64_t now_ns)
{
	for (size_t i = 0; i < g->n_blocked; i++)
		if (!memcmp(&g->blocked[i], key, sizeof *key))
			return; /* what came before */
	if (g->n_blocked == SIP_FILTER_MAX)
		return;
	metric_add(&m_blocked, 1);
	g->blocked[g->n_blocked] = *key;
	g->until_ns[g->n_blocked++] = now_ns + BLOCK_MS * NS_PER_MS;
	set_filters(g);
	if (!g->unblock)
		g->unblock = g_timeout_add(UNBLOCK_MS, on_unblock, g);
}

/* Takes away what may not be read; what may stays for sofia-sip, which reads one a turn. */
static void sift(struct sip_guard *g, int fd)
{
	for (int i = 0; i < DROPS_PER_TURN; i++) {
		struct sockaddr_storage from = { .ss_family = AF_UNSPEC };
		socklen_t len = sizeof from;
		struct sip_limit_key key;
		int64_t now_ns;
		char octet;

		if (recvfrom(fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT, (struct sockaddr *)&from, &len) < 0)
			return;
		now_ns = clock_now_ns(&clock_monotonic);
		if (!sip_limit_key_of(&key, (struct sockaddr *)&from) ||
		    sip_limit_take(g->limit, &key, now_ns))
			return;
		tell(g, &from, now_ns);
		block(g, &key, now_ns);
		(void)!recv(fd, &octet, 1, MSG_DONTWAIT);
	}
}

static gboolean watch_prepare(GSource *s, gint *timeout)
{
	(void)s;
	*timeout = -1;
	return FALSE;
}

/* Before sofia-sip's source looks at its sockets, since its priority is higher. Never
 * ready itself. */
static gboolean watch_check(GSource *s)
{
	struct sip_guard *g = ((struct watch *)s)->guard;

	for (size_t i = 0; i < g->n_udp; i++)
		if (g->udp[i].revents & G_IO_IN)
			sift(g, g->udp[i].fd);
	return FALSE;
}

static gboolean watch_dispatch(GSource *s, GSourceFunc fn, gpointer obj)
{
	(void)s;
	(void)fn;
	(void)obj;
	return G_SOURCE_CONTINUE;
}

static GSourceFuncs watch_funcs = { .prepare = watch_prepare, .check = watch_check,
				    .dispatch = watch_dispatch };

/* --- connections ----------------------------------------------------------------------- */

/* Calls fn for each socket of this process that is bound to one of our ports. */
typedef void socket_fn(struct sip_guard *g, int fd, int type);

static void each_socket(struct sip_guard *g, socket_fn *fn)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		int fd = atoi(e->d_name), type = 0, port = 0;
		struct sockaddr_storage at = { .ss_family = AF_UNSPEC };
		socklen_t len = sizeof at, type_len = sizeof type;
		char name[64];

		if (e->d_name[0] == '.' || getsockname(fd, (struct sockaddr *)&at, &len) ||
		    !sip_sockets_name(name, &port, (struct sockaddr *)&at) ||
		    (port != g->cfg.port && port != g->cfg.tls_port) ||
		    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_len))
			continue;
		fn(g, fd, type);
	}
	if (dir)
		closedir(dir);
}

static void take_udp(struct sip_guard *g, int fd, int type)
{
	if (type == SOCK_DGRAM && g->n_udp < MAX_UDP)
		g->udp[g->n_udp++] = (GPollFD){ .fd = fd, .events = G_IO_IN };
}

static void end_connection(int fd, const char *why)
{
	struct sockaddr_storage peer = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof peer;
	char address[64] = "?";
	int port;

	metric_add(&m_closed, 1);
	if (!getpeername(fd, (struct sockaddr *)&peer, &len))
		(void)sip_sockets_name(address, &port, (const struct sockaddr *)&peer);
	log_warn(NULL, "SIP: flood from %s: %s: the connection is ended", address, why);
	shutdown(fd, SHUT_RDWR); /* sofia-sip sees its end, and closes it */
}

static void gather(struct sip_guard *g, int fd, int type)
{
	struct sockaddr_storage peer = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof peer, info_len = sizeof(struct tcp_info);
	struct sip_crowd_member m = { .fd = fd };
	struct tcp_info info = { 0 };

	if (type != SOCK_STREAM || getpeername(fd, (struct sockaddr *)&peer, &len) ||
	    !sip_limit_key_of(&m.key, (struct sockaddr *)&peer))
		return;
	if (!getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &info_len))
		m.octets = info.tcpi_bytes_received;
	g_array_append_val(g->there, m);
}

static gboolean on_look(gpointer arg)
{
	struct sip_guard *g = arg;
	gint before = (gint)sip_crowd_size(g->crowd);
	struct sip_crowd_member *m;

	role_assert_ctl();
	g_array_set_size(g->there, 0);
	each_socket(g, gather);
	m = (struct sip_crowd_member *)(void *)g->there->data;
	sip_crowd_look(g->crowd, m, g->there->len);
	for (guint i = 0; i < g->there->len; i++)
		if (m[i].over)
			end_connection(m[i].fd, m[i].over);
	metric_add(&m_connections, (gint)sip_crowd_size(g->crowd) - before);
	return G_SOURCE_CONTINUE;
}

/* --- life -------------------------------------------------------------------------------- */

static void start_watch(struct sip_guard *g)
{
	GSource *s = g_source_new(&watch_funcs, sizeof(struct watch));

	g->watch = (struct watch *)s;
	g->watch->guard = g;
	each_socket(g, take_udp);
	for (size_t i = 0; i < g->n_udp; i++)
		g_source_add_poll(s, &g->udp[i]); /* not _add_unix_fd: that makes it ready by itself */
	g_source_set_priority(s, G_PRIORITY_HIGH);
	g_source_attach(s, NULL);
}

int sip_guard_new(struct sip_guard **out, const struct sip_guard_cfg *cfg)
{
	struct sip_guard *g = calloc(1, sizeof *g);
	int err = 0;

	if (!g)
		return -ENOMEM;
	g->cfg = *cfg;
	sip_crowd_new(&g->crowd, &(struct sip_crowd_limits){
		.of_source = cfg->connections, .of_all = SIP_GUARD_ALL_CONNECTIONS,
		.octets = (uint64_t)SIP_GUARD_OCTETS_PER_S * SIP_GUARD_LOOK_S,
	});
	g->there = g_array_new(FALSE, FALSE, sizeof(struct sip_crowd_member));
	if (cfg->messages_per_s)
		err = sip_limit_new(&g->limit, cfg->messages_per_s, 2.0 * cfg->messages_per_s, SOURCES);
	if (err) {
		sip_guard_free(&g);
		return err;
	}
	if (g->limit)
		start_watch(g);
	g->timer = g_timeout_add_seconds(SIP_GUARD_LOOK_S, on_look, g);
	*out = g;
	return 0;
}

void sip_guard_free(struct sip_guard **pg)
{
	struct sip_guard *g = *pg;

	if (!g)
		return;
	if (g->timer)
		g_source_remove(g->timer);
	if (g->unblock)
		g_source_remove(g->unblock);
	if (g->watch) {
		g_source_destroy(&g->watch->source);
		g_source_unref(&g->watch->source);
	}
	metric_add(&m_connections, -(gint)sip_crowd_size(g->crowd));
	sip_crowd_free(&g->crowd);
	g_array_unref(g->there);
	sip_limit_free(&g->limit);
	free(g);
	*pg = NULL;
}
