/* The command line of mcu-bot. */
#ifndef TESTS_LOAD_OPTIONS_H
#define TESTS_LOAD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/load/peer.h"

enum { OPT_MAX_LIST = 64 };

struct options {
	struct ws_url url;
	const char *room, *media, *json, *ppm, *prefix, *h264, *say, *content;
	unsigned rooms, talkers, fps; /* talkers if has_talkers; fps 0: 30 */
	unsigned max_height; /* if has_max_height; 0: sound alone */
	unsigned senders, viewers, seconds, ready_s, feedback_hz, ramp_hz, decode_every;
	unsigned storm_hz, drop_tx, drop_rx, late_tx, seed;
	double bad_after_s;
	bool has_max_height, has_talkers, adapt, stamps, text, idle;
	bool audio_only, send_only_video, no_audio, no_video, nack, no_twcc, vp8, latency, selftest,
		mini_senders, relay;
	enum sec_profile only;
	char *video[OPT_MAX_LIST], *audio[OPT_MAX_LIST];
	size_t videos, audios;
	double tones[OPT_MAX_LIST];
	size_t tones_n;
	int points[OPT_MAX_LIST][2];
	size_t points_n;
	enum peer_kind bad[OPT_MAX_LIST];
	size_t bads;
};

/* Ends the program when they make no sense. Lists point into argv. */
void options_parse(struct options *o, int argc, char **argv);

#endif
