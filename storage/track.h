/* Isolated tracks of a recording: what one participant sends, as it was received, in
 * Matroska files (mkv.h) beside the recording's own and on its time line, so that all of
 * them line up. Nothing is decoded.
 *
 *   NET ── track_picture, track_sound ──► byte rings ─► volume thread ──► files
 *
 * A file has one format of pictures and one of sound. When another comes (a codec, a size,
 * or sound where there was none) the next part begins, in a file of its own; the first
 * waits TRACK_LOOK_MS for both, and for a key frame TRACK_KEY_MS. What is received in a
 * pause of the recording or before its beginning is left out; when nothing is received
 * there is a gap.
 *
 * Drop policy: what a full ring does not take is dropped and counted
 * (mcu_track_dropped_total), pictures up to the next key frame. Octets are forced to the
 * disk every TRACK_SYNC_MS, less often where all tracks would take a quarter of the thread's
 * time for it; a file is valid up to its last cluster (TRACK_CLUSTER_MS) at every moment.
 *
 * Owner: whoever called track_start (CTL). */
#ifndef MCU_STORAGE_TRACK_H
#define MCU_STORAGE_TRACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/codec.h"
#include "mcu/base/err.h"
#include "mcu/base/mbox.h"
#include "storage/recordings.h"
#include "storage/timeline.h"
#include "storage/volume.h"

enum {
	TRACK_LOOK_MS = 1000,
	TRACK_KEY_MS = 4000,
	TRACK_CLUSTER_MS = 250,
	TRACK_SYNC_MS = 1000,
	TRACK_SYNC_MAX_MS = 5000, /* of many tracks on a slow disk */
	TRACK_SIZE_MAX = 8191, /* of a picture's side */
	TRACK_PARTS_MAX = 200, /* files; with more, a sender would fill the folder */
	TRACK_STALE_MS = 2000, /* so long is kept what comes before the recording begins */
};

struct track;

/* A file of it; its row is the owner's. */
struct track_part {
	int64_t id; /* of the row it shall have */
	char path[RECORDING_PATH_MAX + 1];
	enum codec picture, sound; /* CODEC_NONE: it has none */
	unsigned width, height;
	/* of part_ended */
	int64_t bytes, duration_ms; /* the duration is from the recording's beginning */
	bool failed;
	struct errmsg why;
};

struct track_result {
	uint64_t dropped_pictures, dropped_sound;
};

/* In mbox. For each part begun and then ended, both once; over is the last of all. */
struct track_events {
	struct mbox *mbox; /* borrowed until over */
	void *obj;
	void (*begun)(void *obj, const struct track_part *p);
	void (*ended)(void *obj, const struct track_part *p);
	void (*over)(void *obj, const struct track_result *r);
};

struct track_cfg {
	const char *room;   /* of the paths (repository_path_as), copied; and when */
	int64_t started_ms; /* the recording began */
	const struct timeline_view *view; /* the recording's; borrowed until over */
	size_t picture_ring_bytes, sound_ring_bytes; /* powers of two; 0: it has none of that */
};

/* 0, -EINVAL, -ENOMEM, -EAGAIN (the volume's mailbox is full). Any thread. */
int track_start(struct track **out, struct volume *v, const struct track_cfg *cfg,
		const struct track_events *ev);
/* Takes it; nobody may call track_picture and track_sound any more. What is in the rings is
 * written, the file finished. Any thread. */
void track_stop(struct track **t);

/* A complete access unit (H.264: Annex B), of this codec and size. at_ns: media clock,
 * larger than the one before. True: a key frame is needed. Borrowed for the call; neither
 * allocates nor waits. One thread at a time. */
bool track_picture(struct track *t, enum codec c, unsigned width, unsigned height,
		   const uint8_t *au, size_t len, int64_t at_ns, bool key);
void track_sound(struct track *t, enum codec c, const uint8_t *p, size_t len, int64_t at_ns);

#endif
