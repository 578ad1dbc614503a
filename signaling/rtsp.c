#include "signaling/rtsp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <glib-unix.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mcu/base/log.h"
#include "mcu/base/metrics.h"
#include "signaling/rtsp_internal.h"

METRIC_COUNTER(m_crowded, "mcu_rtsp_refused_total",
	       "RTSP connections refused: as many as there may be, of all or of one address");

enum { BACKLOG = 64, TICK_MS = 1000, KEY_EVERY_S = 2, IDLE_S = 30, ACCEPTS = 32 };

/* --- time ---------------------------------------------------------------------------------- */

/* What is lost on the way over UDP cannot be asked for again: a key frame from time to
 * time ends what it spoilt. All at once, so that each encode makes but one for all. */
ON_THREAD(ROLE_CTL) static void give_key_frames(struct rtsp *r, int64_t now_ns)
{
	GHashTableIter it;
	gpointer v;

	if (!r->api->key_frame || now_ns - r->key_ns < KEY_EVERY_S * NS_PER_S)
		return;
	r->key_ns = now_ns;
	g_hash_table_iter_init(&it, r->sessions);
	while (g_hash_table_iter_next(&it, NULL, &v)) {
		struct rtsp_session *s = v;

		if (s->leg && s->plan && !s->tcp && s->track[RTSP_VIDEO].used)
			r->api->key_frame(r->api_ctx, s->leg);
	}
}

/* Each may end others, so that they are looked for anew. */
ON_THREAD(ROLE_CTL) static bool end_a_silent_session(struct rtsp *r, int64_t now_ns)
{
	struct errmsg why;
	GHashTableIter it;
	gpointer v;

	g_hash_table_iter_init(&it, r->sessions);
	while (g_hash_table_iter_next(&it, NULL, &v)) {
		if (!rtsp_session_is_silent(v, now_ns))
			continue;
		errmsg_set(&why, 0, "timeout", "Nothing was heard of the client for too long.");
		rtsp_session_end(v, &why);
		return true;
	}
	return false;
}

static bool has_session(const struct rtsp_conn *c)
{
	GHashTableIter it;
	gpointer v;

	g_hash_table_iter_init(&it, c->rtsp->sessions);
	while (g_hash_table_iter_next(&it, NULL, &v))
		if (((struct rtsp_session *)v)->conn == c)
			return true;
	return false;
}

ON_THREAD(ROLE_CTL) static void close_idle(struct rtsp *r, int64_t now_ns)
{
	for (guint i = r->conns->len; i-- > 0;) {
		struct rtsp_conn *c = g_ptr_array_index(r->conns, i);

		if (!c->busy && now_ns - c->heard_ns > IDLE_S * NS_PER_S && !has_session(c))
			rtsp_conn_close(c);
	}
}

void rtsp_tick(struct rtsp *r)
{
	int64_t now = rtsp_now(r);

	while (end_a_silent_session(r, now))
		;
	close_idle(r, now);
	give_key_frames(r, now);
}

static gboolean on_tick(gpointer obj)
{
	role_assert_ctl();
	rtsp_tick(obj);
	return G_SOURCE_CONTINUE;
}

/* --- who comes --------------------------------------------------------------------------------- */

/* Numeric, IPv4 without the clothes of IPv6. */
static void name_address(char out[RTSP_ADDRESS_BYTES], const struct sockaddr_storage *a)
{
	const struct sockaddr_in6 *a6 = (const void *)a;
	const struct sockaddr_in *a4 = (const void *)a;

	out[0] = '\0';
	if (a->ss_family == AF_INET)
		inet_ntop(AF_INET, &a4->sin_addr, out, RTSP_ADDRESS_BYTES);
	else if (a->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&a6->sin6_addr))
		inet_ntop(AF_INET, a6->sin6_addr.s6_addr + 12, out, RTSP_ADDRESS_BYTES);
	else if (a->ss_family == AF_INET6)
		inet_ntop(AF_INET6, &a6->sin6_addr, out, RTSP_ADDRESS_BYTES);
}

static bool is_crowded(const struct rtsp *r, const char *peer)
{
	size_t n = 0;

	for (guint i = 0; i < r->conns->len; i++)
		n += !strcmp(((struct rtsp_conn *)g_ptr_array_index(r->conns, i))->peer, peer);
	return n >= r->cfg.connections_per_address || r->conns->len >= 4 * r->cfg.max_sessions;
}

