#include "signaling/sip_tls.h"

#include <dlfcn.h>
#include <openssl/ssl.h>
#include <sofia-sip/nua.h>
#include <sofia-sip/su_alloc.h>
#include <string.h>

#include "mcu/base/log.h"

/* The release whose object begins like that, and which leaks. */
static const char leaks[] = "1.12.11devel";

struct tls {
	su_home_t home[1];
	SSL_CTX *ctx;
	SSL *con; /* NULL: of the listening side */
	BIO *bio; /* of con, which owns it */
};

void tls_free(struct tls *t);

static bool repairs; /* set before there is a connection; CTL */

/* Takes con away, where the object is as we think: a library that frees it finds nothing. */
static void free_connection(struct tls *t)
{
	SSL *con = t->con;

	if (!con || !t->bio || SSL_get_rbio(con) != t->bio || SSL_get_SSL_CTX(con) != t->ctx)
		return;
	t->con = NULL;
	t->bio = NULL;
	t->ctx = NULL; /* whose count the library lowers in the place of con's */
	SSL_shutdown(con);
	SSL_free(con);
}

void tls_free(struct tls *t)
{
	void (*fn)(struct tls *t);
	void *next = dlsym(RTLD_NEXT, "tls_free");

	if (t && repairs)
		free_connection(t);
	memcpy(&fn, &next, sizeof fn); /* ISO C knows no such conversion */
	if (fn)
		fn(t);
}

bool sip_tls_repair(const char *version)
{
	repairs = !strcmp(version, leaks);
	if (!repairs)
		log_info(NULL, "SIP: sofia-sip is %s: what TLS connections leave behind in %s is not "
			 "looked for", version, leaks);
	return repairs;
}
