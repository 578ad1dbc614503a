/* What comes in an address of a recording, of any octets: links that we did not sign open
 * nothing, no path leads out of the repository, and a range is inside the file. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mcu/links.h"
#include "signaling/http_text.h"
#include "storage/repository.h"

static const char key[LINK_SECRET_LEN + 1] =
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
static const struct recording_row row = { .id = 77, .token = "00112233445566778899aabbccddeeff" };

static void check(int ok)
{
	if (!ok)
		abort();
}

/* One that we signed, with some octets changed: good only when nothing was, but for
 * zeros before the time. */
static void changed(const uint8_t *data, size_t size)
{
	char text[LINK_LEN + 1], before[LINK_LEN + 1];
	size_t n;

	link_write(text, key, &row, 5000);
	memcpy(before, text, sizeof text);
	n = strlen(text);
	for (size_t i = 0; i + 1 < size; i += 2)
		text[data[i] % n] = data[i + 1] ? (char)data[i + 1] : 'A';
	check((link_check(text, key, &row, 1) == 0) == !strcmp(text, before));
}

static void path(const char *text)
{
	char part[RECORDING_PATH_MAX + 1], room[RECORDING_PATH_MAX + 1];
	int64_t started_ms, id;

	if (repository_path_valid(text)) {
		check(!strncmp(text, "recordings/", 11) && !strstr(text, "/.."));
		check(repository_path_parse(text, &started_ms, &id) && id > 0);
		if (!repository_part_path(part, text, RECORDING_CHAPTERS))
			check(!strncmp(part, "recordings/", 11) && !strstr(part, "/.."));
	}
	/* whatever a room is called */
	check(repository_path(room, text, 1711974896000, 77) == 0);
	check(repository_path_valid(room));
}

static void range(const char *text, uint64_t size)
{
	uint64_t first = 0, last = 0;

	if (http_range_parse(text, size, &first, &last) == HTTP_RANGE_OK)
		check(first <= last && last < size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *bytes = malloc(size + 7);

	if (!text || !bytes)
		abort();
	memcpy(text, data, size);
	text[size] = 0;
	memcpy(bytes, "bytes=", 6);
	memcpy(bytes + 6, text, size + 1);
	check(link_check(text, key, &row, 1) != 0);
	changed(data, size);
	path(text);
	for (uint64_t n = 0; n < 3; n++) {
		range(text, n);
		range(bytes, n * 1000);
	}
	range(bytes, UINT64_MAX);
	free(bytes);
	free(text);
	return 0;
}