ON_THREAD(ROLE_CTL) static void take(struct rtsp *r, int fd, const struct sockaddr_storage *from)
{
	char peer[RTSP_ADDRESS_BYTES], local[RTSP_ADDRESS_BYTES];
	struct sockaddr_storage here;
	socklen_t len = sizeof here;
	const int on = 1;

	name_address(peer, from);
	if (getsockname(fd, (struct sockaddr *)&here, &len))
		here.ss_family = AF_UNSPEC;
	name_address(local, &here);
	if (r->stopping || !peer[0] || !local[0] || is_crowded(r, peer)) {
		metric_add(&m_crowded, 1);
		close(fd);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	(void)rtsp_conn_new(r, fd, peer, local);
}

static gboolean on_accept(gint fd, GIOCondition cond, gpointer obj)
{
	struct rtsp *r = obj;

	(void)cond;
	role_assert_ctl();
	for (int i = 0; i < ACCEPTS; i++) {
		struct sockaddr_storage from;
		socklen_t len = sizeof from;
		int c = accept4(fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (c < 0)
			break;
		take(r, c, &from);
	}
	return G_SOURCE_CONTINUE;
}

/* --- life ------------------------------------------------------------------------------------------ */

/* The descriptor or -errno. *port 0: any; then it is set. */
static int open_socket(const struct sockaddr_storage *at, socklen_t len, int *port)
{
	struct sockaddr_storage a = *at;
	struct sockaddr_in6 *a6 = (void *)&a;
	struct sockaddr_in *a4 = (void *)&a;
	const int on = 1;
	int fd = socket(a.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), err;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (a.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	*(a.ss_family == AF_INET6 ? &a6->sin6_port : &a4->sin_port) = htons((uint16_t)*port);
	if (bind(fd, (struct sockaddr *)&a, len) || listen(fd, BACKLOG) ||
	    getsockname(fd, (struct sockaddr *)&a, &len)) {
		err = -errno;
		close(fd);
		return err;
	}
	*port = ntohs(a.ss_family == AF_INET6 ? a6->sin6_port : a4->sin_port);
	return fd;
}

/* IPv4 and, of every address, IPv6 where there is any. */
static int listen_all(struct rtsp *r, struct errmsg *why)
{
	const char *want = r->cfg.address && *r->cfg.address ? r->cfg.address : NULL;
	struct sockaddr_storage a4 = { .ss_family = AF_INET }, a6 = { .ss_family = AF_INET6 };
	bool is4 = want && inet_pton(AF_INET, want, &((struct sockaddr_in *)(void *)&a4)->sin_addr) == 1;
	bool is6 = want &&
		   inet_pton(AF_INET6, want, &((struct sockaddr_in6 *)(void *)&a6)->sin6_addr) == 1;
	int n = 0, fd = -EAFNOSUPPORT;

	r->port = r->cfg.port;
	if (!is6) {
		fd = open_socket(&a4, sizeof(struct sockaddr_in), &r->port);
		if (fd >= 0)
			r->fd[n++] = fd;
	}
	if ((!want || is6) && (fd >= 0 || !n)) {
		int six = open_socket(&a6, sizeof(struct sockaddr_in6), &r->port);

		if (six >= 0)
			r->fd[n++] = six;
		else if (is6)
			fd = six;
	}
	if (n)
		return 0;
	(void)is4;
	return errmsg_set(why, fd, "rtsp_port", "The RTSP port %d cannot be opened: %s. Another program may "
			  "have it; set rtsp.port in mcu.yaml, -1 for none.", r->cfg.port, err_str(fd));
}

int rtsp_new(struct rtsp **out, const struct rtsp_cfg *cfg, const struct room_api *api, void *ctx,
	     struct errmsg *why)
{
	struct rtsp *r = calloc(1, sizeof *r);
	int err;

	if (!r)
		return errmsg_set(why, -ENOMEM, "memory", "out of memory");
	r->cfg = *cfg;
	r->api = api;
	r->api_ctx = ctx;
	r->fd[0] = r->fd[1] = -1;
	r->sessions = g_hash_table_new(g_str_hash, g_str_equal);
	r->conns = g_ptr_array_new();
	err = sip_auth_new(&r->auth, cfg->realm);
	err = err ? errmsg_set(why, err, "memory", "out of memory") : listen_all(r, why);
	if (err) {
		rtsp_free(&r);
		return err;
	}
	for (int i = 0; i < 2; i++)
		if (r->fd[i] >= 0)
			r->source[i] = g_unix_fd_add(r->fd[i], G_IO_IN, on_accept, r);
	r->tick = g_timeout_add(TICK_MS, on_tick, r);
	*out = r;
	return 0;
}

void rtsp_shutdown(struct rtsp *r)
{
	struct errmsg why;
	GHashTableIter it;
	gpointer v;

	r->stopping = true;
	for (int i = 0; i < 2; i++) {
		if (r->source[i])
			g_source_remove(r->source[i]);
		r->source[i] = 0;
	}
	errmsg_set(&why, 0, "shutting_down", "The server is shutting down.");
	for (;;) {
		g_hash_table_iter_init(&it, r->sessions);
		if (!g_hash_table_iter_next(&it, NULL, &v))
			break;
		rtsp_session_end(v, &why);
	}
	while (r->conns->len)
		rtsp_conn_close(g_ptr_array_index(r->conns, r->conns->len - 1));
}

void rtsp_free(struct rtsp **rp)
{
	struct rtsp *r = *rp;

	if (!r)
		return;
	rtsp_shutdown(r);
	if (r->tick)
		g_source_remove(r->tick);
	for (int i = 0; i < 2; i++)
		if (r->fd[i] >= 0)
			close(r->fd[i]);
	sip_auth_free(&r->auth);
	g_hash_table_destroy(r->sessions);
	g_ptr_array_unref(r->conns);
	free(r);
	*rp = NULL;
}

int rtsp_port(const struct rtsp *r)
{
	return r->port;
}

const char *rtsp_realm(const struct rtsp *r)
{
	return r->cfg.realm;
}

void rtsp_set_user(struct rtsp *r, const char *user, const char *ha1_md5, const char *ha1_sha256)
{
	sip_auth_set_user(r->auth, user, ha1_md5, ha1_sha256);
}

void rtsp_forget_user(struct rtsp *r, const char *user)
{
	sip_auth_forget_user(r->auth, user);
}

bool rtsp_has_user(const struct rtsp *r, const char *user)
{
	return sip_auth_knows(r->auth, user);
}
