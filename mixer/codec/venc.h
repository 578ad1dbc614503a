/* Video encoders behind one table: pictures in, access units out.
 *
 * One thread, no look-ahead, no B-frames, no scene cuts: one access unit per
 * picture, at once. Key frames come on demand and, when gop_s is set, by count of
 * frames; each carries what a decoder needs to start there (H.264: its sequence and
 * picture parameter sets; AV1: its sequence header). An access unit is
 *   H.264  Annex B, one picture
 *   VP8    a frame
 *   VP9    a frame
 *   AV1    a temporal unit of low-overhead OBUs, each with its size, without
 *          temporal delimiter
 *   H.263  a picture of 176x144 or 352x288, which holds ours in its middle
 *
 * Owner: an encoder's strand (ROLE_MIXV), one call at a time. */
#ifndef MCU_MIXER_CODEC_VENC_H
#define MCU_MIXER_CODEC_VENC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/buf.h"
#include "mcu/base/codec.h"
#include "mcu/base/role.h"
#include "mixer/video/vframe.h"

struct venc_cfg {
	enum codec codec;
	int w, h;         /* even; pictures must have this size */
	int fps;          /* 1…120: what the bit rate is spread over */
	int bitrate_bps;  /* also the maximum rate of the buffer model */
	int vbv_ms;       /* size of the buffer model; 0: 250 */
	int gop_s;        /* a key frame at least every so many seconds; 0: on demand only */
	/* VP8 1…16, VP9 1…9, AV1 5…10: the higher, the less work a picture. 0: what
	 * suits a conference (8, 8, 10). Not for H.264. */
	int speed;
	/* The rest is for H.264 alone. */
	const char *preset; /* x264's; NULL: "superfast" */
	/* "auto": what venc_h264_pick_asm found fastest; "default": the library's
	 * choice; or the library's own words ("avx2"). NULL: "auto". */
	const char *asm_;
	/* RFC 6184: 0x42e01f. 0: constrained baseline, level 3.1. The sequence header
	 * says exactly this. Profiles 0x42, 0x4d, 0x64. */
	uint32_t profile_level_id;
	int max_nal_octets; /* no NAL unit is longer, or hardly; 0: one slice a picture */
};

struct venc_stats {
	uint64_t frames, keys, octets;
	uint64_t left_out;
	uint64_t dropped; /* encoded, but no or too small a buffer to give it out */
};

struct venc;

/* Strings of cfg are borrowed for the call. 0, -EINVAL, -ENOTSUP, -ENOMEM. Takes
 * some milliseconds. Any thread. */
int venc_new(struct venc **out, const struct venc_cfg *cfg);
void venc_free(struct venc **e);

/* Encodes f (borrowed; not needed after the return). On 0, *au_out is a buffer
 * of pool with one reference, the caller's, time_ns = pts_ns; *key: a decoder may
 * start with it (H.264: an IDR picture with its parameter sets). Otherwise *au_out is NULL.
 *   -EAGAIN    left out, since those before took too much of the rate (VP8, VP9);
 *              nothing is missing, and a key frame that was wanted comes next
 *   -EINVAL    f has another size or format
 *   -ENOBUFS   the pool is dry     } the picture is lost, counted, and the next
 *   -EMSGSIZE  larger than a buffer} one becomes a key frame
 *   -EIO       the encoder failed */
int venc_encode(struct venc *e, const struct vframe *f, int64_t pts_ns, bool force_key,
		struct buf_pool *pool, struct buf **au_out, bool *key) ON_THREAD(ROLE_MIXV);

/* Both work from the next picture on (a higher bit rate is used to four fifths
 * within 2 s and in full after some 10). -EINVAL out of range. */
int venc_set_bitrate(struct venc *e, int bitrate_bps) ON_THREAD(ROLE_MIXV);
int venc_set_gop(struct venc *e, int gop_s) ON_THREAD(ROLE_MIXV);
/* Pictures come at this rate from now on, 1 … cfg.fps: each may take as many more
 * octets (at most three times as many) as they are fewer. */
int venc_set_fps(struct venc *e, int fps) ON_THREAD(ROLE_MIXV);

/* Whether the last picture came out as fine as any does: the same one again would add
 * nothing. False where the encoder does not tell. */
bool venc_is_sharp(const struct venc *e) ON_THREAD(ROLE_MIXV);

void venc_get_stats(const struct venc *e, struct venc_stats *out) ON_THREAD(ROLE_MIXV);

/* Encodes a few synthetic pictures with each of x264's assembler sets that this
 * machine may prefer and remembers the fastest for asm "auto" ("default" until
 * then). At most 300 ms; once, at start, before other threads encode. Returns
 * the choice, a constant. */
const char *venc_h264_pick_asm(void);

#endif
