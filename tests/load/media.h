/* Encoded media in memory, cut into what one packet or one access unit is. */
#ifndef TESTS_LOAD_MEDIA_H
#define TESTS_LOAD_MEDIA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MEDIA_AUDIO_TICKS = 960 }; /* per packet: 20 ms at 48 kHz */

struct media_unit {
	uint8_t *data;
	size_t len;
	bool key;      /* holds an IDR; audio: always */
	uint8_t level; /* audio: -dBov, RFC 6464 */
	bool marked;   /* audio: a burst starts; video: the picture flips */
	bool bright;   /* video with marks: to white, not to black */
};

struct media {
	struct media_unit *unit;
	size_t units;
	int width, height;	   /* video from a file */
	const struct media *other; /* the same in another size; NULL: no more */
};

/* Annex B (one slice or more per picture) or Ogg Opus with 20 ms packets; the
 * file is kept and shared by all who ask for the same path. Ends the program
 * when it cannot be read. */
const struct media *media_load_video(const char *path);
const struct media *media_load_audio(const char *path);

/* The smaller sizes beside a file: cam0.h264 may have cam0-320x180.h264. */
void media_load_sizes(const char *path);
/* Of m and those, the largest that needs no more than width x height; the
 * smallest when none does. */
const struct media *media_fit(const struct media *m, int width, int height);

/* A microphone in a quiet room: faint noise, 20 ms packets. */
const struct media *media_make_quiet(void);

/* Made on the spot for latency probes, in a loop of one burst or flip per
 * sender: `turn` of `turns` says whose this is. Units that start one are
 * marked, by decoding them. */
const struct media *media_make_flips(unsigned turn, unsigned turns);
const struct media *media_make_bursts(unsigned turn, unsigned turns);

void media_free_all(void);

#endif
