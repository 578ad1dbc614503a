/* The certificate of HTTPS, which may be replaced while the server runs: each new
 * connection takes the one that is in force, those before it go on as they are. */
#include "signaling/server.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "mcu/base/log.h"
#include "signaling/server_internal.h"

/* What tells one version of a file from another. */
struct file_mark {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec changed;
};

struct tls_cert {
	char *cert_file, *key_file;
	X509 *cert;
	EVP_PKEY *key;
	STACK_OF(X509) *chain;
	struct file_mark loaded[2], seen[2];
	int64_t looked_ns;
};

static void look(const struct tls_cert *t, struct file_mark m[2])
{
	const char *path[2] = { t->cert_file, t->key_file };

	memset(m, 0, 2 * sizeof(*m));
	for (int i = 0; i < 2; i++) {
		struct stat st;
		if (stat(path[i], &st))
			continue;
		m[i].dev = st.st_dev;
		m[i].ino = st.st_ino;
		m[i].size = st.st_size;
		m[i].changed = st.st_mtim;
	}
}

static bool same(const struct file_mark a[2], const struct file_mark b[2])
{
	return !memcmp(a, b, 2 * sizeof(*a));
}

/* Into a context of its own first, so that a wrong file changes nothing. */
static int read_files(const struct tls_cert *t, SSL_CTX **out, struct errmsg *why)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	int err = ctx ? 0 : errmsg_set(why, -ENOMEM, "internal", "Out of memory.");

	if (!err && SSL_CTX_use_certificate_chain_file(ctx, t->cert_file) != 1)
		err = errmsg_set(why, -EINVAL, "internal",
				 "The certificate \"%s\" cannot be read; it must be a PEM file.",
				 t->cert_file);
	if (!err && (SSL_CTX_use_PrivateKey_file(ctx, t->key_file, SSL_FILETYPE_PEM) != 1 ||
		     SSL_CTX_check_private_key(ctx) != 1))
		err = errmsg_set(why, -EINVAL, "internal",
				 "The private key \"%s\" cannot be read, or is not that of the "
				 "certificate \"%s\".",
				 t->key_file, t->cert_file);
	ERR_clear_error();
	if (err)
		SSL_CTX_free(ctx);
	else
		*out = ctx;
	return err;
}

static void drop(struct tls_cert *t)
{
	X509_free(t->cert);
	EVP_PKEY_free(t->key);
	sk_X509_pop_free(t->chain, X509_free);
	t->cert = NULL;
	t->key = NULL;
	t->chain = NULL;
}

static int load(struct tls_cert *t, struct errmsg *why)
{
	struct file_mark before[2];
	STACK_OF(X509) *chain = NULL;
	SSL_CTX *ctx = NULL;

	look(t, before);
	int err = read_files(t, &ctx, why);
	if (err)
		return err;
	drop(t);
	t->cert = SSL_CTX_get0_certificate(ctx);
	t->key = SSL_CTX_get0_privatekey(ctx);
	X509_up_ref(t->cert);
	EVP_PKEY_up_ref(t->key);
	SSL_CTX_get0_chain_certs(ctx, &chain);
	t->chain = chain ? X509_chain_up_ref(chain) : NULL;
	SSL_CTX_free(ctx);
	memcpy(t->loaded, before, sizeof(before));
	return 0;
}

int tls_cert_new(struct tls_cert **out, const char *cert_file, const char *key_file,
		 struct errmsg *why)
{
	struct tls_cert *t = calloc(1, sizeof(*t));
	if (!t)
		return errmsg_set(why, -ENOMEM, "internal", "Out of memory.");
	t->cert_file = g_strdup(cert_file ? cert_file : "");
	t->key_file = g_strdup(key_file ? key_file : "");
	int err = load(t, why);
	if (err)
		tls_cert_free(&t);
	else
		memcpy(t->seen, t->loaded, sizeof(t->seen));
	*out = t;
	return err;
}

void tls_cert_free(struct tls_cert **t)
{
	if (!*t)
		return;
	drop(*t);
	g_free((*t)->cert_file);
	g_free((*t)->key_file);
	free(*t);
	*t = NULL;
}

/* For each handshake: the certificate of now, and no other of another kind. */
static int choose(SSL *ssl, void *obj)
{
	const struct tls_cert *t = obj;

	SSL_certs_clear(ssl);
	return SSL_use_cert_and_key(ssl, t->cert, t->key, t->chain, 1);
}

void tls_cert_bind(struct tls_cert *t, struct ssl_ctx_st *ctx)
{
	SSL_CTX_set_cert_cb(ctx, choose, t);
}

static int reload(struct tls_cert *t, struct errmsg *why)
{
	int err = load(t, why);

	if (err)
		log_error(NULL, "the new certificate is not used, the one before stays in force: %s",
			  why->text);
	else
		log_info(NULL, "the certificate %s was read again; new connections use it",
			 t->cert_file);
	return err;
}

/* Both files are written one after the other: they are read when they have not
 * changed from one look to the next. */
void tls_cert_poll(struct tls_cert *t, int64_t now_ns, int64_t every_ns)
{
	struct file_mark now[2];
	struct errmsg why;

	if (now_ns - t->looked_ns < every_ns)
		return;
	t->looked_ns = now_ns;
	look(t, now);
	bool settled = same(now, t->seen);
	memcpy(t->seen, now, sizeof(now));
	if (!settled || same(now, t->loaded))
		return;
	if (reload(t, &why))
		memcpy(t->loaded, now, sizeof(now)); /* it is told once, not at every look */
}

int server_reload_certificate(struct server *s, struct errmsg *why)
{
	return s->cert ? reload(s->cert, why) : 0;
}
