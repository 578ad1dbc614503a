/* a=crypto (RFC 4568): suites and keys. */
#include "signaling/neg_internal.h"

#include <string.h>

#include "signaling/sdp_text.h"

/* Key and salt; RFC 4568 6.2, RFC 7714 14.2, RFC 6188. */
static const struct {
	const char *name;
	size_t octets;
} suites[] = {
	{ "AES_CM_128_HMAC_SHA1_80", 30 },
	{ "AES_CM_128_HMAC_SHA1_32", 30 },
	{ "AEAD_AES_128_GCM", 28 },
	{ "AEAD_AES_256_GCM", 44 },
	{ "AES_256_CM_HMAC_SHA1_80", 46 },
	{ "AES_256_CM_HMAC_SHA1_32", 46 },
};

static int base64_digit(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;
	return at ? (int)(at - digits) : -1;
}

/* n characters; the octets, 0: malformed or more than cap. Padding may be left out,
 * as some phones do. */
static size_t base64_read(const char *v, size_t n, uint8_t *out, size_t cap)
{
	size_t len = 0, digits = 0;
	uint32_t bits = 0;
	while (n && v[n - 1] == '=')
		n--;
	if (n % 4 == 1)
		return 0;
	for (size_t i = 0; i < n; i++) {
		int d = base64_digit(v[i]);
		if (d < 0)
			return 0;
		bits = bits << 6 | (uint32_t)d;
		digits++;
		if (digits % 4 == 1)
			continue;
		if (len == cap)
			return 0;
		out[len++] = (uint8_t)(bits >> (2 * (3 - (digits - 1) % 4)));
	}
	return len;
}

/* "2^31" or a number of packets: whoever said it sends another key in time. */
static bool is_lifetime(const char *v, size_t n)
{
	size_t from = n > 2 && !strncmp(v, "2^", 2) ? 2 : 0;
	for (size_t i = from; i < n; i++)
		if (v[i] < '0' || v[i] > '9')
			return false;
	return n > from && n - from <= 15;
}

/* "inline:<key||salt>[|lifetime][|MKI:length]", one of them; 0: of no use. An MKI
 * would be in every packet. */
static size_t read_key(const char *key, uint8_t *out, size_t cap)
{
	const char *v = key + 7, *end = v + strcspn(v, "|");
	size_t len = base64_read(v, (size_t)(end - v), out, cap);
	if (*end == '|') {
		const char *life = end + 1;
		size_t n = strcspn(life, "|");
		if (!is_lifetime(life, n) || life[n])
			return 0;
	}
	return len;
}

static size_t suite_octets(const char *suite)
{
	for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++)
		if (!strcmp(suites[i].name, suite))
			return suites[i].octets;
	return 0;
}

/* RFC 4568 6.3.7: what is not understood may be ignored only with "-" in front. */
static bool has_parameters(const char *v)
{
	char word[32];
	while (sdp_copy_word(&v, word, sizeof(word)))
		if (word[0] != '-')
			return true;
	return *v != 0;
}

bool neg_sdes_read(struct neg_crypto *out, const char *v)
{
	char tag[12];
	uint64_t n;
	*out = (struct neg_crypto){ .tag = 0 };
	if (!sdp_copy_word(&v, tag, sizeof(tag)) || !sdp_u64(tag, 999999999, &n) ||
	    !sdp_copy_word(&v, out->suite, sizeof(out->suite)) ||
	    !sdp_copy_word(&v, out->key, sizeof(out->key)) || strncmp(out->key, "inline:", 7))
		return false;
	out->tag = (unsigned)n;
	size_t len = read_key(out->key, out->master, sizeof(out->master));
	if (len && len == suite_octets(out->suite) && !has_parameters(v))
		out->master_len = len;
	return true;
}

int neg_sdes_choose(struct neg_transport *t, const struct neg_media_policy *mp)
{
	for (size_t i = 0; i < t->n_cryptos; i++)
		for (size_t k = 0; k < mp->n_sdes && t->crypto[i].master_len; k++)
			if (!strcmp(t->crypto[i].suite, mp->sdes[k].suite)) {
				struct neg_crypto c = t->crypto[i];
				t->crypto[i] = t->crypto[0];
				t->crypto[0] = c;
				return (int)k;
			}
	return -1;
}
