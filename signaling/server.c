#include "signaling/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mcu/base/log.h"
#include "mcu/base/metrics.h"
#include "signaling/gzip_file.h"
#include "signaling/server_internal.h"

METRIC_GAUGE(m_connections, "mcu_http_connections", "TCP connections to the web server");
METRIC_COUNTER(m_refused, "mcu_http_connections_refused_total",
	       "Connections refused because there were too many, in all or of one address");

METRIC_COUNTER(m_timeouts, "mcu_http_timeouts_total",
	       "HTTP connections closed because nothing came or nothing was taken");

enum {
	HTTP_KEEP_S = 60, /* between two requests */
	/* The system has the end of a reply, and delivers it without us: whoever has
	 * more requests on the way meanwhile makes libwebsockets spin. */
	HTTP_DRAIN_S = 2,
	HTTP_LEAST_BYTES_PER_S = 1024 /* of a request's or a reply's body, on average */
};

static const struct lws_protocols protocols[] = {
	{ .name = "http", .callback = server_lws_http },
	{ .name = "mcu.v1", .callback = server_lws_ws, .rx_buffer_size = 16384 },
	{ .name = NULL },
};

/* --- connections and their limits --------------------------------------------- */

/* IPv4 peers of a dual-stack socket come as ::ffff:1.2.3.4. */
static bool peer_address(int fd, char *out, size_t cap)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	if (getpeername(fd, (struct sockaddr *)&ss, &len))
		return false;
	if (ss.ss_family == AF_INET)
		return inet_ntop(AF_INET, &((struct sockaddr_in *)&ss)->sin_addr, out,
				 (socklen_t)cap);
	if (ss.ss_family != AF_INET6)
		return false;
	const struct in6_addr *a = &((struct sockaddr_in6 *)&ss)->sin6_addr;
	if (IN6_IS_ADDR_V4MAPPED(a))
		return inet_ntop(AF_INET, &a->s6_addr[12], out, (socklen_t)cap);
	return inet_ntop(AF_INET6, a, out, (socklen_t)cap);
}

static unsigned address_count(const struct server *s, const char *peer)
{
	return GPOINTER_TO_UINT(g_hash_table_lookup(s->per_address, peer));
}

static int conn_filter(struct server *s, int fd)
{
	char peer[INET6_ADDRSTRLEN];
	if (s->closing || !peer_address(fd, peer, sizeof(peer)))
		return 1;
	if (s->n_conns < s->cfg.max_connections && address_count(s, peer) < s->cfg.max_per_address)
		return 0;
	metric_add(&m_refused, 1);
	log_warn(NULL, "connection from %s refused: %u connections, %u of this address", peer,
		 s->n_conns, address_count(s, peer));
	return 1;
}

static void conn_add(struct server *s, struct lws *wsi)
{
	struct conn *c = calloc(1, sizeof(*c));
	if (!c)
		return; /* requests of a connection without one are refused */
	c->srv = s;
	c->wsi = wsi;
	c->moved_ns = clock_now_ns(s->cfg.clock);
	c->next = s->conns;
	c->link = &s->conns;
	if (c->next)
		c->next->link = &c->next;
	s->conns = c;
	c->tls = lws_get_vhost(wsi) == s->tls;
	if (!peer_address(lws_get_socket_fd(wsi), c->peer, sizeof(c->peer)))
		strcpy(c->peer, "unknown");
	g_hash_table_insert(s->per_address, g_strdup(c->peer),
			    GUINT_TO_POINTER(address_count(s, c->peer) + 1));
	s->n_conns++;
	metric_add(&m_connections, 1);
	lws_set_opaque_user_data(wsi, c);
}

static void conn_remove(struct conn *c) ON_THREAD(ROLE_CTL)
{
	struct server *s = c->srv;
	unsigned n = address_count(s, c->peer);
	http_on_gone(c);
	if (n > 1)
		g_hash_table_insert(s->per_address, g_strdup(c->peer), GUINT_TO_POINTER(n - 1));
	else
		g_hash_table_remove(s->per_address, c->peer);
	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
	s->n_conns--;
	metric_add(&m_connections, -1);
	lws_set_opaque_user_data(c->wsi, NULL);
	free(c);
}

