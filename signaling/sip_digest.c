#include "signaling/sip_digest.h"

#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "mcu/base/clock.h"

/* --- reading ---------------------------------------------------------------------------- */

/* The value of a parameter, without quotes; false: it does not fit or is not closed. */
static bool unquote(const char *from, char *to, size_t cap)
{
	bool quoted = *from == '"';
	size_t n = 0;

	for (from += quoted; *from && !(quoted && *from == '"'); from++) {
		if (quoted && *from == '\\' && !*++from)
			return false;
		if (n + 1 >= cap)
			return false;
		to[n++] = *from;
	}
	to[n] = '\0';
	return quoted ? from[0] == '"' && !from[1] : true;
}

static bool read_nc(struct sip_digest *d)
{
	char *end;

	if (strlen(d->nc_text) != 8 || strspn(d->nc_text, "0123456789abcdefABCDEF") != 8)
		return false;
	d->nc = (uint32_t)strtoul(d->nc_text, &end, 16);
	return d->nc;
}

static bool read_alg(struct sip_digest *d, const char *name)
{
	if (!*name || !strcasecmp(name, "MD5"))
		d->alg = SIP_DIGEST_MD5;
	else if (!strcasecmp(name, "SHA-256"))
		d->alg = SIP_DIGEST_SHA256;
	else
		return false;
	return strlen(d->response) == (d->alg == SIP_DIGEST_MD5 ? 32 : 64);
}

static int read_params(struct sip_digest *out, const char *const *params, bool bare_too)
{
	char alg[17] = "", qop[17] = "";
	const struct {
		const char *name;
		char *to;
		size_t cap;
	} known[] = {
		{ "username", out->user, sizeof out->user }, { "realm", out->realm, sizeof out->realm },
		{ "nonce", out->nonce, sizeof out->nonce }, { "uri", out->uri, sizeof out->uri },
		{ "cnonce", out->cnonce, sizeof out->cnonce }, { "nc", out->nc_text, sizeof out->nc_text },
		{ "response", out->response, sizeof out->response },
		{ "algorithm", alg, sizeof alg }, { "qop", qop, sizeof qop },
	};
	unsigned seen = 0;

	memset(out, 0, sizeof *out);
	for (; params && *params; params++) {
		const char *eq = strchr(*params, '=');

		for (size_t i = 0; eq && i < sizeof known / sizeof *known; i++) {
			size_t len = strlen(known[i].name);

			if ((size_t)(eq - *params) != len || strncasecmp(*params, known[i].name, len))
				continue;
			if (seen & 1u << i || !unquote(eq + 1, known[i].to, known[i].cap))
				return -EINVAL;
			seen |= 1u << i;
		}
	}
	if (!out->user[0] || !out->realm[0] || !out->nonce[0] || !out->uri[0] || !read_alg(out, alg))
		return -EINVAL;
	out->bare = bare_too && !qop[0];
	if (out->bare)
		return 0;
	return out->cnonce[0] && !strcasecmp(qop, "auth") && read_nc(out) ? 0 : -EINVAL;
}

int sip_digest_read(struct sip_digest *out, const char *const *params)
{
	return read_params(out, params, false);
}

int sip_digest_read_bare(struct sip_digest *out, const char *const *params)
{
	return read_params(out, params, true);
}

/* --- arithmetic --------------------------------------------------------------------------- */

const char *sip_digest_alg_name(enum sip_digest_alg alg)
{
	return alg == SIP_DIGEST_SHA256 ? "SHA-256" : "MD5";
}

/* H(a:b:c…), ended by NULL. */
static void hash(char out[SIP_HASH_MAX + 1], enum sip_digest_alg alg, const char *const *parts)
{
	GChecksum *sum = g_checksum_new(alg == SIP_DIGEST_SHA256 ? G_CHECKSUM_SHA256 : G_CHECKSUM_MD5);

	for (size_t i = 0; parts[i]; i++) {
		if (i)
			g_checksum_update(sum, (const guchar *)":", 1);
		g_checksum_update(sum, (const guchar *)parts[i], (gssize)strlen(parts[i]));
	}
	snprintf(out, SIP_HASH_MAX + 1, "%s", g_checksum_get_string(sum));
	g_checksum_free(sum);
}

void sip_digest_ha1(char out[SIP_HASH_MAX + 1], enum sip_digest_alg alg, const char *user,
		    const char *realm, const char *password)
{
	hash(out, alg, (const char *const[]){ user, realm, password, NULL });
}

void sip_digest_response(char out[SIP_HASH_MAX + 1], const struct sip_digest *d, const char *ha1,
			 const char *method)
{
	char ha2[SIP_HASH_MAX + 1];

	hash(ha2, d->alg, (const char *const[]){ method, d->uri, NULL });
	if (d->bare)
		hash(out, d->alg, (const char *const[]){ ha1, d->nonce, ha2, NULL });
	else
		hash(out, d->alg, (const char *const[]){ ha1, d->nonce, d->nc_text, d->cnonce, "auth",
							 ha2, NULL });
}

