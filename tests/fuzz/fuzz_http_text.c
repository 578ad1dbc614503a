/* What HTTP requests say in their lines and headers, on any octets: the first octet
 * chooses the reader, the rest is its text. Routes are the server's own kinds. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/http_text.h"
#include "signaling/utf8.h"

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void on_param(void *obj, const char *name, size_t name_len, const char *value,
		     size_t value_len)
{
	const char *path = obj;

	check(name_len > 0 && name);
	check(value >= path && value + value_len <= path + strlen(path));
}

static void read_path(char *text)
{
	static const char *const patterns[] = {
		"/", "/*", "/api/v1/rooms/:room", "/api/v1/rooms/:room/invitations/:id",
		"/recordings/:name", "/whip/:room/:session", "/:a/:b/*",
	};

	for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
		http_pattern_match(patterns[i], text, on_param, text);
	if (http_path_safe(text))
		check(*text == '/' && !strstr(text, "/.") && !strstr(text, "//") && !strchr(text, '\\'));
	check(http_mime_type(text)[0]);
}

static void read_range(const char *text)
{
	static const uint64_t sizes[] = { 0, 1, 1000, UINT64_MAX };

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		uint64_t first = 1, last = 0;

		if (http_range_parse(text, sizes[i], &first, &last) == HTTP_RANGE_OK)
			check(first <= last && last < sizes[i]);
	}
}

static void read_auth(const char *text)
{
	const char *token = http_auth_bearer(text), *password = NULL;
	char name[64];

	check(!token || (token >= text && token <= text + strlen(text)));
	if (http_auth_basic(text, name, sizeof name, &password))
		check(!strchr(name, ':') && password > name && password < name + sizeof name &&
		      strlen(name) + strlen(password) < sizeof name - 1);
	else
		check(!name[0]);
}

static void write_disposition(const char *text)
{
	char out[200];

	for (size_t cap = 64; cap <= sizeof out; cap += 17) {
		memset(out, 'x', sizeof out);
		http_disposition(out, cap, text);
		check(memchr(out, 0, cap));
		for (const char *p = out; *p; p++)
			check((unsigned char)*p >= 0x20 && (unsigned char)*p < 0x7f);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (!size)
		return 0;
	text = malloc(size);
	if (!text)
		return 0;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = 0;
	switch (data[0] % 6) {
	case 0: read_path(text); break;
	case 1: read_range(text); break;
	case 2:
		http_etag_in(text, "\"1f-16\"");
		http_accepts_gzip(text);
		break;
	case 3: read_auth(text); break;
	case 4: write_disposition(text); break;
	default:
		if (utf8_valid(text))
			check(utf8_length(text) <= strlen(text));
	}
	free(text);
	return 0;
}
