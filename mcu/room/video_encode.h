/* One encode of a view: a format at a tier. A strand (MIXV) that encodes each
 * canvas once, packs it into one batch and posts that to every network shard and
 * to the sinks (L1). Exists exactly while it has a receiver or a sink.
 *
 * Key frames: the first picture, then on request, coalesced by a key frame gate:
 * a thousand requests in a second make a few key frames.
 *
 * A picture that does not change is not encoded: after it has stood still for
 * VIDEO_ENCODE_SETTLE_MS, or less where the encoder has made it as sharp as it
 * does, it comes only every
 * VIDEO_ENCODE_REFRESH_MS, or when a key frame is wanted. */
#ifndef MCU_ROOM_VIDEO_ENCODE_H
#define MCU_ROOM_VIDEO_ENCODE_H

#include <stdint.h>

#include "mcu/base/codec.h"
#include "mcu/base/role.h"
#include "mcu/room/engine.h"
#include "mcu/room/sink.h"
#include "mcu/room/video_leg.h"
#include "mixer/video/vframe.h"

struct video_encode;

struct video_encode_cfg {
	enum codec codec;
	int width, height, fps, bitrate_bps;
	uint32_t profile_level_id; /* H.264, RFC 6184; otherwise 0 */
	bool single_nal; /* H.264: packetization-mode 0 */
	int gop_s; /* 0: key frames on request only */
	struct work_account *account; /* whose work it is; NULL: nobody's */
};

enum {
	VIDEO_ENCODE_QUEUE = 2, /* canvases that may wait; more are dropped, counted */
	VIDEO_ENCODE_SETTLE_MS = 300,
	VIDEO_ENCODE_REFRESH_MS = 1000,
	VIDEO_ENCODE_SWITCH_MS = 2000, /* between key frames for those who change rungs */
	VIDEO_ENCODE_SOURCE_KEY_MS = 1000, /* after that long we make our own */
	VIDEO_ENCODE_NO_PASS_MS = 10000,
	VIDEO_ENCODE_NO_PASS_MOST_MS = 600000 /* where the source never fits */
};

/* A new id, unique in the process, never 0. */
int video_encode_new(struct video_encode **out, const struct engine *e,
		     const struct video_encode_cfg *cfg) ON_THREAD(ROLE_CTL);
uint32_t video_encode_id(const struct video_encode *v);
/* Its nominal rate; constant. */
int video_encode_bps(const struct video_encode *v);
/* l: borrowed until its done. Its first picture is a key frame. */
void video_encode_add_sink(struct video_encode *v, struct sink_link *l) ON_THREAD(ROLE_CTL);
void video_encode_remove_sink(struct video_encode *v, struct sink_link *l) ON_THREAD(ROLE_CTL);
/* The tick and the shards must have let go of it. Then closed(obj, NULL). */
void video_encode_close(struct video_encode *v, mbox_fn *closed, void *obj) ON_THREAD(ROLE_CTL);
void video_encode_free(struct video_encode **v) ON_THREAD(ROLE_CTL);

/* Whether it wants the canvas of generation gen at pts_ns: at its own rate, and
 * while there is something new in it. */
bool video_encode_due(struct video_encode *v, uint64_t gen, int64_t pts_ns)
	ON_THREAD(ROLE_MIXV);
/* References the canvas. pts_ns: media time, growing. */
void video_encode_frame(struct video_encode *v, struct vframe *canvas, int64_t pts_ns)
	ON_THREAD(ROLE_MIXV);
/* Passing through (passage.h): access units of a source instead of canvases. Whether
 * that may be now: not with a sink, nor with other formats than H.264, nor for a while
 * after it went wrong. */
bool video_encode_can_pass(const struct video_encode *v, int64_t pts_ns) ON_THREAD(ROLE_MIXV);
/* Whose they are from here on: what another source sends refers to nothing that the
 * receivers have, so that the passing of the one before ends. */
void video_encode_pass_from(struct video_encode *v, uint32_t source) ON_THREAD(ROLE_MIXV);
/* Begins when u fits, ends when it does not; u's reference stays the caller's. Ignored
 * until then. */
void video_encode_pass(struct video_encode *v, const struct video_leg_unit *u, int64_t pts_ns)
	ON_THREAD(ROLE_MIXV);
/* Canvases are wanted again, and the first becomes a key frame. */
void video_encode_end_passing(struct video_encode *v) ON_THREAD(ROLE_MIXV);
bool video_encode_is_passing(const struct video_encode *v) ON_THREAD(ROLE_MIXV);
/* Only a key frame of the source helps, and it is to be asked for one. Ends the passing
 * when none comes. */
bool video_encode_needs_source_key(struct video_encode *v, int64_t pts_ns) ON_THREAD(ROLE_MIXV);

/* Canvases come at this rate now, lower than its own. Any thread. */
void video_encode_set_fps(struct video_encode *v, int fps);
/* Any thread. */
void video_encode_request_key(struct video_encode *v);
/* For a receiver that has another picture until then: such requests share a key
 * frame, VIDEO_ENCODE_SWITCH_MS after the last one at the earliest. Any thread. */
void video_encode_request_switch(struct video_encode *v);

#endif
