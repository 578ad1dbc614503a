#include "signaling/sdp_log.h"

#include <string.h>

static const char *const secrets[] = { "a=ice-pwd:", "a=crypto:" };

/* How much of a line is shown. */
static size_t shown(const char *line, size_t len)
{
	for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++) {
		size_t n = strlen(secrets[i]);
		if (len > n && !memcmp(line, secrets[i], n))
			return n;
	}
	return len;
}

/* Length without the end of the line; *with: with it. */
static size_t line_length(const char *text, size_t len, size_t *with)
{
	const char *end = memchr(text, '\n', len);
	size_t n = end ? (size_t)(end - text) : len;

	*with = n + (end != NULL);
	return n && text[n - 1] == '\r' ? n - 1 : n;
}

size_t sdp_log_line(char out[SDP_LOG_BYTES], const char *text, size_t len)
{
	size_t at = 0, taken = 0, with;

	while (taken < len) {
		size_t n = line_length(text + taken, len - taken, &with);
		size_t show = shown(text + taken, n);
		size_t gap = at ? 3 : 0, room = SDP_LOG_BYTES - 1 - at;

		if (show != n)
			n = show + 3;
		if (at && gap + n > room)
			break;
		if (n > room) /* longer than a log line: cut */
			show = room;
		memcpy(out + at, " | ", gap);
		memcpy(out + at + gap, text + taken, show);
		at += gap + show;
		if (show != n && n <= room) {
			memcpy(out + at, "...", 3);
			at += 3;
		}
		taken += with;
	}
	out[at] = 0;
	return taken;
}

void sdp_log(const struct log_ctx *ctx, const char *what, const char *text, size_t len)
{
	char line[SDP_LOG_BYTES];

	if (log_get_level() < LOG_DEBUG)
		return;
	/* no limit of the call site: a description is one thing, in several lines */
	for (size_t n; (n = sdp_log_line(line, text, len)); text += n, len -= n)
		log_line(LOG_DEBUG, NULL, ctx, "%s: %s", what, line);
}
