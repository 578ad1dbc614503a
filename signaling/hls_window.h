/* The end of a live stream, in memory: its last segments and their parts, and the
 * playlist that names them (RFC 8216bis: HLS with low latency). What falls out of the
 * window is forgotten; so is the oldest where it has more octets than it may. Pure:
 * no clock, no sockets. Owner: struct hls; one thread. */
#ifndef MCU_SIGNALING_HLS_WINDOW_H
#define MCU_SIGNALING_HLS_WINDOW_H

#include <glib.h>

#include "signaling/hls_ask.h"

struct hls_window;

struct hls_window_cfg {
	int64_t part_ns;   /* no part is longer */
	int target_s;	   /* nor any segment, rounded */
	int64_t window_ns; /* of the segments that the playlist names */
	size_t bytes_max;
};

/* A part as it is added; data is copied. */
struct hls_part {
	const void *data;
	size_t len;
	int64_t duration_ns;
	int64_t wall_ns; /* when it began, since 1970 */
	bool independent, first, last, breaks;
};

enum hls_ready { HLS_READY = 1, HLS_WAIT, HLS_BAD, HLS_GONE };

int hls_window_new(struct hls_window **out, const struct hls_window_cfg *cfg);
void hls_window_free(struct hls_window **w);

/* The initialisation section of what follows. Copied. */
void hls_window_add_map(struct hls_window *w, const void *data, size_t len);
/* Nothing is taken before the first part of a segment. */
void hls_window_add_part(struct hls_window *w, const struct hls_part *p);
/* No more comes. */
void hls_window_end(struct hls_window *w);
bool hls_window_ended(const struct hls_window *w);

/* Whether the playlist that is asked for is there. A plain one is with its first whole
 * segment. HLS_BAD: it is too far ahead. */
enum hls_ready hls_window_ready(const struct hls_window *w, const struct hls_ask *ask);
/* Appends it. */
void hls_window_playlist(const struct hls_window *w, const struct hls_ask *ask, GString *out);
/* A file; *out is borrowed until something is added. HLS_WAIT: it is the part that
 * comes next. HLS_GONE: not (any more) there. */
enum hls_ready hls_window_file(const struct hls_window *w, enum hls_file kind, uint64_t number,
			       uint64_t part, GBytes **out);

size_t hls_window_bytes(const struct hls_window *w);

#endif
