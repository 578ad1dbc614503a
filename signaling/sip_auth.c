#include "signaling/sip_auth.h"

#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/base/clock.h"
#include "mcu/base/metrics.h"
#include "signaling/sip_limit.h"

METRIC_COUNTER(m_right, "mcu_sip_auth_right_total", "SIP requests with the right password.");
METRIC_COUNTER(m_wrong, "mcu_sip_auth_wrong_total", "SIP requests with a wrong password.");
METRIC_COUNTER(m_limited, "mcu_sip_auth_limited_total",
	       "SIP passwords that were not looked at, after too many wrong ones from there.");

enum { MAX_NONCES = 65536, SOURCES = 8192 };

struct secret {
	char ha1[2][SIP_HASH_MAX + 1]; /* MD5, SHA-256 */
};

struct sip_auth {
	const char *realm;
	GHashTable *users; /* name → struct secret */
	struct sip_nonces *nonces;
	struct sip_limit *wrong;
};

int sip_auth_new(struct sip_auth **out, const char *realm)
{
	struct sip_auth *a = calloc(1, sizeof *a);
	int err;

	if (!a)
		return -ENOMEM;
	a->realm = realm;
	a->users = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	err = sip_nonces_new(&a->nonces, MAX_NONCES, SIP_NONCE_LIFE_S * NS_PER_S);
	if (!err)
		err = sip_limit_new(&a->wrong, SIP_WRONG_PER_MINUTE / 60.0, SIP_WRONG_BURST, SOURCES);
	if (err)
		sip_auth_free(&a);
	*out = a;
	return err;
}

void sip_auth_free(struct sip_auth **a)
{
	if (!*a)
		return;
	sip_nonces_free(&(*a)->nonces);
	sip_limit_free(&(*a)->wrong);
	g_hash_table_destroy((*a)->users);
	free(*a);
	*a = NULL;
}

void sip_auth_set_user(struct sip_auth *a, const char *user, const char *ha1_md5,
		       const char *ha1_sha256)
{
	struct secret *s = g_new0(struct secret, 1);

	snprintf(s->ha1[0], sizeof s->ha1[0], "%s", ha1_md5);
	snprintf(s->ha1[1], sizeof s->ha1[1], "%s", ha1_sha256);
	g_hash_table_replace(a->users, g_strdup(user), s);
}

void sip_auth_forget_user(struct sip_auth *a, const char *user)
{
	g_hash_table_remove(a->users, user);
}

bool sip_auth_knows(const struct sip_auth *a, const char *user)
{
	return g_hash_table_contains(a->users, user);
}

static enum sip_auth_verdict wrong(struct sip_auth *a, const struct sip_limit_key *key,
				   int64_t now_ns)
{
	metric_add(&m_wrong, 1);
	(void)sip_limit_take(a->wrong, key, now_ns);
	return SIP_AUTH_WRONG;
}

/* What the credentials say is right; whether they are new. */
static bool is_fresh(struct sip_auth *a, const struct sip_digest *d, const char *address,
		     int64_t now_ns)
{
	return d->bare ? sip_nonces_valid(a->nonces, d->nonce, address, now_ns) :
			 sip_nonces_use(a->nonces, d->nonce, address, d->nc, now_ns);
}

static enum sip_auth_verdict check(struct sip_auth *a, int (*read)(struct sip_digest *,
								   const char *const *),
				   const char *const *params, const char *method,
				   const char *address, int64_t now_ns, char user[SIP_USER_MAX + 1])
{
	/* An unknown user takes as long as a wrong password. */
	static const struct secret nobody = { { "0", "0" } };
	const struct secret *secret;
	struct sip_limit_key key = { { 0 } };
	struct sip_digest d;
	bool right;

	user[0] = '\0';
	if (!params)
		return SIP_AUTH_NONE;
	if (read(&d, params))
		return SIP_AUTH_BAD;
	if (strcmp(d.realm, a->realm))
		return SIP_AUTH_NONE;
	if (!sip_nonces_valid(a->nonces, d.nonce, address, now_ns))
		return SIP_AUTH_STALE;
	(void)sip_limit_key_text(&key, address);
	if (sip_limit_is_empty(a->wrong, &key, now_ns)) {
		metric_add(&m_limited, 1);
		return SIP_AUTH_LIMITED;
	}
	snprintf(user, SIP_USER_MAX + 1, "%s", d.user);
	secret = g_hash_table_lookup(a->users, d.user);
	right = sip_digest_is_right(&d, (secret ? secret : &nobody)->ha1[d.alg == SIP_DIGEST_SHA256],
				    method);
	if (!secret || !right)
		return wrong(a, &key, now_ns);
	if (!is_fresh(a, &d, address, now_ns))
		return SIP_AUTH_STALE;
	metric_add(&m_right, 1);
	return SIP_AUTH_RIGHT;
}

enum sip_auth_verdict sip_auth_check(struct sip_auth *a, const char *const *params,
				     const char *method, const char *address, int64_t now_ns,
				     char user[SIP_USER_MAX + 1])
{
	return check(a, sip_digest_read, params, method, address, now_ns, user);
}

enum sip_auth_verdict sip_auth_check_bare(struct sip_auth *a, const char *const *params,
					  const char *method, const char *address, int64_t now_ns,
					  char user[SIP_USER_MAX + 1])
{
	return check(a, sip_digest_read_bare, params, method, address, now_ns, user);
}

void sip_auth_challenge_bare(struct sip_auth *a, bool stale, const char *address, int64_t now_ns,
			     char out[SIP_CHALLENGE_MAX])
{
	char nonce[SIP_NONCE_LEN + 1];

	sip_nonces_make(a->nonces, address, nonce, now_ns);
	snprintf(out, SIP_CHALLENGE_MAX, "Digest realm=\"%.200s\", nonce=\"%s\"%s", a->realm, nonce,
		 stale ? ", stale=\"true\"" : "");
}

void sip_auth_challenge(struct sip_auth *a, enum sip_digest_alg alg, bool stale, const char *address,
			int64_t now_ns, char out[SIP_CHALLENGE_MAX])
{
	char nonce[SIP_NONCE_LEN + 1];

	sip_nonces_make(a->nonces, address, nonce, now_ns);
	snprintf(out, SIP_CHALLENGE_MAX,
		 "Digest realm=\"%.200s\", nonce=\"%s\", algorithm=%s, qop=\"auth\"%s", a->realm, nonce,
		 sip_digest_alg_name(alg), stale ? ", stale=true" : "");
}
