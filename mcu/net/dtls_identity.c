#include "mcu/net/dtls_identity.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

enum { DAY_S = 24 * 3600, VALID_DAYS = 3650, MAX_NAME = 64 };

int dtls_fingerprint_parse(const char *text, const EVP_MD **md, const char **hex)
{
	static const struct {
		const char *name;
		const EVP_MD *(*md)(void);
	} hashes[] = { { "sha-256", EVP_sha256 },
		       { "sha-384", EVP_sha384 },
		       { "sha-512", EVP_sha512 } };
	const char *sp = strchr(text, ' '), *p;
	size_t octets = 0;

	if (!sp)
		return -EINVAL;
	*md = NULL;
	for (size_t i = 0; i < sizeof hashes / sizeof *hashes; i++)
		if ((size_t)(sp - text) == strlen(hashes[i].name) &&
		    !strncasecmp(text, hashes[i].name, (size_t)(sp - text)))
			*md = hashes[i].md();
	if (!*md)
		return -ENOTSUP;
	for (p = sp + 1; isxdigit((unsigned char)p[0]) && isxdigit((unsigned char)p[1]); p += 3) {
		octets++;
		if (p[2] != ':') {
			p += 2;
			break;
		}
	}
	if (*p || octets != (size_t)EVP_MD_get_size(*md))
		return -EINVAL;
	*hex = sp + 1;
	return 0;
}

int dtls_fingerprint_check(const char *fingerprint)
{
	const EVP_MD *md;
	const char *hex;

	return fingerprint ? dtls_fingerprint_parse(fingerprint, &md, &hex) : -EINVAL;
}

int dtls_fingerprint_of(const X509 *cert, const EVP_MD *md, char *out, size_t cap)
{
	uint8_t hash[EVP_MAX_MD_SIZE];
	unsigned n;

	if (!X509_digest(cert, md, hash, &n))
		return -EIO;
	if (cap < (size_t)n * 3)
		return -EMSGSIZE;
	for (unsigned i = 0; i < n; i++)
		snprintf(out + 3 * i, 4, i + 1 < n ? "%02X:" : "%02X", hash[i]);
	return 0;
}

static int add_extension(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *ext;
	X509V3_CTX ctx;
	int ok;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	ok = ext && X509_add_ext(cert, ext, -1);
	X509_EXTENSION_free(ext);
	return ok ? 0 : -EIO;
}

/* Letters, digits, dots and hyphens: the text goes into an extension's syntax. */
static bool name_ok(const char *name)
{
	size_t n = name ? strlen(name) : 0;

	if (n == 0 || n > MAX_NAME)
		return false;
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && *name != '.' && *name != '-')
			return false;
	return true;
}

static int fill_cert(X509 *cert, EVP_PKEY *key, const char *name)
{
	X509_NAME *subject = X509_get_subject_name(cert);
	char alt[128 + MAX_NAME];
	uint64_t serial;

	if (RAND_bytes((unsigned char *)&serial, sizeof serial) != 1)
		return -EIO;
	snprintf(alt, sizeof alt, "DNS:%s,DNS:localhost,IP:127.0.0.1,IP:::1", name);
	if (!X509_set_version(cert, X509_VERSION_3) ||
	    !ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert), serial >> 1) ||
	    !X509_gmtime_adj(X509_getm_notBefore(cert), -DAY_S) ||
	    !X509_gmtime_adj(X509_getm_notAfter(cert), (long)VALID_DAYS * DAY_S) ||
	    !X509_set_pubkey(cert, key) ||
	    !X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name,
					-1, -1, 0) ||
	    !X509_set_issuer_name(cert, subject) ||
	    add_extension(cert, NID_basic_constraints, "critical,CA:FALSE") ||
	    add_extension(cert, NID_key_usage, "critical,digitalSignature") ||
	    add_extension(cert, NID_ext_key_usage, "serverAuth,clientAuth") ||
	    add_extension(cert, NID_subject_alt_name, alt) || !X509_sign(cert, key, EVP_sha256()))
		return -EIO;
	return 0;
}

