/* What a client of a live stream asks for: the names of its files, and the delivery
 * directives of a playlist's query (RFC 8216bis, 6.2.5). Pure. */
#ifndef MCU_SIGNALING_HLS_ASK_H
#define MCU_SIGNALING_HLS_ASK_H

#include <stdbool.h>
#include <stdint.h>

enum hls_file { HLS_NONE, HLS_PLAYLIST, HLS_MAP, HLS_SEGMENT, HLS_PART };

/* "live.m3u8", "map-1.mp4", "12.m4s", "12.3.m4s": only as we write them. number: of the
 * map or the segment. */
enum hls_file hls_file_parse(const char *name, uint64_t *number, uint64_t *part);

struct hls_ask {
	bool has_msn, has_part, skip;
	uint64_t msn, part;
};

/* The values of _HLS_msn, _HLS_part and _HLS_skip; NULL: absent. 0 or -EINVAL. */
int hls_ask_parse(struct hls_ask *out, const char *msn, const char *part, const char *skip);

#endif