int server_lws_http(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
		    size_t len)
{
	struct server *s = lws_context_user(lws_get_context(wsi));
	struct conn *c;

	role_assert_ctl();
	switch (reason) {
	case LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS:
		if (s->cert)
			tls_cert_bind(s->cert, user);
		return 0;
	case LWS_CALLBACK_FILTER_NETWORK_CONNECTION: return conn_filter(s, (int)(intptr_t)in);
	case LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED: conn_add(s, wsi); return 0;
	case LWS_CALLBACK_WSI_DESTROY:
		c = lws_get_opaque_user_data(wsi);
		if (c)
			conn_remove(c);
		return 0;
	case LWS_CALLBACK_HTTP:
	case LWS_CALLBACK_HTTP_BODY:
	case LWS_CALLBACK_HTTP_BODY_COMPLETION:
	case LWS_CALLBACK_HTTP_WRITEABLE:
	case LWS_CALLBACK_CLOSED_HTTP: break;
	case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
		return 1; /* an upgrade without the subprotocol mcu.v1 */
	default: return 0;
	}
	c = lws_get_opaque_user_data(wsi);
	if (!c)
		return -1;
	switch (reason) {
	case LWS_CALLBACK_HTTP: return http_on_request(c, in, len);
	case LWS_CALLBACK_HTTP_BODY: return http_on_body(c, in, len);
	case LWS_CALLBACK_HTTP_BODY_COMPLETION: return http_on_body_end(c);
	case LWS_CALLBACK_HTTP_WRITEABLE: return http_on_writable(c);
	default: http_on_gone(c); return 0;
	}
}

/* It does not stand still, but will not end either. */
static bool req_crawls(const struct http_req *r, int64_t now_ns, int64_t timeout_ns)
{
	uint64_t octets = r->state == REQ_BODY ? r->body->len + r->sunk_bytes : r->length - r->left;
	return now_ns - r->began_ns >=
	       timeout_ns + (int64_t)octets * NS_PER_S / HTTP_LEAST_BYTES_PER_S;
}

/* libwebsockets has timeouts of its own, but they are armed only when something
 * happens on the loop, and count in seconds. */
static bool conn_expired(const struct server *s, const struct conn *c)
{
	int64_t now_ns = clock_now_ns(s->cfg.clock), silent_ns = now_ns - c->moved_ns;
	int64_t timeout_ns = s->cfg.http_timeout_ms * NS_PER_MS;
	if (c->ws || (c->req && c->req->state != REQ_BODY && c->req->state != REQ_SENDING))
		return false;
	if (!c->req && c->served && !lws_partial_buffered(c->wsi))
		return silent_ns >= (lws_send_pipe_choked(c->wsi) ? HTTP_DRAIN_S : HTTP_KEEP_S) * NS_PER_S;
	return silent_ns >= timeout_ns || (c->req && req_crawls(c->req, now_ns, timeout_ns));
}

static void drop_expired(struct server *s)
{
	for (struct conn *c = s->conns, *next; c; c = next) {
		next = c->next;
		if (!conn_expired(s, c))
			continue;
		metric_add(&m_timeouts, 1);
		lws_set_timeout(c->wsi, PENDING_TIMEOUT_HTTP_CONTENT, LWS_TO_KILL_SYNC);
	}
}

/* --- start -------------------------------------------------------------------- */

static void lws_log(int level, const char *line)
{
	int n = (int)strcspn(line, "\n");
	if (level & LLL_ERR)
		log_warn(NULL, "libwebsockets: %.*s", n, line);
	else
		log_debug(NULL, "libwebsockets: %.*s", n, line);
}

