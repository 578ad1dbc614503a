/* The words of recording, in messages, the API and rules of rooms. */
#include "signaling/protocol.h"

#include <string.h>

static const char *const right_names[] = {
	[RECORD_BY_HOSTS] = "hosts", [RECORD_BY_ALL] = "all", [RECORD_BY_NOBODY] = "nobody",
	[RECORD_AUTO] = "auto",
};

const char *record_right_name(enum record_right r)
{
	return r >= RECORD_BY_HOSTS && r <= RECORD_AUTO ? right_names[r] : "hosts";
}

enum record_right record_right_parse(const char *name)
{
	for (enum record_right r = RECORD_BY_HOSTS; r <= RECORD_AUTO; r++)
		if (!strcmp(name, right_names[r]))
			return r;
	return 0;
}

enum record_action record_action_parse(const char *name)
{
	static const char *const names[] = {
		[RECORD_START] = "start", [RECORD_STOP] = "stop", [RECORD_PAUSE] = "pause",
		[RECORD_RESUME] = "resume",
	};

	for (enum record_action a = RECORD_START; a <= RECORD_RESUME; a++)
		if (!strcmp(name, names[a]))
			return a;
	return 0;
}

enum record_container record_container_parse(const char *name)
{
	return !strcmp(name, "mp4") ? RECORD_MP4 : !strcmp(name, "mkv") ? RECORD_MKV : 0;
}

enum record_sound record_sound_parse(const char *name)
{
	return !strcmp(name, "aac") ? RECORD_AAC : !strcmp(name, "opus") ? RECORD_OPUS : 0;
}

const char *recording_event_name(enum recording_event_state s)
{
	static const char *const names[] = { "off", "on", "finishing", "ready", "failed", "paused" };

	return names[(unsigned)s <= RECORDING_IS_PAUSED ? s : RECORDING_IS_OFF];
}
