/* What clients of a live stream ask for, on any octets: a file's name, or the three
 * values of a playlist's query, one per line. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/hls_ask.h"

static void check(bool ok)
{
	if (!ok)
		abort();
}

/* Whatever is taken for a name is one that we write. */
static void read_name(const char *text)
{
	uint64_t number, part;
	char again[64] = "";

	switch (hls_file_parse(text, &number, &part)) {
	case HLS_PLAYLIST: snprintf(again, sizeof again, "live.m3u8"); break;
	case HLS_MAP: snprintf(again, sizeof again, "map-%llu.mp4", (unsigned long long)number); break;
	case HLS_SEGMENT: snprintf(again, sizeof again, "%llu.m4s", (unsigned long long)number); break;
	case HLS_PART:
		snprintf(again, sizeof again, "%llu.%llu.m4s", (unsigned long long)number,
			 (unsigned long long)part);
		break;
	default: return;
	}
	check(!strcmp(text, again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char text[128], *rest = text, *line[3];
	struct hls_ask ask;

	if (len >= sizeof text)
		return 0;
	memcpy(text, data, len);
	text[len] = 0;
	read_name(text);
	for (int i = 0; i < 3; i++)
		line[i] = strsep(&rest, "\n");
	if (!hls_ask_parse(&ask, line[0], line[1], line[2]))
		check(ask.has_msn == !!line[0] && ask.msn < UINT64_C(1000000000000000));
	return 0;
}