static void defaults(struct server_cfg *c)
{
	if (!c->clock)
		c->clock = &clock_monotonic;
	if (!c->max_connections)
		c->max_connections = 4096;
	if (!c->max_per_address)
		c->max_per_address = 512;
	if (!c->ws_queue_bytes)
		c->ws_queue_bytes = 1 << 20;
	if (!c->ws_msgs_per_s)
		c->ws_msgs_per_s = 50;
	if (!c->ws_ping_ms)
		c->ws_ping_ms = 20000;
	if (!c->ws_timeout_ms)
		c->ws_timeout_ms = 60000;
	if (!c->http_timeout_ms)
		c->http_timeout_ms = 15000;
	if (!c->cert_poll_ms)
		c->cert_poll_ms = 2000;
	if (!c->body_max_bytes)
		c->body_max_bytes = 1 << 20;
	if (!c->reader_threads)
		c->reader_threads = 2;
}

static gboolean on_tick(gpointer obj)
{
	struct server *s = obj;

	role_assert_ctl();
	server_ws_tick(s);
	drop_expired(s);
	if (s->cert)
		tls_cert_poll(s->cert, clock_now_ns(s->cfg.clock),
			      s->cfg.cert_poll_ms * NS_PER_MS);
	return G_SOURCE_CONTINUE;
}

