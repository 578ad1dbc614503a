/* One live stream as HTTP Live Streaming (RFC 8216bis): answers what players, CDNs and
 * proxies ask for, from memory.
 *
 *   index.m3u8        the multivariant playlist: what there is
 *   ID/live.m3u8      the playlist; a request with _HLS_msn waits for what it names
 *   ID/map-1.mp4, ID/12.m4s, ID/12.3.m4s    sections, segments, parts: never change
 *
 * ID is made of random bits, so that whoever knows it has been given a playlist. A
 * request that waits is answered when what it is for has come, and after three target
 * durations in any case (503). CTL. */
#ifndef MCU_SIGNALING_HLS_H
#define MCU_SIGNALING_HLS_H

#include "mcu/base/clock.h"
#include "mcu/base/role.h"
#include "signaling/hls_window.h"
#include "signaling/server.h"

struct hls;

enum { HLS_ID_CHARS = 32 };

struct hls_cfg {
	const struct clock *clock;
	struct hls_window_cfg window;
	int bandwidth_bps; /* what the multivariant playlist says */
	double fps;
	unsigned waiting_max; /* requests that may wait; 0: 2000 */
};

int hls_new(struct hls **out, const struct hls_cfg *cfg) ON_THREAD(ROLE_CTL);
/* Who waits is told that there is nothing (any more). */
void hls_free(struct hls **h) ON_THREAD(ROLE_CTL);

const char *hls_id(const struct hls *h) ON_THREAD(ROLE_CTL);

/* What the stream is from here on, and its initialisation section. Copied. */
void hls_set_picture(struct hls *h, const char *codecs, unsigned width, unsigned height,
		     const void *map, size_t len) ON_THREAD(ROLE_CTL);
/* Answers those who waited for it. */
void hls_add_part(struct hls *h, const struct hls_part *p) ON_THREAD(ROLE_CTL);
/* No more comes: what is there can still be asked for. */
void hls_end(struct hls *h) ON_THREAD(ROLE_CTL);
/* Now and then: who has waited too long. */
void hls_tick(struct hls *h) ON_THREAD(ROLE_CTL);

/* Takes the request. key: what the playlist's addresses carry on, a text that needs no
 * escapes; NULL: nothing. */
void hls_serve_index(struct hls *h, struct http_req *req, const char *key) ON_THREAD(ROLE_CTL);
/* A file below ID. */
void hls_serve(struct hls *h, struct http_req *req, const char *file) ON_THREAD(ROLE_CTL);

/* For players on pages of other origins, and answers that are not kept. */
void hls_allow_origins(struct http_req *req) ON_THREAD(ROLE_CTL);

int64_t hls_asked_ns(const struct hls *h) ON_THREAD(ROLE_CTL); /* the last time */
struct hls_counts {
	size_t waiting, bytes;
	uint64_t requests;
};
void hls_get_counts(const struct hls *h, struct hls_counts *out) ON_THREAD(ROLE_CTL);

#endif
