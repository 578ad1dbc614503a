/* Reads a stored recording for whoever plays it: samples in order of time from any place
 * on, or key frames alone, forwards and backwards. Formats: what libavformat knows of ours
 * (MP4, also in fragments, and Matroska; H.264, AAC, Opus), with an index in the file. The
 * file stays the same one while it is open, also when another takes its name. ROLE_STO. */
#ifndef MCU_STORAGE_PLAYER_H
#define MCU_STORAGE_PLAYER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/codec.h"
#include "mcu/base/role.h"

struct player;

enum player_track_no { PLAYER_AUDIO, PLAYER_VIDEO, PLAYER_TRACKS };
enum { PLAYER_CONFIG_MAX = 1024 };

struct player_track {
	bool there;
	enum codec codec;
	unsigned clock_hz, channels; /* clock of RTP: 90,000; of sound its rate */
	/* H.264: SPS and PPS in Annex B; AAC: AudioSpecificConfig */
	uint8_t config[PLAYER_CONFIG_MAX];
	size_t config_len;
};

struct player_info {
	int64_t duration_ns;
	struct player_track track[PLAYER_TRACKS];
};

struct player_sample {
	enum player_track_no track;
	int64_t npt_ns; /* when it is shown, from the beginning */
	bool key;
	bool lead; /* before the place that was sought: to be decoded and not to be shown */
	const uint8_t *data; /* until the next call; H.264 in Annex B */
	size_t len;
};

/* path: of a file of ours. 0; -EBADMSG: nothing in it can be played; -errno. */
int player_open(struct player **out, const char *path) ON_THREAD(ROLE_STO);
void player_close(struct player **p) ON_THREAD(ROLE_STO);
const struct player_info *player_get_info(const struct player *p);
/* What follows begins there. scale 1: everything, with the pictures from the key frame
 * before it as lead; other: pictures' key frames alone, from the one before it on (scale
 * below 0: backwards from it). 0 or -errno. */
int player_seek(struct player *p, int64_t npt_ns, int scale) ON_THREAD(ROLE_STO);
/* 1; 0: the end, or the beginning backwards; -errno. */
int player_next(struct player *p, struct player_sample *out) ON_THREAD(ROLE_STO);

#endif
