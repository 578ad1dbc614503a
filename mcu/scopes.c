#include "mcu/scopes.h"

#include <stdio.h>
#include <string.h>

static const char *const names[SCOPE_COUNT] = {
	[SCOPE_ROOMS_READ] = "rooms:read",
	[SCOPE_ROOMS_WRITE] = "rooms:write",
	[SCOPE_RECORDINGS_READ] = "recordings:read",
	[SCOPE_RECORDINGS_WRITE] = "recordings:write",
	[SCOPE_USERS_READ] = "users:read",
	[SCOPE_USERS_WRITE] = "users:write",
	[SCOPE_STATS_READ] = "stats:read",
	[SCOPE_CALLS_READ] = "calls:read",
	[SCOPE_CALLS_DIAL] = "calls:dial",
	[SCOPE_PLAYBACK] = "playback",
	[SCOPE_BROADCAST] = "broadcast",
	[SCOPE_SERVER_READ] = "server:read",
	[SCOPE_SERVER_WRITE] = "server:write",
	[SCOPE_JOIN] = "join",
};

const char *scope_name(enum scope s)
{
	return s < SCOPE_COUNT ? names[s] : NULL;
}

bool scopes_add(uint32_t *mask, const char *word)
{
	size_t n = strlen(word), family = n >= 2 && !strcmp(word + n - 2, ":*") ? n - 1 : 0;
	bool known = false;

	for (unsigned i = 0; i < SCOPE_COUNT; i++) {
		if (!names[i] || !(!strcmp(word, "*") || !strcmp(word, names[i]) ||
				   (family && !strncmp(word, names[i], family))))
			continue;
		*mask |= 1U << i;
		known = true;
	}
	return known;
}

void scopes_write(char out[SCOPES_TEXT_MAX], uint32_t mask)
{
	size_t n = 0;

	out[0] = 0;
	for (unsigned i = 0; i < SCOPE_COUNT; i++)
		if (names[i] && mask & 1U << i)
			n += (size_t)snprintf(out + n, SCOPES_TEXT_MAX - n, "%s%s", n ? " " : "", names[i]);
}

uint32_t scopes_read(const char *text)
{
	uint32_t mask = 0;

	while (*text) {
		size_t n = strcspn(text, " ");
		char word[32];

		if (n && n < sizeof word) {
			snprintf(word, sizeof word, "%.*s", (int)n, text);
			(void)scopes_add(&mask, word);
		}
		text += n;
		text += strspn(text, " ");
	}
	return mask;
}

/* --- routes ------------------------------------------------------------------ */

/* The first row that fits holds: for its path and all below, where ":x" is any variable
 * part. read: of GET; write: of the others. */
