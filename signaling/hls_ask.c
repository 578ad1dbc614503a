#include "signaling/hls_ask.h"

#include <errno.h>
#include <string.h>

enum { DIGITS_MAX = 15 };

/* Digits without leading zeros, up to the character end. NULL: it is something else. */
static const char *take_number(const char *p, char end, uint64_t *out)
{
	size_t n = strspn(p, "0123456789");

	if (!n || n > DIGITS_MAX || (n > 1 && *p == '0') || p[n] != end)
		return NULL;
	*out = 0;
	for (size_t i = 0; i < n; i++)
		*out = *out * 10 + (uint64_t)(p[i] - '0');
	return p + n;
}

enum hls_file hls_file_parse(const char *name, uint64_t *number, uint64_t *part)
{
	const char *p;

	*number = *part = 0;
	if (!strcmp(name, "live.m3u8"))
		return HLS_PLAYLIST;
	if (!strncmp(name, "map-", 4)) {
		p = take_number(name + 4, '.', number);
		return p && !strcmp(p, ".mp4") ? HLS_MAP : HLS_NONE;
	}
	p = take_number(name, '.', number);
	if (!p)
		return HLS_NONE;
	if (!strcmp(p, ".m4s"))
		return HLS_SEGMENT;
	p = take_number(p + 1, '.', part);
	return p && !strcmp(p, ".m4s") ? HLS_PART : HLS_NONE;
}

int hls_ask_parse(struct hls_ask *out, const char *msn, const char *part, const char *skip)
{
	*out = (struct hls_ask){ .has_msn = msn, .has_part = part };
	if ((msn && !take_number(msn, 0, &out->msn)) || (part && !take_number(part, 0, &out->part)) ||
	    (part && !msn))
		return -EINVAL;
	/* "v2" skips date ranges too, of which we have none. */
	out->skip = skip && (!strcmp(skip, "YES") || !strcmp(skip, "v2"));
	return 0;
}