static bool ip6_works(void)
{
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static int context_new(struct server *s, struct errmsg *why)
{
	void *loops[1] = { s->cfg.loop };
	struct lws_context_creation_info info = {
		.port = CONTEXT_PORT_NO_LISTEN,
		.gid = -1,
		.uid = -1,
		.options = LWS_SERVER_OPTION_GLIB | LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
			   LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT,
		.foreign_loops = loops,
		.user = s,
		.max_http_header_data = 8192,
		.pt_serv_buf_size = 16384,
	};
	lws_set_log_level(LLL_ERR | LLL_WARN, lws_log);
	s->lws = lws_create_context(&info);
	if (!s->lws)
		return errmsg_set(
			why, -ENOSYS, "internal",
			"libwebsockets cannot run on GLib's main loop; install the package "
			"libwebsockets-evlib-glib.");
	return 0;
}

static int listen_on(struct server *s, bool tls, int port, struct lws_vhost **out, int *out_port,
		     struct errmsg *why)
{
	if (port < 0)
		return 0;
	const char *address = tls && s->cfg.https_address ? s->cfg.https_address : s->cfg.address;
	if (address && !strcmp(address, "localhost"))
		address = "127.0.0.1";
	/* With IPv6 on, libwebsockets takes no notice of an IPv4 address and would
	 * listen on all. */
	bool v6 = ip6_works() && (!address || strchr(address, ':'));
	struct lws_context_creation_info info = {
		.vhost_name = tls ? "https" : "http",
		.port = port,
		.iface = address,
		.protocols = protocols,
		.keepalive_timeout = HTTP_KEEP_S,
		.options = v6 ? 0 : LWS_SERVER_OPTION_DISABLE_IPV6,
	};
	/* Before libwebsockets tries: its message would not reach the person. */
	int err = tls ? tls_cert_new(&s->cert, s->cfg.cert_file, s->cfg.key_file, why) : 0;
	if (err)
		return err;
	if (tls) {
		info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
		info.ssl_cert_filepath = s->cfg.cert_file;
		info.ssl_private_key_filepath = s->cfg.key_file;
		info.ssl_options_set =
			(long)(SSL_OP_NO_SSLv3 | SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1);
		info.alpn = "http/1.1";
		/* we are no client; left alone libwebsockets loads every CA of the system
		 * for one, and does not free them */
		s->no_client = SSL_CTX_new(TLS_client_method());
		info.provided_client_ssl_ctx = s->no_client;
	}
	*out = lws_create_vhost(s->lws, &info);
	*out_port = *out ? lws_get_vhost_listen_port(*out) : -1;
	if (*out && *out_port > 0)
		return 0;
	return errmsg_set(
		why, -EADDRINUSE, "internal",
		"Cannot listen on %s port %d (%s): the port is in use, or the address is not "
		"one of this machine.",
		address ? address : "any address", port, tls ? "https" : "http");
}

static int server_start(struct server *s, struct errmsg *why)
{
	int err = context_new(s, why);
	if (!err)
		err = listen_on(s, false, s->cfg.http_port, &s->plain, &s->plain_port, why);
	if (!err)
		err = listen_on(s, true, s->cfg.https_port, &s->tls, &s->tls_port, why);
	if (err)
		return err;
	int period_ms = s->cfg.ws_ping_ms / 4;
	s->tick = g_timeout_source_new((guint)(period_ms > 1000 ? 1000
					       : period_ms < 5	? 5
								: period_ms));
	g_source_set_callback(s->tick, on_tick, s, NULL);
	g_source_attach(s->tick, s->gctx);
	return 0;
}

int server_new(struct server **out, const struct server_cfg *cfg,
	       const struct server_events *events, void *ctx, struct errmsg *why)
{
	struct server *s = calloc(1, sizeof(*s));
	if (!s)
		return errmsg_set(why, -ENOMEM, "internal", "Out of memory.");
	s->cfg = *cfg;
	defaults(&s->cfg);
	s->web_root = g_strdup(cfg->web_root);
	s->index = g_strdup(cfg->index ? cfg->index : "index.html");
	s->events = events;
	s->ctx = ctx;
	s->plain_port = s->tls_port = -1;
	s->gctx = g_main_context_ref(g_main_loop_get_context(cfg->loop));
	s->per_address = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	s->gzip_copies = gzip_copies_new();
	/* a connection has one job out at most, and may leave one behind when it goes */
	int err = readers_new(&s->readers, s->gctx, s->cfg.reader_threads,
			      2 * (size_t)s->cfg.max_connections);
	err = err ? errmsg_set(why, err, "internal", "Cannot start a thread.")
		  : server_start(s, why);
	if (err) {
		server_free(&s, 0);
		return err;
	}
	*out = s;
	return 0;
}

/* --- end ---------------------------------------------------------------------- */

static gboolean on_grace_over(gpointer over)
{
	*(bool *)over = true;
	return G_SOURCE_REMOVE;
}

/* What the sessions still have to say goes out; then they close themselves. */
static void drain(struct server *s, int grace_ms) ON_THREAD(ROLE_CTL)
{
	bool over = false;
	GSource *timer = g_timeout_source_new((guint)grace_ms);
	g_source_set_callback(timer, on_grace_over, &over, NULL);
	g_source_attach(timer, s->gctx);
	while (!over && !server_ws_idle(s))
		g_main_context_iteration(s->gctx, TRUE);
	g_source_destroy(timer);
	g_source_unref(timer);
}

void server_free(struct server **sp, int grace_ms)
{
	struct server *s = *sp;
	if (!s)
		return;
	s->closing = true;
	if (s->lws && grace_ms > 0)
		drain(s, grace_ms);
	if (s->tick) {
		g_source_destroy(s->tick);
		g_source_unref(s->tick);
	}
	if (s->reaper) {
		g_source_destroy(s->reaper);
		g_source_unref(s->reaper);
		s->reaper = NULL;
	}
	if (s->lws)
		lws_context_destroy(s->lws);
	SSL_CTX_free(s->no_client);
	tls_cert_free(&s->cert);
	readers_free(&s->readers);
	gzip_copies_free(&s->gzip_copies);
	for (size_t i = 0; i < s->n_routes; i++) {
		g_free((char *)s->routes[i].method);
		g_free((char *)s->routes[i].pattern);
	}
	g_hash_table_destroy(s->per_address);
	g_main_context_unref(s->gctx);
	g_free(s->web_root);
	g_free(s->index);
	free(s);
	*sp = NULL;
}

int server_http_port(const struct server *s)
{
	return s->plain_port;
}

int server_https_port(const struct server *s)
{
	return s->tls_port;
}