static const struct row {
	const char *path;
	enum scope read, write;
} rows[] = {
	{ "/healthz", SCOPE_PUBLIC, SCOPE_UNKNOWN },
	{ "/metrics", SCOPE_STATS_READ, SCOPE_UNKNOWN },
	{ "/api/v1/server", SCOPE_PUBLIC, SCOPE_UNKNOWN },
	{ "/api/v1/openapi.yaml", SCOPE_PUBLIC, SCOPE_UNKNOWN },
	{ "/api/v1/login", SCOPE_UNKNOWN, SCOPE_PUBLIC },
	{ "/api/v1/logout", SCOPE_UNKNOWN, SCOPE_SIGN_IN },
	{ "/api/v1/me/password", SCOPE_UNKNOWN, SCOPE_SIGN_IN },
	{ "/api/v1/me", SCOPE_ANY, SCOPE_SIGN_IN },
	{ "/api/v1/tokens", SCOPE_SIGN_IN, SCOPE_SIGN_IN },
	{ "/api/v1/users", SCOPE_USERS_READ, SCOPE_USERS_WRITE },
	{ "/api/v1/rooms/:/legs/:/capture", SCOPE_SERVER_READ, SCOPE_SERVER_WRITE },
	{ "/api/v1/rooms/:/recordings", SCOPE_RECORDINGS_READ, SCOPE_RECORDINGS_WRITE },
	{ "/api/v1/rooms/:/recording-rules", SCOPE_RECORDINGS_READ, SCOPE_RECORDINGS_WRITE },
	{ "/api/v1/rooms/:/recording", SCOPE_RECORDINGS_READ, SCOPE_RECORDINGS_WRITE },
	{ "/api/v1/rooms/:/calls", SCOPE_CALLS_READ, SCOPE_UNKNOWN },
	{ "/api/v1/rooms/:/dial", SCOPE_CALLS_READ, SCOPE_CALLS_DIAL },
	{ "/api/v1/rooms/:/sessions", SCOPE_STATS_READ, SCOPE_UNKNOWN },
	{ "/api/v1/rooms/:/statistics", SCOPE_STATS_READ, SCOPE_UNKNOWN },
	{ "/api/v1/rooms/:/playbacks", SCOPE_PLAYBACK, SCOPE_PLAYBACK },
	{ "/api/v1/rooms/:/uploads", SCOPE_PLAYBACK, SCOPE_PLAYBACK },
	{ "/api/v1/rooms/:/broadcasts", SCOPE_BROADCAST, SCOPE_BROADCAST },
	{ "/api/v1/rooms/:/broadcast", SCOPE_BROADCAST, SCOPE_BROADCAST },
	{ "/api/v1/rooms/:/pushes", SCOPE_BROADCAST, SCOPE_BROADCAST },
	{ "/api/v1/rooms", SCOPE_ROOMS_READ, SCOPE_ROOMS_WRITE },
	{ "/api/v1/templates", SCOPE_ROOMS_READ, SCOPE_ROOMS_WRITE },
	{ "/api/v1/schedules", SCOPE_ROOMS_READ, SCOPE_ROOMS_WRITE },
	{ "/api/v1/recordings", SCOPE_RECORDINGS_READ, SCOPE_RECORDINGS_WRITE },
	{ "/api/v1/recording-cleanup", SCOPE_SERVER_READ, SCOPE_SERVER_WRITE },
	{ "/api/v1/uploads", SCOPE_PLAYBACK, SCOPE_PLAYBACK },
	{ "/api/v1/playbacks", SCOPE_PLAYBACK, SCOPE_PLAYBACK },
	{ "/api/v1/broadcasts", SCOPE_BROADCAST, SCOPE_BROADCAST },
	{ "/api/v1/calls", SCOPE_CALLS_READ, SCOPE_UNKNOWN },
	{ "/api/v1/sessions", SCOPE_STATS_READ, SCOPE_UNKNOWN },
	{ "/api/v1/participants", SCOPE_STATS_READ, SCOPE_UNKNOWN },
	{ "/api/v1/statistics", SCOPE_STATS_READ, SCOPE_UNKNOWN },
	{ "/api/v1/audit", SCOPE_SERVER_READ, SCOPE_UNKNOWN },
	{ "/api/v1/captures", SCOPE_SERVER_READ, SCOPE_SERVER_WRITE },
	{ "/api/v1/trunks", SCOPE_SERVER_READ, SCOPE_SERVER_WRITE },
	/* by a link's own secret, or by what a room asks of who joins */
	{ "/recordings", SCOPE_PUBLIC, SCOPE_UNKNOWN },
	{ "/hls", SCOPE_PUBLIC, SCOPE_UNKNOWN },
	{ "/watch", SCOPE_PUBLIC, SCOPE_UNKNOWN },
	{ "/live", SCOPE_PUBLIC, SCOPE_UNKNOWN },
	{ "/whip", SCOPE_PUBLIC, SCOPE_PUBLIC },
	{ "/whep", SCOPE_PUBLIC, SCOPE_PUBLIC },
};

/* Whether the pattern is path, or below it. */
static bool is_below(const char *pattern, const char *path)
{
	while (*path) {
		if (*path != *pattern)
			return false;
		if (*path++ == ':')
			pattern += strcspn(pattern, "/");
		else
			pattern++;
	}
	return !*pattern || *pattern == '/';
}

enum scope scope_of_route(const char *method, const char *pattern)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (is_below(pattern, rows[i].path))
			return !strcmp(method, "GET") || !strcmp(method, "HEAD") ||
					       !strcmp(method, "OPTIONS") ?
				       rows[i].read : rows[i].write;
	return SCOPE_UNKNOWN;
}
