/* Inside of struct dtls_identity, for dtls.c. */
#ifndef MCU_NET_DTLS_IDENTITY_H
#define MCU_NET_DTLS_IDENTITY_H

#include <openssl/ssl.h>

#include "mcu/net/dtls.h"

struct dtls_identity {
	EVP_PKEY *key;
	X509 *cert;
	SSL_CTX *ctx; /* shared by all transports */
	char fingerprint[DTLS_FINGERPRINT_BYTES];
};

/* "AB:CD:…" of cert under md, at most cap octets with the NUL. 0 or -errno. */
int dtls_fingerprint_of(const X509 *cert, const EVP_MD *md, char *out, size_t cap);
/* Splits "hash hex": the digest, and where the hex begins. 0, -EINVAL, -ENOTSUP. */
int dtls_fingerprint_parse(const char *text, const EVP_MD **md, const char **hex);
/* dtls.c: the context from key and certificate. 0 or -errno. */
int dtls_context_new(SSL_CTX **out, EVP_PKEY *key, X509 *cert);

#endif
