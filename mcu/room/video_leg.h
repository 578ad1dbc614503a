/* The picture a leg sends: a strand that decodes it, and a slot that holds the
 * newest picture until the room's tick takes it. The decoder never waits for
 * the tick nor the tick for the decoder (L3): a picture that is not taken in
 * time is replaced. One that looks like the one before has its gen (vframe.h): who
 * shows a slide makes nobody paint it again.
 *
 * video_leg_put on NET hands over access units in decoding order; at most
 * VIDEO_LEG_QUEUE wait, then everything up to the next key frame is dropped and
 * counted, and video_leg_needs_key tells NET to ask for one. The same happens to
 * what is over the limits of the engine: pictures per second, and processor time
 * of its decoder. So nobody can take more than his share of the workers. */
#ifndef MCU_ROOM_VIDEO_LEG_H
#define MCU_ROOM_VIDEO_LEG_H

#include <stdbool.h>
#include <stdint.h>

#include "mcu/base/codec.h"
#include "mcu/base/role.h"
#include "mcu/room/engine.h"
#include "mixer/video/vframe.h"

enum {
	VIDEO_LEG_QUEUE = 12, /* access units that may wait */
	VIDEO_LEG_HELD = 6,   /* of them, those that wait for their time */
	/* A picture may come so long before its sound: nobody sees that (from 125 ms on
	 * they do, ITU-R BT.1359-1), and holding it back longer is delay. */
	VIDEO_LEG_LEAD_MS = 40
};

struct beat;
struct local_source;
struct video_leg;

struct video_leg_stats {
	uint64_t decoded, errors, dropped; /* dropped: also those over the limits */
	uint64_t over_limit;
	enum codec codec; /* of the last picture */
	int width, height;
	bool open; /* a decoder is running */
};

/* b: of the room whose ticks take the pictures. */
int video_leg_new(struct video_leg **out, const struct engine *e, const struct beat *b,
		  uint32_t leg_id) ON_THREAD(ROLE_CTL);
/* Its decoding is a's work. Before the first picture. */
void video_leg_charge(struct video_leg *v, struct work_account *a) ON_THREAD(ROLE_CTL);
/* Its picture is that of s (local_source.h, borrowed for its life) instead of access
 * units'; before it is wanted. */
void video_leg_set_local(struct video_leg *v, const struct local_source *s) ON_THREAD(ROLE_CTL);
/* NET must have stopped putting and the tick must have let go of it. Posts
 * closed(obj, NULL) to the control mailbox when the strand has run dry and the
 * decoder is gone, then the leg may be freed. */
void video_leg_close(struct video_leg *v, mbox_fn *closed, void *obj) ON_THREAD(ROLE_CTL);
void video_leg_free(struct video_leg **v) ON_THREAD(ROLE_CTL);
/* Frees one that was never used. *v may be NULL. */
void video_leg_discard(struct video_leg **v) ON_THREAD(ROLE_CTL);

/* Whether it is on a view at all (L2): if not, nothing is decoded and the
 * decoder is closed until a key frame after it is wanted again. */
void video_leg_set_wanted(struct video_leg *v, bool wanted) ON_THREAD(ROLE_CTL);

/* Takes au, an access unit as vdec.h wants it. codec: of this one; it may change
 * at a key frame. rotation: degrees. due_ns: when its sound is played, 0: unknown. It
 * is decoded for the beat that shows it then. */
void video_leg_put(struct video_leg *v, struct buf *au, enum codec codec, bool key,
		   unsigned rotation, int64_t due_ns) ON_THREAD(ROLE_NET);
/* True once per loss of the decoder's state. */
bool video_leg_needs_key(struct video_leg *v) ON_THREAD(ROLE_NET);

/* The newest picture if there is one since the last call; the caller's reference. What is
 * made in the server is as of due_ns, when the tick was due: so is its sound. */
struct vframe *video_leg_take(struct video_leg *v, int64_t due_ns) ON_THREAD(ROLE_MIXV);

/* Whether there will be one in a moment. */
bool video_leg_is_decoding(const struct video_leg *v) ON_THREAD(ROLE_MIXV);

/* An access unit whose picture has been decoded, as it came. */
struct video_leg_unit {
	struct buf *au; /* a reference */
	enum codec codec;
	bool gap; /* the one before is missing */
};
enum { VIDEO_LEG_UNITS = 8 };

/* Whether those are kept for video_leg_pop: at most VIDEO_LEG_UNITS, then they are
 * left out. Both by the room's tick alone. */
void video_leg_set_passing(struct video_leg *v, bool on) ON_THREAD(ROLE_MIXV);
bool video_leg_pop(struct video_leg *v, struct video_leg_unit *out) ON_THREAD(ROLE_MIXV);
/* Its sender is asked for a key frame. Any thread. */
void video_leg_request_key(struct video_leg *v);

void video_leg_get_stats(const struct video_leg *v, struct video_leg_stats *s);

#endif
