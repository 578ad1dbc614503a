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
};

/* Annex B (one slice or more per picture) or Ogg Opus with 20 ms packets; the
 * file is kept and shared by all who ask for the same path. Ends the program
 * when it cannot be read. */
const struct media *media_load_video(const char *path);
const struct media *media_load_audio(const char *path);

/* Made on the spot for latency probes, in a loop of one burst or flip per
 * sender: `turn` of `turns` says whose this is. Units that start one are
 * marked, by decoding them. */
const struct media *media_make_flips(unsigned turn, unsigned turns);
const struct media *media_make_bursts(unsigned turn, unsigned turns);

void media_free_all(void);

#endif
