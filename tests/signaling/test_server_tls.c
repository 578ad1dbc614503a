#include "signaling/server.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/signaling/client.h"

struct fixture {
	GMainLoop *loop;
	struct server *srv;
	char dir[64], cert[96], key[96];
	bool tls_seen;
	struct ws_session *ws;
	/* of the client's thread */
	int port;
	const char *send;
	size_t send_len;
	const char *until; /* reads until this was seen */
	char got[8192];
	char version[16], alpn[16], name[32]; /* of the certificate */
	_Atomic bool done;
};

static void on_opened(void *ctx, struct ws_session *s)
{
	struct fixture *f = ctx;
	f->tls_seen = ws_session_tls(s);
	f->ws = s;
	ws_send_text(s, "welcome over tls", 16);
}

static void on_closed(void *ctx, struct ws_session *s)
{
	(void)ctx;
	(void)s;
}

static const struct server_events events = { .opened = on_opened, .closed = on_closed };

static void h_hello(void *ctx, struct http_req *r)
{
	((struct fixture *)ctx)->tls_seen = http_req_tls(r);
	http_reply(r, 200, "text/plain", "hello over tls", 14);
}

/* rsa: of another kind than the others. */
static void write_certificate(struct fixture *f, const char *who, bool rsa)
{
	EVP_PKEY *key = rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
	X509 *x = X509_new();
	X509_NAME *name = X509_get_subject_name(x);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -60);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)who, -1, -1,
				   0);
	X509_set_issuer_name(x, name);
	X509_set_pubkey(x, key);
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	FILE *fc = fopen(f->cert, "w"), *fk = fopen(f->key, "w");
	assert_true(fc && fk);
	PEM_write_X509(fc, x);
	PEM_write_PrivateKey(fk, key, NULL, NULL, 0, NULL, NULL);
	fclose(fc);
	fclose(fk);
	X509_free(x);
	EVP_PKEY_free(key);
}

static void make_certificate(struct fixture *f)
{
	write_certificate(f, "first", false);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct errmsg why;
	strcpy(f->dir, "/tmp/test_server_tls.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->cert, sizeof(f->cert), "%s/cert.pem", f->dir);
	snprintf(f->key, sizeof(f->key), "%s/key.pem", f->dir);
	make_certificate(f);
	f->loop = g_main_loop_new(NULL, FALSE);
	struct server_cfg cfg = { .loop = f->loop,
				  .address = "127.0.0.1",
				  .http_port = -1,
				  .cert_file = f->cert,
				  .key_file = f->key,
				  .ws_ping_ms = 20, /* and so looks at everything often */
				  .cert_poll_ms = 5 };
	if (server_new(&f->srv, &cfg, &events, f, &why))
		fail_msg("%s", why.text);
	assert_int_equal(server_http_port(f->srv), -1);
	f->port = server_https_port(f->srv);
	server_route(f->srv, "GET", "/hello", h_hello, f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	server_free(&f->srv, 0);
	g_main_loop_unref(f->loop);
	unlink(f->cert);
	unlink(f->key);
	rmdir(f->dir);
	free(f);
	return 0;
}

static int tls_connect(const struct fixture *f)
{
	struct sockaddr_in sa = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)f->port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval patience = { .tv_sec = 10 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)))
		abort();
	return fd;
}

/* Blocking, beside the loop. */
static void *client_main(void *arg)
{
	struct fixture *f = arg;
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_alpn_protos(ctx, (const unsigned char *)"\x02h2\x08http/1.1", 12);
	SSL *ssl = SSL_new(ctx);
	int fd = tls_connect(f);
	size_t len = 0;
	SSL_set_fd(ssl, fd);
	if (SSL_connect(ssl) == 1) {
		const unsigned char *alpn;
		unsigned alpn_len;
		SSL_get0_alpn_selected(ssl, &alpn, &alpn_len);
		snprintf(f->alpn, sizeof(f->alpn), "%.*s", (int)alpn_len,
			 alpn ? (const char *)alpn : "");
		X509 *x = SSL_get1_peer_certificate(ssl);
		X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, f->name,
					  sizeof(f->name));
		X509_free(x);
		snprintf(f->version, sizeof(f->version), "%s", SSL_get_version(ssl));
		SSL_write(ssl, f->send, (int)f->send_len);
		while (len < sizeof(f->got) - 1 &&
		       !memmem(f->got, len, f->until, strlen(f->until))) {
			int n = SSL_read(ssl, f->got + len, (int)(sizeof(f->got) - 1 - len));
			if (n <= 0)
				break;
			len += (size_t)n;
		}
	}
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	close(fd);
	f->done = true;
	return NULL;
}

static bool has_ws(void *obj)
{
	return ((struct fixture *)obj)->ws;
}

static bool is_done(void *obj)
{
	return ((struct fixture *)obj)->done;
}

static void run_client(struct fixture *f, const char *send, const char *until)
{
	pthread_t t;
	f->done = false;
	memset(f->got, 0, sizeof(f->got));
	f->send = send;
	f->send_len = strlen(send);
	f->until = until;
	pthread_create(&t, NULL, client_main, f);
	guint tick = g_timeout_add(5, client_tick, NULL);
	assert_true(loop_until(is_done, f));
	g_source_remove(tick);
	pthread_join(t, NULL);
	if (!strstr(f->got, until))
		fail_msg("got: %s", f->got);
}

