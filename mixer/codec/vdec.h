/* Video decoders behind one table: access units in, pictures out.
 *
 * One thread, low delay, no concealment: a damaged picture is never shown. After
 * an error the decoder drops everything until the next key frame, and says so
 * with -EBADMSG each time, so that the caller may ask for one (rate-limited by
 * the caller). Dimensions are read from the sequence header and refused before
 * anything is allocated for them.
 *
 * Owner: a leg's decode strand (ROLE_MIXV), one call at a time. */
#ifndef MCU_MIXER_CODEC_VDEC_H
#define MCU_MIXER_CODEC_VDEC_H

#include <stddef.h>
#include <stdint.h>

#include "mcu/base/codec.h"
#include "mcu/base/role.h"
#include "mixer/video/vframe.h"

enum { VDEC_MAX_AU_BYTES = 4 << 20 };

/* The larger of the two bounds the longer side of a picture, their product its
 * area: 1280x720 also admits 720x1280. */
struct vdec_limits {
	int max_w, max_h;
};

struct vdec_stats {
	uint64_t frames;  /* pictures given out */
	uint64_t errors;  /* access units that could not be decoded */
	uint64_t skipped; /* dropped while waiting for a key frame */
	uint64_t refused; /* over the limits, or of a format that is not 4:2:0 8 bit */
	int width, height; /* of the last picture */
};

struct vdec;

/* pool: where pictures come from; borrowed, outlives the decoder.
 * 0, -EINVAL, -ENOTSUP (no such decoder), -ENOMEM. Any thread. */
int vdec_new(struct vdec **out, enum codec codec, const struct vdec_limits *limits,
	     struct vframe_pool *pool);
/* Pictures that were given out stay valid. Any thread, after the last call. */
void vdec_free(struct vdec **d);

/* Decodes one whole access unit, borrowed; no padding is asked of the caller:
 *   H.264  Annex B
 *   VP8    a frame; of no octets: a dropped one, -EAGAIN
 *   VP9    a frame or superframe; likewise
 *   AV1    a temporal unit as low-overhead OBUs
 *   H.263  a picture
 * That VP8 and VP9 frames are whole is for the caller to know: the length of their
 * last part is nowhere written, and one cut short there looks like a picture.
 * Sizes may change at key frames, and in VP9 and AV1 anywhere. Pictures are of even
 * size: an odd last line or column is cut off. On 0, *out is a reference for the
 * caller, who sets its pts_ns and rotation; otherwise NULL.
 *   -EAGAIN    no picture from this one
 *   -EBADMSG   damaged, or a key frame is needed first: ask the sender for one
 *   -EMSGSIZE  picture over the limits, or access unit over VDEC_MAX_AU_BYTES
 *   -ENOTSUP   not 4:2:0 8 bit
 *   -ENOBUFS   the pool is dry; the picture is lost, the stream goes on
 *   -ENOMEM */
int vdec_decode(struct vdec *d, const uint8_t *au, size_t len, struct vframe **out)
	ON_THREAD(ROLE_MIXV);

/* Safe at any time on the decoder's strand. */
void vdec_get_stats(const struct vdec *d, struct vdec_stats *out) ON_THREAD(ROLE_MIXV);

#endif