bool sip_digest_is_right(const struct sip_digest *d, const char *ha1, const char *method)
{
	char want[SIP_HASH_MAX + 1];
	unsigned char differ = 0;
	size_t len;

	sip_digest_response(want, d, ha1, method);
	len = strlen(want);
	if (strlen(d->response) != len)
		return false;
	for (size_t i = 0; i < len; i++)
		differ |= (unsigned char)(want[i] ^ g_ascii_tolower(d->response[i]));
	return !differ;
}

/* --- our own credentials ---------------------------------------------------------------- */

struct challenge {
	char realm[129], nonce[257], alg[17], qop[65], opaque[257];
};

static bool read_challenge(struct challenge *c, const char *const *params)
{
	const struct {
		const char *name;
		char *to;
		size_t cap;
	} known[] = {
		{ "realm=", c->realm, sizeof c->realm }, { "nonce=", c->nonce, sizeof c->nonce },
		{ "algorithm=", c->alg, sizeof c->alg }, { "qop=", c->qop, sizeof c->qop },
		{ "opaque=", c->opaque, sizeof c->opaque },
	};

	memset(c, 0, sizeof *c);
	for (; params && *params; params++)
		for (size_t i = 0; i < sizeof known / sizeof *known; i++)
			if (!strncasecmp(*params, known[i].name, strlen(known[i].name)) &&
			    !unquote(*params + strlen(known[i].name), known[i].to, known[i].cap))
				return false;
	return c->nonce[0] && !strpbrk(c->nonce, "\"\\\r\n") &&
	       !strpbrk(c->realm, "\"\\\r\n") && !strpbrk(c->opaque, "\"\\\r\n");
}

static bool has_auth(const char *qop)
{
	for (const char *p = qop; *p; p += strcspn(p, ", \t"), p += strspn(p, ", \t"))
		if (!strncasecmp(p, "auth", 4) && strchr(", \t", p[4]))
			return true;
	return false;
}

static int rank_of(const struct challenge *c)
{
	if (c->qop[0] && !has_auth(c->qop))
		return 0;
	if (!strcasecmp(c->alg, "SHA-256"))
		return 2;
	return !c->alg[0] || !strcasecmp(c->alg, "MD5");
}

int sip_digest_rank(const char *const *params)
{
	struct challenge c;

	return read_challenge(&c, params) ? rank_of(&c) : 0;
}

int sip_digest_answer(char out[SIP_CREDENTIALS_MAX], const char *const *params, const char *method,
		      const char *uri, const char *user, const char *password)
{
	char ha1[SIP_HASH_MAX + 1], ha2[SIP_HASH_MAX + 1], response[SIP_HASH_MAX + 1], cnonce[17];
	struct challenge c;
	enum sip_digest_alg alg;
	uint64_t chance = 0;
	int n;

	if (!read_challenge(&c, params) || !rank_of(&c) || strpbrk(user, "\"\\\r\n"))
		return -EINVAL;
	alg = rank_of(&c) == 2 ? SIP_DIGEST_SHA256 : SIP_DIGEST_MD5;
	(void)!getrandom(&chance, sizeof chance, 0);
	snprintf(cnonce, sizeof cnonce, "%016llx", (unsigned long long)chance);
	sip_digest_ha1(ha1, alg, user, c.realm, password);
	hash(ha2, alg, (const char *const[]){ method, uri, NULL });
	if (c.qop[0])
		hash(response, alg, (const char *const[]){ ha1, c.nonce, "00000001", cnonce, "auth", ha2,
							   NULL });
	else
		hash(response, alg, (const char *const[]){ ha1, c.nonce, ha2, NULL });
	explicit_bzero(ha1, sizeof ha1);
	n = snprintf(out, SIP_CREDENTIALS_MAX,
		     "Digest username=\"%s\", realm=\"%s\", nonce=\"%s\", uri=\"%s\", response=\"%s\", "
		     "algorithm=%s%s%s%s%s%s%s", user, c.realm, c.nonce, uri, response,
		     sip_digest_alg_name(alg), c.qop[0] ? ", qop=auth, nc=00000001, cnonce=\"" : "",
		     c.qop[0] ? cnonce : "", c.qop[0] ? "\"" : "", c.opaque[0] ? ", opaque=\"" : "",
		     c.opaque, c.opaque[0] ? "\"" : "");
	return n < SIP_CREDENTIALS_MAX ? 0 : -EINVAL;
}

/* --- nonces ------------------------------------------------------------------------------- */

/* A nonce is the time of its making (8 hexadecimal digits of seconds), 16 of chance, and
 * 32 that only we can make of both and the source it is for. Only those that were used are remembered. */
