#include "signaling/sip_tls.h"

#include <dlfcn.h>
#include <openssl/ssl.h>
#include <sofia-sip/su_alloc.h>
#include <string.h>

/* How the library's object begins. */
struct tls {
	su_home_t home[1];
	SSL_CTX *ctx;
	SSL *con; /* NULL: of the listening side */
	BIO *bio; /* of con, which owns it */
};

void tls_free(struct tls *t);

void tls_free(struct tls *t)
{
	void (*fn)(struct tls *t);
	void *next = dlsym(RTLD_NEXT, "tls_free");

	/* Only where the object is as we think; a library that frees it finds nothing. */
	if (t && t->con && t->bio && SSL_get_rbio(t->con) == t->bio) {
		SSL *con = t->con;

		t->con = NULL;
		t->bio = NULL;
		t->ctx = NULL; /* whose count the library lowers in the place of con's */
		SSL_shutdown(con);
		SSL_free(con);
	}
	memcpy(&fn, &next, sizeof fn); /* ISO C knows no such conversion */
	if (fn)
		fn(t);
}

void sip_tls_repair(void)
{
}
