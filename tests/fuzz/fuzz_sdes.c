/* a=crypto (RFC 4568). */
#include <stdlib.h>
#include <string.h>

#include "signaling/neg_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct neg_sdes ours[] = { { "AES_CM_128_HMAC_SHA1_80", "inline:A" },
						{ "AEAD_AES_128_GCM", "inline:B" } };
	struct neg_media_policy mp = { .sdes = ours, .n_sdes = 2 };
	struct neg_transport t = { .n_cryptos = 0 };
	char text[512];

	if (size >= sizeof text)
		return 0;
	memcpy(text, data, size);
	text[size] = 0;
	for (char *line = text; line && t.n_cryptos < NEG_MAX_CRYPTOS;) {
		char *end = strchr(line, '\n');

		if (end)
			*end++ = 0;
		if (neg_sdes_read(&t.crypto[t.n_cryptos], line)) {
			const struct neg_crypto *c = &t.crypto[t.n_cryptos++];

			if (c->master_len > sizeof c->master || strncmp(c->key, "inline:", 7))
				abort();
		}
		line = end;
	}
	if (neg_sdes_choose(&t, &mp) >= 0 && t.crypto[0].master_len != 30 &&
	    t.crypto[0].master_len != 28)
		abort();
	return 0;
}
