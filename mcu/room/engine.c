#include "mcu/room/engine.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mcu/base/log.h"
#include "mcu/base/machine.h"
#include "mcu/room/audio_worker.h"
#include "mcu/room/egress.h"
#include "mixer/codec/venc.h"
#include "mixer/video/compositor.h"

enum {
	AU_BYTES = 1 << 20,
	AU_COUNT = 1024,
	SOUND_BYTES = 4096,
	SOUND_COUNT = 4096,
	DATA_COUNT = 256,
	VIDEO_BATCHES = 2048,
	AUDIO_BATCHES = 8192,
	PICTURES = 4096,
	VIDEO_NICE = 5,
	POST_TRIES = 10000,
};

void engine_post(struct mbox *m, mbox_fn *fn, void *obj, void *arg)
{
	/* The consumer is alive: it makes room, or the process is beyond help. */
	for (int i = 0; i < POST_TRIES; i++) {
		if (!mbox_post(m, fn, obj, arg))
			return;
		usleep(1000);
	}
	log_error(NULL, "a mailbox stayed full for %d s: a thread hangs, giving up", POST_TRIES / 1000);
	log_stop();
	abort();
}

static size_t clamp(size_t n, size_t lo, size_t hi)
{
	return n < lo ? lo : n > hi ? hi : n;
}

static int make_pools(struct engine *e)
{
	int err = buf_pool_new(&e->au_pool, "access_units", AU_BYTES, AU_COUNT, 16);

	if (!err)
		err = buf_pool_new(&e->data_pool, "data_messages", ENGINE_DATA_BYTES, DATA_COUNT, 4);
	if (!err)
		err = buf_pool_new(&e->sound_pool, "encoded_sound", SOUND_BYTES, SOUND_COUNT, 64);
	if (!err)
		err = rtp_batch_pool_new(&e->video_batches, "video_batches", RTP_BATCH_VIDEO_PACKETS,
					 RTP_BATCH_VIDEO_BYTES, VIDEO_BATCHES);
	if (!err)
		err = rtp_batch_pool_new(&e->audio_batches, "audio_batches", RTP_BATCH_AUDIO_PACKETS,
					 RTP_BATCH_AUDIO_BYTES, AUDIO_BATCHES);
	if (!err)
		err = vframe_pool_new(&e->pictures, PICTURES);
	return err;
}

ON_THREAD(ROLE_CTL) static int start_threads(struct engine *e, size_t cores)
{
	size_t video = e->cfg.video_threads ? e->cfg.video_threads : cores;
	size_t net = e->cfg.net_threads ? e->cfg.net_threads : cores / 2;
	size_t audio = e->cfg.audio_threads ? e->cfg.audio_threads : (cores + 3) / 4;
	int err = workers_new(&e->video, e->clock, clamp(video, 1, 64), VIDEO_NICE);

	net = clamp(net, 1, ENGINE_MAX_SHARDS);
	audio = clamp(audio, 1, ENGINE_MAX_AUDIO_WORKERS);
	while (!err && e->n_shards < net) {
		err = net_shard_new(&e->shard[e->n_shards], (unsigned)e->n_shards, &e->cfg.net);
		if (err)
			break;
		e->n_shards++;
		err = egress_new(&e->egress[e->n_shards - 1], e, (unsigned)e->n_shards - 1);
	}
	while (!err && e->n_audio < audio) {
		err = audio_worker_new(&e->audio[e->n_audio], e->clock, (unsigned)e->n_audio);
		if (!err)
			e->n_audio++;
	}
	return err;
}

int engine_start(struct engine *e, const struct engine_cfg *cfg, const struct clock *clock,
		 struct mbox *ctl, struct errmsg *why)
{
	int err;

	*e = (struct engine){ .cfg = *cfg, .clock = clock, .ctl = ctl };
	net_raise_nofile_limit();
	compositor_warm_up();
	if (!cfg->asm_name || !strcmp(cfg->asm_name, "auto"))
		log_info(NULL, "x264 assembler: %s", venc_h264_pick_asm());
	err = make_pools(e);
	if (!err)
		err = start_threads(e, machine_cores());
	if (!err)
		return 0;
	engine_stop(e);
	return errmsg_set(why, err, "engine_start", "the media threads cannot be started: %s",
			  err_str(err));
}

void engine_stop(struct engine *e)
{
	for (size_t i = 0; i < e->n_audio; i++)
		audio_worker_free(&e->audio[i]);
	workers_free(&e->video);
	for (size_t i = 0; i < e->n_shards; i++) {
		if (e->egress[i])
			egress_stop(e->egress[i]);
		net_shard_stop(e->shard[i]);
		egress_free(&e->egress[i]);
		net_shard_free(&e->shard[i]);
	}
	vframe_pool_free(&e->pictures);
	rtp_batch_pool_free(&e->audio_batches);
	rtp_batch_pool_free(&e->video_batches);
	buf_pool_free(&e->sound_pool);
	buf_pool_free(&e->data_pool);
	buf_pool_free(&e->au_pool);
	e->n_audio = e->n_shards = 0;
}
