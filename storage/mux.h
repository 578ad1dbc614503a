/* From packets with media-clock times to the samples of one recording's file:
 * where it starts, which packets fit, when a fragment is written and when it is
 * forced to the disk. Synchronous. Owner: a recorder. ROLE_STO.
 *
 * The movie's zero is the first key frame (where only sound is recorded, the first
 * packet). Every time stamp is computed from its distance to that zero, less what was
 * paused, and never by adding durations, so sound and picture cannot drift apart,
 * whatever was dropped between. */
#ifndef MCU_STORAGE_MUX_H
#define MCU_STORAGE_MUX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mux;
struct timeline;

struct mux_cfg {
	bool matroska;		     /* otherwise MP4 */
	int fps;                     /* nominal; 0: sound alone */
	bool opus;		     /* the sound is Opus, in packets of 20 ms; otherwise AAC */
	const uint8_t *aac_config;   /* copied */
	size_t aac_config_len;       /* 0: no sound, unless it is Opus */
	int sample_rate, channels, priming_samples;
	int64_t fragment_ns, sync_ns;
	int64_t created_wall_ns;
};

/* Sound that begins so little before the movie begins with it. */
enum { MUX_BEFORE_NS = 2000000 };

enum mux_result {
	MUX_TAKEN,
	MUX_EARLY,   /* before the movie's zero, or in a pause */
	MUX_DROPPED, /* does not fit */
};

/* fd: an empty file, taken in any case. 0, -EINVAL, -ENOMEM. */
int mux_new(struct mux **out, int fd, const struct mux_cfg *cfg);
/* Closes the file as it is. */
void mux_free(struct mux **m);

/* An access unit in Annex B form. After a drop everything is dropped up to the
 * next key frame. One of another size than the first keeps its parameter sets. A
 * mux_result, or -errno of the file. */
int mux_video(struct mux *m, const uint8_t *au, size_t len, int64_t pts_ns, bool key);
int mux_audio(struct mux *m, const uint8_t *frame, size_t len, int64_t pts_ns);
bool mux_started(const struct mux *m);
/* The next key frame decides from where on sound is taken. */
bool mux_waits(const struct mux *m);

/* Media time from when on nothing is taken, and goes on (timeline.h). */
void mux_pause(struct mux *m, int64_t at_ns);
void mux_resume(struct mux *m, int64_t at_ns);
const struct timeline *mux_line(const struct mux *m);

/* Writes a fragment whose first sample was taken fragment_ns ago by this clock,
 * and forces the file to the disk when it is time. 0 or -errno. */
int mux_tick(struct mux *m, int64_t now_ns);
/* Writes what waits. 0 or -errno. */
int mux_flush(struct mux *m);
/* Writes everything and completes the file. -ENODATA: there is nothing in
 * it. -errno: it was not completed; it is a readable fragmented one. */
int mux_finish(struct mux *m);
/* After an error: gives up what could not be written, completes the file if the
 * disk lets it. */
void mux_abandon(struct mux *m);

uint64_t mux_bytes(const struct mux *m);
int64_t mux_duration_ms(const struct mux *m);

#endif