static void https_works(void **state)
{
	struct fixture *f = *state;
	run_client(f, "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n", "hello over tls");
	assert_true(f->tls_seen);
	assert_string_equal(f->version, "TLSv1.3");
	assert_string_equal(f->alpn, "http/1.1"); /* HTTP/2 is not spoken */
}

static void websocket_over_tls_works(void **state)
{
	struct fixture *f = *state;
	run_client(f,
		   "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		   "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
		   "Sec-WebSocket-Protocol: mcu.v1\r\n\r\n",
		   "welcome over tls");
	assert_non_null(strstr(f->got, "101"));
	assert_true(f->tls_seen);
}

static void plain_text_to_the_tls_port_harms_nobody(void **state)
{
	struct fixture *f = *state;
	struct client c;
	client_open(&c, f->port);
	client_text(&c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_true(client_wait(&c, client_has_eof));
	client_close(&c);
	run_client(f, "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n", "hello over tls");
}

static const char hello[] = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";

static void expect_certificate(struct fixture *f, const char *name)
{
	run_client(f, hello, "hello over tls");
	assert_string_equal(f->name, name);
}

static gboolean count_down(gpointer n)
{
	--*(int *)n;
	return G_SOURCE_CONTINUE;
}

static bool is_over(void *n)
{
	return *(int *)n <= 0;
}

/* Long enough for several looks at the files. */
static void turn(void)
{
	int n = 10;
	guint t = g_timeout_add(10, count_down, &n);
	assert_true(loop_until(is_over, &n));
	g_source_remove(t);
}

static void a_new_certificate_is_taken(void **state)
{
	struct fixture *f = *state;
	struct errmsg why;
	expect_certificate(f, "first");
	write_certificate(f, "second", false);
	turn();
	expect_certificate(f, "second");
	write_certificate(f, "third", true); /* of another kind, and at once */
	assert_int_equal(server_reload_certificate(f->srv, &why), 0);
	expect_certificate(f, "third");
	write_certificate(f, "fourth", false);
	turn();
	expect_certificate(f, "fourth");
}

static void a_broken_one_is_not(void **state)
{
	struct fixture *f = *state;
	struct errmsg why;
	FILE *file = fopen(f->cert, "w");
	fputs("-----BEGIN CERTIFICATE-----\nrubbish\n", file);
	fclose(file);
	assert_int_equal(server_reload_certificate(f->srv, &why), -EINVAL);
	assert_non_null(strstr(why.text, "cannot be read; it must be a PEM file"));
	turn();
	expect_certificate(f, "first");
	unlink(f->cert);
	turn();
	expect_certificate(f, "first");
	/* a certificate whose key has not come yet */
	char *key;
	gsize len;
	assert_true(g_file_get_contents(f->key, &key, &len, NULL));
	write_certificate(f, "second", false);
	assert_true(g_file_set_contents(f->key, key, (gssize)len, NULL));
	g_free(key);
	assert_int_equal(server_reload_certificate(f->srv, &why), -EINVAL);
	assert_non_null(strstr(why.text, "is not that of the certificate"));
	expect_certificate(f, "first");
	write_certificate(f, "second", false);
	turn();
	expect_certificate(f, "second");
}

static void a_connection_outlives_its_certificate(void **state)
{
	struct fixture *f = *state;
	pthread_t t;
	f->done = false;
	f->send = "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
		  "Sec-WebSocket-Protocol: mcu.v1\r\n\r\n";
	f->send_len = strlen(f->send);
	f->until = "after the change";
	f->ws = NULL;
	pthread_create(&t, NULL, client_main, f);
	guint tick = g_timeout_add(5, client_tick, NULL);
	assert_true(loop_until(has_ws, f));
	write_certificate(f, "second", false);
	turn();
	ws_send_text(f->ws, "after the change", 16);
	assert_true(loop_until(is_done, f));
	g_source_remove(tick);
	pthread_join(t, NULL);
	/* among pings, which have zeros */
	assert_non_null(memmem(f->got, sizeof(f->got), "after the change", 16));
	assert_string_equal(f->name, "first");
	expect_certificate(f, "second");
}

static void a_missing_certificate_is_told(void **state)
{
	struct fixture *f = *state;
	struct server *s = NULL;
	struct errmsg why;
	struct server_cfg cfg = { .loop = f->loop,
				  .address = "127.0.0.1",
				  .http_port = -1,
				  .cert_file = "/nonexistent/cert.pem",
				  .key_file = f->key };
	assert_int_equal(server_new(&s, &cfg, &events, f, &why), -EINVAL);
	assert_non_null(strstr(why.text, "certificate \"/nonexistent/cert.pem\" cannot be read"));
	cfg.cert_file = f->cert;
	cfg.key_file = f->cert;
	assert_int_equal(server_new(&s, &cfg, &events, f, &why), -EINVAL);
	assert_non_null(strstr(why.text, "private key"));
	assert_null(s);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(https_works),
		T(websocket_over_tls_works),
		T(plain_text_to_the_tls_port_harms_nobody),
		T(a_missing_certificate_is_told),
		T(a_new_certificate_is_taken),
		T(a_broken_one_is_not),
		T(a_connection_outlives_its_certificate),
	};
	role_enter(ROLE_ID_CTL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
