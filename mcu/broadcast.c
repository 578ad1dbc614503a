#include "mcu/broadcast.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "mcu/base/log.h"
#include "mcu/base/metrics.h"
#include "mixer/codec/aenc.h"
#include "storage/av_feed.h"
#include "storage/live_cut.h"

METRIC_GAUGE(m_running, "mcu_hls_streams", "Live streams over HTTP that run now.");
METRIC_COUNTER(m_parts, "mcu_hls_parts_total", "Parts of live streams that were made.");

enum {
	DRAIN_MS = 40,
	PATIENCE_MS = 200, /* of a picture with its sound */
	GOP_S = 2,
	SEGMENT_MS = 1000, /* at least */
	/* A key frame comes GOP_S after the one before, which may have been too early. */
	TARGET_S = GOP_S + SEGMENT_MS / 1000,
	REFRESH_MS = 100, /* of pictures that stand still: no part is without one */
	AAC_CONFIG_MAX = 64,
};

struct broadcast {
	struct broadcast_env *env;
	struct outlet *outlet;
	struct av_feed *feed;
	struct live_cut *cut;
	struct hls *hls;
	int64_t wall_ns; /* of the media clock's zero */
	broadcast_idle *idle;
	void *obj;
	guint timer;
	bool wants_key;
	struct log_ctx log;
	char room[257];
};

static void sink_video(void *obj, struct buf *au, int64_t pts_ns, bool key)
{
	av_feed_video(((struct broadcast *)obj)->feed, au, pts_ns, key);
}

static void sink_audio(void *obj, struct buf *frame, int64_t pts_ns)
{
	av_feed_audio(((struct broadcast *)obj)->feed, frame, pts_ns);
}

static void on_init(void *obj, const struct live_init *i)
{
	struct broadcast *b = obj;

	role_assert_ctl();
	hls_set_picture(b->hls, i->codecs, i->width, i->height, i->data, i->len);
}

static void on_part(void *obj, const struct live_part *p)
{
	struct broadcast *b = obj;

	role_assert_ctl();
	metric_add(&m_parts, 1);
	hls_add_part(b->hls, &(struct hls_part){
		.data = p->data, .len = p->len, .duration_ns = p->duration_ns,
		.wall_ns = b->wall_ns + p->start_ns, .independent = p->independent,
		.first = p->first, .last = p->last, .breaks = p->breaks });
}

ON_THREAD(ROLE_CTL) static void take(struct broadcast *b, int64_t now_ns)
{
	struct feed_packet p;
	bool video;

	while (av_feed_next(b->feed, now_ns, PATIENCE_MS * NS_PER_MS, &p, &video)) {
		if (video && !live_cut_video(b->cut, p.data, p.len, p.pts_ns, p.key) && !p.key)
			b->wants_key = true;
		if (!video)
			live_cut_audio(b->cut, p.data, p.len, p.pts_ns);
		av_feed_pop(b->feed);
	}
}

static gboolean on_timer(gpointer obj)
{
	struct broadcast *b = obj;
	const struct config *c = b->env->config;
	int64_t now = clock_now_ns(b->env->engine->clock);

	role_assert_ctl();
	take(b, now);
	hls_tick(b->hls);
	if (b->wants_key)
		room_sink_want_key(b->outlet);
	b->wants_key = false;
	if (strcmp(c->hls.start, "always") && now - hls_asked_ns(b->hls) > c->hls.idle_s * NS_PER_S)
		b->idle(b->obj); /* which may have stopped it */
	return G_SOURCE_CONTINUE;
}

static void broadcast_free(struct broadcast *b) ON_THREAD(ROLE_CTL)
{
	hls_free(&b->hls);
	live_cut_free(&b->cut);
	av_feed_free(&b->feed);
	free(b);
}

ON_THREAD(ROLE_CTL) static int make_parts(struct broadcast *b, struct room *room)
{
	const struct engine_cfg *e = &b->env->engine->cfg;
	const struct config *c = b->env->config;
	uint8_t aac[AAC_CONFIG_MAX];
	struct aenc_cfg sound = { .format = CODEC_AAC, .channels = room_channels(room),
				  .bitrate_bps = e->recording_audio_bps };
	struct live_cut_cfg cut = {
		.fps = e->fps, .aac_config = aac, .sample_rate = 48000, .channels = sound.channels,
		.part_ns = c->hls.part_ms * NS_PER_MS, .segment_ns = SEGMENT_MS * NS_PER_MS,
	};
	struct hls_cfg hls = {
		.clock = b->env->engine->clock,
		.window = { .part_ns = cut.part_ns, .target_s = TARGET_S,
			    .window_ns = c->hls.window_s * NS_PER_S,
			    .bytes_max = (size_t)c->hls.memory_mb << 20 },
		.bandwidth_bps = e->video_bps + e->recording_audio_bps, .fps = e->fps,
	};
	int err = aenc_config(&sound, aac, sizeof aac, &cut.aac_config_len);

	if (!err)
		err = hls_new(&b->hls, &hls);
	if (!err)
		err = live_cut_new(&b->cut, &cut,
				   &(struct live_cut_out){ .obj = b, .init = on_init, .part = on_part });
	return err ? err : av_feed_new(&b->feed, AV_FEED_VIDEO_BYTES, AV_FEED_AUDIO_BYTES);
}

int broadcast_start(struct broadcast **out, struct broadcast_env *env, struct room *room,
		    broadcast_idle *idle, void *obj, struct errmsg *why)
{
	struct broadcast *b = calloc(1, sizeof *b);
	struct room_sink sink = { .obj = b, .video = sink_video, .audio = sink_audio,
				  .sound = ROOM_SINK_AAC, .gop_s = GOP_S,
				  .refresh_ms = REFRESH_MS };
	int err = -ENOMEM;

	if (!b)
		goto out;
	b->env = env;
	b->idle = idle;
	b->obj = obj;
	snprintf(b->room, sizeof b->room, "%s", room_name(room));
	b->log.room = b->room;
	b->wall_ns = clock_wall_ns() - clock_now_ns(env->engine->clock);
	err = make_parts(b, room);
	if (!err)
		err = room_sink_attach(room, &sink, &b->outlet);
	if (err)
		goto out;
	b->timer = g_timeout_add(DRAIN_MS, on_timer, b);
	env->running++;
	metric_add(&m_running, 1);
	log_info(&b->log, "the room can be watched over HTTP");
	*out = b;
	return 0;
out:
	if (b)
		broadcast_free(b);
	return errmsg_set(why, err, "broadcast_failed", "The room cannot be sent as a stream: %s.",
			  err_str(err));
}

struct hls *broadcast_hls(struct broadcast *b)
{
	return b->hls;
}

static void on_detached(void *obj, void *arg)
{
	struct broadcast *b = obj;

	(void)arg;
	role_assert_ctl();
	b->env->running--;
	broadcast_free(b);
}

void broadcast_stop(struct broadcast **bp)
{
	struct broadcast *b = *bp;

	if (!b)
		return;
	*bp = NULL;
	g_source_remove(b->timer);
	live_cut_finish(b->cut);
	hls_end(b->hls);
	metric_add(&m_running, -1);
	log_info(&b->log, "the stream over HTTP has ended");
	room_sink_detach(&b->outlet, on_detached, b);
}
