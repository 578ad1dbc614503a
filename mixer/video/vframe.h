/* Reference-counted pictures: what decoders give, canvases are and encoders take.
 *
 * A wrapper around an AVFrame. A decoded picture's planes stay in libavcodec's
 * own buffer pool, so that handing it on is a counter and never a copy; a canvas
 * owns one allocation for its whole life. A picture with more than one reference
 * is const for everybody; its holder may write it while it is the only one.
 * The last vframe_unref returns a pooled wrapper to its pool without a lock or
 * an allocation, and frees a canvas. Any thread. */
#ifndef MCU_MIXER_VIDEO_VFRAME_H
#define MCU_MIXER_VIDEO_VFRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libavutil/frame.h>

struct vframe_pool;

enum { VFRAME_MAX_PARTS = 64 };

/* Where a picture differs from earlier ones of the same painter: what is outside of all
 * parts looks as it did in the picture all_since, a part as in since or, when that is
 * later, in all_since; they are gens. So an encoder knows what stands still. */
struct vframe_parts {
	uint64_t painter; /* gen of the painter's first picture; 0: nothing is known */
	uint64_t all_since;
	size_t n;
	struct vframe_part {
		int x, y, w, h;
		uint64_t since;
	} part[VFRAME_MAX_PARTS];
};

struct vframe {
	AVFrame *av;       /* AV_PIX_FMT_YUV420P; av->color_range says when it is full range */
	int64_t pts_ns;    /* media clock; whoever fills the picture sets it */
	/* Increasing, never 0; another one is another picture. A decoded picture that looks
	 * like the one before gets the gen of that. */
	uint64_t gen;
	unsigned rotation; /* clockwise degrees to show it upright: 0, 90, 180, 270 */
	struct vframe_parts *parts; /* a canvas's own; NULL: not a canvas */
	/* private */
	_Atomic uint32_t refs;
	uint32_t index;
	struct vframe_pool *pool; /* NULL: a canvas */
};

/* At most max wrappers (1…65535), allocated at once. The pool outlives its
 * frames, and those may outlive the decoder that filled them: one pool for the
 * process. 0, -EINVAL, -ENOMEM. */
int vframe_pool_new(struct vframe_pool **out, size_t max);
/* All frames must have been returned; otherwise it aborts with their number. */
void vframe_pool_free(struct vframe_pool **p);
size_t vframe_pool_in_use(const struct vframe_pool *p);
uint64_t vframe_pool_empty_count(const struct vframe_pool *p); /* vframe_get gave NULL */

/* An empty wrapper (av without planes) with one reference and a new gen, or
 * NULL when the pool is dry. */
struct vframe *vframe_get(struct vframe_pool *p);
/* A picture of its own, width x height (even, 2…8192), I420 with planes and line
 * sizes aligned to 64 bytes, contents undefined. 0, -EINVAL, -ENOMEM. */
int vframe_new_canvas(struct vframe **out, int width, int height);

struct vframe *vframe_ref(struct vframe *f);
/* Drops the caller's reference and NULLs its pointer; NULL is fine. */
void vframe_unref(struct vframe **f);
/* True when the caller's reference is the only one; what the others have read
 * is then over (acquire). */
bool vframe_writable(const struct vframe *f);
/* Whether both look the same, pixel by pixel. Of pictures that do not the first lines
 * mostly tell; otherwise it reads them whole. */
bool vframe_same(const struct vframe *a, const struct vframe *b);
/* A new gen for a picture that was written again; nothing is known of its parts. */
void vframe_renew(struct vframe *f);

#endif
