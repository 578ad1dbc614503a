/* What is in front of a Matroska file's clusters and, at last, behind them: shared by
 * those that write and those that repair. Pure but for mkv_complete. ROLE_STO. */
#ifndef MCU_STORAGE_MKV_HEAD_H
#define MCU_STORAGE_MKV_HEAD_H

#include "storage/ebml.h"
#include "storage/mkv.h"

enum {
	MKV_EBML = 0x1a45dfa3,
	MKV_SEGMENT = 0x18538067,
	MKV_INFO = 0x1549a966,
	MKV_TRACK_LIST = 0x1654ae6b,
	MKV_CLUSTER = 0x1f43b675,
	MKV_CUES = 0x1c53bb6b,
	MKV_TIMESTAMP = 0xe7,
	MKV_SIMPLE_BLOCK = 0xa3,
	MKV_VOID = 0xec,
	MKV_TIMESTAMP_OCTETS = 17,
	MKV_FRAME_MS = 20, /* that the last frame lasts, about */
	MKV_CUE_MS = 5000, /* where there are no key frames */
};

struct mkv_head {
	struct mp4_out bytes; /* all of it */
	/* offsets: of the segment's size, its first octet, the room for the index of what is
	 * where, the one for the duration, and the two lists */
	size_t size_at, data_at, seek_at, duration_at, info_at, tracks_at;
	size_t n_tracks;
	bool is_picture[MKV_TRACKS];
	int64_t frame_ns[MKV_TRACKS]; /* of mkv_track */
};

struct mkv_cue {
	int64_t ms;
	uint64_t at; /* from data_at */
};

struct mkv_cues {
	struct mkv_cue *v;
	size_t n, cap;
	int64_t last_ms;
	bool failed; /* out of memory: some are missing, which only makes seeking slow */
};

void mkv_head_put(struct mkv_head *h, const struct mkv_track *t, size_t n,
		  int64_t created_wall_ns);
/* Of a file of ours: takes its first octets. False: it is none. */
bool mkv_head_read(struct mkv_head *h, const uint8_t *p, size_t len);
void mkv_head_free(struct mkv_head *h);

/* key: a player may start there. */
void mkv_cues_add(struct mkv_cues *c, int64_t ms, uint64_t at, bool key);
void mkv_cues_free(struct mkv_cues *c);

/* Appends the cues at *end, which moves, and says in the head what is where. */
int mkv_complete(int fd, struct mkv_head *h, const struct mkv_cues *c, uint64_t *end,
		 int64_t duration_ms);

#endif
