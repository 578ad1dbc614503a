/* What a leg sends, as it is received, to somebody who records it: sound as the payload of
 * its packets (of RED the primary block), pictures as complete access units, with times of
 * our clock (mcu/rtp/stream_clock.h). What the server has muted, or a host forbidden, is
 * left out. Nothing here allocates or waits per packet.
 *
 * CTL begins and ends it (leg_record in leg.h); the rest happens on the leg's shard. */
#ifndef MCU_ROOM_LEG_RECORD_H
#define MCU_ROOM_LEG_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mcu/base/buf.h"
#include "mcu/base/codec.h"
#include "mcu/base/mbox.h"
#include "mcu/base/role.h"
#include "mcu/rtp/stream_clock.h"
#include "mcu/rtp/video_rx.h"

struct lipsync;
struct rtp_packet;

/* Called on the leg's shard; all borrowed for the call. */
struct leg_record_sink {
	void *obj;
	/* at_ns: of its first sample; larger than that of the one before. Comfort noise is
	 * left out. */
	void (*sound)(void *obj, enum codec c, const uint8_t *payload, size_t len, int64_t at_ns);
	/* content: not of its camera. True: a key frame is needed. NULL: nobody wants them. */
	bool (*picture)(void *obj, bool content, enum codec c, unsigned width, unsigned height,
			const struct buf *au, int64_t at_ns, bool key);
	/* On CTL, once: it is called no more. */
	void (*released)(void *obj);
};

enum { LEG_RECORD_PICTURES = 2 };

struct leg_record {
	struct leg_record_sink sink; /* constant */
	_Atomic bool no_sound, no_picture[LEG_RECORD_PICTURES];
	/* the shard's */
	struct stream_clock sound_clock;
	struct picture_record {
		struct stream_clock clock;
		bool broken; /* something is missing until a key frame */
		unsigned width, height;
		int64_t asked_ns;
	} picture[LEG_RECORD_PICTURES];
};

/* tag: of audio_in.h. */
void leg_record_sound(struct leg_record *r, const struct lipsync *l, const struct rtp_packet *p,
		      uint32_t tag, int64_t arrival_ns) ON_THREAD(ROLE_NET);
/* True: its sender is to be asked for a key frame, at most once a second. l: that its
 * sound goes with; NULL: with none. */
bool leg_record_picture(struct leg_record *r, bool content, const struct lipsync *l,
			const struct video_au *au, int64_t now_ns) ON_THREAD(ROLE_NET);

/* The size that a key frame says; false: it says none. Any thread. */
bool leg_record_size(enum codec c, const uint8_t *au, size_t len, unsigned *width,
		     unsigned *height);

#endif
