/* Parameters of digests and called addresses, a line each: what is taken fits, and an
 * answer of ours to a challenge can be read. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/sip_digest.h"
#include "signaling/sip_route.h"

enum { MAX_LINES = 40 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void called(const char *text)
{
	static const struct sip_did dids[] = { { "+491", "room" }, { "2", "" } };
	struct sip_route_cfg cfg = { .domain = "conf.example", .bridge = "bridge", .dids = dids,
				     .n_dids = 2, .trunk = true };
	char room[SIP_ROOM_MAX + 1], number[32];

	(void)sip_route_in(&cfg, text, text, room);
	assert(strlen(room) <= SIP_ROOM_MAX);
	if (sip_route_number(text, number, sizeof number))
		assert(*number && strspn(number, "+0123456789") == strlen(number));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *rest = text, *line;
	const char *params[MAX_LINES + 1] = { 0 };
	char answer[SIP_CREDENTIALS_MAX];
	struct sip_digest d;
	size_t n = 0;

	assert(text);
	memcpy(text, data, size);
	text[size] = '\0';
	while (n < MAX_LINES && (line = strsep(&rest, "\n"))) {
		called(line);
		params[n++] = line;
	}
	if (!sip_digest_read(&d, params)) {
		assert(d.user[0] && d.nc && d.alg);
		(void)sip_digest_is_right(&d, "0", "REGISTER");
	}
	if (!sip_digest_answer(answer, params, "REGISTER", "sip:h", "u", "p")) {
		assert(sip_digest_rank(params));
		assert(!strpbrk(answer, "\r\n"));
	}
	free(text);
	return 0;
}
