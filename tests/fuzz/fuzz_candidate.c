/* Candidates as a peer may send them: parsed, and what was parsed written and
 * parsed again to the same. */
#include <stdlib.h>
#include <string.h>

#include "mcu/net/candidate.h"
#include "mcu/net/dtls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char out[CANDIDATE_BYTES], *text = malloc(size + 1);
	struct candidate c, again;
	const char *ufrag;
	size_t len;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	dtls_fingerprint_check(text);
	ufrag = candidate_ufrag(text, &len);
	if (ufrag && (ufrag < text || !len || ufrag + len > text + size || memchr(ufrag, ' ', len)))
		abort();
	if (!candidate_parse(&c, text)) {
		if (candidate_write(&c, out, sizeof out) < 0 || candidate_parse(&again, out))
			abort();
		if (again.port != c.port || again.priority != c.priority || again.type != c.type ||
		    strcmp(again.address, c.address))
			abort();
	}
	free(text);
	return 0;
}
