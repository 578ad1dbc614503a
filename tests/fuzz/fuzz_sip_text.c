/* What SIP says in addresses, numbers, the bodies of INFO and those of several parts, on any octets: the first
 * octet chooses the reader, the rest is its text. Where there are two texts, a line
 * break parts them. */
#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/phone_number.h"
#include "signaling/sip_info.h"
#include "signaling/sip_multipart.h"
#include "signaling/sip_route.h"

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void read_info(const char *type, const char *body)
{
	char digit = sip_info_digit(type, body, strlen(body));

	check(!digit || strchr("0123456789*#ABCD", digit));
	sip_info_wants_picture(type, body, strlen(body));
}

static void read_route(const char *user, const char *host)
{
	static const struct sip_did dids[] = { { "+49 30-12", "berlin" }, { "4321", "" } };
	char room[SIP_ROOM_MAX + 1];

	for (int i = 0; i < 4; i++) {
		const struct sip_route_cfg cfg = { .domain = i & 1 ? "example.org" : "",
						   .bridge = "bridge",
						   .dids = dids,
						   .n_dids = 2,
						   .trunk = i & 2 };
		enum sip_want want = sip_route_in(&cfg, *user ? user : NULL, host, room);

		check(strlen(room) <= SIP_ROOM_MAX && (want == SIP_WANT_ROOM) == !!room[0]);
	}
}

static void read_number(const char *text)
{
	static const char *const prefixes[] = { "", "+", "+49", "49", "0" };
	char number[33], plain[PHONE_NUMBER_BYTES], masked[PHONE_NUMBER_BYTES];

	if (sip_route_number(text, number, sizeof number)) {
		check(strlen(number) < sizeof number);
		for (const char *p = number + (*number == '+'); *p; p++)
			check(isdigit((unsigned char)*p));
		check(sip_route_prefix(number, prefixes, 5) >= 0);
	}
	phone_number_plain(plain, text);
	phone_number_mask(masked, plain);
	check(strlen(plain) < sizeof plain && strlen(masked) < sizeof masked);
	phone_number_in(text, plain);
	check(!sip_route_is_plain(text) || !strpbrk(strchr(text, '@'), "?,<> /#"));
}

static void read_parts(const char *boundary, const char *body)
{
	size_t len, all = strlen(body);
	const char *part = sip_multipart_find(boundary, "application/sdp", body, all, &len);

	check(part ? len && part >= body && part + len <= body + all : !len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text, *second;

	if (!size)
		return 0;
	text = calloc(1, size);
	if (!text)
		return 0;
	memcpy(text, data + 1, size - 1);
	second = strchr(text, '\n');
	if (second)
		*second++ = '\0';
	else
		second = text + strlen(text);
	switch (data[0] % 4) {
	case 0: read_info(text, second); break;
	case 1: read_route(text, second); break;
	case 2: read_number(text); break;
	default: read_parts(text, second);
	}
	free(text);
	return 0;
}
