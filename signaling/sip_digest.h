/* Digest authentication (RFC 7616, RFC 8760; RFC 3261, 22.4): reading credentials,
 * their arithmetic, and nonces. Pure: the caller's clock. Any thread.
 *
 * What is kept of a password is HA1 = H(user:realm:password), for each algorithm. It is
 * no hash to be proud of: who reads it can register as that user in this realm without
 * knowing the password, and can try passwords at full speed. So it is never made from the
 * password that people sign in with, but from one of its own for telephones.
 *
 * The digest's URI is not compared with the request's: proxies change that on the way
 * (RFC 3261, 22.4). qop=auth is required: with it a nonce's count tells what was
 * overheard and sent again from what is new. */
#ifndef MCU_SIGNALING_SIP_DIGEST_H
#define MCU_SIGNALING_SIP_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sip_digest_alg { SIP_DIGEST_MD5 = 1, SIP_DIGEST_SHA256 };

enum { SIP_HASH_MAX = 64, SIP_USER_MAX = 256 }; /* hexadecimal digits; octets */

struct sip_digest {
	char user[SIP_USER_MAX + 1], realm[129], nonce[129], uri[513], cnonce[129];
	char response[SIP_HASH_MAX + 1], nc_text[9];
	uint32_t nc;
	enum sip_digest_alg alg;
	bool bare; /* without qop (RFC 2069): no count, no cnonce */
};

/* params: "name=value" or "name=\"quoted\"", NULL-terminated, as a parser of headers
 * leaves them. 0, or -EINVAL: something is missing, twice, too long or not ours. */
int sip_digest_read(struct sip_digest *out, const char *const *params);
/* The same, where credentials without qop are fine too (RTSP: most clients know no other). */
int sip_digest_read_bare(struct sip_digest *out, const char *const *params);
/* "MD5", "SHA-256". */
const char *sip_digest_alg_name(enum sip_digest_alg alg);
void sip_digest_ha1(char out[SIP_HASH_MAX + 1], enum sip_digest_alg alg, const char *user,
		    const char *realm, const char *password);
void sip_digest_response(char out[SIP_HASH_MAX + 1], const struct sip_digest *d, const char *ha1,
			 const char *method);
/* Takes as long for a wrong one as for a right one. */
bool sip_digest_is_right(const struct sip_digest *d, const char *ha1, const char *method);

/* --- our own credentials ---------------------------------------------------------------- */

/* Whether one challenge (its parameters, as above) is one that we can answer, and how good
 * it is: 0 no, 1 MD5, 2 SHA-256. */
int sip_digest_rank(const char *const *params);
enum { SIP_CREDENTIALS_MAX = 1600 };
/* The value of an Authorization header that answers it. nc 1, a cnonce of chance; without
 * qop where the other side has none (RFC 2069). 0 or -EINVAL. */
int sip_digest_answer(char out[SIP_CREDENTIALS_MAX], const char *const *params, const char *method,
		      const char *uri, const char *user, const char *password);

/* --- nonces ------------------------------------------------------------------------- */

struct sip_nonces;

enum { SIP_NONCE_LEN = 56 };

/* They hold for life_ns; at most max are remembered with their counts. 0 or -ENOMEM. */
int sip_nonces_new(struct sip_nonces **out, size_t max, int64_t life_ns);
void sip_nonces_free(struct sip_nonces **n);
/* For that source alone: another's answer to it shows nothing. */
void sip_nonces_make(struct sip_nonces *n, const char *source, char out[SIP_NONCE_LEN + 1],
		     int64_t now_ns);
/* Whether it is ours, young and of that source; it is not used by that. */
bool sip_nonces_valid(const struct sip_nonces *n, const char *nonce, const char *source,
		      int64_t now_ns);
/* Of credentials that are right otherwise. True: it is valid, and its count is
 * higher than any before; it counts as used then. False: a new one is needed (stale). */
bool sip_nonces_use(struct sip_nonces *n, const char *nonce, const char *source, uint32_t nc,
		    int64_t now_ns);

#endif