/* Takes key and cert, either of which may be NULL. */
static int adopt(struct dtls_identity **out, EVP_PKEY *key, X509 *cert)
{
	static const char hash[] = "sha-256 ";
	struct dtls_identity *id = calloc(1, sizeof *id);
	int err;

	if (!id) {
		EVP_PKEY_free(key);
		X509_free(cert);
		return -ENOMEM;
	}
	id->key = key;
	id->cert = cert;
	err = !key || !cert || X509_check_private_key(cert, key) != 1 ? -EBADMSG : 0;
	if (!err) {
		memcpy(id->fingerprint, hash, sizeof hash);
		err = dtls_fingerprint_of(cert, EVP_sha256(), id->fingerprint + sizeof hash - 1,
					  sizeof id->fingerprint - sizeof hash + 1);
	}
	if (!err)
		err = dtls_context_new(&id->ctx, key, cert);
	ERR_clear_error();
	if (err)
		dtls_identity_free(&id);
	else
		*out = id;
	return err;
}

int dtls_identity_new(struct dtls_identity **out, const char *dns_name)
{
	EVP_PKEY *key;
	X509 *cert;
	int err;

	if (!name_ok(dns_name))
		return -EINVAL;
	key = EVP_EC_gen("P-256");
	cert = X509_new();
	err = key && cert ? fill_cert(cert, key, dns_name) : -ENOMEM;
	if (err) {
		EVP_PKEY_free(key);
		X509_free(cert);
		return err;
	}
	return adopt(out, key, cert);
}

static int open_pem(FILE **f, const char *path)
{
	*f = fopen(path, "re");
	return *f ? 0 : -errno;
}

int dtls_identity_load(struct dtls_identity **out, const char *cert_path, const char *key_path)
{
	FILE *fc = NULL, *fk = NULL;
	int err = open_pem(&fc, cert_path);

	if (!err)
		err = open_pem(&fk, key_path);
	if (!err)
		err = adopt(out, PEM_read_PrivateKey(fk, NULL, NULL, NULL),
			    PEM_read_X509(fc, NULL, NULL, NULL));
	if (fc)
		fclose(fc);
	if (fk)
		fclose(fk);
	return err;
}

/* One of key and cert. Written beside the target, then renamed over it. */
static int write_pem(const char *path, mode_t mode, const EVP_PKEY *key, const X509 *cert)
{
	char tmp[4096];
	int fd, err, ok;
	FILE *f;

	if (snprintf(tmp, sizeof tmp, "%s.new", path) >= (int)sizeof tmp)
		return -ENAMETOOLONG;
	unlink(tmp);
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	f = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (!f) {
		err = -errno;
		if (fd >= 0)
			close(fd);
		return err;
	}
	ok = key ? PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL)
		 : PEM_write_X509(f, cert);
	ok = ok && !fflush(f) && !fsync(fd);
	ok = !fclose(f) && ok;
	err = ok ? 0 : -EIO;
	if (!err && rename(tmp, path))
		err = -errno;
	if (err)
		unlink(tmp);
	return err;
}

int dtls_identity_write_pem(const struct dtls_identity *id, const char *cert_path,
			    const char *key_path)
{
	int err = write_pem(key_path, 0600, id->key, NULL);

	return err ? err : write_pem(cert_path, 0644, NULL, id->cert);
}

void dtls_identity_free(struct dtls_identity **id)
{
	if (!*id)
		return;
	SSL_CTX_free((*id)->ctx);
	EVP_PKEY_free((*id)->key);
	X509_free((*id)->cert);
	free(*id);
	*id = NULL;
}

const char *dtls_identity_fingerprint(const struct dtls_identity *id)
{
	return id->fingerprint;
}
