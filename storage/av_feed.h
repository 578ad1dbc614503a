/* Sound and pictures on their way from the threads that encode them to one that uses
 * them live: two rings (feed.h), read as one in order of time.
 *
 *   MIXV strand ── av_feed_video ──► ring ─┐
 *   MIXA worker ── av_feed_audio ──► ring ─┴─► av_feed_next, one consumer thread
 *
 * Packets are copied. Drop policy: ring full → pictures are dropped up to the next key
 * frame, sound frame by frame; counted. */
#ifndef MCU_STORAGE_AV_FEED_H
#define MCU_STORAGE_AV_FEED_H

#include "mcu/base/buf.h"
#include "storage/feed.h"

struct av_feed;

enum { AV_FEED_VIDEO_BYTES = 4 << 20, AV_FEED_AUDIO_BYTES = 256 << 10 };

/* Octets of the rings: powers of two. 0, -EINVAL, -ENOMEM. */
int av_feed_new(struct av_feed **out, size_t video_bytes, size_t audio_bytes);
/* When nobody will call it any more. */
void av_feed_free(struct av_feed **f);

/* The producers': one thread each. Borrowed for the call; neither allocates nor waits.
 * Nothing is taken before the first key frame. */
void av_feed_video(struct av_feed *f, const struct buf *au, int64_t pts_ns, bool key);
void av_feed_audio(struct av_feed *f, const struct buf *frame, int64_t pts_ns);

/* The consumer's: the oldest packet of both. A picture waits for the sound of its time,
 * but no longer than until now_ns is patience_ns behind it. False: nothing (yet). The
 * data is borrowed until av_feed_pop, which drops what was last got. */
bool av_feed_next(struct av_feed *f, int64_t now_ns, int64_t patience_ns,
		  struct feed_packet *out, bool *video);
void av_feed_pop(struct av_feed *f);

/* Packets dropped so far. Any thread. */
uint64_t av_feed_dropped(const struct av_feed *f);

#endif
