/* Who somebody is: users' HA1 values, digest challenges, and how often a password may be
 * wrong. The values are all held in memory, so that a check asks nobody and takes no turn
 * of the loop; mcu/ keeps them in step with the registry. CTL. */
#ifndef MCU_SIGNALING_SIP_AUTH_H
#define MCU_SIGNALING_SIP_AUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "mcu/base/role.h"
#include "signaling/sip_digest.h"

struct sip_auth;

enum {
	SIP_WRONG_BURST = 10, /* wrong passwords per source, then */
	SIP_WRONG_PER_MINUTE = 10,
	SIP_NONCE_LIFE_S = 300,
};

/* realm: borrowed. 0, -ENOMEM, -EIO. */
int sip_auth_new(struct sip_auth **out, const char *realm);
void sip_auth_free(struct sip_auth **a);
/* HA1 in the realm, for both algorithms; takes the place of earlier ones. */
void sip_auth_set_user(struct sip_auth *a, const char *user, const char *ha1_md5,
		       const char *ha1_sha256) ON_THREAD(ROLE_CTL);
void sip_auth_forget_user(struct sip_auth *a, const char *user) ON_THREAD(ROLE_CTL);
bool sip_auth_knows(const struct sip_auth *a, const char *user) ON_THREAD(ROLE_CTL);

enum sip_auth_verdict {
	SIP_AUTH_RIGHT = 1,
	SIP_AUTH_NONE,	/* no credentials of this realm: ask */
	SIP_AUTH_BAD,	/* they cannot be read */
	SIP_AUTH_STALE, /* the nonce is old, was used or not made for them: ask again, with stale=true */
	SIP_AUTH_WRONG,
	SIP_AUTH_LIMITED /* too many wrong ones: was not looked at */
};

/* params: of one Digest Authorization header, NULL: there is none. address: the source.
 * Of RIGHT *user is who it is; of WRONG who it says to be. A password is looked at, and
 * counted, only with a nonce that was sent to this address: whoever writes another's
 * address on a datagram cannot lock it out. */
enum sip_auth_verdict sip_auth_check(struct sip_auth *a, const char *const *params,
				     const char *method, const char *address, int64_t now_ns,
				     char user[SIP_USER_MAX + 1]) ON_THREAD(ROLE_CTL);
/* The value of a WWW-Authenticate header. */
enum { SIP_CHALLENGE_MAX = 512 };
void sip_auth_challenge(struct sip_auth *a, enum sip_digest_alg alg, bool stale, const char *address,
			int64_t now_ns, char out[SIP_CHALLENGE_MAX]) ON_THREAD(ROLE_CTL);

/* The same for RTSP, most of whose clients know no qop: a nonce may then be used again
 * while it is young, by its source. */
enum sip_auth_verdict sip_auth_check_bare(struct sip_auth *a, const char *const *params,
					  const char *method, const char *address, int64_t now_ns,
					  char user[SIP_USER_MAX + 1]) ON_THREAD(ROLE_CTL);
void sip_auth_challenge_bare(struct sip_auth *a, bool stale, const char *address, int64_t now_ns,
			     char out[SIP_CHALLENGE_MAX]) ON_THREAD(ROLE_CTL);

#endif
