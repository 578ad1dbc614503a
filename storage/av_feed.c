#include "storage/av_feed.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "mcu/base/metrics.h"

METRIC_COUNTER(dropped_total, "mcu_live_dropped_total",
	       "Packets that live outputs (HLS, pushes) dropped because they were too slow.");

struct av_feed {
	struct feed *video, *audio;
	_Atomic uint64_t dropped;
	bool needs_key;	 /* the video producer's */
	bool last_video; /* the consumer's: which of the two was got last */
	int64_t heard_ns; /* likewise: up to where there has been sound */
};

int av_feed_new(struct av_feed **out, size_t video_bytes, size_t audio_bytes)
{
	struct av_feed *f = calloc(1, sizeof(*f));
	int err = f ? feed_new(&f->video, video_bytes) : -ENOMEM;

	if (!err)
		err = feed_new(&f->audio, audio_bytes);
	if (err) {
		av_feed_free(&f);
		return err;
	}
	f->needs_key = true;
	f->heard_ns = INT64_MIN;
	*out = f;
	return 0;
}

void av_feed_free(struct av_feed **f)
{
	if (!*f)
		return;
	feed_free(&(*f)->video);
	feed_free(&(*f)->audio);
	free(*f);
	*f = NULL;
}

static void count_drop(struct av_feed *f)
{
	atomic_fetch_add_explicit(&f->dropped, 1, memory_order_relaxed);
	metric_add(&dropped_total, 1);
}

void av_feed_video(struct av_feed *f, const struct buf *au, int64_t pts_ns, bool key)
{
	if (f->needs_key && !key)
		return;
	f->needs_key = !feed_push(f->video, au->data, au->len, pts_ns, key);
	if (f->needs_key)
		count_drop(f);
}

void av_feed_audio(struct av_feed *f, const struct buf *frame, int64_t pts_ns)
{
	if (!feed_push(f->audio, frame->data, frame->len, pts_ns, true))
		count_drop(f);
}

bool av_feed_next(struct av_feed *f, int64_t now_ns, int64_t patience_ns,
		  struct feed_packet *out, bool *video)
{
	struct feed_packet v, a;
	bool have_v = feed_peek(f->video, &v), have_a = feed_peek(f->audio, &a);

	if (have_a && (!have_v || a.pts_ns < v.pts_ns)) {
		*out = a;
		*video = f->last_video = false;
		f->heard_ns = a.pts_ns;
		return true;
	}
	if (!have_v || (!have_a && f->heard_ns < v.pts_ns && now_ns - v.pts_ns < patience_ns))
		return false;
	*out = v;
	*video = f->last_video = true;
	return true;
}

void av_feed_pop(struct av_feed *f)
{
	feed_pop(f->last_video ? f->video : f->audio);
}

uint64_t av_feed_dropped(const struct av_feed *f)
{
	return atomic_load_explicit(&f->dropped, memory_order_relaxed);
}
