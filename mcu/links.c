#include "mcu/links.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/tokens.h"

enum { TIME_DIGITS_MAX = 12, MAC_BYTES = 32 };

static void mac(char out[2 * MAC_BYTES + 1], const char *key, const struct recording_row *row,
		int64_t expires_s)
{
	uint8_t raw[MAC_BYTES];
	unsigned len = sizeof raw;
	char text[128];
	int n = snprintf(text, sizeof text, "recording link\n%" PRId64 "\n%" PRId64 "\n%s", row->id,
			 expires_s, row->token);

	HMAC(EVP_sha256(), key, LINK_SECRET_LEN, (const uint8_t *)text, (size_t)n, raw, &len);
	for (size_t i = 0; i < sizeof raw; i++)
		snprintf(out + 2 * i, 3, "%02x", raw[i]);
}

void link_write(char out[LINK_LEN + 1], const char key[LINK_SECRET_LEN + 1],
		const struct recording_row *row, int64_t expires_ms)
{
	char sum[2 * MAC_BYTES + 1];
	int64_t expires_s = (expires_ms + 999) / 1000;

	mac(sum, key, row, expires_s);
	snprintf(out, LINK_LEN + 1, "%" PRId64 ".%s", expires_s, sum);
}

int link_check(const char *text, const char key[LINK_SECRET_LEN + 1],
	       const struct recording_row *row, int64_t now_ms)
{
	size_t digits = strspn(text, "0123456789");
	char sum[2 * MAC_BYTES + 1];
	int64_t expires_s;

	if (strlen(row->token) != RECORDING_TOKEN_LEN)
		return -EBADMSG;
	if (digits < 1 || digits > TIME_DIGITS_MAX || text[digits] != '.' ||
	    strlen(text) != digits + 1 + 2 * MAC_BYTES)
		return -EBADMSG;
	expires_s = strtoll(text, NULL, 10);
	mac(sum, key, row, expires_s);
	if (!secret_equal(text + digits + 1, sum))
		return -EBADMSG;
	return now_ms < expires_s * 1000 ? 0 : -ETIME;
}