struct sip_nonces {
	unsigned char key[32];
	size_t max;
	int64_t life_ns;
	GHashTable *used;  /* text → struct used */
	GQueue order;	   /* of the same, as they were first used */
	uint32_t floor_s;  /* of what was forgotten for want of space: not older than this */
	bool forgot;
};

struct used {
	char text[SIP_NONCE_LEN + 1];
	uint32_t made_s, nc;
	int64_t end_ns;
};

int sip_nonces_new(struct sip_nonces **out, size_t max, int64_t life_ns)
{
	struct sip_nonces *n = calloc(1, sizeof *n);

	if (!n)
		return -ENOMEM;
	n->max = max;
	n->life_ns = life_ns;
	if (getrandom(n->key, sizeof n->key, 0) != (ssize_t)sizeof n->key) {
		free(n);
		return -EIO;
	}
	n->used = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
	g_queue_init(&n->order);
	*out = n;
	return 0;
}

void sip_nonces_free(struct sip_nonces **n)
{
	if (!*n)
		return;
	g_queue_clear(&(*n)->order);
	g_hash_table_destroy((*n)->used);
	explicit_bzero(*n, sizeof **n);
	free(*n);
	*n = NULL;
}

static void seal(const struct sip_nonces *n, char text[SIP_NONCE_LEN + 1], const char *source)
{
	GHmac *mac = g_hmac_new(G_CHECKSUM_SHA256, n->key, sizeof n->key);

	g_hmac_update(mac, (const guchar *)text, 24);
	g_hmac_update(mac, (const guchar *)source, (gssize)strlen(source));
	memcpy(text + 24, g_hmac_get_string(mac), 32);
	text[SIP_NONCE_LEN] = '\0';
	g_hmac_unref(mac);
}

void sip_nonces_make(struct sip_nonces *n, const char *source, char out[SIP_NONCE_LEN + 1],
		     int64_t now_ns)
{
	uint64_t chance = 0;

	(void)!getrandom(&chance, sizeof chance, 0);
	snprintf(out, SIP_NONCE_LEN + 1, "%08x%016llx", (unsigned)(uint32_t)(now_ns / NS_PER_S),
		 (unsigned long long)chance);
	seal(n, out, source);
}

static bool is_ours(const struct sip_nonces *n, const char *nonce, const char *source)
{
	char text[SIP_NONCE_LEN + 1];
	unsigned char differ = 0;

	if (strlen(nonce) != SIP_NONCE_LEN)
		return false;
	memcpy(text, nonce, 24);
	seal(n, text, source);
	for (int i = 0; i < SIP_NONCE_LEN; i++)
		differ |= (unsigned char)(text[i] ^ nonce[i]);
	return !differ;
}

static void forget(struct sip_nonces *n, struct used *u, bool early)
{
	if (early && (!n->forgot || u->made_s > n->floor_s)) {
		n->floor_s = u->made_s;
		n->forgot = true;
	}
	g_queue_remove(&n->order, u);
	g_hash_table_remove(n->used, u->text);
}

static void forget_old(struct sip_nonces *n, int64_t now_ns)
{
	struct used *u;

	while ((u = g_queue_peek_head(&n->order)) && u->end_ns <= now_ns)
		forget(n, u, false);
	while (g_hash_table_size(n->used) >= n->max && (u = g_queue_peek_head(&n->order)))
		forget(n, u, true);
}

static uint32_t made_at(const char *nonce)
{
	char seconds[9] = "";

	memcpy(seconds, nonce, 8);
	return (uint32_t)strtoul(seconds, NULL, 16);
}

bool sip_nonces_valid(const struct sip_nonces *n, const char *nonce, const char *source,
		      int64_t now_ns)
{
	int64_t age_s;

	if (!is_ours(n, nonce, source))
		return false;
	age_s = now_ns / NS_PER_S - made_at(nonce);
	return age_s >= 0 && age_s * NS_PER_S < n->life_ns;
}

bool sip_nonces_use(struct sip_nonces *n, const char *nonce, const char *source, uint32_t nc,
		    int64_t now_ns)
{
	struct used *u;
	uint32_t made_s;

	if (!sip_nonces_valid(n, nonce, source, now_ns))
		return false;
	made_s = made_at(nonce);
	u = g_hash_table_lookup(n->used, nonce);
	if (u) {
		if (nc <= u->nc)
			return false;
		u->nc = nc;
		return true;
	}
	if (n->forgot && made_s <= n->floor_s)
		return false; /* it may be one whose count is forgotten */
	forget_old(n, now_ns);
	u = g_new0(struct used, 1);
	memcpy(u->text, nonce, SIP_NONCE_LEN);
	u->made_s = made_s;
	u->nc = nc;
	u->end_ns = made_s * NS_PER_S + n->life_ns;
	g_hash_table_insert(n->used, u->text, u);
	g_queue_push_tail(&n->order, u);
	return true;
}
