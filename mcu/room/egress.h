/* Fan-out on one shard (NET): every batch of an encode goes to each receiver of
 * it, with its own header and encryption and nothing else of its own (L10).
 *
 * Sound has a mailbox of its own and goes first; inside a large video fan-out
 * the shard turns to sound every EGRESS_YIELD receivers (L4). A large picture goes
 * in pieces: one to all receivers, then sound, then the next.
 *
 * Whoever comes shortly after a key frame is sent that one and all that came since,
 * at the pace of a large picture, and then goes on with the others; whoever comes
 * later waits for a key frame, which is asked for. So many who come at once need few
 * key frames, and none of them waits long. */
#ifndef MCU_ROOM_EGRESS_H
#define MCU_ROOM_EGRESS_H

#include <stdint.h>

#include "mcu/base/role.h"
#include "mcu/room/engine.h"
#include "mcu/room/out_stream.h"

struct egress;
struct video_encode;

enum {
	EGRESS_YIELD = 64,
	/* A picture of more than EGRESS_PIECES_FROM steps goes out in at most EGRESS_PIECES
	 * pieces, one every EGRESS_PACE_MS, so that it is gone before the next one comes.
	 * A step: what the encode's rate gives in that time, EGRESS_PACE_RATE times. */
	EGRESS_PACE_MS = 5,
	EGRESS_PACE_RATE = 10,
	EGRESS_PIECES_FROM = 2,
	EGRESS_PIECES = 6,
	/* How old a key frame may be that somebody new starts with. */
	EGRESS_CATCH_UP_MS = 600,
};

int egress_new(struct egress **out, const struct engine *e, unsigned shard) ON_THREAD(ROLE_CTL);
/* Takes it off the loop; free after the shard has stopped. */
void egress_stop(struct egress *x) ON_THREAD(ROLE_CTL);
void egress_free(struct egress **x) ON_THREAD(ROLE_CTL);

/* The pool of batches is dry: all histories give half of what they hold back. Any
 * thread; a shard that is behind does it another time. */
void egress_trim(struct egress *x);

/* Producers; take the reference. Dropped and counted when the shard is behind. */
void egress_post_video(struct egress *x, struct rtp_batch *b);
/* encode_id of the batch: audio_format_group. It is sent when the shard is woken
 * (soon after, by the producer), at the latest. */
void egress_post_audio(struct egress *x, struct rtp_batch *b);
void egress_wake_audio(struct egress *x);

/* Posted by CTL; the encode stays valid until closed(obj, NULL) has come back
 * through the control mailbox. */
void egress_open(struct egress *x, struct video_encode *v) ON_THREAD(ROLE_CTL);
void egress_close(struct egress *x, struct video_encode *v, mbox_fn *closed, void *obj)
	ON_THREAD(ROLE_CTL);

/* A leg's streams come and go; idempotent. A receiver that has a picture keeps it
 * until the first key frame of its new encode: then o->switched is called. 0 or -ENOMEM:
 * it gets what it got before, or nothing. */
int egress_watch(struct egress *x, uint32_t encode_id, struct out_stream *video)
	ON_THREAD(ROLE_NET);
void egress_unwatch(struct egress *x, struct out_stream *video) ON_THREAD(ROLE_NET);
/* group: audio_format_group, not 0; another one than before replaces it. */
int egress_listen(struct egress *x, uint32_t group, struct out_stream *audio) ON_THREAD(ROLE_NET);
void egress_unlisten(struct egress *x, struct out_stream *audio) ON_THREAD(ROLE_NET);

/* Back channel of a receiver: what it asks for beyond its share comes later. */
void egress_key_request(struct egress *x, struct out_stream *video) ON_THREAD(ROLE_NET);
/* Once a second or so: what was refused and is still wanted may be due. */
void egress_key_poll(struct egress *x, struct out_stream *video) ON_THREAD(ROLE_NET);
/* Sends it again if it is still there: as RTX where that was agreed on, else the
 * identical packet. Not twice within a round trip, and in a second no more octets
 * than the stream itself has (a storm of NACKs does not amplify). */
void egress_nack(struct egress *x, struct out_stream *video, uint16_t seq, int64_t now_ns)
	ON_THREAD(ROLE_NET);

#endif
